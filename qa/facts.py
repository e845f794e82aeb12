"""Whether two answers are the same fact: dates by their days, amounts by value and unit, places and names by name.

The answers may be in two languages. None means that nobody can tell: a number and a name, "two days" and "next week",
a name that one language may have translated.
"""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from index.passage_dates import days_of
from qa.answer import DateMention
from qa.entities import entities
from qa.names import CASED, fold_accents, fold_case, names, vocabulary
from qa.numerals import numbers
from qa.phrases import localise_phrase
from qa.sounds import distance, same
from qa.turn import Evidence

_NEARLY = 0.05
"""Relative difference up to which a round number may stand for an exact one: 14,000 for 14,300, not 20 for 23."""
_UNLIKE = 0.35
"""Distance of sounds (see ``qa.sounds``) from which on two names are not the same."""
_COVERED = 0.8
"""Share of the letters of an answer that are a place's name if the answer is a place."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604_800}
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")


def same_fact(one: Evidence, other: Evidence) -> bool | None:
    """Whether the answering words of two sentences mean the same; None if it cannot be told."""
    if one.date or other.date:
        return _same_date(one.date, other.date) if one.date and other.date else None
    if not one.words or not other.words:
        return None
    first, second = fold_case(one.words), fold_case(other.words)
    if first == second:
        return True
    amounts, other_amounts = _amounts(one), _amounts(other)
    if amounts.values or other_amounts.values:
        return _same_amounts(amounts, other_amounts)
    place = _same_place(_places(one), _places(other))
    if place is not None or _within(first, second) or _within(second, first):
        return place is not False
    return _same_name(one, other)


def _same_date(one: DateMention, other: DateMention) -> bool | None:
    """Whether one's days are among the other's ("November", "8 November"); None if they only overlap."""
    days, other_days = days_of(one.value), days_of(other.value)
    if days is None or other_days is None:
        return None
    (first, last), (start, end) = days, other_days
    if (first <= start and end <= last) or (start <= first and last <= end):
        return True
    return False if (last < start or end < first) and not one.conflict and not other.conflict else None


class _Amounts(NamedTuple):
    """The numbers of an answer, each with all values that it may have, and their unit in English; "" if unknown."""

    values: list[frozenset[float]]
    unit: str = ""


def _amounts(evidence: Evidence) -> _Amounts:
    words, language = evidence.words, evidence.hit.article.language
    found = [number.values for number in numbers(words, language) if not number.ordinal and not number.implied]
    english = localise_phrase(words, language, "en") if len(found) == 1 else None
    if english is None:
        return _Amounts(found)
    unit = english.lower()
    for number in numbers(english, "en"):
        unit = unit.replace(number.text, "")
    unit = unit.strip().removesuffix("s")
    if unit in _SECONDS:
        return _Amounts([frozenset(value * _SECONDS[unit] for value in found[0])], "second")
    return _Amounts(found, unit)


def _same_amounts(one: _Amounts, other: _Amounts) -> bool | None:
    if not one.values or not other.values or (one.unit and other.unit and one.unit != other.unit):
        return None
    fewer, more = sorted((one.values, other.values), key=len)
    matched = all(any(_equal(value, another) for another in more) for value in fewer)
    return matched if len(fewer) == len(more) else matched or None


def _equal(one: frozenset[float], other: frozenset[float]) -> bool:
    return bool(one & other) or any(_rounds(a, b) or _rounds(b, a) for a in one for b in other)


def _rounds(exact: float, round_number: float) -> bool:
    """Whether the second is the first with fewer digits."""
    if abs(exact - round_number) > _NEARLY * abs(exact) or round_number != int(round_number):
        return False
    digits = str(int(round_number))
    zeros = len(digits) - len(digits.rstrip("0"))
    return round(exact, -zeros) == round_number


class _Places(NamedTuple):
    """The cities of an answer that is all places, and the countries; "Seoul" is a city though it may mean Korea."""

    cities: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()


def _places(evidence: Evidence) -> _Places:
    found = entities(evidence.words, evidence.hit.article.language)
    covered = sum(entity.end - entity.start for entity in found)
    letters = sum(unicodedata.category(character)[0] in "LMN" for character in evidence.words)
    if covered < _COVERED * letters:
        return _Places()
    cities = frozenset(key for entity in found for key in entity.keys if key.startswith("city:"))
    countries = {key for entity in found for key in entity.keys if ":" not in key}
    countries |= {country for city in cities if (country := _zone_countries().get(city.removeprefix("city:")))}
    return _Places(cities, frozenset(countries))


def _same_place(one: _Places, other: _Places) -> bool | None:
    if one.cities and other.cities:
        return bool(one.cities & other.cities)
    return bool(one.countries & other.countries) if one.countries and other.countries else None


@cache
def _zone_countries() -> dict[str, str]:
    from babel.core import get_global

    return dict(get_global("zone_territories"))


def _same_name(one: Evidence, other: Evidence) -> bool | None:
    if _sounds_the_same(one.words, other.words):
        return True
    if not _is_name(one) or not _is_name(other):
        return None
    first, second = (set(fold_accents(evidence.words).split()) for evidence in (one, other))
    if first & second:
        return None  # "Kim Jong Un", "Kim Yo Jong": one person's names or two persons'
    far = min(distance(one.words, other.words), distance(other.words, one.words))
    return False if far >= _UNLIKE else None


def _sounds_the_same(one: str, other: str) -> bool:
    """Whether one name is heard in the other, in another script; in one script, word by word in another spelling."""
    parts, others = _WORD.findall(one), _WORD.findall(other)
    if parts and others and all(map(str.isascii, fold_accents(one + other))):
        fewer, more = sorted((parts, others), key=len)
        return all(any(same(part, another) for another in more) for part in fewer)
    return same(one, other) or same(other, one)


def _is_name(evidence: Evidence) -> bool:
    """Whether the answering words are the name of someone or something that is not said in words of the language."""
    words, language = evidence.words, evidence.hit.article.language
    parts = _WORD.findall(words)
    if language not in CASED:
        return any(word in words for name in names(evidence.quote, language) for word in name.words)
    if len(parts) < 2 or not all(part[0].isupper() for part in parts if len(part) > 3):
        return False
    known = vocabulary()
    return any(part[0].isupper() and part.lower() not in known for part in parts)


def _within(part: str, whole: str) -> bool:
    """Whether one folded text stands in another: whole words, where words are spaced."""
    if _UNSPACED.search(part):
        return part in whole
    return bool(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", whole))
