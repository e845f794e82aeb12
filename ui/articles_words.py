"""The Articles page's own words, in every language that kabar has fixed sentences in."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.numbers import format_decimal

from qa.calendar_text import locale_of

_FILE = Path(__file__).parent / "data" / "articles.json"
_FALLBACK = "en"


def words(key: str, language: str, /, **values: object) -> str:
    """A fixed text, its ``{placeholders}`` filled in. Raises KeyError for an unknown key."""
    table = _table()
    return table.get(language, table[_FALLBACK])[key].format_map(values)


def languages() -> tuple[str, ...]:
    """The languages that the page speaks."""
    return tuple(_table())


def number(value: float, language: str) -> str:
    """A number as the language writes it: "12,345", "12.345"."""
    return format_decimal(value, locale=locale_of(language))


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours too, as clocks show them."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return table
