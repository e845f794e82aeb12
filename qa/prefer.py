"""Which evidence fits what was said before and the days that were asked about."""

from collections.abc import Sequence

from qa.question_dates import fits
from qa.turn import Evidence, Turn

# What belonging to the article that is talked about, or to the days, is worth against the probability of being right.
_SAME_ARTICLE = 0.5
_SAME_DAYS = 0.25
_SURE = 0.5


def prefer(turn: Turn, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence in a new order; probabilities stay as they are.

    Where the best is of the days that were asked about and sure enough, only what is of these days stays: an article
    about other days does not contradict it.
    """
    if turn.days is None:
        return sorted(evidence, key=lambda one: _worth(one, turn), reverse=True)
    asked = turn.days
    same_days = {id(one) for one in evidence if fits(asked, one.hit.article, one.quote)}
    ordered = sorted(evidence, key=lambda one: _worth(one, turn) + _SAME_DAYS * (id(one) in same_days), reverse=True)
    if ordered and id(ordered[0]) in same_days and ordered[0].probability >= _SURE:
        return [one for one in ordered if id(one) in same_days]
    return ordered


def _worth(evidence: Evidence, turn: Turn) -> float:
    return evidence.probability + _SAME_ARTICLE * (evidence.hit.article.id in turn.cited)
