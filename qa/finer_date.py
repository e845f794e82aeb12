"""The day, where the answer to "when" is a week or a month and the article says in another sentence which day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from index.dates import DateMention, resolve
from index.passage_dates import Days, days_of
from qa.turn import Evidence, Turn

Encode = Callable[[Sequence[str]], np.ndarray]
"""Unit vectors [texts, dimension] of texts of articles."""


def with_finer_date(turn: Turn, evidence: Sequence[Evidence], encode: Encode) -> tuple[Evidence, ...]:
    """The evidence with a finer date first, if the best is a date of several days and one of them is said near by.

    "The minister will visit the country next week. He arrives on Wednesday": of sentences that were found in the same
    article, with a date among those days, the one nearest to the question in meaning takes the place of the best, if it
    is nearer than that.
    """
    if not turn.wants_time or not evidence or not evidence[0].words:
        return tuple(evidence)
    best, *rest = evidence
    days = _days_meant(best)
    if days is None or days.length == 1:
        return tuple(evidence)
    found = list(_within(best, turn, days))
    if not found:
        return tuple(evidence)
    vectors = encode([one.quote for one in found])
    nearness = vectors @ turn.vector
    nearest = int(np.argmax(nearness))
    if nearness[nearest] < float(best.vector @ turn.vector):
        return tuple(evidence)
    return (replace(found[nearest], vector=vectors[nearest]), *rest)


def _days_meant(evidence: Evidence) -> Days | None:
    """The days of a date that the answering words consist of."""
    start = evidence.quote.find(evidence.words)
    end = start + len(evidence.words)
    for date in _dates(evidence):
        if date.start < end and start < date.end:
            return days_of(date.value)
    return None


def _within(best: Evidence, turn: Turn, days: Days) -> Iterator[Evidence]:
    """Sentences of the article that were found, with a shorter date among ``days``."""
    seen = {(best.start, best.end)}
    for hit in turn.hits:
        if hit.article.id != best.hit.article.id:
            continue
        for start, end in hit.passage.sentences:
            if (start, end) in seen:
                continue
            seen.add((start, end))
            one = replace(best, hit=hit, start=start, end=end)
            for date in _dates(one):
                other = days_of(date.value)
                if other and other.length < days.length and days.first <= other.first and other.last <= days.last:
                    yield replace(one, words=date.text)
                    break


def _dates(evidence: Evidence) -> list[DateMention]:
    """The dates of the sentence that say when something happens."""
    article = evidence.hit.article
    found = resolve(evidence.quote, article.certain_date, article.language)
    return [date for date in found if not date.reporting and not date.conflict]
