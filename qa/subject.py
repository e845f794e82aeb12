"""Whether evidence speaks of what the question names, and of the years that it names."""

import re
from collections.abc import Sequence
from functools import lru_cache

from index.article import Article
from qa.names import mentions
from qa.prefer import reweighed
from qa.turn import Evidence, Turn

_UNNAMED = 6.0
"""How many times less likely a reading is right if its article holds none of the question's names, or of its years."""

_LIKELY = 0.1
"""Less probable readings are not looked at."""

_BEGINNING = 1000
"""Characters of an article that say what it is about, besides its title and the passage that was read."""

_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_YEARS = range(1000, 2700)
_BUDDHIST = 543
"""Years that Thai calendars are ahead."""

_GROUPED = re.compile(r"(?<=\d)[.,'’ ](?=\d{3}(?!\d))")


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
    return _mentions(text, article.language, turn.query, turn.language) is False or _of_other_years(turn.query, article)


def _of_other_years(question: str, article: Article) -> bool:
    """Whether the question names years, and the article none of them, nor was it published about then."""
    asked = _years(question)
    if not asked:
        return False
    text = f"{article.title} {article.text}"
    known = _years(text) | _years(_GROUPED.sub("", text))  # 1500 may be a number, and be written 1,500
    if article.published is not None:
        known |= {article.published.year + more for more in (-1, 0, 1)}
    return not asked & known


def _years(text: str) -> set[int]:
    found = {year for digits in _YEAR.findall(text) if (year := int(digits)) in _YEARS}
    return found | {year - _BUDDHIST for year in found if year >= 2400}


_mentions = lru_cache(64)(mentions)
