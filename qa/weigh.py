"""How sure an answer is, all told: what the reader says, how near the passage is, and how near the sentence is.

A reader sees one passage at a time and is easily as sure of a number in a story about something else. The nearness of
passage and sentence to the question, each against the best of them, says which story is meant.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# What orders the readings of one question: a grid over articles/questions.json, the middle of a plateau.
_READER, _PASSAGE, _SENTENCE = 0.5, 15.0, 25.0
# What makes them probabilities: logistic regression on the same. A "when" is answered by the sentence that stands out
# from all others in nearness, even where the reader is unsure of the words in it.
_SLOPE, _CONSTANT = 0.95, 0.12
_TIME_SLOPE, _TIME_LEAD, _TIME_CONSTANT = 0.8, 27.0, 0.3


class Signs(NamedTuple):
    """What speaks for a reading: the reader's probability, and cosines of passage and sentence to the question.

    ``lead`` is how much nearer the sentence is than the nearest other sentence that was read; negative if it is not.
    """

    probability: float
    passage: float
    sentence: float
    lead: float = 0.0


def weigh(signs: Sequence[Signs], *, wants_time: bool = False) -> list[tuple[int, float]]:
    """(number, probability of being right, 0..1) of the readings of one question, best first.

    ``wants_time``: the question is a "when".
    """
    if not signs:
        return []
    probability, passage, sentence, lead = (np.asarray(column) for column in zip(*signs, strict=True))
    probability = np.clip(probability, 1e-4, 1 - 1e-4)
    logit = np.log(probability / (1 - probability))
    score = _READER * logit + _PASSAGE * (passage - passage.max()) + _SENTENCE * (sentence - sentence.max())
    order = np.argsort(-score, kind="stable")
    sure = _TIME_SLOPE * logit + _TIME_LEAD * lead + _TIME_CONSTANT if wants_time else _SLOPE * logit + _CONSTANT
    # A reading is never surer than one that is ordered before it.
    shares = np.minimum.accumulate(1 / (1 + np.exp(-np.clip(sure[order], -30, 30))))
    return [(int(number), float(share)) for number, share in zip(order, shares, strict=True)]
