"""Which evidence fits what was said before and the days that were asked about."""

from collections.abc import Sequence

from qa.question_dates import fits
from qa.turn import Evidence, Turn

# What belonging to the article that is talked about, or to the days, is worth against the probability of being right.
_SAME_ARTICLE = {"leans": 0.5, "replaces": 0.5, "maybe": 0.5}
_SAME_DAYS = 0.25


def prefer(turn: Turn, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence in a new order; probabilities stay as they are."""
    if turn.days is None and turn.leaning == "alone":
        return list(evidence)
    cited = _cited(turn)
    bonus = _SAME_ARTICLE.get(turn.leaning, 0.0)

    def worth(one: Evidence) -> float:
        same_days = turn.days is not None and fits(turn.days, one.hit.article, one.quote)
        return one.probability + bonus * (one.hit.article.id in cited) + _SAME_DAYS * same_days

    return sorted(evidence, key=worth, reverse=True)


def _cited(turn: Turn) -> set[str]:
    """Articles among the hits that the last answer quotes; the history holds its text alone."""
    said = next((" ".join(text.split()) for role, text in reversed(turn.history) if role == "assistant"), "")
    return {
        hit.article.id
        for hit in turn.hits
        for start, end in hit.passage.sentences
        if " ".join(hit.article.text[start:end].split()) in said
    }
