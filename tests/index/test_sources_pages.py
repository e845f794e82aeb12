"""Saved pages in many languages, layouts and encodings; tests/data/pages/expected.json says what stands on them."""

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from index.article import Article
from index.cleaning import furniture
from index.config import SourcesConfig
from index.errors import ArticleError
from index.sources import Origin, Problem, read_file
from index.sources.html import page, read_page

PAGES = Path(__file__).resolve().parent.parent / "data" / "pages"
EXPECTED = json.loads((PAGES / "expected.json").read_text(encoding="utf-8"))
SAVED = datetime(2024, 6, 1, tzinfo=UTC)
URL = "https://paper.example/news/1"
STORY = "<p>The bridge over the river was opened to traffic on Monday, a year later than the town had hoped.</p>"
MORE = (
    "<p>It is two hundred metres long and cost eleven million, most of which came from the province.</p>"
    "<p>The old bridge will be taken down in the spring, and its iron sold to pay for the new lamps.</p>"
)


def html(body: str, head: str = "", attributes: str = "") -> bytes:
    return (
        f"<!DOCTYPE html><html {attributes}><head><title>Bridge opened</title>{head}</head><body><article>"
        f"<h1>Bridge opened</h1>{body}</article></body></html>"
    ).encode()


def read(body: str = STORY + MORE, head: str = "", attributes: str = "lang=en", fetched: datetime = SAVED) -> Article:
    return read_page(html(body, head, attributes), url=URL, fetched=fetched)


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {
        name: page((PAGES / f"{name}.html").read_bytes(), Origin(name, name, SAVED, SourcesConfig()))
        for name in EXPECTED
    }


def words(article: Article) -> str:
    """The text that is indexed: without what index.cleaning passes over."""
    text = article.text
    for start, end in reversed(furniture(text)):
        text = text[:start] + text[end:]
    return " ".join(text.split())


def test_there_are_enough_pages_of_enough_kinds():
    assert len(EXPECTED) >= 50
    assert {path.stem for path in PAGES.glob("*.html")} == set(EXPECTED)
    assert len({expected["language"] for expected in EXPECTED.values()}) >= 12
    assert sum(path.stat().st_size for path in PAGES.iterdir()) < 1_000_000


@pytest.mark.parametrize("field", ["title", "text", "published", "language", "source", "url"])
def test_at_least_19_pages_of_20_are_right(articles, field):
    wrong = []
    for name, expected in EXPECTED.items():
        article = articles[name]
        if field == "text":
            text = words(article)
            missing = [part for part in expected["contains"] if " ".join(part.split()) not in text]
            found = [part for part in expected["lacks"] if part in text]
            if missing or found:
                wrong.append(f"{name}: lacks {missing}, has {found}")
        elif field == "published":
            known = article.published if article.published_from in ("metadata", "page") else None
            if (known and known.isoformat()) != expected["published"]:
                wrong.append(f"{name}: {known}, not {expected['published']}")
        elif expected.get(field) is not None and getattr(article, field) != expected[field]:
            wrong.append(f"{name}: {getattr(article, field)!r}, not {expected[field]!r}")
    print(f"{field}: {len(EXPECTED) - len(wrong)} of {len(EXPECTED)} right", *wrong, sep="\n")  # noqa: T201 -- shown where it fails
    assert len(wrong) <= 0.05 * len(EXPECTED), wrong


def test_a_saved_page_is_read_by_its_path(tmp_path):
    path = tmp_path / "news" / "ferry.html"
    path.parent.mkdir()
    path.write_bytes((PAGES / "en-wordpress-yoast.html").read_bytes())
    (article,) = read_file(path, root=tmp_path)
    assert isinstance(article, Article)
    assert article.id == "news/ferry.html"
    assert article.url == "https://skerrygazette.example/2022/03/harbour-ferry-returns/"


def test_a_fetched_page_has_its_address_for_id():
    article = read(head='<link rel=canonical href="/bridge"><meta property="og:site_name" content="The Paper">')
    assert (article.id, article.url, article.source) == (URL, "https://paper.example/bridge", "The Paper")
    assert article.fetched == SAVED
    assert article.title == "Bridge opened"
    assert article.text.startswith("The bridge over the river")


@pytest.mark.parametrize(
    "canonical",
    ["https://other.example/bridge", "https://paper.example/", "javascript:alert(1)", "http://[", ""],
)
def test_an_address_that_cannot_be_the_articles_is_not_believed(canonical):
    assert read(head=f'<link rel=canonical href="{canonical}">').url == URL


@pytest.mark.parametrize(
    ("head", "published", "known"),
    [
        ('<meta property="article:published_time" content="2023-11-01T23:30:00+07:00">', date(2023, 11, 1), "metadata"),
        ('<meta name="pubdate" content="2023-11-01">', date(2023, 11, 1), "page"),
        (
            '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2023-11-01"}</script>',
            date(2023, 11, 1),
            "metadata",
        ),
        ('<script type="application/ld+json">{"@type":"Recipe","datePublished":"2023-11-01"}</script>', None, "file"),
        ('<script type="application/ld+json">[[[["</script>', None, "file"),
        (f'<script type="application/ld+json">{"[" * 100_000}</script>', None, "file"),
        ('<meta property="article:published_time" content="2024-06-02">', None, "file"),
        ('<meta property="article:published_time" content="2024-06-01T01:30:00+07:00">', date(2024, 6, 1), "metadata"),
        ('<meta property="article:published_time" content="0001-01-01T00:00:00Z">', None, "file"),
        ('<meta property="article:published_time" content="soon">', None, "file"),
    ],
)
def test_date_of_publication(head, published, known):
    article = read(head=head)
    assert article.published_from == known
    if published:
        assert article.published == published


@pytest.mark.parametrize("hours", [-1, 1])
def test_an_hour_after_the_fetch_is_too_late_and_an_hour_before_is_not(hours):
    fetched = datetime(2024, 2, 3, 12, tzinfo=UTC)
    stated = f"2024-02-03T{12 + hours:02}:00:00+00:00"
    article = read(head=f'<meta property="article:published_time" content="{stated}">', fetched=fetched)
    assert (article.published_from == "metadata") == (hours < 0)
    assert article.published is not None
    assert article.published <= fetched.date()


def test_a_date_beside_the_headline_is_found_and_one_in_the_story_is_not():
    assert read(f"<div>1 November 2023, 10:15</div>{STORY}{MORE}").published == date(2023, 11, 1)
    assert read(f"{STORY}{MORE}<p>It was begun on 1 November 2023.</p>").published_from == "file"


def test_a_page_in_another_language_than_it_declares():
    assert read(attributes='lang="de-DE"').language == "en"
    assert read(attributes='lang="en_US"').language == "en"
    assert read(attributes="").language == "en"


@pytest.mark.parametrize(
    ("declared", "encoding", "charset"),
    [
        ("", "utf-8", "latin-1"),
        ("", "cp1251", "windows-1251"),
        ("windows-1251", "cp1251", None),
        ("iso-8859-1", "cp1251", None),
        ("utf-8", "cp1251", "utf-8"),
        ("no-such-charset", "utf-16", "rot13"),
        ("hex", "utf-16-le", None),
    ],
)
def test_what_the_bytes_are_counts_before_what_is_said_of_them(declared, encoding, charset):
    story = "<p>В городе открыли мост через реку, которого жители ждали двадцать лет. Он длиннее старого.</p>" * 2
    text = html(story, f'<meta charset="{declared}">', "lang=ru").decode().encode(encoding)
    assert "открыли мост через реку" in read_page(text, url=URL, fetched=SAVED, charset=charset).text


def test_joiners_without_which_a_word_is_another_are_kept():
    persian = "<p>این کتابخانه هر هفته به سی روستا می‌رود و کودکان کتاب‌ها را می‌خوانند و پس می‌دهند.</p>" * 2
    assert "می‌رود" in read(persian, attributes="lang=fa").text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no text"),
        (b"   \n", "no text"),
        (b"<html><body></body></html>", "no article on this page"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x04\x00\x00\x00" + bytes(range(256)), "binary file"),
        (b"<p>" + b"<div>" * 100_000 + b"text", "nested too deeply"),
        (html('<div id="root"></div><script>render()</script>').replace(b"<h1>Bridge opened</h1>", b""), "no article"),
        (html("<p>You need to enable JavaScript to run this app.</p>"), "no article"),
    ],
)
def test_what_is_no_article_says_why(content, reason):
    with pytest.raises(ArticleError, match=reason) as raised:
        read_page(content, url=URL, fetched=SAVED)
    assert raised.value.where in (URL, "")


def test_trafilatura_that_fails_is_a_problem_and_no_crash(monkeypatch, tmp_path):
    import trafilatura

    def fail(*_, **__):
        raise KeyError("x")

    monkeypatch.setattr(trafilatura, "bare_extraction", fail)
    (tmp_path / "a.html").write_bytes(html(STORY))
    (problem,) = read_file(tmp_path / "a.html", root=tmp_path)
    assert isinstance(problem, Problem)
    assert "no article" in problem.reason


def test_trafilatura_is_not_loaded_before_a_page_is_read(tmp_path):
    head = "---\nlanguage: en\npublished: 2023-11-01\n---\n"
    (tmp_path / "a.txt").write_text(f"{head}The bridge was opened.", encoding="utf-8")
    script = (
        "import sys; from pathlib import Path; from index.sources import find_files, read_file\n"
        f"folder = Path({str(tmp_path)!r}); print(*[list(read_file(p, root=folder)) for p in find_files(folder)])\n"
        "print(sorted({'trafilatura', 'htmldate', 'lxml', 'warcio'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "The bridge was opened." in printed
    assert printed.strip().endswith("[]")


def test_a_long_page_is_read_to_its_end():
    body = "".join(
        f"<p>Sentence {number} of a story that goes on and on and does not end here.</p>" for number in range(3000)
    )
    assert "Sentence 2999 of" in read(body).text


@pytest.mark.parametrize(
    "content",
    [
        b"\xe9<script" * 30_000,
        b"\xe9" + b"<" * 300_000,
        html(STORY + MORE, "<title>" + "- " * 200_000 + "</title>", "lang=en"),
        html(STORY + MORE, '<meta property="og:site_name" content="x">' + "<title>" + "-" * 300_000 + "</title>"),
        html(STORY + MORE, '<script type="application/ld+json">' + "{" * 300_000 + "</script>"),
        html(STORY + MORE, '<script type="application/ld+json">' + '"datePublished":' * 30_000 + "{</script>"),
    ],
)
def test_what_would_take_a_careless_pattern_forever_takes_no_time(content):
    with contextlib.suppress(ArticleError):
        assert read_page(content, url=URL, fetched=SAVED)


def test_a_limit_holds_for_pages(tmp_path):
    path = tmp_path / "a.html"
    path.write_bytes(html(STORY * 20_000))
    (problem,) = read_file(path, root=tmp_path, config=SourcesConfig(megabytes=1))
    assert problem == Problem(str(path), "larger than 1 MB; sources.megabytes raises the limit")


def test_an_origin_is_told_apart_from_the_page():
    origin = Origin("w", "n", SAVED, SourcesConfig())
    assert origin.at("#1") == replace(origin, where="w#1", name="n#1")
