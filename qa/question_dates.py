"""Dates in a question: the days that it asks about, counted from today."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from index.article import Article
from index.dates import DateMention, resolve
from index.passage_dates import Days, days_in, days_of

# "This year" often means the year of the article that the asker has in mind; "yesterday" never does.
_LONGEST_STRICT = 92


class AskedDays(NamedTuple):
    """The days that a question asks about: any of ``days``.

    ``strict``: they were counted from today ("yesterday"), so that nothing else can answer; otherwise they are
    preferred ("in May 2024").
    """

    days: tuple[Days, ...]
    strict: bool


def asked_days(question: str, language: str, today: date, years: Iterable[int] = ()) -> AskedDays | None:
    """The days that ``question`` asks about, or None.

    A day or month without its year ("on 8 November") is meant in each of ``years``, those of the articles.
    """
    mentions = [mention for mention in resolve(question, today, language) if mention.conflict is None]
    counted = [
        days
        for mention in mentions
        if mention.kind == "relative"
        and (days := days_of(mention.value)) is not None
        and days.length <= _LONGEST_STRICT
    ]
    if counted:
        return AskedDays(tuple(dict.fromkeys(counted)), strict=True)
    known = tuple(years)
    values = [value for mention in mentions for value in (_every_year(mention, known) or [mention.value])]
    found = tuple(dict.fromkeys(days for value in values if (days := days_of(value)) is not None))
    return AskedDays(found, strict=False) if found else None


def fits(asked: AskedDays, article: Article, sentence: str) -> bool:
    """Whether a sentence speaks of days that were asked about; one that names no day speaks of its article's."""
    published = article.certain_date
    said = days_in(sentence, published, article.language)
    if not said and published is not None:
        said = {Days(published, published)}
    return any(days.spoken_of(other) for days in asked.days for other in said)


def _every_year(mention: DateMention, years: Iterable[int]) -> list[str]:
    """The values of a day or month said without its year; none for "on Tuesday"."""
    dated = len(mention.value) == 7 or any(map(str.isdigit, mention.text))
    if mention.kind != "partial" or not dated or not mention.value[4:].startswith("-") or "/" in mention.value:
        return []
    return [f"{year:04d}{mention.value[4:]}" for year in years] if mention.value[5:6].isdigit() else []
