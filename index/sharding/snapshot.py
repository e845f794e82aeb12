"""One generation of all shards, as a search sees it: the same questions and answers as those of ``index.snapshot``."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any, Protocol, TypeVar

import numpy as np

from index.article import Article
from index.lexical import query
from index.matching import RESCORED, ROWS, divide, in_order, paired, sampled, weight
from index.nearest import best
from index.passage import Passage
from index.passage_dates import Days
from index.rows import Summary
from index.sharding.layout import At, shard_of
from index.sharding.reader import Conditions, Details, Facts, Near
from index.sharding.words import Ranked, Wording

Dated = TypeVar("Dated", Article, Summary)


class Shards(Protocol):
    """Asks shards; every method of ``ShardReader`` can be asked for by name."""

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """What each shard answers, in their order; they work at the same time. Raises what one of them raises."""

    def ask_one(self, shard: int, method: str, *arguments: Any) -> Any:
        """What one shard answers."""

    def streams(self, method: str, *arguments: Any) -> list[Iterator[Any]]:
        """What each shard gives, one after the other."""


@dataclass
class Totals:
    """What is counted over all shards of a generation; the rest is asked for when it is first needed."""

    at: At
    shards: int
    encoder: str
    articles: int
    passages: int
    greatest: int
    terms: int
    languages: dict[str, int]
    period: tuple[date, date] | None
    having: dict[str, int] = field(default_factory=dict)
    """Passages by (quoted) term."""
    sampled_mean: float = 0.0
    """Mean length of some passages, in terms."""

    @classmethod
    def of(cls, at: At, facts: Sequence[Facts]) -> "Totals":
        """The sums over all shards."""
        languages: Counter[str] = Counter()
        for one in facts:
            languages.update(one.languages)
        periods = [one.period for one in facts if one.period]
        return cls(
            at=at,
            shards=len(facts),
            encoder=facts[0].encoder,
            articles=sum(one.articles for one in facts),
            passages=sum(one.passages for one in facts),
            greatest=max(one.greatest for one in facts),
            terms=sum(one.terms for one in facts),
            languages=dict(sorted(languages.items(), key=lambda one: (-one[1], one[0]))),
            period=(min(first for first, _ in periods), max(last for _, last in periods)) if periods else None,
        )


class ShardedSnapshot:
    """A generation of all shards for one search: it remembers what it has been told. Not for several threads.

    A search takes four rounds of questions to all shards: what is near and how common the words are, what matches in
    words, what is known of both, and the articles.
    """

    def __init__(self, shards: Shards, totals: Totals) -> None:
        self._shards = shards
        self._totals = totals
        self._passages: dict[int, Passage] = {}
        self._languages: dict[int, str] = {}
        self._neighbours: dict[int, list[int]] = {}
        self._vectors: dict[int, np.ndarray] = {}
        self.generation = totals.at.generation
        self.encoder = totals.encoder

    def choose(
        self,
        after: date | None,
        before: date | None,
        sources: Sequence[str] | None,
        languages: Sequence[str] | None,
        days: Sequence[Days] | None = None,
        articles: Sequence[str] | None = None,
    ) -> Conditions | None:
        """The conditions themselves: each shard finds out by itself which passages they allow."""
        lists = (sources, languages, days, articles)
        wanted = Conditions(after, before, *(None if one is None else tuple(one) for one in lists))  # type: ignore[arg-type]
        return wanted if any(one is not None for one in wanted) else None

    def candidates(
        self, text: str, vector: np.ndarray, count: int, only: Conditions | None = None
    ) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """The passages nearest to a unit vector [dimension], and those that share terms with ``text``; best first."""
        if count < 1:
            return [], []
        expression = query(text)
        terms = expression.split(" OR ") if expression else []
        known = self._totals.having
        asked = [term for term in terms if term not in known]
        near: list[Near] = self._ask("nearest", vector, count, only, asked)
        known.update({term: sum(one.having[term] for one in near) for term in asked})
        dense = best(list(chain.from_iterable(one.dense for one in near)), count)
        bounds = [one.bounds for one in near if one.bounds]
        if not terms or (only is not None and not bounds):
            return dense, []
        within = (min(first for first, _ in bounds), max(last for _, last in bounds)) if bounds else None
        return dense, self._matching(text, terms, count, only, within)

    def _matching(
        self, text: str, terms: Sequence[str], count: int, only: Conditions | None, bounds: tuple[int, int] | None
    ) -> list[tuple[int, float]]:
        """What ``index.matching.Matcher`` finds in the whole index."""
        totals = self._totals
        rarer, common = divide(terms, totals.having.__getitem__, totals.greatest)
        if not rarer or not totals.terms:
            return []

        def weight_of(term: str) -> float:
            return weight(totals.having.get(term, 0), totals.passages)

        asked = paired(text, weight_of)
        wording = Wording(
            rarer={term.strip('"'): weight_of(term) for term in rarer},
            mean_length=totals.terms / totals.passages,
            commoner={term.strip('"'): weight_of(term) for term in common},
            sampled_mean=self._sampled_mean() if common else 1.0,
            pairs=asked,
            wanted=RESCORED * count,
            newest=len(rarer) == 1 and totals.having[rarer[0]] > ROWS,  # of several never so many
            bounds=bounds,
        )
        answers: list[Ranked] = self._ask("ranked", wording, only)
        rows = list(chain.from_iterable(one.rows for one in answers))
        if wording.newest:
            oldest = np.sort(np.concatenate([one.seen for one in answers]))[-ROWS:][:1]
            rows = [row for row in rows if row[0] >= oldest[0]]
        rows = sorted(rows, key=lambda row: (-row[1], row[0]))[: wording.wanted]
        return in_order((number, score) for number, _, score in rows)[:count]

    def _sampled_mean(self) -> float:
        totals = self._totals
        if not totals.sampled_mean:
            lengths = list(chain.from_iterable(self._ask("lengths", sampled(totals.greatest))))
            totals.sampled_mean = sum(lengths) / len(lengths) if lengths else 1.0
        return totals.sampled_mean

    def neighbours_of(self, numbers: Sequence[int]) -> dict[int, list[int]]:
        """The passages before and after each in its article, by passage number."""
        self._learn(numbers)
        return {number: self._neighbours[number] for number in numbers if number in self._neighbours}

    def languages_of(self, numbers: Sequence[int]) -> dict[int, str]:
        """Language of the article of each passage, by passage number."""
        self._learn(numbers)
        return {number: self._languages[number] for number in numbers if number in self._languages}

    def likeness(self, passage: int, others: Sequence[int]) -> list[float]:
        """Cosines of one passage to ``others``, all by number."""
        self._learn([passage, *others])
        nothing = np.zeros(1, dtype=np.float32)
        vector = self._vectors.get(passage, nothing)
        return [float(np.sum(vector * self._vectors.get(other, nothing))) for other in others]

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """Passages by number."""
        self._learn(numbers)
        return {number: self._passages[number] for number in numbers if number in self._passages}

    def _learn(self, numbers: Sequence[int]) -> None:
        asked = [int(number) for number in dict.fromkeys(numbers) if number not in self._passages]
        if not asked:
            return
        for one in self._ask("details", asked):
            details: Details = one
            self._passages |= details.passages
            self._languages |= details.languages
            self._neighbours |= details.neighbours
            self._vectors |= dict(zip(details.passages, details.vectors.astype(np.float32), strict=True))

    def read(self, numbers: Sequence[int], article_ids: Sequence[str]) -> tuple[dict[int, Passage], list[Article]]:
        """Passages by number, and articles by id."""
        passages: dict[int, Passage] = {}
        articles: list[Article] = []
        for found, those in self._ask("read", list(numbers), list(article_ids)):
            passages |= found
            articles += those
        return passages, articles

    def articles(self, ids: Sequence[str]) -> list[Article]:
        """Articles by id."""
        return self.read([], ids)[1]

    def openings(self, count: int, only: Conditions | None = None) -> list[int]:
        """Numbers of the first passages of the newest articles, newest first; undated articles come last."""
        rows: Iterable[tuple[str | None, str, int]] = chain.from_iterable(self._ask("newest", count, only))
        return [number for *_, number in sorted(rows, key=lambda row: _age(row[0], row[1]))[:count]]

    def passages_of(self, article_id: str) -> list[tuple[Passage, set[Days]]]:
        """The passages of an article in their order, each with the days that it speaks of."""
        shard = shard_of(article_id, self._totals.shards)
        found: list[tuple[Passage, set[Days]]] = self._shards.ask_one(shard, "passages_of", self._totals.at, article_id)
        return found

    def each(self) -> Iterator[Article]:
        """All articles, newest first."""
        return self._merged("each")

    def summaries(self) -> Iterator[Summary]:
        """All articles without their texts, newest first."""
        return self._merged("summaries")

    def _merged(self, method: str) -> Iterator[Any]:
        streams: list[Iterator[Article | Summary]] = self._shards.streams(method, self._totals.at)
        return heapq.merge(*streams, key=lambda one: _age(one.published and str(one.published), one.id))

    def is_empty(self) -> bool:
        """Whether there is nothing to find."""
        return not self._totals.passages

    def count(self, table: str) -> int:
        """How many "articles" or "passages" there are."""
        return {"articles": self._totals.articles, "passages": self._totals.passages}[table]

    def languages(self) -> Mapping[str, int]:
        """Number of articles by language, most first."""
        return self._totals.languages

    def period(self) -> tuple[date, date] | None:
        """First and last publication date that is known better than by a file's time."""
        return self._totals.period

    def _ask(self, method: str, *arguments: Any) -> list[Any]:
        return self._shards.ask(method, self._totals.at, *arguments)


def _age(published: str | None, article_id: str) -> tuple[bool, int, str]:
    """Sorts articles as the index does: newest first, undated last, then by id."""
    return (published is None, -date.fromisoformat(published).toordinal() if published else 0, article_id)
