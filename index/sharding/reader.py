"""One shard: answers its part of a search, in the generation that the search names."""

import threading
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from index.article import Article
from index.errors import NoIndexError, SupersededError
from index.passage import Passage
from index.passage_dates import Days
from index.rows import Summary
from index.sharding.layout import ORIGIN, At, folder_of, name_of, read_published, require
from index.sharding.words import Ranked, Wording, ranked, token_count
from index.snapshot import Snapshot
from index.store import meta

# Generations that are open at once: the one that is searched, and the one before it, or the one to come.
_GENERATIONS = 2
# Choices of passages that are kept: a question makes few, and asks for each several times.
_CHOICES = 8


class Conditions(NamedTuple):
    """Which articles a search may find: the arguments of ``Snapshot.choose``."""

    after: date | None
    before: date | None
    sources: tuple[str, ...] | None
    languages: tuple[str, ...] | None
    days: tuple[Days, ...] | None
    articles: tuple[str, ...] | None


class Facts(NamedTuple):
    """What is counted in a shard; ``greatest`` is the greatest number of a passage, ``terms`` those of all passages."""

    encoder: str
    articles: int
    passages: int
    greatest: int
    terms: int
    languages: dict[str, int]
    period: tuple[date, date] | None


class Near(NamedTuple):
    """The nearest passages of a shard, how many of its passages have each term, and which it may choose from."""

    dense: list[tuple[int, float]]
    having: dict[str, int]
    bounds: tuple[int, int] | None


class Details(NamedTuple):
    """What is known of those of some passages that a shard has: by number, ``vectors`` [n, dimension] in their order.

    They are 16-bit floats, as they are stored.
    """

    passages: dict[int, Passage]
    languages: dict[int, str]
    neighbours: dict[int, list[int]]
    vectors: np.ndarray


class ShardReader:
    """Opens the shard's half that a search names. It does one thing at a time; safe to use from several threads."""

    def __init__(self, root: Path, shard: int) -> None:
        """Open what is published of shard number ``shard`` in ``root``. Raises StoreError if it is not there."""
        record = read_published(root)
        if record is None:
            raise NoIndexError(f"{root}: there are no shards here; does this machine reach that folder?")
        require(root, shard, record)
        self._root = root
        self._shard = shard
        self._shards = record.shards
        self._lock = threading.Lock()
        self._open: dict[At, Snapshot] = {}
        self._chosen: dict[tuple[At, Conditions], np.ndarray] = {}
        self.prepare(record.at)

    def prepare(self, at: At) -> None:
        """Open a generation before anybody asks for it. Raises SupersededError if the half does not hold it."""
        with self._lock:
            self._at(at)

    def facts(self, at: At) -> Facts:
        """What is counted in the shard."""
        with self._lock:
            snapshot = self._at(at)
            return Facts(
                encoder=snapshot.encoder,
                articles=snapshot.count("articles"),
                passages=snapshot.count("passages"),
                greatest=snapshot.matcher.counts.numbers,
                terms=token_count(snapshot.matcher),
                languages=snapshot.languages(),
                period=snapshot.period(),
            )

    def lengths(self, at: At, numbers: Sequence[int]) -> list[int]:
        """Lengths, in terms, of those of the passages that are in the shard."""
        with self._lock:
            return [len(held) for held in self._at(at).matcher.words(numbers).values()]

    def nearest(
        self, at: At, vector: np.ndarray, count: int, conditions: Conditions | None, terms: Sequence[str]
    ) -> Near:
        """The passages nearest to a unit vector [dimension], and how common (quoted) ``terms`` are."""
        with self._lock:
            snapshot = self._at(at)
            only = self._choose(at, conditions)
            bounds = None if only is None or not only.size else (int(only[0]), int(only[-1]))
            having = {term: snapshot.matcher.frequency(term) for term in terms}
            return Near(snapshot.nearest(vector, count, only), having, bounds)

    def ranked(self, at: At, wording: Wording, conditions: Conditions | None) -> Ranked:
        """The passages that match best in words."""
        with self._lock:
            return ranked(self._at(at).matcher, wording, self._choose(at, conditions))

    def details(self, at: At, numbers: Sequence[int]) -> Details:
        """What is known of those of the passages that are in the shard."""
        with self._lock:
            snapshot = self._at(at)
            passages = snapshot.passages(numbers)
            here = list(passages)
            known = snapshot.nearby.vectors_of(here)
            vectors = np.asarray([known[number] for number in here], dtype=np.float16)
            return Details(passages, snapshot.languages_of(here), snapshot.neighbours_of(here), vectors)

    def read(
        self, at: At, numbers: Sequence[int], article_ids: Sequence[str]
    ) -> tuple[dict[int, Passage], list[Article]]:
        """Those of the passages and articles that are in the shard."""
        with self._lock:
            return self._at(at).read(numbers, article_ids)

    def newest(self, at: At, count: int, conditions: Conditions | None) -> list[tuple[str | None, str, int]]:
        """The newest articles: date, id, and number of the first passage."""
        with self._lock:
            return self._at(at).newest(count, self._choose(at, conditions))

    def passages_of(self, at: At, article_id: str) -> list[tuple[Passage, set[Days]]]:
        """The passages of an article, if it is in the shard."""
        with self._lock:
            return self._at(at).passages_of(article_id)

    def each(self, at: At) -> Iterator[Article]:
        """All articles of the shard, newest first."""
        with self._lock:
            snapshot = self._at(at)
        yield from snapshot.each()

    def summaries(self, at: At) -> Iterator[Summary]:
        """The same without their texts."""
        with self._lock:
            snapshot = self._at(at)
        yield from snapshot.summaries()

    def close(self) -> None:
        """Let all generations go."""
        with self._lock:
            for snapshot in self._open.values():
                snapshot.close()
            self._open.clear()

    def _at(self, at: At) -> Snapshot:
        at = At(*at)
        if at not in self._open:
            snapshot = self._take(at)
            earlier = next(reversed(self._open.values()), None)
            if earlier is not None:
                snapshot.earlier_choice = earlier.choice or earlier.earlier_choice
            self._open[at] = snapshot
            while len(self._open) > _GENERATIONS:
                self._open.pop(next(iter(self._open))).close()
        return self._open[at]

    def _take(self, at: At) -> Snapshot:
        folder = folder_of(self._root, self._shard, self._shards, at.half)
        try:
            snapshot = Snapshot(folder)
        except NoIndexError:
            raise self._superseded(at) from None
        if (snapshot.generation, meta(snapshot.matcher.connection, ORIGIN)) != (at.generation, at.origin):
            snapshot.close()
            raise self._superseded(at)
        return snapshot

    def _superseded(self, at: At) -> SupersededError:
        return SupersededError(
            f"{name_of(self._shard, self._shards)} does not hold generation {at.generation} any more"
        )

    def _choose(self, at: At, conditions: Conditions | None) -> np.ndarray | None:
        if conditions is None:
            return None
        key = (At(*at), conditions)
        if key not in self._chosen:
            chosen = self._at(at).choose(*conditions)
            if chosen is None:
                return None
            self._chosen[key] = chosen
            while len(self._chosen) > _CHOICES:
                del self._chosen[next(iter(self._chosen))]
        return self._chosen[key]
