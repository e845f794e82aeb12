"""Names of months and weekdays in a text, by number, from CLDR (through Babel)."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from qa.numerals import fold

_INFLECTED = ("ru", "uk", "pl", "tr")
_SMALL = ("ru", "uk", "pl", "es", "fr", "it", "pt", "nl")  # months are written small
_UNSPACED = ("ja", "zh", "ko", "th")
_CASED = {("en", "may"), ("en", "march"), ("en", "sun"), ("en", "sat")}
_EXTRA = {
    "ru": "month 5 мае маем|weekday 3 среду|weekday 5 пятницу",
    "pl": "weekday 3 środę|weekday 6 sobotę",
    "id": "weekday 7 ahad|weekday 5 jumat jum'at",
    "vi": "weekday 1 thứ_2|weekday 2 thứ_3|weekday 3 thứ_4|weekday 4 thứ_5|weekday 5 thứ_6|weekday 6 thứ_7",
    "zh": "weekday 7 星期天 周天",
    "de": "weekday 6 samstag sonnabend",
    "fa": "month 5 می|month 6 ژوئن",
    "ar": "month 9 ايلول",
}
"""Forms that CLDR does not have."""

Kind = Literal["month", "weekday"]


@dataclass(frozen=True)
class CalendarName:
    """A month (1..12) or weekday (1 is Monday) that a text names."""

    kind: Kind
    value: int
    start: int
    end: int


def calendar_names(text: str, language: str) -> list[CalendarName]:
    """Months and weekdays of ``text``; offsets count characters of the folded text (``numerals.fold``)."""
    folded = fold(text)
    found: list[CalendarName] = []
    taken: set[int] = set()
    for pattern, kind, value, name in _patterns(language):
        for match in pattern.finditer(folded):
            span = range(*match.span())
            if taken.intersection(span):
                continue
            if (language, name) in _CASED and name.title() not in text:
                continue
            if language in _SMALL and kind == "month" and _a_name(text, folded, match):
                continue
            if language == "vi" and kind == "weekday" and not _vietnamese_day(text, folded, match):
                continue
            taken.update(span)
            found.append(CalendarName(kind, value, *match.span()))
    return found


def _a_name(text: str, folded: str, match: re.Match[str]) -> bool:
    """Whether what looks like a month is capitalised without a number beside it: Марта is a woman, марта a month."""
    if len(text) != len(folded) or not text[match.start()].isupper():
        return False
    return not re.search(r"\d\W*$", folded[: match.start()]) and not re.match(r"\W*\d", folded[match.end() :])


def _vietnamese_day(text: str, folded: str, match: re.Match[str]) -> bool:
    """Whether it is a day: "Thứ Hai" is Monday, "thứ hai" the second, unless a word for a day stands before it."""
    written = text[match.start() : match.end()] if len(text) == len(folded) else match.group().title()
    return written != written.lower() or bool(re.search(r"(?:hôm|vào|ngày|sáng|chiều|tối)\s$", folded[: match.start()]))


def blank(text: str, language: str) -> str:
    """The folded text with months and weekdays replaced by spaces, so that no number word is found in them."""
    folded = fold(text)
    for name in calendar_names(text, language):
        folded = folded[: name.start] + " " * (name.end - name.start) + folded[name.end :]
    return folded


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], Kind, int, str]]:
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return []
    names: dict[str, tuple[Kind, int]] = {}
    for context in ("format", "stand-alone"):
        for value, name in locale.months[context]["wide"].items():
            names.setdefault(fold(name), ("month", value))
        for width in ("wide", "abbreviated") if language == "zh" else ("wide",):
            for value, name in locale.days[context][width].items():
                names.setdefault(fold(name), ("weekday", value + 1))
    for group in filter(None, _EXTRA.get(language, "").split("|")):
        extra, number, *forms = group.split()
        for form in forms:
            names[form.replace("_", " ")] = ("month" if extra == "month" else "weekday", int(number))
    patterns: list[tuple[re.Pattern[str], Kind, int, str]] = []
    for name, (kind, value) in sorted(names.items(), key=lambda item: -len(item[0])):
        if any(c.isdigit() for c in name) and language != "vi":
            continue  # 11月 and 11월 are read as numbers
        if language in _UNSPACED:
            expression = re.escape(name)
        elif language in _INFLECTED and len(name) > 3:
            stem = name[: -2 if len(name) > 5 else -1 if len(name) > 4 or name[-1] in "ьяй" else None]
            expression = rf"(?<!\w){re.escape(stem)}\w{{0,{4 if len(name) > 4 else 2}}}(?!\w)"
        else:
            expression = rf"(?<!\w){re.escape(name)}(?!\w)"
        patterns.append((re.compile(expression), kind, value, name))
    return patterns
