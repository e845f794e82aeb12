"""Keyword search over the lexical index: BM25 as FTS5 counts it.

FTS5 looks at every passage that has any of a question's words, which takes seconds where a million passages have
"the". So where many have them, the passages that have the rarer words are looked at alone, and the commoner words add
to the scores of the best of these (the idea of MaxScore, Turtle and Flood 1995): a passage that has none of the rarer
words could only have come in behind.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

import numpy as np

from index.lexical import pairs, query, sign

ROWS = 4_000
"""So many passages with the rarer words are looked at, the newest."""
RESCORED = 2
"""The commoner words and pairs of words are counted for so many times the passages that are wanted."""
PAIR = 0.6
"""A pair of words that stand side by side in question and passage adds so much of what the commoner of them weighs."""
_SAMPLE = 200
# Of bm25() in FTS5; there is no way to ask it for these.
_K1, _B, _LEAST_WEIGHT = 1.2, 0.75, 1e-6
# How common words are is counted anew when the number of passages has changed by this share.
_DRIFT = 0.05

Ranking = list[tuple[int, float]]
"""(passage number, score), best first."""


def divide(terms: Iterable[str], frequency: Callable[[str], int], numbers: int) -> tuple[list[str], list[str]]:
    """The rarer terms, whose passages are looked at, and the commoner ones, rarest first.

    ``frequency``: how many passages have a term; ``numbers``: the greatest number of a passage.
    """
    if numbers <= ROWS:
        return list(terms), []
    common = sorted((term for term in terms if frequency(term)), key=frequency)
    rarer: list[str] = []
    rows = 0
    while common and (not rarer or rows + frequency(common[0]) <= ROWS):
        rows += frequency(common[0])
        rarer.append(common.pop(0))
    return rarer, common


def weight(having: int, total: int) -> float:
    """What a term weighs that ``having`` passages of ``total`` have: its IDF, as FTS5 counts it."""
    found = log((total - having + 0.5) / (having + 0.5))
    return found if found > 0 else _LEAST_WEIGHT


def points(weight: float, often: int, length: int, mean_length: float) -> float:
    """What a term adds to the score of a passage of ``length`` terms that has it so often, in the order of FTS5."""
    return weight * ((often * (_K1 + 1)) / (often + _K1 * (1 - _B + _B * length / mean_length)))


def added(held: Sequence[str], weights: Mapping[str, float], mean_length: float) -> float:
    """What the commoner terms, with their weights, add to the score of a passage that has the terms ``held``."""
    times = {term: often for term in weights if (often := held.count(term))}
    return sum(points(weights[term], often, len(held), mean_length) for term, often in times.items())


class Pairs(NamedTuple):
    """Pairs of words of a question with what each adds, and what the stems of its language begin with.

    Between languages pairs say too little: those that a foreign question has are names, which a text about them has
    everywhere. A language without stems is told by its letters, or by the words themselves.
    """

    sign: str
    weights: dict[tuple[str, str], float]


def paired(text: str, weight_of: Callable[[str], float]) -> Pairs:
    """The pairs of a question; ``weight_of`` a (quoted) term."""
    weights = {(a, b): PAIR * min(weight_of(f'"{a}"'), weight_of(f'"{b}"')) for a, b in pairs(text)}
    return Pairs(sign(text), weights)


def together(held: Sequence[str], asked: Pairs) -> float:
    """What pairs of words add to the score of a passage that has the terms ``held``: its words in order, then stems."""
    if not asked.weights or not held[-1].startswith(asked.sign):
        return 0.0
    text = f" {' '.join(held)} "  # no term holds a space
    return sum(weight for pair, weight in asked.weights.items() if f" {' '.join(pair)} " in text)


def sampled(numbers: int) -> list[int]:
    """Numbers of passages from which the mean length is taken."""
    found: list[int] = np.linspace(1, numbers, _SAMPLE, dtype=np.int64).tolist()
    return found


def in_order(found: Iterable[tuple[int, float]]) -> Ranking:
    """Best first, the older of equally good ones."""
    return sorted(found, key=lambda row: (-row[1], row[0]))


@dataclass
class Counts:
    """What is counted, once for many questions."""

    numbers: int
    """The greatest number of a passage: to count passages takes as long as a search."""
    passages: int = 0
    mean_length: float = 0.0
    having: dict[str, int] = field(default_factory=dict)
    """Passages by (quoted) term."""


class Matcher:
    """Keyword search in the state of an index that a connection reads. To be made outside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.counts = Counts(0)
        self.connection = connection
        connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'terms', 'row')")

    def begin(self, earlier: Counts | None) -> None:
        """To be called in the transaction; ``earlier`` are the counts of a former state."""
        numbers = self.connection.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()[0]
        if earlier is not None and abs(numbers - earlier.numbers) <= _DRIFT * earlier.numbers:
            self.counts = earlier
        else:
            self.counts = Counts(numbers)

    def best(self, text: str, count: int, only: np.ndarray | None) -> Ranking:
        """The ``count`` best passages that share terms with ``text``; ``only``: numbers (int64, sorted) to choose from.

        Scores are greater for better ones.
        """
        expression = query(text)
        if not expression or count < 1 or (only is not None and only.size == 0):
            return []
        rarer, common = divide(expression.split(" OR "), self.frequency, self.counts.numbers)
        if not rarer:
            return []
        return self._rescored(self._ranked(rarer, only, RESCORED * count), common, paired(text, self._weight))[:count]

    def _ranked(self, terms: Sequence[str], only: np.ndarray | None, count: int) -> Ranking:
        """The ``count`` best of the passages that have any of the terms; of very many, of the newest."""
        # FTS5's bm25() is negative, better is lower.
        found = "SELECT rowid AS number, -bm25(terms) AS score FROM terms WHERE terms MATCH ?"
        last = "ORDER BY rowid DESC LIMIT ?"
        best = "ORDER BY score DESC, number"
        expression = " OR ".join(terms)
        if only is None:
            statement = f"SELECT number, score FROM ({found} {last}) {best} LIMIT ?"  # noqa: S608 -- constants alone
            return self.connection.execute(statement, (expression, ROWS, count)).fetchall()
        bounds = (int(only[0]), int(only[-1]))
        rows = self.connection.execute(
            f"{found} AND rowid BETWEEN ? AND ? {last}", (expression, *bounds, ROWS)
        ).fetchall()
        if not rows:
            return []
        table = np.array(rows, dtype=[("number", np.int64), ("score", np.float64)])
        numbers, scores = table["number"], table["score"]
        allowed = np.flatnonzero(only[np.minimum(np.searchsorted(only, numbers), only.size - 1)] == numbers)
        order = np.lexsort((numbers[allowed], -scores[allowed]))[:count]
        return [rows[place] for place in allowed[order]]

    def _rescored(self, ranked: Ranking, common: Sequence[str], asked: Pairs) -> Ranking:
        """The same passages with what the commoner terms and pairs of words add."""
        if not common and not asked.weights:
            return ranked
        mean = self._statistics()[0] if common else 1.0
        weights = {term.strip('"'): self._weight(term) for term in common}
        words = self.words([number for number, _ in ranked])
        return in_order(
            (number, score + added(words[number], weights, mean) + together(words[number], asked))
            for number, score in ranked
        )

    def _weight(self, term: str) -> float:
        """What a (quoted) term weighs."""
        total = self._statistics()[1]
        return weight(min(self.frequency(term), total), total)

    def words(self, numbers: Sequence[int]) -> dict[int, list[str]]:
        """The terms of passages, by number."""
        rows = self.connection.execute(
            "SELECT rowid, words FROM terms WHERE rowid IN (SELECT value FROM json_each(?))",
            (json.dumps([int(number) for number in numbers]),),
        )
        return {number: words.split(" ") for number, words in rows}

    def frequency(self, term: str) -> int:
        """How many passages have a (quoted) term."""
        having = self.counts.having
        if term not in having:
            row = self.connection.execute("SELECT doc FROM temp.vocabulary WHERE term = ?", (term.strip('"'),))
            having[term] = (row.fetchone() or (0,))[0]
        return having[term]

    def _statistics(self) -> tuple[float, int]:
        """Mean length of a passage, in terms, from some of them; and their number."""
        counts = self.counts
        if not counts.passages:
            lengths = [len(words) for words in self.words(sampled(counts.numbers)).values()]
            counts.mean_length = sum(lengths) / len(lengths) if lengths else 1.0
            counts.passages = self.connection.execute("SELECT count(*) FROM passages").fetchone()[0]
        return counts.mean_length, counts.passages
