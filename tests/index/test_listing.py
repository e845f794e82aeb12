"""What is indexed, a page at a time and in numbers; every figure is compared with a count over the articles."""

import sqlite3
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.errors import DamagedError, NoIndexError
from index.index import Index
from index.listing import Bar, Selection, first_day, open_listing
from index.store import ARTICLES_FILE, Writer
from index.update import sync

DAYS = 100


def articles() -> list[Article]:
    """One a day, in three languages and two sources, and two without a date."""
    made = []
    for number in range(DAYS):
        day = date(2023, 11, 1) + timedelta(number)
        made.append(
            Article(
                id=f"{number:03}",
                title=f"Number {number}",
                text=f"The bridge over the Humber was crossed {number} times. Blinken came by.",
                source=f"Paper {number % 2}" if number % 10 else None,
                language=("en", "id", "ar")[number % 3],
                published=day,
                published_from="metadata",
            )
        )
    bare = [
        Article(id=f"bare {number}", title="Undated", text=f"Ferry {number} sails.", language="en")
        for number in range(2)
    ]
    return [*made, *bare]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("listing") / "index"
    settings = IndexSettings(index=IndexConfig(path=place))
    (place.parent / "one.txt").write_text("One\nA tram runs in Basel.", encoding="utf-8")
    sync(place.parent / "one.txt", config=settings, encoder=WordEncoder())
    with Index(place, settings, WordEncoder()) as index:
        index.remove(["one.txt"])
        index.add(articles())
    return place


def chosen(selection: Selection) -> list[Article]:
    """What the selection means, said plainly."""
    return [
        article
        for article in sorted(articles(), key=lambda one: (-(one.published or date.min).toordinal(), one.id))
        if selection.language in (None, article.language)
        and selection.source in (None, article.source)
        and all(word in f"{article.title} {article.text}".lower() for word in selection.search.lower().split())
        and (selection.after is None or (article.published and article.published >= selection.after))
        and (selection.before is None or (article.published and article.published <= selection.before))
    ]


SELECTIONS = [
    Selection(),
    Selection(language="id"),
    Selection(source="Paper 1"),
    Selection(after=date(2023, 12, 1), before=date(2023, 12, 24)),
    Selection(search="ferry"),
    Selection(search="humber BLINK"),
    Selection(search="tram"),
    Selection(search="bridge", language="ar", source="Paper 0", after=date(2024, 1, 1)),
    Selection(language="zz"),
]


@pytest.mark.parametrize("selection", SELECTIONS)
def test_pages_hold_what_is_chosen_newest_first(folder: Path, selection: Selection) -> None:
    expected = [article.id for article in chosen(selection)]
    with open_listing(folder) as listing:
        pages = [listing.page(selection, offset=start, limit=30) for start in range(0, 120, 30)]
    assert [row.id for page in pages for row in page] == expected
    assert all(row.passages == 1 for page in pages for row in page)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_overview_counts_what_is_chosen(folder: Path, selection: Selection) -> None:
    expected = chosen(selection)
    with open_listing(folder) as listing:
        found = listing.overview(selection)
    assert found.articles == len(expected)
    assert found.languages == Counter(article.language for article in expected)
    assert list(found.languages.values()) == sorted(found.languages.values(), reverse=True)
    assert found.undated == sum(article.published is None for article in expected)
    assert Counter({bar[:2]: bar.articles for bar in found.bars}) == Counter(
        (first_day(article.published, found.span), article.language) for article in expected if article.published
    )
    assert list(found.bars) == sorted(found.bars)


def test_the_span_of_a_bar_follows_the_period(folder: Path) -> None:
    with open_listing(folder) as listing:
        assert listing.overview(Selection()).span == "week"
        short = listing.overview(Selection(after=date(2023, 11, 1), before=date(2023, 11, 9), language="en"))
    assert (short.span, short.bars[0]) == ("day", Bar(date(2023, 11, 1), "en", 1))


@pytest.mark.parametrize(
    ("span", "first"),
    [("day", "2023-11-08"), ("week", "2023-11-06"), ("month", "2023-11-01"), ("year", "2023-01-01")],
)
def test_first_day_of_a_span(span: str, first: str) -> None:
    assert first_day(date(2023, 11, 8), span) == date.fromisoformat(first)
    assert first_day(date.fromisoformat(first), span) == date.fromisoformat(first)


@pytest.mark.parametrize(
    "search", ['"', "* OR", "a AND (", "NEAR/2", "—", "' ; DROP TABLE articles", "%", "\0", "x" * 9999]
)
def test_no_search_is_taken_for_a_query_language(folder: Path, search: str) -> None:
    with open_listing(folder) as listing:
        assert listing.page(Selection(search=search), offset=0, limit=5) == []


def test_search_of_blanks_is_none(folder: Path) -> None:
    with open_listing(folder) as listing:
        assert listing.overview(Selection(search="  ")).articles == DAYS + 2


def test_sources_and_languages_to_choose_from(folder: Path) -> None:
    with open_listing(folder) as listing:
        assert listing.sources(9) == ["Paper 0", "Paper 1"]
        assert listing.sources(1) == ["Paper 1"]
        assert listing.languages() == ["en", "ar", "id"]


def test_one_article_and_its_titles(folder: Path) -> None:
    with open_listing(folder) as listing:
        assert listing.article("007").title == "Number 7"
        assert listing.article("nothing") is None
        assert listing.titles(["009", "nothing", "007"]) == {"009": "Number 9", "007": "Number 7"}


def test_places_and_what_they_give(tmp_path: Path) -> None:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index"))
    file = tmp_path / "two.jsonl"
    file.write_text('{"title": "A", "text": "One."}\n{"title": "B", "text": "Two."}\n', encoding="utf-8")
    sync(file, config=settings, encoder=WordEncoder())
    with open_listing(tmp_path / "index") as listing:
        (first, _) = listing.page(Selection(), offset=0, limit=9)
        assert listing.places(first.id) == [str(file)]
        assert listing.gives(str(file)) == 2
        assert listing.gives(str(tmp_path)) == 0


def test_a_feed_gives_what_its_entries_give(tmp_path: Path) -> None:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index"))
    for name in ("feed", "feed#1", "feed2"):
        (tmp_path / name).write_text(f"Words of {name} alone.", encoding="utf-8")
        sync(tmp_path / name, config=settings, encoder=WordEncoder())
    with open_listing(tmp_path / "index") as listing:
        assert listing.gives(str(tmp_path / "feed")) == 2


def test_no_index_and_a_damaged_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoIndexError), open_listing(tmp_path):
        pass
    (tmp_path / ARTICLES_FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(DamagedError), open_listing(tmp_path):
        pass


def test_an_index_that_is_being_made_is_none_yet(tmp_path: Path) -> None:
    with Writer(tmp_path), pytest.raises(NoIndexError), open_listing(tmp_path):
        pass


def test_an_index_of_an_earlier_version_gets_the_index_by_date(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        writer.commit()
    with sqlite3.connect(tmp_path / ARTICLES_FILE) as connection:
        connection.execute("DROP INDEX articles_listed")
        connection.execute("CREATE INDEX articles_by_date ON articles (published DESC, id, published_from)")
    connection.close()
    with Writer(tmp_path) as writer:
        writer.commit_meta()
    with sqlite3.connect(tmp_path / ARTICLES_FILE) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    connection.close()
    assert "articles_listed" in names
    assert "articles_by_date" not in names
