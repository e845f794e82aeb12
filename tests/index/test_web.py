"""Pages, feeds and sitemaps on a web server, as places to index."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder
from web_server import Reply, WebServer

from index import Article, open_index, sync
from index.config import FetchConfig, IndexConfig, IndexSettings
from index.errors import FetchError
from index.fetch import fetcher_for
from index.planning import plan
from index.update import SyncReport

BODY = (
    "<p>The mayor of Palembang opened the long bridge over the Musi river on Wednesday, after three years of work.</p>"
    "<p>Some two thousand people crossed it on foot in the first hour, and the ferries stopped at noon.</p>"
    "<p>The bridge cost forty million euros; the bank that lent the money wants it back within twenty years.</p>"
)
HTML = {"Content-Type": "text/html; charset=utf-8"}
XML = {"Content-Type": "application/xml"}
SCRIPT_ONLY = (
    "<!doctype html><html><head><title>App</title><script src=a.js></script></head><body><div id=root></div>"
    "<noscript>Please turn on JavaScript.</noscript></body></html>"
)
LINE = "A bridge opened on Monday."


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


Sync = Callable[..., SyncReport]


@pytest.fixture
def run(tmp_path: Path, server: WebServer) -> Sync:
    """Index places of the server; ``pages`` and the like go to the section ``fetch``."""
    fetcher_for.cache_clear()

    def settings(**fetch: Any) -> IndexSettings:
        config = FetchConfig(**{"trusted_hosts": ("127.0.0.1",), "delay": 0, "tries": 1, "seconds": 5, **fetch})
        return IndexSettings(index=IndexConfig(path=tmp_path / "index"), fetch=config)

    def run(*places: Any, **fetch: Any) -> SyncReport:
        named = [server.url(place) if isinstance(place, str) and place.startswith("/") else place for place in places]
        return sync(*named, config=settings(**fetch), encoder=WordEncoder())  # type: ignore[arg-type]

    run.settings = settings()  # type: ignore[attr-defined]
    return run


@pytest.fixture
def articles(tmp_path: Path) -> Callable[[], list[Article]]:
    def articles() -> list[Article]:
        with open_index(tmp_path / "index") as index:
            return list(index)

    return articles


def page(title: str, body: str = BODY, head: str = "") -> Reply:
    return Reply(
        f"<!doctype html><html lang=en><head><title>{title}</title>{head}</head><body><main><article><h1>{title}</h1>"
        f"{body.replace('bridge', f'bridge of {title}')}</article></main></body></html>",
        headers={**HTML, "ETag": f'"{title}{len(body)}"'},
    )


def rss(*items: str, **headers: str) -> Reply:
    listed = "".join(f"<item>{item}</item>" for item in items)
    return Reply(
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>North Wire</title>'
        f"{listed}</channel></rss>",
        headers={"Content-Type": "application/rss+xml", **headers},
    )


def item(name: str, title: str = "", more: str = "") -> str:
    return f"<title>{title or name}</title><link>/{name}</link><guid isPermaLink='false'>{name}</guid>{more}"


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


# Pages


def test_page(server, run, articles):
    server.pages = {"/a": page("Longest crossing", head="<link rel=canonical href=/a?x=1>")}
    assert counts(run("/a")) == (1, 0, 0, 0)
    (article,) = articles()
    assert article.id == server.url("/a")
    assert article.url is not None
    assert article.url.startswith(server.url("/a"))
    assert "two thousand people" in article.text
    assert article.title == "Longest crossing"


def test_page_that_has_not_changed_is_not_sent_again(server, run):
    server.pages = {"/a": [page("One"), Reply(status=304)]}
    run("/a")
    assert counts(run("/a")) == (0, 0, 0, 1)
    assert server.requests[-1][1]["if-none-match"].startswith('"One')


def test_page_that_has_changed_is_read_again_and_stays_the_same_article(server, run, articles):
    server.pages = {"/a": [page("One"), page("One", BODY.replace("forty", "fifty"))]}
    run("/a")
    assert counts(run("/a")) == (0, 1, 0, 0)
    assert "fifty million" in articles()[0].text


def test_page_that_has_gone_keeps_its_article(server, run, articles):
    server.pages = {"/a": [page("One"), Reply("gone", 410)]}
    run("/a")
    report = run("/a")
    assert counts(report)[:3] == (0, 0, 0)
    assert [problem.lost for problem in report.problems] == [True]
    assert "410" in report.problems[0].reason
    assert len(articles()) == 1


def test_page_may_not_take_the_place_of_another_sites(server, run, articles):
    server.pages = {"/a": page("One", head='<link rel="canonical" href="https://other.example/story">')}
    run("/a")
    assert articles()[0].url == server.url("/a")


def test_page_of_a_script_only_is_a_problem(server, run):
    server.pages = {"/a": Reply(SCRIPT_ONLY, headers=HTML)}
    report = run("/a")
    assert counts(report) == (0, 0, 0, 0)
    assert len(report.problems) == 1
    assert report.problems[0].lost


def test_charset_of_the_header(server, run, articles):
    text = page("Größe").body.replace("mayor", "Bürgermeister")
    server.pages = {"/a": Reply(text.encode("latin-1"), headers={"Content-Type": "text/html; charset=iso-8859-1"})}
    run("/a")
    assert "Bürgermeister" in articles()[0].text


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (json.dumps({"title": "One", "text": LINE}), "application/json"),
        (json.dumps({"title": "One", "text": LINE}) + "\n", "application/x-ndjson"),
        (gzip.compress(json.dumps([{"title": "One", "text": LINE}]).encode()), "application/gzip"),
        (f"---\ntitle: One\n---\n{LINE}", "text/plain"),
    ],
)  # fmt: skip
def test_files_of_articles(server, run, articles, content, media_type):
    server.pages = {"/file": Reply(content, headers={"Content-Type": media_type})}
    assert counts(run("/file")) == (1, 0, 0, 0)
    assert (articles()[0].title, articles()[0].text) == ("One", LINE)


def test_what_is_no_article_at_all(server, run):
    server.pages = {"/a.png": Reply(b"\x89PNG\r\n\x1a\n", headers={"Content-Type": "image/png"})}
    assert "it is image/png" in run("/a.png").problems[0].reason


@pytest.mark.parametrize("url", ["ftp://news.example/a", "file:///etc/passwd", "https://me:pw@news.example/"])
def test_addresses_that_are_refused_at_once(run, tmp_path, url):
    with pytest.raises(FetchError):
        run(url)
    assert not (tmp_path / "index").exists()


def test_folder_page_and_feed_together(server, run, articles, tmp_path):
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "a.txt").write_text("A file about ferries.")
    server.pages = {"/page": page("Page"), "/feed": rss(item("one")), "/one": page("one")}
    assert counts(run(tmp_path / "news", "/page", "/feed")) == (3, 0, 0, 0)
    assert counts(run([tmp_path / "news", server.url("/page")], "/nothing"))[:3] == (0, 0, 0)
    assert len(articles()) == 3


def test_plan_of_a_feed_changes_nothing(server, run, articles):
    server.pages = {"/feed": [rss(item("one")), rss(item("two"))], "/one": page("one"), "/two": page("two")}
    run("/feed")
    planned = plan(server.url("/feed"), config=run.settings)
    assert [article.title for article in planned.new] == ["two"]
    assert (planned.changed, planned.gone) == ((), ())
    assert [article.title for article in articles()] == ["one"]


# Feeds


def test_feed(server, run, articles):
    dated = "<pubDate>Wed, 01 Nov 2023 00:30:00 +0700</pubDate>"
    server.pages = {"/feed": rss(item("one", "First", dated), item("two")), "/one": page("one"), "/two": page("two")}
    assert counts(run("/feed")) == (2, 0, 0, 0)
    first = next(article for article in articles() if article.title == "First")
    assert (first.url, first.source) == (server.url("/one"), "North Wire")
    assert (first.published, first.published_from) == (date(2023, 11, 1), "metadata")


def test_entries_are_fetched_once_and_again_when_the_feed_says_so(server, run):
    same, other = rss(item("one"), item("two")), rss(item("one", "Renamed"), item("two"))
    server.pages = {
        "/feed": [same, same, other],
        "/one": [page("one"), page("one", BODY.replace("forty", "fifty"))], "/two": page("two"),
    }  # fmt: skip
    run("/feed")
    assert counts(run("/feed")) == (0, 0, 0, 2)
    assert server.paths == ["/feed", "/one", "/two", "/feed"]
    assert counts(run("/feed")) == (0, 1, 0, 1)
    assert server.paths[4:] == ["/feed", "/one"]


def test_feed_that_has_not_changed_is_not_sent_again(server, run):
    server.pages = {"/feed": [rss(item("one"), ETag='"f1"'), Reply(status=304)], "/one": page("one")}
    run("/feed")
    assert counts(run("/feed"))[:3] == (0, 0, 0)
    assert server.requests[-1][0] == "/feed"
    assert server.requests[-1][1]["if-none-match"] == '"f1"'


def test_feed_is_asked_for_anew_until_all_its_pages_are_read(server, run):
    server.pages = {
        "/feed": rss(item("one"), item("two"), ETag='"f1"'),
        "/one": page("one"),
        "/two": [Reply(status=503), page("two")],
    }
    report = run("/feed")
    assert counts(report) == (1, 0, 0, 0)
    assert "503" in report.problems[0].reason
    assert counts(run("/feed")) == (1, 0, 0, 1)
    assert "if-none-match" not in server.requests[-2][1]
    run("/feed")
    assert server.requests[-1][1]["if-none-match"] == '"f1"'


def test_what_has_left_the_feed_stays(server, run, articles):
    server.pages = {"/feed": [rss(item("one")), rss(item("two"))], "/one": page("one"), "/two": page("two")}
    run("/feed")
    assert counts(run("/feed")) == (1, 0, 0, 0)
    assert len(articles()) == 2


def test_article_that_moves_keeps_its_identity_by_its_guid(server, run, articles):
    moved = item("one").replace("<link>/one", "<link>/one-corrected")
    server.pages = {
        "/feed": [rss(item("one")), rss(moved)],
        "/one": page("one"),
        "/one-corrected": page("one", BODY.replace("forty", "fifty")),
    }
    run("/feed")
    (before,) = articles()
    assert counts(run("/feed")) == (0, 1, 0, 0)
    (after,) = articles()
    assert after.id == before.id
    assert after.url == server.url("/one-corrected")


def test_article_in_two_feeds_is_one(server, run, articles):
    server.pages = {"/feed": rss(item("one")), "/top": rss(item("one", more="<guid>other</guid>")), "/one": page("one")}
    assert counts(run("/feed", "/top")) == (1, 0, 0, 1)
    assert len(articles()) == 1


FULL = f"<content:encoded><![CDATA[{BODY}]]></content:encoded>"


@pytest.mark.parametrize(
    "reply",
    [
        Reply("no", 403),
        Reply(SCRIPT_ONLY, headers=HTML),
        Reply(b"%PDF-1.7", headers={"Content-Type": "application/pdf"}),
    ],
)
def test_page_that_cannot_be_had_is_replaced_by_what_the_feed_holds(server, run, articles, reply):
    server.pages = {"/feed": rss(item("one", "First", FULL)), "/one": reply}
    report = run("/feed")
    assert counts(report) == (1, 0, 0, 0)
    assert [problem.lost for problem in report.problems] == [False]
    assert "what the feed says of it was read instead" in report.problems[0].reason
    (article,) = articles()
    assert (article.title, article.url) == ("First", server.url("/one"))
    assert article.text.count("\n\n") == 2
    assert counts(run("/feed")) == (0, 0, 0, 1)
    assert server.paths == ["/feed", "/one", "/feed"]


def test_page_that_may_yet_come_is_waited_for(server, run):
    server.pages = {"/feed": rss(item("one", "First", FULL)), "/one": [Reply(status=500), page("one")]}
    assert counts(run("/feed")) == (0, 0, 0, 0)
    assert counts(run("/feed")) == (1, 0, 0, 0)


def test_feed_cannot_speak_for_another_sites_page(server, run, articles):
    server.pages = {"/feed": rss("<title>x</title><link>ftp://other.example/a</link>" + FULL)}
    run("/feed")
    assert articles()[0].url is None


@pytest.mark.parametrize(
    "link", ["http://169.254.169.254/latest/", "http://[::1]/", "http://localhost:1/", "file:///etc/passwd"]
)
def test_feed_leads_nowhere_private(server, run, link):
    server.pages = {"/feed": rss(f"<title>x</title><link>{link}</link>")}
    report = run("/feed")
    assert counts(report) == (0, 0, 0, 0)
    assert all(problem.lost for problem in report.problems)
    assert len(report.problems) == 1


def test_feed_without_end_is_cut(server, run, articles):
    story = f"<item>{item('one')}</item>" + "".join(
        f"<item><title>{n}</title><description>{BODY.replace('bridge', number)}</description></item>"
        for n, number in enumerate("abc")
    )
    start = b'<rss version="2.0"><channel>' + story.encode()
    server.pages = {"/feed": server.drip(story.encode(), pause=0.1, content_type="application/rss+xml", start=start)}
    report = run("/feed", seconds=1)
    assert any("not complete within 1 s" in problem.reason and not problem.lost for problem in report.problems)
    assert {article.title for article in articles()} == {"0", "1", "2"}


def test_most_pages_of_a_run(server, run):
    server.pages = {"/feed": rss(*(item(f"n{n}") for n in range(5))), **{f"/n{n}": page(f"n{n}") for n in range(5)}}
    report = run("/feed", pages=2)
    assert counts(report) == (2, 0, 0, 0)
    assert report.problems[0].reason.startswith("3 pages are left for the next run")
    assert counts(run("/feed", pages=2)) == (2, 0, 0, 2)
    report = run("/feed", pages=2)
    assert counts(report) == (1, 0, 0, 4)
    assert report.problems == ()


def test_bad_feed_is_a_problem(server, run):
    server.pages = {"/feed": Reply("<rss", headers={"Content-Type": "application/rss+xml"})}
    assert "not a feed that can be read" in run("/feed").problems[0].reason


# Sitemaps


def sitemap(*paths: str, tag: str = "url") -> Reply:
    listed = "".join(f"<{tag}><loc>{path}</loc></{tag}>" for path in paths)
    root = "urlset" if tag == "url" else "sitemapindex"
    return Reply(f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</{root}>', headers=XML)


def test_sitemap_index_with_packed_sitemaps(server, run):
    packed = gzip.compress(sitemap("/one").body.encode())
    server.pages = {
        "/sitemap.xml": sitemap("/1.xml.gz", "/2.xml", "/missing.xml", tag="sitemap"),
        "/1.xml.gz": Reply(packed, headers={"Content-Type": "application/x-gzip"}),
        "/2.xml": sitemap("/two", "/one"),
        "/one": page("one"), "/two": page("two"),
    }  # fmt: skip
    report = run("/sitemap.xml")
    assert counts(report)[0] == 2
    assert [problem.where for problem in report.problems] == [server.url("/missing.xml")]
    assert counts(run("/sitemap.xml"))[:3] == (0, 0, 0)
    assert server.paths.count("/one") == 2  # once for each sitemap that lists it
    assert server.paths.count("/two") == 1


def test_sitemap_indexes_in_a_circle_and_without_end(server, run):
    server.pages = {
        "/sitemap.xml": sitemap("/b.xml", tag="sitemap"),
        "/b.xml": sitemap("/sitemap.xml", "/b.xml", "/c.xml", tag="sitemap"),
        "/c.xml": sitemap("/one"),
        "/one": page("one"),
    }
    assert counts(run("/sitemap.xml"))[0] == 1

    server.requests.clear()
    server.pages = {f"/{n}.xml": sitemap(f"/{n + 1}.xml", tag="sitemap") for n in range(300)}
    run("/0.xml")
    assert len(server.paths) == 200


def test_gzip_bomb_as_a_sitemap(server, run):
    bomb = gzip.compress(b"<urlset>" + b" " * 30_000_000)
    server.pages = {"/sitemap.xml.gz": Reply(bomb, headers={"Content-Type": "application/gzip"})}
    report = run("/sitemap.xml.gz", megabytes=1)
    assert "larger than 1 MB" in report.problems[0].reason
