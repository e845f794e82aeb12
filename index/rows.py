"""What is read from ``articles.sqlite``: articles, passages, and what is known of them."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from index.article import Article, DateSource
from index.passage import Passage

# SQLite limits the number of host parameters in a statement; lists go in as one JSON array instead.
_IN = "(SELECT value FROM json_each(?))"
_ARTICLE_COLUMNS = (
    "id, title, text, url, source, language, published, published_from, published_certainty, published_reason, fetched"
)


def read_articles(connection: sqlite3.Connection, ids: Sequence[str] | None = None) -> Iterator[Article]:
    """Articles by id, or all of them by date, newest first."""
    query = f"SELECT {_ARTICLE_COLUMNS} FROM articles"
    if ids is not None:
        rows = connection.execute(f"{query} WHERE id IN {_IN}", (json.dumps(list(ids)),))
    else:
        rows = connection.execute(f"{query} ORDER BY published DESC, id")
    names = _ARTICLE_COLUMNS.split(", ")
    for row in rows:
        yield Article.model_validate(dict(zip(names, row, strict=True)))


class Summary(NamedTuple):
    """An article without its text; ``passages`` is how many it has."""

    id: str
    title: str
    url: str | None
    source: str | None
    language: str
    published: str | None
    published_from: DateSource
    passages: int


def read_summaries(connection: sqlite3.Connection) -> Iterator[Summary]:
    """All articles without their texts, newest first."""
    columns = ", ".join(Summary._fields[:-1])
    count = "(SELECT count(*) FROM passages WHERE article_id = articles.id)"
    rows = connection.execute(f"SELECT {columns}, {count} FROM articles ORDER BY published DESC, id")
    return (Summary(*row) for row in rows)


def read_passages(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Passage]:
    """Passages by their number in the index."""
    rows = connection.execute(
        f"SELECT id, article_id, ordinal, sentences, text FROM passages WHERE id IN {_IN}",
        (json.dumps([int(number) for number in numbers]),),
    )
    return {
        number: Passage(
            article_id=article_id,
            ordinal=ordinal,
            sentences=tuple((start, end) for start, end in json.loads(sentences)),
            text=text,
        )
        for number, article_id, ordinal, sentences, text in rows
    }


def read_languages(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Language of the article of each passage, by the passage's number."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'articles_languages'").fetchone()
    rows = connection.execute(
        f"SELECT passages.id, language FROM passages JOIN articles {'INDEXED BY articles_languages' if there else ''}"
        " ON articles.id = article_id"
        f" WHERE passages.id IN {_IN}",
        (json.dumps([int(number) for number in numbers]),),
    )
    return dict(rows.fetchall())


def read_neighbours(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, list[int]]:
    """The passages before and after each in its article, by the passage's number."""
    rows = connection.execute(
        "SELECT one.id, other.id FROM passages AS one JOIN passages AS other ON other.article_id = one.article_id"
        f" AND other.ordinal IN (one.ordinal - 1, one.ordinal + 1) WHERE one.id IN {_IN}",
        (json.dumps([int(number) for number in numbers]),),
    )
    found: dict[int, list[int]] = {}
    for number, neighbour in rows:
        found.setdefault(number, []).append(neighbour)
    return found
