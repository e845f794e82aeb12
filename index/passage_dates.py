"""The days that passages speak of, resolved when an article is indexed and searched by range.

"Next Wednesday" is kept as the day it means. Datelines are left out: the article's own date says the same. The table
can be made again from articles and passages, so an index of an earlier version is brought up to date without encoding.
"""

import json
import sqlite3
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from index.article import CERTAIN_ENOUGH
from index.dates import resolve

VERSION = "1"
"""Change it when the table or what the resolver finds has changed: every index is then filled again."""
_VAGUE = 7
"""Days. A mention longer than this and than the range asked for ("in 2024") does not speak of the range."""

_SCHEMA = (
    "DROP TABLE IF EXISTS passage_dates",
    # Dates go when their passage goes; a date that is said twice is kept once.
    """
    CREATE TABLE passage_dates (
        passage_id INTEGER NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
        first TEXT NOT NULL, last TEXT NOT NULL, PRIMARY KEY (passage_id, first, last)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX passage_dates_by_first ON passage_dates (first, last)",
)


class Days(NamedTuple):
    """From ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    def spoken_of(self, other: "Days") -> bool:
        """Whether who says ``other`` may mean these days: it shares some and is not much vaguer."""
        return self.first <= other.last and other.first <= self.last and other.length <= max(self.length, _VAGUE)


def days_of(value: str) -> Days | None:
    """The days of an ISO 8601 date, week, month, quarter, year or first/last range; None if there are no such days."""
    try:
        if "/" in value:
            first, last = (days_of(part) for part in value.split("/"))
            return Days(first.first, last.last) if first and last and first.first <= last.last else None
        value = value.partition("T")[0]
        year = int(value[:4])
        if "W" in value:
            monday = date.fromisocalendar(year, int(value.partition("W")[2]), 1)
            return Days(monday, monday + timedelta(days=6))
        if "Q" in value:
            month = 3 * int(value.partition("Q")[2])
            return Days(date(year, month - 2, 1), date(year, month, monthrange(year, month)[1]))
        parts = [int(part) for part in value.split("-")]
        if len(parts) == 1:
            return Days(date(year, 1, 1), date(year, 12, 31))
        if len(parts) == 2:
            return Days(date(year, parts[1], 1), date(year, parts[1], monthrange(year, parts[1])[1]))
        return Days(date(*parts), date(*parts))
    except (ValueError, TypeError, OverflowError):
        return None


def days_in(text: str, published: date | None, language: str) -> set[Days]:
    """The days that ``text`` speaks of, those of datelines left out; relative ones count from ``published``."""
    mentions = resolve(text, published, language)
    found = (days_of(mention.value) for mention in mentions if not mention.reporting)
    return {days for days in found if days is not None}


def prepare(connection: sqlite3.Connection) -> None:
    """Make the table, and fill it for the passages that are there, unless this version has done so before."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'passage_dates'").fetchone()
    if row is not None and row[0] == VERSION:
        return
    for statement in _SCHEMA:
        connection.execute(statement)
    rows = connection.execute(
        "SELECT passages.id, passages.text, published, published_certainty, language"
        " FROM passages JOIN articles ON articles.id = article_id"
    )
    for passage, text, published, certainty, language in rows:
        counted = date.fromisoformat(published) if published and certainty >= CERTAIN_ENOUGH else None
        put(connection, passage, days_in(text, counted, language))
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('passage_dates', ?)", (VERSION,))


def put(connection: sqlite3.Connection, passage: int, found: Iterable[Days]) -> None:
    """Keep the days that a passage speaks of; ``passage`` is its number."""
    connection.executemany(
        "INSERT OR IGNORE INTO passage_dates VALUES (?, ?, ?)",
        [(passage, days.first.isoformat(), days.last.isoformat()) for days in found],
    )


def of_passages(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, set[Days]]:
    """The days that each passage speaks of; none in an index that was last written by an earlier version."""
    found: dict[int, set[Days]] = {number: set() for number in numbers}
    if _is_there(connection):
        rows = connection.execute(
            "SELECT passage_id, first, last FROM passage_dates WHERE passage_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        )
        for number, first, last in rows:
            found[number].add(Days(date.fromisoformat(first), date.fromisoformat(last)))
    return found


def _is_there(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'passage_dates'").fetchone()
    return row is not None


def condition(connection: sqlite3.Connection, days: Days) -> tuple[str, list[str | float]]:
    """SQL about a row of ``articles`` with its values: it was published in these days or speaks of them.

    In an index that was last written by an earlier version only the publication date counts.
    """
    first, last = days.first.isoformat(), days.last.isoformat()
    published = "(published BETWEEN ? AND ? AND published_certainty >= ?)"
    values: list[str | float] = [first, last, CERTAIN_ENOUGH]
    if not _is_there(connection):
        return published, values
    # A mention that is short enough begins near the range: the index on ``first`` finds it.
    longest = max(days.length, _VAGUE)
    earliest = (days.first - timedelta(days=min(longest - 1, days.first.toordinal() - 1))).isoformat()
    mentioned = (
        "articles.id IN (SELECT article_id FROM passages JOIN passage_dates ON passage_id = passages.id"
        " WHERE passage_dates.first BETWEEN ? AND ? AND passage_dates.last >= ?"
        " AND julianday(passage_dates.last) - julianday(passage_dates.first) < ?)"
    )
    return f"({published} OR {mentioned})", [*values, earliest, last, first, longest]
