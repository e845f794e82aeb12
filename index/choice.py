"""Choose passages by the date, source and language of their articles, however many fit.

SQL would hand over the number of each passage that fits, half a million of a million for a common language. Here the
articles are a few columns in memory, made when the first filter is asked for, and kept for the generations to come:
the passages of an article have consecutive numbers, and other numbers as soon as anything about it changes.
"""

import sqlite3
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

Column = np.ndarray[Any, Any]


class Choice:
    """Articles with passages: their numbers, and what they can be chosen by. Safe to share between threads.

    They are in the order of their passages.
    """

    def __init__(self, columns: Sequence[Column], codes: dict[str, int]) -> None:
        self.columns = list(columns)
        self.codes = codes
        self._first, self._count, self._published, self._source, self._language = columns

    @classmethod
    def load(cls, connection: sqlite3.Connection, earlier: "Choice | None" = None) -> "Choice":
        """Read all articles, or those that were not there in ``earlier``, where what has gone since may stay."""
        codes = dict(earlier.codes) if earlier else {}
        known = earlier.last if earlier else 0
        if known:
            rows = connection.execute(
                "SELECT min(passages.id), count(*), published, source, language"
                " FROM passages JOIN articles ON articles.id = article_id WHERE passages.id > ? GROUP BY article_id"
                " ORDER BY 1",
                (known,),
            ).fetchall()
        else:
            # Each from an index that holds just what is asked for: to join them would be to read the articles' texts.
            kept = {
                row[0]: row[1:] for row in connection.execute("SELECT id, published, source, language FROM articles")
            }
            numbers = connection.execute("SELECT article_id, min(id), count(*) FROM passages GROUP BY article_id")
            rows = sorted((first, count, *kept[article]) for article, first, count in numbers)
        columns = [
            np.fromiter((row[0] for row in rows), np.int64, len(rows)),
            np.fromiter((row[1] for row in rows), np.int64, len(rows)),
            np.asarray([row[2] or "NaT" for row in rows], dtype="datetime64[D]"),
            *(
                np.fromiter((codes.setdefault(row[place] or "", len(codes)) for row in rows), np.int32, len(rows))
                for place in (3, 4)
            ),
        ]
        if earlier is not None:
            columns = [np.concatenate(pair) for pair in zip(earlier.columns, columns, strict=True)]
        return cls(columns, codes)

    def passages(
        self,
        after: date | None,
        before: date | None,
        sources: Sequence[str] | None,
        languages: Sequence[str] | None,
    ) -> Column:
        """Numbers (int64, sorted) of the passages of articles that fit; some may be of articles that are gone."""
        fits = np.ones(len(self._first), dtype=bool)
        if after is not None:
            fits &= self._published >= np.datetime64(after)  # no day at all is neither after nor before another
        if before is not None:
            fits &= self._published <= np.datetime64(before)
        for column, names in ((self._source, sources), (self._language, languages)):
            if names is not None:
                fits &= np.isin(column, [self.codes[name] for name in names if name and name in self.codes])
        first, count = self._first[fits], self._count[fits]
        # Each article's numbers from its first on, all in one: 7 8 9, 20 21.
        ends = np.cumsum(count)
        total = int(ends[-1]) if len(ends) else 0
        found: Column = np.arange(total) + np.repeat(first - (ends - count), count)
        return found

    @property
    def last(self) -> int:
        """The greatest number of a passage; 0 if there are none."""
        return int((self._first + self._count - 1).max(initial=0))
