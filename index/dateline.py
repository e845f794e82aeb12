"""Works out when an article was published from the dates in its own text.

Wire stories open with "SEOUL, Nov. 1, 2023 --", or name the day as "Rabu (1/11)": weekday, day and month without the
year. A weekday falls on the same day and month only every five, six or eleven years, so few years are candidates. They
are bounded from both sides without a word of any language: no article is written before a year that it names as past
(the latest absolute year in it that is not in the future of the fetch), and none after it was fetched. Of the
candidates that are left the latest is taken, and the more of them there are the less certain it is.
"""

import re
from dataclasses import dataclass
from datetime import date

from index.dates import DateMention, resolve
from index.dates.resolver import resolver

_LEAD = 1500
"""Datelines stand in the first characters; "Wednesday (1/11)" further down may be of another day."""
_YEAR = re.compile(r"(?<![\d.,/:-])(?:19|20)\d\d(?![\d%]|[.,:/]\d)")
_OLDEST = 1995


@dataclass(frozen=True, slots=True)
class PublishedGuess:
    """A publication date that is not stated; ``certainty`` is 0..1, ``reason`` a clause in English."""

    value: date
    certainty: float
    reason: str


def infer_published(text: str, language: str, before: date) -> PublishedGuess | None:
    """The publication date that the text of an article gives away, or None.

    ``before`` is the day the article was fetched; no later day is considered. Never raises on any text.
    """
    absolute = resolve(text, None, language)
    stated = _stated(absolute, before)
    if stated:
        return stated
    return _from_weekday(text, language, absolute, before)


def _stated(absolute: list[DateMention], before: date) -> PublishedGuess | None:
    """A full date in a dateline ("SEOUL, Nov. 1, 2023 --") or as the time of a statement in the first lines."""
    for mention in absolute:
        if mention.start > _LEAD or not mention.reporting or len(mention.value) != 10 or mention.conflict:
            continue
        day = date.fromisoformat(mention.value)
        if day > before or day.year < _OLDEST:
            continue
        opens = mention.start < 100
        later = [
            m for m in absolute if m.reporting and m.value[:4] > mention.value[:4] and m.value <= before.isoformat()
        ]
        certainty = 0.97 if opens and not later else 0.75 if not later else 0.4
        return PublishedGuess(day, certainty, f'dateline "{mention.text}"')
    return None


def _from_weekday(text: str, language: str, absolute: list[DateMention], before: date) -> PublishedGuess | None:
    """From weekday, day and month together ("Rabu (1/11)"), which fix the year among few."""
    triples = _triples(text, language, before)
    if not triples:
        return None
    floor = _latest_year(text, absolute, before)
    best: tuple[int, date, list[date], str] | None = None
    for least in (floor, _OLDEST):  # where no candidate is as late as the latest year named, that year was a plan
        for weekday, month, day, words, reporting, start in triples:
            candidates = [found for found in _years_with(weekday, month, day, before) if found.year >= least]
            if candidates:
                score = sum(_agrees(other, candidates[0]) for other in triples) * 4 + 2 * reporting + (start < _LEAD)
                if best is None or score > best[0]:
                    best = (score, candidates[0], candidates, words)
        if best:
            break
    if best is None:
        return None
    _, value, candidates, words = best
    agreeing = [other for other in triples if _agrees(other, value)]
    bounded = _OLDEST < floor <= value.year
    certainty = 0.9 - 0.1 * min(3, len(candidates) - 1) if bounded else 0.5
    if any(reporting for *_, reporting, _ in agreeing):
        certainty += 0.05
    else:  # the day of what happened: the article is of that day or soon after
        certainty *= 0.7
    certainty *= len(agreeing) / len(triples)
    years = ", ".join(str(found.year) for found in reversed(candidates[:4]))
    reason = f'"{words}" is a {value:%A} in {years}'
    if bounded:
        reason += f" and the text names {floor}"
    if len(candidates) > 1:
        reason += f"; {value.year} is the latest"
    return PublishedGuess(value, round(max(0.05, min(certainty, 0.95)), 2), reason)


Triple = tuple[int, int, int, str, bool, int]
"""Weekday (1 Monday), month, day, words, whether it reports, and where it starts."""


def _triples(text: str, language: str, before: date) -> list[Triple]:
    """Every weekday + day + month without a year in the text."""
    found = []
    for mention, weekday in resolver(language).dated_weekdays(text, before):
        day = date.fromisoformat(mention.value)
        found.append((weekday, day.month, day.day, mention.text, mention.reporting, mention.start))
    return found


def _years_with(weekday: int, month: int, day: int, before: date) -> list[date]:
    """The days up to ``before`` on which the weekday falls on that day and month, the latest first."""
    found = []
    for year in range(before.year, _OLDEST - 1, -1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate <= before and candidate.isoweekday() == weekday:
            found.append(candidate)
    return found


def _latest_year(text: str, absolute: list[DateMention], before: date) -> int:
    """The latest year that the text names and that had begun when it was fetched: it was written no earlier.

    A year in a date counts, and four digits between 1900 and 2099 count where no date was read around them, if they
    are not part of a larger number. Years after ``before`` are plans and bound nothing.
    """
    years = [int(value[:4]) for mention in absolute for value in mention.value.split("/")]
    years += [int(match.group()) for match in _YEAR.finditer(text)]
    return max((year for year in years if _OLDEST <= year <= before.year), default=_OLDEST)


def _agrees(triple: Triple, value: date) -> bool:
    """Whether a triple is possible for an article of that day: its weekday is right within the year around it."""
    weekday, month, day, *_ = triple
    for year in (value.year - 1, value.year, value.year + 1):
        try:
            candidate = date(year, month, day)
        except ValueError:
            continue
        if candidate.isoweekday() == weekday and abs((candidate - value).days) <= 183:
            return True
    return False
