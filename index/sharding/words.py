"""Keyword search in one shard with what is counted over all of them: BM25 as FTS5 would count it in the whole index.

FTS5's own bm25() knows the passages of its table alone. Its formula is in SQLite's fts5_aux.c; here it is worked out in
the same order, so that the scores are the same to the last bit.
"""

from typing import NamedTuple

import numpy as np

from index.matching import ROWS, Matcher, Pairs, added, points, together


class Wording(NamedTuple):
    """How the words of a question are looked for.

    Attributes:
        rarer: terms whose passages are looked at, each with its weight (IDF).
        mean_length: of all passages, in terms.
        commoner: terms that only add to the scores, with their weights.
        sampled_mean: the mean length that is used with ``commoner``.
        pairs: words that stand side by side in the question.
        wanted: how many passages are wanted; all that are looked at if ``newest``.
        newest: whether so many passages have the rarer terms that only the newest are looked at.
        bounds: the least and the greatest number of a passage that may be found; None: there are no such.
    """

    rarer: dict[str, float]
    mean_length: float
    commoner: dict[str, float]
    sampled_mean: float
    pairs: Pairs
    wanted: int
    newest: bool
    bounds: tuple[int, int] | None


class Ranked(NamedTuple):
    """Passages of one shard: number, score by the rarer terms, and by all terms and pairs.

    ``seen``: numbers of all that were looked at, if only the newest were.
    """

    rows: list[tuple[int, float, float]]
    seen: np.ndarray


def ranked(matcher: Matcher, wording: Wording, only: np.ndarray | None) -> Ranked:
    """The best passages of a shard; ``only``: numbers (int64, sorted) to choose from."""
    expression = " OR ".join(f'"{term}"' for term in wording.rarer)
    within, values = ("", ()) if wording.bounds is None else (" AND rowid BETWEEN ? AND ?", wording.bounds)
    found = matcher.connection.execute(
        f"SELECT rowid, words FROM terms WHERE terms MATCH ?{within} ORDER BY rowid DESC LIMIT ?",  # noqa: S608
        (expression, *values, ROWS),
    ).fetchall()
    seen = np.fromiter((number for number, _ in found), np.int64, len(found))
    if only is not None:
        found = [found[place] for place in np.flatnonzero(np.isin(seen, only, assume_unique=True))]
    rows = []
    for number, words in found:
        held = words.split(" ")
        length = len(held)
        score = 0.0
        for term, weight in wording.rarer.items():
            score += points(weight, held.count(term), length, wording.mean_length)
        rows.append((number, score, held))
    rows.sort(key=lambda row: (-row[1], row[0]))
    if not wording.newest:
        del rows[wording.wanted :]
    return Ranked(
        [
            (number, score, score + added(held, wording.commoner, wording.sampled_mean) + together(held, wording.pairs))
            for number, score, held in rows
        ],
        seen if wording.newest else seen[:0],
    )


def token_count(matcher: Matcher) -> int:
    """How many terms all passages have together, as FTS5 keeps it for bm25().

    The record is two integers of variable length, the number of rows and that of terms (fts5_index.c, "averages").
    """
    row = matcher.connection.execute("SELECT block FROM terms_data WHERE id = 1").fetchone()
    block = bytes(row[0]) if row else b""
    _, place = _variable(block, 0)
    tokens, _ = _variable(block, place)
    return tokens


def _variable(block: bytes, place: int) -> tuple[int, int]:
    """An integer of variable length (https://sqlite.org/fileformat2.html#varint) at ``place``, and where it ends."""
    value = 0
    for count, byte in enumerate(block[place : place + 9], start=1):
        if count == 9:
            return value << 8 | byte, place + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + count
    return value, len(block)
