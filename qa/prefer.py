"""Which evidence fits what was said before and the days that were asked about."""

from collections.abc import Sequence

from qa.question_dates import fits
from qa.turn import Evidence, Turn

# What belonging to the article that is talked about, or to the days, is worth against the probability of being right.
_SAME_ARTICLE = 0.5
_SAME_DAYS = 0.25


def prefer(turn: Turn, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence in a new order; probabilities stay as they are."""
    if turn.days is None and not turn.cited:
        return list(evidence)

    def worth(one: Evidence) -> float:
        same_days = turn.days is not None and fits(turn.days, one.hit.article, one.quote)
        return one.probability + _SAME_ARTICLE * (one.hit.article.id in turn.cited) + _SAME_DAYS * same_days

    return sorted(evidence, key=worth, reverse=True)
