"""The comparison of places with the index, on places made up here; ``test_update`` has the same with real files."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Article
from index.catalog import Catalog, Keys
from index.place import Known
from index.planning import _catalog_of, _Notes
from index.reconcile import Reconciler, reconcile
from index.sources import Problem

START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass
class Page:
    """A file of one article or several: (id, text, url)."""

    name: str
    articles: list[tuple[str, str, str | None]]
    written: int
    size: int = 1

    @property
    def stamp(self) -> str:
        return str(self.written)

    def lasting_stamp(self) -> str:
        return self.stamp

    def digest(self) -> str:
        # Two files of several articles are never the same here: the articles' titles hold the file's name.
        one = len(self.articles) == 1 and ".json" not in self.name
        return hashlib.sha256(repr(self.articles[0][1:] if one else self.articles).encode()).hexdigest()

    def position(self) -> int:
        return 0

    def read(self) -> Iterator[Article | Problem]:
        for name, text, url in self.articles:
            if text == "broken":
                yield Problem(name, "broken")
            else:
                fetched = START + timedelta(days=self.written)
                # Untitled, like a JSON file's entries: a title that is made from the file's name counts for nothing.
                title = name.partition(".")[0] if ".json" in name else name
                yield Article(id=name, title=title, text=text, url=url, fetched=fetched)


@dataclass
class Shelf:
    """A place that holds pages, and counts what is written."""

    name: str = "/news"
    pages: dict[str, Page] = field(default_factory=dict)
    clock: int = 0
    scope: tuple[str, ...] = ("/news",)

    def items(self, known: Callable[[str], Known | None]) -> Iterator[Page]:
        return iter(sorted(self.pages.values(), key=lambda page: page.name))

    def write(self, name: str, *texts: str, url: str | None = None) -> None:
        self.clock += 1
        articles = [(name if len(texts) == 1 else f"{name}#{number}", text, url) for number, text in enumerate(texts)]
        self.pages[name] = Page(f"{self.name}/{name}", articles, self.clock)

    def write_entries(self, name: str, texts: list[str]) -> None:
        """Write a file of entries that state no id, as JSON files can: each is known by its place in the file."""
        self.clock += 1
        articles = [(f"{name}#{number}", text, None) for number, text in enumerate(texts, start=1)]
        self.pages[name] = Page(f"{self.name}/{name}", articles, self.clock)


class Held(_Notes):
    """Holds the texts, as the index would."""

    def __init__(self, connection) -> None:
        super().__init__(connection)
        self.texts: dict[str, str] = {}

    def put(self, article: Article, keys: Keys, item: str, *, known: bool) -> bool:
        assert known == (article.id in self.texts)
        self.texts[article.id] = article.text
        return super().put(article, keys, item, known=known)

    def drop(self, article_id: str) -> None:
        super().drop(article_id)
        del self.texts[article_id]


class Collection:
    """An index of a shelf."""

    def __init__(self, tmp_path) -> None:
        self.connection = _catalog_of(tmp_path / "none")
        self.held = Held(self.connection)

    def run(self, shelf: Shelf) -> tuple[int, int, int, int]:
        """New, changed, gone, same."""
        for noted in (self.held.new, self.held.changed, self.held.gone):
            noted.clear()
        catalog = Catalog(self.connection)
        reconciler = Reconciler(catalog, self.held)
        for place, item in reconcile(reconciler, [(shelf, shelf.items(catalog.known))]):
            reconciler.read(item, place)
        return len(self.held.new), len(self.held.changed), len(self.held.gone), reconciler.same

    @property
    def texts(self) -> dict[str, str]:
        return self.held.texts


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def collection(tmp_path) -> Collection:
    return Collection(tmp_path)


def test_copies_are_one_article_until_the_last_is_gone(shelf: Shelf, collection: Collection) -> None:
    for number in range(2_000):
        shelf.write(f"copy-{number}.txt", "The bridge opened.")
    assert collection.run(shelf) == (1, 0, 0, 1_999)
    del shelf.pages["copy-0.txt"]
    assert collection.run(shelf)[:3] == (0, 0, 0)
    assert collection.run(shelf) == (0, 0, 0, 1_999)
    shelf.pages.clear()
    assert collection.run(shelf) == (0, 0, 1, 0)


def test_an_edited_article_keeps_its_name_and_loses_its_earlier_version(shelf: Shelf, collection: Collection) -> None:
    shelf.write("bridge.txt", "The bridge opens.")
    collection.run(shelf)
    shelf.write("bridge.txt", "The bridge has opened.")
    assert collection.run(shelf) == (0, 1, 0, 0)
    assert collection.texts == {"bridge.txt": "The bridge has opened."}


def test_an_edited_copy_becomes_an_article_of_its_own(shelf: Shelf, collection: Collection) -> None:
    shelf.write("a.txt", "The bridge opens.")
    shelf.write("b.txt", "The bridge opens.")
    collection.run(shelf)
    shelf.write("b.txt", "The bridge has opened.")
    assert collection.run(shelf) == (1, 0, 0, 1)
    assert collection.texts == {"a.txt": "The bridge opens.", "b.txt": "The bridge has opened."}


def test_an_edited_original_leaves_its_copy_as_it_is(shelf: Shelf, collection: Collection) -> None:
    shelf.write("a.txt", "The bridge opens.")
    shelf.write("b.txt", "The bridge opens.")
    collection.run(shelf)
    shelf.write("a.txt", "The bridge has opened.")
    assert collection.run(shelf) == (1, 1, 0, 0)
    assert collection.texts == {"a.txt": "The bridge has opened.", "b.txt": "The bridge opens."}


def test_of_two_versions_at_one_address_the_newer_counts(shelf: Shelf, collection: Collection) -> None:
    url = "https://example.org/bridge"
    shelf.write("old.txt", "The bridge opens.", url=url)
    shelf.write("new.txt", "The bridge has opened.", url=f"{url}?utm_source=feed")
    collection.run(shelf)
    assert list(collection.texts.values()) == ["The bridge has opened."]
    assert collection.run(shelf) == (0, 0, 0, 2)
    del shelf.pages["new.txt"]
    collection.run(shelf)
    assert list(collection.texts.values()) == ["The bridge opens."]


def test_entries_of_one_file_that_all_state_the_same_address_are_kept_apart(
    shelf: Shelf, collection: Collection
) -> None:
    shelf.write("all.jsonl", "One text.", "Another text.", "A third.", url="https://example.org/news")
    assert collection.run(shelf) == (3, 0, 0, 0)
    shelf.write("all.jsonl", "One text.", "Another text, edited.", "A third.", url="https://example.org/news")
    assert collection.run(shelf) == (0, 1, 0, 2)


def test_an_id_that_is_stated_twice_means_two_articles(shelf: Shelf, collection: Collection) -> None:
    shelf.write("all.jsonl", "One text.", "Another text.")
    page = shelf.pages["all.jsonl"]
    page.articles = [("7", text, url) for _, text, url in page.articles]
    shelf.write("other.jsonl", "A text of others.", "And more.")
    page = shelf.pages["other.jsonl"]
    page.articles = [("7", *page.articles[0][1:]), ("8", *page.articles[1][1:])]
    assert collection.run(shelf) == (4, 0, 0, 0)
    assert collection.texts["7"] == "One text."
    assert collection.run(shelf) == (0, 0, 0, 4)


def test_what_is_broken_today_stays_as_it_was(shelf: Shelf, collection: Collection) -> None:
    shelf.write("all.jsonl", "One text.", "Another text.")
    collection.run(shelf)
    shelf.write("all.jsonl", "broken", "Another text, edited.")
    assert collection.run(shelf) == (0, 1, 0, 0)
    assert sorted(collection.texts.values()) == ["Another text, edited.", "One text."]


def test_a_feed_loses_nothing_that_has_left_it(shelf: Shelf, collection: Collection) -> None:
    shelf.scope = ()
    shelf.write("bridge.txt", "The bridge opens.")
    collection.run(shelf)
    shelf.pages.clear()
    assert collection.run(shelf) == (0, 0, 0, 0)
    assert collection.texts == {"bridge.txt": "The bridge opens."}


TEXTS = ["The bridge opens.", "The ferry sails.", "A robot heals.", "Trams run.", "broken"]
NAMES = ["a.txt", "b.txt", "c.txt", "d.txt"]
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(TEXTS[:4])),
        st.tuples(st.just("write two"), st.sampled_from(NAMES), st.sampled_from(TEXTS[:4])),
        st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("sync"), st.just(""), st.just("")),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=150)
@given(edits=EDITS)
def test_after_any_edits_the_index_holds_what_a_new_one_would(
    edits: list[tuple[str, str, str]], tmp_path_factory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    shelf, collection = Shelf(), Collection(folder)
    for what, name, value in [*edits, ("sync", "", "")]:
        if what == "write":
            shelf.write(name, value)
        elif what == "write two":
            shelf.write(name, value, TEXTS[(TEXTS.index(value) + 1) % 4])
        elif what == "remove":
            shelf.pages.pop(name, None)
        elif what == "move" and name in shelf.pages:
            texts = [text for _, text, _ in shelf.pages.pop(name).articles]
            shelf.write(value, *texts)
        elif what == "sync":
            collection.run(shelf)
            fresh = Collection(folder)
            fresh.run(shelf)
            assert sorted(collection.texts.values()) == sorted(fresh.texts.values())
            assert collection.run(shelf)[:3] == (0, 0, 0)


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["a.json", "b.json", "c.json"]), st.lists(st.sampled_from(TEXTS[:4]), max_size=4), st.booleans()
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=300)
@given(editions=ENTRIES)
def test_entries_without_id_and_title_may_move_within_their_file_and_between_files(
    editions: list[tuple[str, list[str], bool]], tmp_path_factory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    shelf, collection = Shelf(), Collection(folder)
    for name, texts, is_read in [*editions, ("a.json", ["The ferry sails."], True)]:
        shelf.write_entries(name, texts)
        if is_read:
            collection.run(shelf)
            held = {text for page in shelf.pages.values() for _, text, _ in page.articles}
            assert sorted(collection.texts.values()) == sorted(held)
            assert collection.run(shelf)[:3] == (0, 0, 0)


def test_entries_that_change_places_stay_the_articles_they_are(shelf: Shelf, collection: Collection) -> None:
    shelf.write_entries("a.json", TEXTS[:3])
    shelf.write_entries("b.json", TEXTS[1:2])
    collection.run(shelf)
    before = dict(collection.texts)
    shelf.write_entries("a.json", [TEXTS[2], TEXTS[0], TEXTS[1]])
    assert collection.run(shelf) == (0, 0, 0, 4)
    assert collection.texts == before
