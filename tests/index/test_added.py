"""Articles that are added by hand: kept apart, never lost, never back by themselves."""

import io
import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from fakes import WordEncoder
from web_server import Reply, WebServer

from index.added import ADDRESSES, Added, add_address, add_files, default_places, read_again, remove_articles
from index.config import FetchConfig, IndexConfig, IndexSettings
from index.errors import ArticleError, FetchError, WriteError
from index.index import Index
from index.listing import Selection, open_listing
from index.update import sync

PAGE = (
    "<html><head><title>Ferry sails</title></head><body><article><h1>Ferry sails</h1>"
    + "<p>The ferry sailed from Aomori at dawn with forty passengers and a cargo of apples.</p>" * 3
    + "</article></body></html>"
)


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    news = tmp_path / "news"
    news.mkdir()
    (news / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Hull.", encoding="utf-8")
    return IndexSettings(
        index=IndexConfig(path=tmp_path / "index", articles=(news,)),
        fetch=FetchConfig(trusted_hosts=("127.0.0.1",), delay=0, tries=1),
    )


@pytest.fixture
def added(settings: IndexSettings) -> Added:
    return Added(settings)


@pytest.fixture
def web():
    with WebServer() as server:
        server.pages["/ferry"] = Reply(PAGE, headers={"Content-Type": "text/html", "ETag": '"1"'})
        yield server


def save(added: Added, name: str = "tram.txt", text: str = "Tram\nA tram runs in Basel.") -> Path:
    return added.save(name, io.BytesIO(text.encode()))


def titles(settings: IndexSettings) -> list[str]:
    with open_listing(settings.index.path) as listing:
        return sorted(row.title for row in listing.page(Selection(), offset=0, limit=99))


def run(settings: IndexSettings) -> dict:
    return {"settings": settings, "encoder": WordEncoder()}


# Files


def test_the_folder_stands_beside_the_index(settings, tmp_path):
    assert Added(settings).folder == tmp_path / "index-added"
    assert IndexConfig(path=tmp_path / "a", added=tmp_path / "b").added == tmp_path / "b"


def test_a_file_is_kept_as_it_is(added):
    path = save(added)
    assert path.read_text() == "Tram\nA tram runs in Basel."
    assert [entry.name for entry in added.folder.iterdir()] == ["tram.txt"]


def test_the_same_file_is_kept_once_and_another_of_its_name_beside_it(added):
    assert save(added) == save(added)
    assert save(added, text="Another tram.").name == "tram-2.txt"
    assert save(added, text="Another tram.").name == "tram-2.txt"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\news\\a b.TXT", "a b.TXT"),
        (".hidden.md", "hidden.md"),
        ("questions.json", "added-questions.json"),
        ("line\nbreak\u202e.txt", "line-break-.txt"),
        ("a" * 300 + ".jsonl.gz", "a" * 120 + ".jsonl.gz"),
        ("소식" * 100 + ".txt", "소식" * 20 + ".txt"),
        ("half \ud800.txt", "half -.txt"),
    ],
)
def test_no_name_leads_out_of_the_folder(added, name, kept):
    path = save(added, name)
    assert path.parent == added.folder
    assert path.name == kept
    assert len(os.fsencode(path.name)) < 255


@pytest.mark.parametrize("name", ["", "x", "picture.png", ".txt", "a.exe", "..", "\0"])
def test_a_file_of_another_kind_is_refused_by_name(added, name):
    with pytest.raises(ArticleError, match="no kind of file that is read"):
        save(added, name)
    assert added.files() == []


def test_what_breaks_off_leaves_nothing(added):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left"):
        added.save("tram.txt", Broken())
    assert list(added.folder.iterdir()) == []


def test_a_text_keeps_what_is_known_about_it(added, settings):
    path = added.write(
        "Words: --- and more.\r\nNext line.",
        title="A: “title”\nof two lines",
        source="Daily",
        published=date(2024, 2, 3),
    )
    assert path.name == "a-title.txt"
    add_files([path], **run(settings))
    with open_listing(settings.index.path) as listing:
        article = listing.article(path.name)
    assert article.text == "Words: --- and more.\r\nNext line."
    assert (article.title, article.source) == ("A: “title” of two lines", "Daily")
    assert (article.published, article.published_from) == (date(2024, 2, 3), "metadata")


def test_a_text_without_words_is_refused(added):
    with pytest.raises(ArticleError, match="no text"):
        added.write(" \n—")


def test_a_text_of_signs_that_no_name_holds(added):
    assert added.write("?!\nfirst words").name == "article.txt"
    assert added.write("half \ud800 a pair").read_text() == "half ? a pair"


# Articles


def test_added_articles_stay_when_other_places_are_indexed(added, settings):
    sync(config=settings, encoder=WordEncoder())
    assert add_files([save(added)], **run(settings)).added == 1
    report = sync(*settings.index.articles, config=settings, encoder=WordEncoder())
    assert report.removed == 0
    assert titles(settings) == ["Bridge opens", "Tram"]


def test_an_index_that_was_removed_is_made_again_with_them(added, settings):
    add_files([save(added)], **run(settings))
    shutil.rmtree(settings.index.path)
    report = read_again(**run(settings))
    assert (report.added, report.problems) == (2, ())
    assert titles(settings) == ["Bridge opens", "Tram"]


def test_reading_again_follows_what_was_done_to_the_files(added, settings):
    path = save(added)
    add_files([path], **run(settings))
    path.unlink()
    assert read_again(**run(settings)).removed == 1


def test_a_place_that_is_not_there_is_reported_and_loses_nothing(added, settings, tmp_path):
    read_again(**run(settings))
    add_files([save(added)], **run(settings))
    (tmp_path / "news").rename(tmp_path / "elsewhere")
    report = read_again(**run(settings))
    assert report.problems == ((str(tmp_path / "news"), "no such file or folder", True),)
    assert report.removed == 0
    assert titles(settings) == ["Bridge opens", "Tram"]


def test_no_place_at_all_is_an_error(settings, tmp_path):
    shutil.rmtree(tmp_path / "news")
    with pytest.raises(ArticleError, match="no such file or folder"):
        read_again(**run(settings))


def test_a_file_that_gives_nothing_is_reported_and_not_kept(added, settings):
    good, bad = save(added), save(added, "bad.json", "{")
    report = add_files([good, bad], **run(settings))
    assert report.added == 1
    assert [problem.where for problem in report.problems] == [str(bad)]
    assert added.files() == [good]


def test_removal_deletes_the_file_and_the_same_can_be_added_again(added, settings):
    path = save(added)
    add_files([path], **run(settings))
    assert remove_articles(["tram.txt"], settings).removed == 1
    assert not path.exists()
    assert read_again(**run(settings)).added == 1, "the bridge alone"
    assert titles(settings) == ["Bridge opens"]
    assert add_files([save(added)], **run(settings)).added == 1


def test_a_file_stays_as_long_as_it_gives_an_article(added, settings):
    lines = '{"id": "a", "title": "A", "text": "One."}\n{"id": "b", "title": "B", "text": "Two."}\n'
    path = save(added, "two.jsonl", lines)
    add_files([path], **run(settings))
    remove_articles(["a"], settings)
    assert path.exists()
    assert titles(settings) == ["B"]
    read_again(**run(settings))
    assert titles(settings) == ["B", "Bridge opens"], "the removed one does not come back"
    remove_articles(["b"], settings)
    assert not path.exists()


def test_files_of_the_operator_are_never_deleted(settings, tmp_path):
    read_again(**run(settings))
    remove_articles(["bridge.txt", "nothing"], settings)
    assert (tmp_path / "news" / "bridge.txt").exists()
    assert read_again(**run(settings)).added == 0
    assert titles(settings) == []


def test_an_article_that_was_removed_otherwise_can_be_added_again(added, settings):
    path = save(added)
    add_files([path], **run(settings))
    with Index(settings.index.path, settings, WordEncoder()) as index:
        index.remove(["tram.txt"])
    assert add_files([path], **run(settings)).added == 1
    assert path.exists()


# Addresses


def test_an_address_is_remembered_and_asked_again(added, settings, web):
    address = added.note(web.url("/ferry"))
    assert add_address(address, **run(settings)).added == 1
    assert (added.folder / ADDRESSES).read_text() == f"{address}\n"
    assert address in default_places(settings)
    shutil.rmtree(settings.index.path)
    assert read_again(**run(settings)).added == 2
    assert titles(settings) == ["Bridge opens", "Ferry sails"]


def test_an_address_that_gives_nothing_is_forgotten(added, settings, web):
    address = added.note(web.url("/nothing"))
    report = add_address(address, **run(settings))
    assert [problem.where for problem in report.problems] == [address]
    assert added.addresses() == []


def test_a_page_that_is_removed_is_forgotten_and_can_be_added_again(added, settings, web):
    address = added.note(web.url("/ferry"))
    add_address(address, **run(settings))
    assert remove_articles([address], settings).removed == 1
    assert added.addresses() == []
    assert add_address(added.note(address), **run(settings)).added == 1


def test_a_feed_stays_as_long_as_it_gives_an_article(added, settings, web):
    entries = "".join(
        f"<item><title>Item {number}</title><link>{web.url(f'/{number}')}</link></item>" for number in (1, 2)
    )
    feed = f"<rss version='2.0'><channel><title>News</title>{entries}</channel></rss>"
    web.pages["/feed"] = Reply(feed, headers={"Content-Type": "application/rss+xml"})
    for number in (1, 2):
        page = PAGE.replace("ferry", f"ferry{number}")
        web.pages[f"/{number}"] = Reply(page, headers={"Content-Type": "text/html"})
    address = added.note(web.url("/feed"))
    assert add_address(address, **run(settings)).added == 2
    with open_listing(settings.index.path) as listing:
        first, second = (row.id for row in listing.page(Selection(), offset=0, limit=9))
    remove_articles([first], settings)
    assert added.addresses() == [address]
    assert add_address(address, **run(settings)).added == 0, "the removed one does not come back"
    remove_articles([second], settings)
    assert added.addresses() == []


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "ftp://a.example/", "http://u:p@a.example/", "x"])
def test_what_is_no_address_is_refused(added, address):
    with pytest.raises(FetchError):
        added.note(address)
    assert added.addresses() == []


def test_private_addresses_are_refused_unless_trusted(added, settings, web):
    strict = settings.model_copy(update={"fetch": FetchConfig(delay=0, tries=1)})
    report = add_address(added.note(web.url("/ferry")), **run(strict))
    assert report.added == 0
    assert len(report.problems) == 1
    assert web.requests == []


def test_default_places_hold_what_was_added_if_there_is_any(added, settings, tmp_path):
    (news,) = settings.index.articles
    assert default_places(settings) == [news]
    added.note("https://example.org/feed")
    assert default_places(settings) == [news, "https://example.org/feed"]
    save(added)
    assert default_places(settings) == [news, tmp_path / "index-added", "https://example.org/feed"]
    assert sync(*default_places(settings)[:2], config=settings, encoder=WordEncoder()).added == 2
