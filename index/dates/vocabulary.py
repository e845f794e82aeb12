"""The date words of a language, from CLDR (``data/dates/cldr``) and newspapers (``data/dates/usage``)."""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from typing import Any, NamedTuple

from index.dates.folding import fold_words

_DATA = files("index") / "data" / "dates"
_SAME_LANGUAGE = {"in": "id", "iw": "he", "nb": "no", "nn": "no", "tl": "fil", "ji": "yi"}
_SPACELESS = frozenset({"ja", "zh", "yue", "th", "lo", "km", "my"})
_SEASONS = ("spring", "summer", "autumn", "winter")


class Sense(NamedTuple):
    """One reading of a word: a symbol of the grammar and its value."""

    symbol: str
    value: Any = None


@dataclass(slots=True)
class Vocabulary:
    """All that the resolver knows about one language.

    Attributes:
        forms: folded words and what they may mean.
        spaceless: the script does not separate words by spaces.
        capital: symbols whose words count only with a capital ("May", "Minggu").
        prefixes: letters that may be written together in front of a word (Arabic "و").
        suffixes: endings that may be written together behind a word (Korean particles) of ``suffix_least`` letters.
        order: of numbers in a date: "dmy", "mdy" or "ymd".
        ambiguous: month names that are dates only in company ("may", "mars").
        plurals: units that mean nothing exact behind "last" ("in the last years").
        narrative: words in front of a date that counts from elsewhere or comes again ("every", "翌").
        number_words: CLDR's words for numbers, in every gender and case.
        before_names: a month or weekday right before a capitalised word is part of a name ("August Wilson").
        usual: it has newspaper usage; else only what is beyond doubt is read.
        tense, reporting: words and endings, see ``index.dates.tense``.
        calendars: "buddhist" if bare years about 2566 are of the Buddhist era, "solar" for Persian years.
    """

    language: str
    forms: dict[str, list[Sense]] = field(default_factory=dict)
    spaceless: bool = False
    capital: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    order: str = "dmy"
    ambiguous: frozenset[str] = frozenset()
    plurals: frozenset[str] = frozenset()
    narrative: tuple[str, ...] = ()
    suffix_least: int = 1
    tense: dict[str, str] = field(default_factory=dict)
    reporting: dict[str, str] = field(default_factory=dict)
    calendars: frozenset[str] = frozenset()
    number_words: dict[int, list[str]] = field(default_factory=dict)
    usual: bool = False
    before_names: bool = False

    def add(self, words: str | Iterable[str], symbol: str, value: Any = None) -> None:
        """Let words ("a|b" or a list) mean ``symbol`` with ``value``, besides what they mean already."""
        for word in words.split("|") if isinstance(words, str) else words:
            form = fold_words(word)
            sense = Sense(symbol, value)
            if form and sense not in self.forms.setdefault(form, []):
                self.forms[form].append(sense)


def known_languages() -> list[str]:
    """Languages with newspaper usage of their own; about a hundred more have CLDR's phrases."""
    return sorted(entry.name.removesuffix(".toml") for entry in (_DATA / "usage").iterdir() if entry.name != "any.toml")


@lru_cache(maxsize=256)
def load_vocabulary(language: str) -> Vocabulary:
    """The vocabulary of an ISO 639 code (a region after "-" or "_" is ignored); only digits if it is unknown."""
    code = language.replace("_", "-").split("-")[0].lower()
    code = _SAME_LANGUAGE.get(code, code)
    vocabulary = Vocabulary(language=code, spaceless=code in _SPACELESS)
    cldr = _read(f"cldr/{code}.json")
    usage = _read(f"usage/{code}.toml")
    if cldr:
        _add_cldr(vocabulary, json.loads(cldr), with_weekday_phrases=usage is None)
    if usage:
        _add_usage(vocabulary, tomllib.loads(usage))
    elif cldr:
        vocabulary.capital = frozenset(
            symbol
            for symbol, key in (("w", "weekday"), ("wx", "weekday_short"), ("m", "month"), ("mx", "month_short"))
            if any(word[:1].isupper() for words in json.loads(cldr)[key] for word in words)
        )
    return vocabulary


def _read(name: str) -> str | None:
    folder, _, file = name.partition("/")
    if not file.split(".")[0].isalnum():
        return None
    entry = _DATA / folder / file
    return entry.read_text(encoding="utf-8") if entry.is_file() else None


def _add_cldr(vocabulary: Vocabulary, table: dict[str, Any], *, with_weekday_phrases: bool) -> None:
    for key, symbol in (("weekday", "w"), ("weekday_short", "wx"), ("month", "m"), ("month_short", "mx")):
        for number, words in enumerate(table[key], 1):
            usable = [word.rstrip(".") for word in words if not any(character.isdigit() for character in word)]
            wide = table[key.removesuffix("_short")][number - 1]
            vocabulary.add((word for word in usable if symbol in "wm" or word not in wide), symbol, number)
    for offset, words in table["day"].items():
        vocabulary.add(words, "dw", int(offset))
    for unit, offsets in table["period"].items():
        for offset, words in offsets.items():
            vocabulary.add(words, "p", (unit, int(offset)))
    _add_templates(vocabulary, table["ago"], "agobefore", "agoafter", "uago")
    _add_templates(vocabulary, table["in"], "inbefore", "inafter", "uin")
    for key, symbol in (("number", "n"), ("ordinal", "o")):
        for value, words in table[key].items():
            vocabulary.add(words, symbol, int(value))
    vocabulary.number_words = {int(value): words for value, words in table["number"].items()}
    if with_weekday_phrases:
        for offset, days in table["weekday_relative"].items():
            for number, words in enumerate(days, 1):
                vocabulary.add(words, "wrel", (number, int(offset)))


def _add_templates(vocabulary: Vocabulary, table: dict[str, list[str]], before: str, after: str, fused: str) -> None:
    """Patterns such as "через {0} дня" (unit behind), "{0} days ago" (with the marker) or "siku {0} zilizopita"."""
    split = {unit: [tuple(map(str.strip, text.split("{0}"))) for text in texts] for unit, texts in table.items()}
    prefixes = [{prefix for prefix, _ in pairs} for pairs in split.values() if pairs]
    unit_first = len(prefixes) > 1 and all(a.isdisjoint(b) for a, b in combinations(prefixes, 2))
    for unit, pairs in split.items():
        for prefix, suffix in pairs:
            if unit_first:
                vocabulary.add([prefix], "u", unit)
                vocabulary.add([suffix], after)
            elif prefix:
                vocabulary.add([prefix], before)
                vocabulary.add([suffix], "u", unit)
            else:
                vocabulary.add([suffix], fused, unit)


def _add_usage(vocabulary: Vocabulary, table: dict[str, Any]) -> None:
    for word in _split(table.get("drop", "")):
        vocabulary.forms.pop(word, None)
    for symbol, key in _LISTS:
        for number, words in enumerate(table.get(key, ()), 1):
            vocabulary.add(words, symbol, number)
    for key, (symbol, value_of) in _TABLES.items():
        for value, words in table.get(key, {}).items():
            vocabulary.add(words, symbol, value_of(value))
    for unit, offsets in table.get("period", {}).items():
        for offset, words in offsets.items():
            vocabulary.add(words, "p", (unit, int(offset)))
    for era, words in table.get("era", {}).items():
        where, name = era.split("_")
        vocabulary.add(words, f"era{where}", name)
    for calendar, months in table.get("other_month", {}).items():
        for number, words in enumerate(months, 1):
            vocabulary.add(words, "mi", (calendar, number))
    _add_words(vocabulary, table.get("words", {}))
    vocabulary.add(table.get("blocked", ""), "blocked")
    _set_properties(vocabulary, table)


def _add_words(vocabulary: Vocabulary, table: dict[str, str]) -> None:
    for symbol, words in table.items():
        vocabulary.add(words, symbol)
    if "unitquarter" in table:
        for number, roman in enumerate(("I", "II", "III", "IV"), 1):
            vocabulary.add([roman], "roman", number)
            vocabulary.add([f"Q{number}"], "q", number)
    for weak in ("inweak", "instrict"):  # usage knows better than CLDR how sure "in" is
        for form in _split(table.get(weak, "")):
            kept = [sense for sense in vocabulary.forms[form] if sense.symbol not in ("inbefore", "inafter")]
            vocabulary.forms[form] = kept


def _set_properties(vocabulary: Vocabulary, table: dict[str, Any]) -> None:
    vocabulary.usual = True
    vocabulary.before_names = table.get("before_names", False)
    vocabulary.capital = frozenset(table.get("capital", ()))
    vocabulary.prefixes = tuple(_split(table.get("prefixes", "")))
    vocabulary.suffixes = tuple(_split(table.get("suffixes", "")))
    vocabulary.suffix_least = table.get("suffix_least", 1)
    vocabulary.order = table.get("order", "dmy")
    vocabulary.ambiguous = frozenset(_split(table.get("ambiguous_months", "")))
    vocabulary.plurals = frozenset(_split(table.get("plurals", "")))
    vocabulary.narrative = tuple(_split(table.get("narrative", "")))
    vocabulary.tense = table.get("tense", {})
    vocabulary.reporting = table.get("reporting", {})
    vocabulary.calendars = frozenset(table.get("calendars", ()))


def _number_and_unit(key: str) -> tuple[int, str]:
    number, unit = key.split()
    return int(number), unit


_LISTS = (("w", "weekday"), ("ws", "weekday_weak"), ("wx", "weekday_short"), ("m", "month"), ("mx", "month_short"))
"""Symbols whose forms are lists by number, and their keys in a usage file."""
_TABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "unit": ("u", str),
    "before": ("b", str),
    "after": ("a", str),
    "season": ("s", _SEASONS.index),
    "day": ("dw", int),
    "yesterday_or_tomorrow": ("dw", "±{}".format),
    "fused": ("nu", _number_and_unit),
    "number": ("n", int),
    "ordinal": ("o", int),
    "quarter": ("q", int),
}
"""Tables of a usage file by value, with the symbol and how the key is read."""


def _split(words: str) -> Iterator[str]:
    return (fold_words(word) for word in words.split("|") if word)
