"""Passages chosen by date, source and language, against SQL."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.index import Index
from index.store import ARTICLES_FILE, connect

DAYS = [None, date(2023, 12, 31), date(2024, 1, 1), date(2024, 2, 29)]


def article(number: int, **changes: object) -> Article:
    published = DAYS[number % 4]
    fields = {
        "id": f"a{number}", "title": f"Town {number}", "text": f"Town{number} is old. " * (1 + 20 * (number % 3)),
        "language": ("en", "id")[number % 2], "source": (None, "Wire", "Post")[number % 3],
        **({"published": published, "published_from": "metadata"} if published else {}),
    }  # fmt: skip
    return Article.model_validate(fields | changes)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index", passage_characters=100))
    from index.update import add

    add([article(number) for number in range(24)], folder=tmp_path / "index", settings=settings, encoder=WordEncoder())
    with Index(tmp_path / "index", settings, WordEncoder()) as opened:
        yield opened


FILTERS = [
    ({"after": date(2024, 1, 1)}, "published >= '2024-01-01'"),
    ({"before": date(2024, 1, 1)}, "published <= '2024-01-01'"),
    ({"after": date(2024, 1, 1), "before": date(2024, 1, 1)}, "published = '2024-01-01'"),
    ({"sources": ["Wire", "Nobody"]}, "source IN ('Wire')"),
    ({"sources": ["Nobody"]}, "0"),
    ({"sources": [""]}, "0"),
    ({"sources": []}, "0"),
    ({"languages": ["id"]}, "language = 'id'"),
    ({"languages": ["id", "en"], "sources": ["Post"]}, "source = 'Post'"),
    ({"articles": ["a3", "a4", "none"]}, "article_id IN ('a3', 'a4')"),
    ({"articles": ["a3", "a4"], "languages": ["id"]}, "article_id = 'a3'"),
]


def assert_same(index: Index, filters: dict[str, object], condition: str) -> None:
    named = {"after": None, "before": None, "sources": None, "languages": None} | filters
    with index.snapshot() as snapshot:
        found = snapshot.choose(**named)
    connection = connect(index.folder, ARTICLES_FILE)
    statement = f"SELECT passages.id FROM passages JOIN articles ON articles.id = article_id WHERE {condition}"
    there = {row[0] for row in connection.execute("SELECT id FROM passages")}
    expected = [row[0] for row in connection.execute(f"{statement} ORDER BY 1")]
    connection.close()
    assert found.dtype == np.int64
    assert sorted(set(found.tolist())) == found.tolist()
    assert [number for number in found.tolist() if number in there] == expected


@pytest.mark.parametrize(("filters", "condition"), FILTERS)
def test_the_same_are_chosen_as_by_sql(index: Index, filters: dict[str, object], condition: str) -> None:
    assert_same(index, filters, condition)


def test_no_filter_chooses_all(index: Index) -> None:
    with index.snapshot() as snapshot:
        assert snapshot.choose(None, None, None, None) is None


def test_what_changes_is_chosen_by_what_it_has_become(index: Index) -> None:
    for filters, condition in FILTERS:
        assert_same(index, filters, condition)
    index.add([article(0, source="Wire"), article(1, language="ja"), article(30, published=date(2024, 1, 1))])
    index.remove(["a2", "a5"])
    for filters, condition in [*FILTERS, ({"languages": ["ja"]}, "language = 'ja'")]:
        assert_same(index, filters, condition)
    index.add([article(31, source="Newest")])
    assert_same(index, {"sources": ["Newest"]}, "source = 'Newest'")


def test_an_empty_index(index: Index) -> None:
    index.remove([f"a{number}" for number in range(24)])
    for filters, _ in FILTERS:
        assert_same(index, filters, "0")
