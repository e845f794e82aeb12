"""One generation of the index, as a reader sees it: nothing in it changes while it is used."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial, reduce
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from index import passage_dates, vectors
from index.article import Article
from index.choice import Choice
from index.faiss_store import FaissStore
from index.matching import Matcher
from index.passage import Passage
from index.passage_dates import Days
from index.rows import Summary, read_articles, read_languages, read_neighbours, read_passages, read_summaries
from index.store import ARTICLES_FILE, VECTORS_FILE, check_format, connect, meta
from index.stores import Generation, Nearest, Store

Row = TypeVar("Row")
_BATCH = 100


class Snapshot:
    """A read transaction on SQLite with the nearest-neighbour search of its state. Safe to share between threads."""

    def __init__(self, folder: Path, earlier: "Snapshot | None" = None, *, store: Store | None = None) -> None:
        """Open the newest generation, searched in ``store`` (default: FAISS files).

        ``earlier`` lends what has not changed.
        """
        self._lock = threading.Lock()
        self._known: dict[str, list[Any]] = {}
        self._compared: dict[int, np.ndarray] = {}
        self._connection = connect(folder, ARTICLES_FILE)
        self._vectors = connect(folder, VECTORS_FILE)
        try:
            self.matcher = Matcher(self._connection)
            self._connection.execute("BEGIN")
            check_format(self._connection, folder)
            self.generation = int(meta(self._connection, "generation") or 0)
            self.encoder = meta(self._connection, "encoder") or ""
            removed = np.fromiter(
                (row[0] for row in self._connection.execute("SELECT passage_id FROM removed ORDER BY passage_id")),
                dtype=np.int64,
            )
            generation = Generation(folder, self._connection, self._vectors, removed, self._stored, self._all)
            self.nearby: Nearest = (store or FaissStore()).open(generation, earlier.nearby if earlier else None)
            self.matcher.begin(earlier.matcher.counts if earlier else None)
            self.choice: Choice | None = None
            self.earlier_choice: Choice | None = (earlier.choice or earlier.earlier_choice) if earlier else None
            self._version = self._data_version()
        except BaseException:
            self.close()
            raise

    def rest(self) -> None:
        """Hold nothing while nobody asks: an old state that is held keeps the writer from tidying up."""
        with self._lock:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def wake(self) -> bool:
        """Hold the generation again; False if there is a newer one by now."""
        with self._lock:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN")
            return self._data_version() == self._version

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Let the generation go."""
        with self._lock:
            self._connection.close()
            self._vectors.close()

    def nearest(self, vector: np.ndarray, count: int, only: np.ndarray | None = None) -> list[tuple[int, float]]:
        """(passage number, cosine) of the passages nearest to a unit vector [dimension], best first.

        ``only``: numbers to choose from, as ``choose`` gives them.
        """
        return self.nearby.nearest(vector, count, only)

    def likeness(self, passage: int, others: Sequence[int]) -> list[float]:
        """Cosines of one passage to ``others``, all by number."""
        known = self.nearby.vectors_of([passage, *others])
        nothing = np.zeros(1, dtype=np.float32)  # a vector that a newer generation has taken away
        vector = known.get(passage, nothing)
        return [float(np.sum(vector * known.get(other, nothing))) for other in others]

    def _stored(self, passages: Sequence[int]) -> dict[int, np.ndarray]:
        """Stored vectors by passage; those of passages that are gone are left out."""
        before = self._compared  # a question asks twice for most
        found = {number: before[number] for number in passages if number in before}
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, hash FROM passages WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps([number for number in passages if number not in found]),),
            )
            found |= vectors.present(self._vectors, self.encoder, dict(rows.fetchall()))
        self._compared = found
        return found

    def _all(self) -> np.ndarray[Any, Any]:
        with self._lock:
            return np.fromiter(
                (row[0] for row in self._connection.execute("SELECT id FROM passages ORDER BY id")), np.int64
            )

    def matching(self, text: str, count: int, only: np.ndarray | None = None) -> list[tuple[int, float]]:
        """(passage number, BM25 score) of the passages that share terms with ``text``, best first."""
        with self._lock:
            return self.matcher.best(text, count, only)

    def candidates(
        self, text: str, vector: np.ndarray, count: int, only: np.ndarray | None = None
    ) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """What ``nearest`` and ``matching`` find."""
        return self.nearest(vector, count, only), self.matching(text, count, only)

    def choose(
        self,
        after: date | None,
        before: date | None,
        sources: Sequence[str] | None,
        languages: Sequence[str] | None,
        days: Sequence[Days] | None = None,
        articles: Sequence[str] | None = None,
    ) -> np.ndarray | None:
        """Numbers (int64, sorted) of the passages of articles published from ``after`` to ``before``, both included.

        None: there is no condition. Some may be of passages that are gone, which nothing finds.

        ``days``: only articles that were published in some of these, or that speak of some.
        ``articles``: only these, by id.
        """
        found: list[np.ndarray] = []
        with self._lock:
            if any(one is not None for one in (after, before, sources, languages)):
                if self.choice is None:
                    self.choice = Choice.load(self._connection, self.earlier_choice)
                found.append(self.choice.passages(after, before, sources, languages))
            if days is not None:
                parts = [passage_dates.condition(self._connection, one) for one in days]
                condition = " OR ".join(part for part, _ in parts) or "0"
                found.append(self._numbers(f"({condition})", [value for _, known in parts for value in known]))
            if articles is not None:
                found.append(self._numbers(f"article_id IN ({', '.join('?' * len(articles))})", articles))
        return reduce(partial(np.intersect1d, assume_unique=True), found) if found else None

    def _numbers(self, condition: str, values: Sequence[str | float]) -> np.ndarray[Any, Any]:
        statement = f"SELECT passages.id FROM passages JOIN articles ON articles.id = article_id WHERE {condition}"
        rows = self._connection.execute(f"{statement} ORDER BY 1", values)
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def openings(self, count: int, only: np.ndarray | None = None) -> list[int]:
        """Numbers of the first passages of the newest articles, newest first; undated articles come last."""
        return [number for *_, number in self.newest(count, only)]

    def newest(self, count: int, only: np.ndarray | None = None) -> list[tuple[str | None, str, int]]:
        """The newest articles: date, id, and number of the first passage."""
        statement = (
            "SELECT published, articles.id, passages.id FROM articles"
            " JOIN passages ON article_id = articles.id AND ordinal = 0 ORDER BY published DESC, articles.id"
        )
        with self._lock:
            if only is None:
                return self._connection.execute(f"{statement} LIMIT ?", (count,)).fetchall()
            allowed = set(only.tolist())
            rows = self._connection.execute(statement)
            return list(islice((row for row in rows if row[2] in allowed), count))

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """Passages by number."""
        with self._lock:
            return read_passages(self._connection, numbers)

    def passages_of(self, article_id: str) -> list[tuple[Passage, set[Days]]]:
        """The passages of an article in their order, each with the days that it speaks of."""
        statement = "SELECT id FROM passages WHERE article_id = ? ORDER BY ordinal"
        with self._lock:
            numbers = [row[0] for row in self._connection.execute(statement, (article_id,))]
            passages = read_passages(self._connection, numbers)
            days = passage_dates.of_passages(self._connection, numbers)
        return [(passages[number], days[number]) for number in numbers]

    def languages_of(self, numbers: Sequence[int]) -> dict[int, str]:
        """Language of the article of each passage, by passage number."""
        with self._lock:
            return read_languages(self._connection, numbers)

    def neighbours_of(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        """The passages before and after each in its article, by passage number."""
        with self._lock:
            return read_neighbours(self._connection, numbers)

    def articles(self, ids: Sequence[str]) -> list[Article]:
        """Articles by id."""
        with self._lock:
            return list(read_articles(self._connection, ids))

    def read(self, numbers: Sequence[int], article_ids: Sequence[str]) -> tuple[dict[int, Passage], list[Article]]:
        """Passages by number, and articles by id."""
        return self.passages(numbers), self.articles(article_ids)

    def each(self) -> Iterator[Article]:
        """All articles, newest first; only a few are in memory."""
        yield from self._in_batches(lambda: read_articles(self._connection))

    def summaries(self) -> Iterator[Summary]:
        """All articles without their texts, newest first; only a few are in memory."""
        yield from self._in_batches(lambda: read_summaries(self._connection))

    def _in_batches(self, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
        with self._lock:
            iterator = rows()
        while True:
            with self._lock:
                batch = list(islice(iterator, _BATCH))
            if not batch:
                return
            yield from batch

    def is_empty(self) -> bool:
        """Whether there is nothing to find."""
        return not self._once("SELECT 1 FROM passages LIMIT 1")

    def count(self, table: str) -> int:
        """How many "articles" or "passages" there are."""
        if table not in ("articles", "passages"):
            raise ValueError(table)
        return int(self._once(f"SELECT count(*) FROM {table}")[0][0])

    def languages(self) -> dict[str, int]:
        """Number of articles by language, most first."""
        statement = "SELECT language, count(*) FROM articles GROUP BY language ORDER BY 2 DESC, 1"
        return dict(self._once(statement))

    def period(self) -> tuple[date, date] | None:
        """First and last publication date that is known better than by a file's time."""
        statement = (
            "SELECT min(published), max(published) FROM articles WHERE published_from NOT IN ('file', 'unknown')"
        )
        first, last = self._once(statement)[0]
        return (date.fromisoformat(first), date.fromisoformat(last)) if first else None

    def _once(self, statement: str) -> list[Any]:
        """Rows of a statement over the whole index: every question asks for some, and here they never change."""
        with self._lock:
            if statement not in self._known:
                self._known[statement] = self._connection.execute(statement).fetchall()
            return self._known[statement]
