"""Whether evidence speaks of what the question names."""

from collections.abc import Sequence
from functools import lru_cache

from qa.names import mentions
from qa.prefer import reweighed
from qa.turn import Evidence, Turn

_UNNAMED = 6.0
"""How many times less likely a reading is right if its article holds none of the names in the question."""

_LIKELY = 0.1
"""Less probable readings are not looked at."""

_BEGINNING = 1000
"""Characters of an article that say what it is about, besides its title and the passage that was read."""


def weigh_subject(turn: Turn, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence in a new order, less probable where the article holds nothing of what the question names.

    "How many died when Marapi erupted?" finds the dead of another disaster if the articles know nothing of Marapi.
    """
    found = reweighed(evidence, [1 / _UNNAMED if _elsewhere(turn, one) else 1.0 for one in evidence])
    return sorted(found, key=lambda one: -one.probability)


def _elsewhere(turn: Turn, evidence: Evidence) -> bool:
    article = evidence.hit.article
    if evidence.probability < _LIKELY:
        return False
    text = f"{article.title}. {article.text[:_BEGINNING]}\n{evidence.hit.passage.text}"
    return _mentions(text, article.language, turn.query, turn.language) is False


_mentions = lru_cache(64)(mentions)
