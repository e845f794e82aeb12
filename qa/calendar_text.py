"""Calendar values in the words of a language, through CLDR (Babel)."""

from datetime import date, timedelta
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton

_PATTERNS = {"en": "EEEE, d MMMM y", "id": "EEEE, d MMMM y"}
"""Full dates where CLDR's own pattern is not the one wanted: British order, with the comma of the newspapers."""
_PATTERNS_WITHOUT_WEEKDAY = {"en": "d MMMM y", "id": "d MMMM y"}
_LOCALES = {"en": "en_GB", "und": "en_GB", "zh": "zh_Hans", "no": "nb"}
_WITHOUT_INTERVALS = {"fa", "sw"}
"""Babel does not find these languages' words for both ends of an interval."""
_PLAIN_SPACES = dict.fromkeys((0xA0, 0x2009, 0x202F), " ")
_DIGITS = {"fa": "۰۱۲۳۴۵۶۷۸۹"}


def date_text(value: str, language: str, weekday: bool = True) -> str:  # noqa: FBT001, FBT002 - read with its name
    """An ISO 8601 value of any precision in the words of a language.

    "2023-11-08" is "Wednesday, 8 November 2023" in English (without the weekday if not asked for), "2023-W45" the days
    of that week, "2023-11", "2023", "2023-Q4" are month, year and quarter, and "first/last" is a range. An unknown
    language is worded in English. Raises ValueError for a value of another form.
    """
    return _in_words(value, locale_of(language), weekday=weekday)


def _in_words(value: str, locale: Locale, *, weekday: bool) -> str:
    language = locale.language
    if "/" in value:
        first, last = value.split("/")
        return _range(first, last, locale)
    if "-W" in value:
        year, week = value.split("-W")
        monday = date.fromisocalendar(int(year), int(week), 1)
        return _range(monday.isoformat(), (monday + timedelta(days=6)).isoformat(), locale)
    if "-Q" in value:
        year, quarter = value.split("-Q")
        return digits_of(language, format_skeleton("yQQQQ", date(int(year), 3 * int(quarter), 1), locale=locale))
    parts = [int(part) for part in value.split("-")]
    if len(parts) == 3:
        day = date(*parts)
        patterns = _PATTERNS if weekday else _PATTERNS_WITHOUT_WEEKDAY
        pattern = patterns.get(language, "full" if weekday else "long")
        return digits_of(language, format_date(day, pattern, locale=locale))
    if len(parts) == 2:
        return digits_of(language, format_skeleton("yMMMM", date(parts[0], parts[1], 1), locale=locale))
    if len(parts) == 1 and len(value) == 4:
        return digits_of(language, format_skeleton("y", date(parts[0], 1, 1), locale=locale))
    msg = f"{value!r} is not a date, week, month, quarter, year or range of ISO 8601"
    raise ValueError(msg)


def _range(first: str, last: str, locale: Locale) -> str:
    """ "30 October – 5 November 2023", by CLDR's interval formats."""
    from babel.dates import format_interval

    if locale.language in _WITHOUT_INTERVALS:
        return f"{_in_words(first, locale, weekday=False)} – {_in_words(last, locale, weekday=False)}"
    if len(first) == len(last) == 10:
        text = format_interval(date.fromisoformat(first), date.fromisoformat(last), "yMMMd", locale=locale)
        return digits_of(locale.language, text)
    if len(first) == len(last) == 7 and "Q" not in first + last:
        start, end = date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-01")
        return digits_of(locale.language, format_interval(start, end, "yMMMM", locale=locale))
    return f"{_in_words(first, locale, weekday=False)} – {_in_words(last, locale, weekday=False)}"


def digits_of(language: str, text: str = "0123456789") -> str:
    """``text`` with the digits that newspapers of a language use and plain spaces; by default those digits alone."""
    text = text.translate(_PLAIN_SPACES)
    digits = _DIGITS.get(language)
    return text.translate({ord(str(number)): digit for number, digit in enumerate(digits)}) if digits else text


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """CLDR's locale of an ISO 639-1 code; English (British) for an unknown one."""
    code = language.replace("_", "-").split("-")[0].lower()
    try:
        return Locale.parse(_LOCALES.get(code, code))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")
