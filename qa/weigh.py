"""How sure an answer is, all told: what the reader says, how near the passage is, and how near the sentence is.

A reader sees one passage at a time and is easily as sure of a number in a story about something else. The nearness of
passage and sentence to the question, each against the best of them, says which story is meant.

The readings of a question, and "none of them", share the probability as in a conditional logit (McFadden 1974):
``exp(score)`` of each over the sum. ``training/weigh.py`` learns the weights and writes ``data/weigh.json``.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Signs(NamedTuple):
    """What speaks for a reading: the reader's probability, and cosines of passage and sentence to the question."""

    probability: float
    passage: float
    sentence: float


class Weights(NamedTuple):
    """Of the reader's logit, of the two cosines, and the scores of "none of them" (for a "when", and else)."""

    reader: float
    passage: float
    sentence: float
    none: float
    none_of_time: float


@cache
def learned() -> Weights:
    """The weights that were learned on development questions."""
    return Weights(**json.loads((files("qa") / "data" / "weigh.json").read_text(encoding="utf-8"))["weights"])


def features(signs: Sequence[Signs]) -> npt.NDArray[np.float64]:
    """[readings, 3]: the reader's logit, and how much less near passage and sentence are than the nearest."""
    probability, passage, sentence = (np.asarray(column, dtype=float) for column in zip(*signs, strict=True))
    probability = np.clip(probability, 1e-4, 1 - 1e-4)
    found: npt.NDArray[Any] = np.stack(
        [np.log(probability / (1 - probability)), passage - passage.max(), sentence - sentence.max()], axis=1
    )
    return found


def weigh(
    signs: Sequence[Signs], *, wants_time: bool = False, weights: Weights | None = None
) -> list[tuple[int, float]]:
    """(number, probability of being the right one, 0..1) of the readings of one question, best first.

    The probabilities sum to less than 1; the rest is that of none being right. ``wants_time``: the question is a
    "when".
    """
    if not signs:
        return []
    weights = weights or learned()
    scores = features(signs) @ np.array(weights[:3])
    every = np.append(scores, weights.none_of_time if wants_time else weights.none)
    shares = np.exp(every - every.max())
    shares /= shares.sum()
    return [(int(number), float(shares[number])) for number in np.argsort(-scores, kind="stable")]
