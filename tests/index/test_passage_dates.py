"""The days that passages speak of: kept with the index, found by range, made again for an older index."""

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from fakes import WordEncoder
from hypothesis import given
from hypothesis import strategies as st

from index import passage_dates
from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.index import Index
from index.passage_dates import Days, days_in, days_of
from index.store import ARTICLES_FILE
from index.update import add, remove

VISIT = Article(
    id="visit", title="Kunjungan", text="Menteri itu akan tiba di Busan pada Rabu depan.", language="id",
    published=date(2023, 11, 1), published_from="metadata",
)  # fmt: skip
GUESSED = VISIT.model_copy(
    update={"id": "guessed", "text": "Menteri lain akan tiba di Medan pada Rabu depan.", "published_certainty": 0.3}
)
TRAM = Article(id="tram", title="Tram", text="The tram ran from May 2024 to 8 June 2024.", language="en")


def settings_in(folder: Path) -> IndexSettings:
    return IndexSettings(index=IndexConfig(path=folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    add([VISIT, GUESSED, TRAM], folder=folder, settings=settings_in(folder), encoder=WordEncoder())
    return folder


def found(folder: Path, first: str, last: str) -> list[str]:
    """Ids of the articles that the range chooses."""
    with sqlite3.connect(folder / ARTICLES_FILE) as connection:
        days = Days(date.fromisoformat(first), date.fromisoformat(last))
        sql, values = passage_dates.condition(connection, days)
        return [row[0] for row in connection.execute(f"SELECT id FROM articles WHERE {sql} ORDER BY id", values)]


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("2023-11-08", "2023-11-08", "2023-11-08"),
        ("2023-W45", "2023-11-06", "2023-11-12"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-Q4", "2023-10-01", "2023-12-31"),
        ("2023", "2023-01-01", "2023-12-31"),
        ("2024-02/2024-03-05", "2024-02-01", "2024-03-05"),
        ("2023-11-30/2023-12", "2023-11-30", "2023-12-31"),
        ("2023-11-08T09:30", "2023-11-08", "2023-11-08"),
    ],
)
def test_every_precision_has_its_days(value: str, first: str, last: str) -> None:
    assert days_of(value) == Days(date.fromisoformat(first), date.fromisoformat(last))


@given(st.text(alphabet="0123456789-/WQT", max_size=12))
def test_no_text_fails(value: str) -> None:
    days = days_of(value)
    assert days is None or days.first <= days.last


def test_a_relative_date_is_found_by_the_day_it_means(folder: Path) -> None:
    assert found(folder, "2023-11-08", "2023-11-08") == ["visit"]
    assert found(folder, "2023-11-09", "2023-11-30") == []


def test_an_article_is_found_by_its_own_date_unless_that_is_a_weak_guess(folder: Path) -> None:
    assert found(folder, "2023-11-01", "2023-11-01") == ["visit"]


def test_a_vaguer_mention_does_not_speak_of_a_day(folder: Path) -> None:
    assert found(folder, "2024-05-17", "2024-05-17") == []
    assert found(folder, "2024-05-01", "2024-05-31") == ["tram"]
    assert found(folder, "2024-06-08", "2024-06-08") == ["tram"]


def test_the_range_agrees_with_a_plain_comparison(folder: Path) -> None:
    days = {article.id: days_in(article.text, date(2023, 11, 1), article.language) for article in (VISIT, TRAM)}
    for month in range(1, 13):
        for first, last in ((1, 1), (1, 8), (5, 25)):
            asked = Days(date(2024, month, first), date(2024, month, last))
            expected = [name for name, said in sorted(days.items()) if any(asked.spoken_of(other) for other in said)]
            assert found(folder, str(asked.first), str(asked.last)) == sorted(expected)


def test_dates_go_with_their_article(folder: Path) -> None:
    remove(["visit"], folder=folder)
    assert found(folder, "2023-11-08", "2023-11-08") == []
    with sqlite3.connect(folder / ARTICLES_FILE) as connection:
        left = connection.execute(
            "SELECT count(*) FROM passage_dates WHERE passage_id NOT IN (SELECT id FROM passages)"
        )
        assert left.fetchone()[0] == 0


def test_a_changed_article_changes_its_dates(folder: Path) -> None:
    changed = VISIT.model_copy(update={"text": "Menteri itu akan tiba di Busan pada Kamis depan."})
    add([changed], folder=folder, settings=settings_in(folder), encoder=WordEncoder())
    assert found(folder, "2023-11-08", "2023-11-08") == []
    assert found(folder, "2023-11-09", "2023-11-09") == ["visit"]


def test_an_older_index_is_filled_without_encoding(folder: Path) -> None:
    with sqlite3.connect(folder / ARTICLES_FILE) as connection:
        connection.execute("DROP TABLE passage_dates")
        connection.execute("DELETE FROM meta WHERE key = 'passage_dates'")
    # Until it is written to, only publication dates are known, and it can be searched.
    assert found(folder, "2023-11-08", "2023-11-08") == []
    encoder = WordEncoder()
    with Index(folder, settings_in(folder), encoder) as index:
        assert index.search("Busan", count=1)
    add([VISIT], folder=folder, settings=settings_in(folder), encoder=encoder)
    assert encoder.encoded == []
    assert found(folder, "2023-11-08", "2023-11-08") == ["visit"]


def test_a_new_version_fills_the_table_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(folder / ARTICLES_FILE) as connection:
        connection.execute("DELETE FROM passage_dates")
    add([VISIT], folder=folder, settings=settings_in(folder), encoder=WordEncoder())
    assert found(folder, "2023-11-08", "2023-11-08") == []
    monkeypatch.setattr(passage_dates, "VERSION", "2")
    add([VISIT], folder=folder, settings=settings_in(folder), encoder=WordEncoder())
    assert found(folder, "2023-11-08", "2023-11-08") == ["visit"]


def test_passages_come_with_their_days(folder: Path) -> None:
    with Index(folder, settings_in(folder), WordEncoder()) as index:
        ((passage, days),) = index.passages_of("visit")
        assert index.passages_of("nothing") == []
    assert passage.article_id == "visit"
    assert days == days_in(VISIT.text, VISIT.published, VISIT.language)
    assert Days(date(2023, 11, 8), date(2023, 11, 8)) in days


def test_search_keeps_to_the_days(folder: Path) -> None:
    day = date(2023, 11, 8)
    with Index(folder, settings_in(folder), WordEncoder()) as index:
        ids = [hit.article.id for hit in index.search("Busan tram", days=[Days(day, day)])]
        both = [Days(day, day), Days(date(2024, 5, 1), date(2024, 5, 31))]
        assert ids == ["visit"]
        assert {hit.article.id for hit in index.search("Busan tram", days=both)} == {"visit", "tram"}
        assert index.search("Busan tram", days=[]) == []
