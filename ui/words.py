"""The page's own words, in each of its languages."""

import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

FALLBACK = "en"
_FILE = Path(__file__).parent / "data" / "words.json"


def word(key: str, language: str, /, **values: object) -> str:
    """A fixed text of the page, its ``{placeholders}`` filled in. Raises KeyError for an unknown key."""
    table = _table()
    return table.get(language, table[FALLBACK])[key].format_map(values)


def languages() -> tuple[str, ...]:
    """The languages that the page speaks."""
    return tuple(_table())


def best_language(accepted: str, among: Collection[str] = ()) -> str:
    """The best of the page's languages, or of those ``among``, for a browser's Accept-Language header.

    >>> best_language("ko-KR,ko;q=0.9,en;q=0.8"), best_language("id;q=0.3, ar;q=0.7"), best_language("")
    ('ko', 'ar', 'en')
    """
    best, best_weight = FALLBACK, 0.0
    for part in accepted.split(","):
        tag, _, parameter = part.partition(";")
        code = tag.strip().lower().split("-")[0]
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if code in (among or languages()) and weight > best_weight:
            best, best_weight = code, weight
    return best


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return table
