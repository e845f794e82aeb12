"""Which evidence fits what was said before and the days that were asked about."""

from collections.abc import Sequence
from dataclasses import replace

from qa.question_dates import fits
from qa.turn import Evidence, Turn

# How many times likelier it is that a reading is right if it is of the days that were asked about, or of the article
# that is talked about, than one of other days, or of another article.
_SAME_DAYS = 12.0
_SAME_ARTICLE = 4.0
_SURE = 0.25


def prefer(turn: Turn, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence in a new order, what fits more probable than before.

    Where the best is of the days that were asked about and sure enough, only what is of them stays: an article about
    other days does not contradict it.
    """
    if turn.days is None and not turn.cited:
        return list(evidence)
    same_days = [turn.days is not None and fits(turn.days, one.hit.article, one.quote) for one in evidence]
    factors = [
        (_SAME_DAYS if same else 1.0) * (_SAME_ARTICLE if one.hit.article.id in turn.cited else 1.0)
        for one, same in zip(evidence, same_days, strict=True)
    ]
    found = list(zip(reweighed(evidence, factors), same_days, strict=True))
    found.sort(key=lambda pair: -pair[0].probability)
    best_is_of_them = bool(found) and found[0][1] and found[0][0].probability >= _SURE
    return [one for one, same in found if same or not best_is_of_them]


def reweighed(evidence: Sequence[Evidence], factors: Sequence[float]) -> list[Evidence]:
    """The same, each so many times likelier than it was to be right, beside that none is."""
    shares = [one.probability * factor for one, factor in zip(evidence, factors, strict=True)]
    # The rest is that none is right.
    total = sum(shares) + max(0.0, 1.0 - sum(one.probability for one in evidence))
    return [replace(one, probability=share / total) for one, share in zip(evidence, shares, strict=True)]
