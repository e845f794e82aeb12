"""What is indexed, a page of it at a time: chosen, counted and grouped in SQL, so that any number of articles is fine.

It needs neither the FAISS index nor the encoder, and works while an index is being written.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from index.article import Article
from index.catalog import Catalog
from index.errors import DamagedError, NoIndexError
from index.lexical import quoted_words
from index.rows import Summary, read_articles
from index.store import ARTICLES_FILE, check_format, connect, meta

Span = Literal["day", "week", "month", "year"]

# Longest period, in days, that is shown by each span: it makes some sixty at most.
_UP_TO: tuple[tuple[int, Span], ...] = ((62, "day"), (430, "week"), (1900, "month"))


@dataclass(frozen=True)
class Selection:
    """Which articles: those that fit all of it. ``search`` is looked for in titles and texts; dates are inclusive."""

    search: str = ""
    language: str | None = None
    source: str | None = None
    after: date | None = None
    before: date | None = None


class Bar(NamedTuple):
    """How many articles of a language were published in the span of time that begins on ``first``."""

    first: date
    language: str
    articles: int


class Overview(NamedTuple):
    """A selection in numbers. ``bars`` are in order of time; ``undated`` articles are in none of them."""

    articles: int
    languages: dict[str, int]
    span: Span
    bars: tuple[Bar, ...]
    undated: int


class Listing:
    """One state of the index; made by ``open_listing``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.generation = int(meta(connection, "generation") or 0)

    def page(self, chosen: Selection, *, offset: int, limit: int) -> list[Summary]:
        """Articles without their texts, newest first, undated ones last."""
        where, values = self._where(chosen)
        columns = ", ".join(Summary._fields[:-1])
        count = "(SELECT count(*) FROM passages WHERE article_id = articles.id)"
        # The inner statement walks through an index alone: what is passed over is never looked at.
        rows = self._connection.execute(
            f"SELECT {columns}, {count} FROM articles WHERE id IN"
            f" (SELECT id FROM articles{where} ORDER BY published DESC, id LIMIT ? OFFSET ?)"
            " ORDER BY published DESC, id",
            (*values, limit, offset),
        )
        return [Summary(*row) for row in rows]

    def overview(self, chosen: Selection) -> Overview:
        """The selection by language and over time."""
        where, values = self._where(chosen)
        rows = self._connection.execute(
            f"SELECT published, language, count(*) FROM articles{where} GROUP BY published, language", values
        ).fetchall()
        languages: Counter[str] = Counter()
        for _, language, count in rows:
            languages[language] += count
        dated = [(date.fromisoformat(day), language, count) for day, language, count in rows if day is not None]
        days = [day for day, _, _ in dated]
        span = _span((max(days) - min(days)).days if days else 0)
        bars: Counter[tuple[date, str]] = Counter()
        for day, language, count in dated:
            bars[first_day(day, span), language] += count
        return Overview(
            articles=languages.total(),
            languages=dict(sorted(languages.items(), key=lambda one: (-one[1], one[0]))),
            span=span,
            bars=tuple(Bar(day, language, count) for (day, language), count in sorted(bars.items())),
            undated=languages.total() - bars.total(),
        )

    def languages(self) -> list[str]:
        """All languages, most articles first."""
        rows = self._connection.execute("SELECT language FROM articles GROUP BY language ORDER BY count(*) DESC, 1")
        return [row[0] for row in rows]

    def sources(self, most: int) -> list[str]:
        """The sources of most articles, by name."""
        rows = self._connection.execute(
            "SELECT source FROM articles WHERE source IS NOT NULL GROUP BY source ORDER BY count(*) DESC, 1 LIMIT ?",
            (most,),
        )
        return sorted((row[0] for row in rows), key=str.casefold)

    def article(self, article_id: str) -> Article | None:
        """An article by its id."""
        return next(read_articles(self._connection, [article_id]), None)

    def titles(self, ids: Sequence[str]) -> dict[str, str]:
        """Titles of those of the articles that are there, by id, in the order of ``ids``."""
        found = {article.id: article.title for article in read_articles(self._connection, ids)}
        return {article_id: found[article_id] for article_id in ids if article_id in found}

    def places(self, article_id: str) -> list[str]:
        """The files and addresses that gave an article."""
        return Catalog(self._connection).places_of(article_id)

    def gives(self, name: str) -> int:
        """How many articles a file or an address gives; a feed's entries are items named after it."""
        statement = "SELECT count(*) FROM item_articles WHERE item = ?1 OR (item > ?1 || '#' AND item < ?1 || '$')"
        return int(self._connection.execute(statement, (name,)).fetchone()[0])

    def _where(self, chosen: Selection) -> tuple[str, list[str]]:
        # The plus signs keep SQLite to the index by date, which holds all that is asked for, where it would look up one
        # article after the other.
        conditions: list[str] = []
        values: list[str] = []
        if chosen.search.strip():
            conditions.append(
                "+id IN (SELECT article_id FROM terms JOIN passages ON passages.id = terms.rowid WHERE terms MATCH ?)"
            )
            values.append(_expression(chosen.search))
        for condition, value in (
            ("+language = ?", chosen.language),
            ("+source = ?", chosen.source),
            ("published >= ?", chosen.after),
            ("published <= ?", chosen.before),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(str(value))
        return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), values


@contextmanager
def open_listing(folder: Path) -> Iterator[Listing]:
    """The newest state of the index in ``folder``; while the context lasts it does not change.

    Raises NoIndexError, DamagedError, StoreError.
    """
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        try:
            connection.execute("BEGIN")
            if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]:
                raise NoIndexError(f"{folder}: the first index is being made here; come back when it is done")
            check_format(connection, folder)
            yield Listing(connection)
        except sqlite3.DatabaseError as error:
            raise DamagedError(f"{folder}: the index cannot be read ({error}); run `kabar doctor --repair`") from error


def first_day(day: date, span: Span) -> date:
    """The day on which the span that holds ``day`` begins; weeks begin on Monday."""
    if span == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(month=1 if span == "year" else day.month, day=day.day if span == "day" else 1)


def _span(days: int) -> Span:
    return next((span for most, span in _UP_TO if days <= most), "year")


def _expression(search: str) -> str:
    """FTS5 MATCH expression for passages with every word of ``search``, of which the last may be only begun."""
    words = quoted_words(search)
    return f"{' AND '.join(words)}*" if words else '"\N{REPLACEMENT CHARACTER}"'
