"""Short phrases that can be put exactly into another language: dates, numbers, durations, money, places, languages.

All words come from CLDR through Babel, and from ``data/localise/phrases.toml`` what CLDR does not list.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from babel import Locale
from babel.numbers import (
    NumberFormatError,
    format_decimal,
    format_percent,
    get_currency_name,
    get_currency_unit_pattern,
    parse_decimal,
)
from babel.units import format_unit

from index.dates import resolve
from index.dates.folding import fold, fold_words
from index.dates.vocabulary import load_vocabulary
from qa.calendar_text import date_text, digits_of, locale_of

_UNITS = (
    "duration-second duration-minute duration-hour duration-day duration-week duration-month duration-year "
    "length-kilometer length-meter length-centimeter length-mile length-foot area-square-kilometer area-hectare "
    "mass-kilogram mass-gram mass-tonne volume-liter speed-kilometer-per-hour temperature-celsius"
).split()
_DIGITS = re.compile(r"[+-]?\d[\d.,'\u00a0\u202f ٫٬’]*")
_PLURALS = (1, 2, 3, 5, 11, 100, Decimal("1.5"))
"""One number of every plural class that CLDR has."""
_WIDTHS: tuple[Literal["long", "short"], ...] = ("long", "short")
_EXACT_PLACES = 3
_SMALLEST_SCALE = 10_000


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a phrase: its value, and whether it was spelled in words or given with a scale ("5 million")."""

    value: Decimal
    spelled: bool = False
    scaled: bool = False


def localise_phrase(phrase: str, source_language: str, target_language: str) -> str | None:
    """A phrase of ``source_language`` in ``target_language``, or None where that is not exact.

    "dua hari" is "two days", "Korea Selatan" is "South Korea", "15 persen" is "15%".
    """
    words = " ".join(phrase.split()).strip(" .,;:\"'“”«»")
    if not words or len(words) > 80:
        return None
    source, target = locale_of(source_language), locale_of(target_language)
    for reading in (_date, _place, _language, _percentage, _money, _measure, _plain_number):
        found = reading(words, source, target)
        if found is not None:
            return " ".join(found.split())
    return None


def _date(words: str, source: Locale, target: Locale) -> str | None:
    """A date that needs no publication date."""
    mentions = resolve(words, None, source.language)
    if len(mentions) != 1 or mentions[0].conflict or mentions[0].start > 0 or mentions[0].end < len(words):
        return None
    named = any(sense.symbol == "w" for form in fold_words(words).split() for sense in _senses(form, source))
    return date_text(mentions[0].value, target.language, weekday=named)


def _senses(form: str, locale: Locale) -> list[Any]:
    return load_vocabulary(locale.language).forms.get(form.strip(",()"), [])


def _quantity(text: str, locale: Locale) -> Quantity | None:
    """A whole text as one number: digits in the locale's way, a number word, or either with a scale."""
    folded = fold(text.strip()).text
    if _DIGITS.fullmatch(folded):
        return _in_digits(folded, locale)
    for sense in _senses(" ".join(folded.split()), locale):
        if sense.symbol == "n":
            return Quantity(Decimal(sense.value), spelled=True)
    for scale, size in _scales(locale.language):
        for inner in (folded.removesuffix(scale), folded.removeprefix(scale)):
            if inner != folded and inner.strip():
                amount = _quantity(inner, locale)
                if amount is not None and not amount.scaled:
                    return Quantity(amount.value * size, scaled=True)
    return None


def _in_digits(folded: str, locale: Locale) -> Quantity | None:
    text = folded.replace("٫", ".").replace("٬", ",") if "٫" in folded or "٬" in folded else folded
    reader = Locale("en") if text != folded or not digits_of(locale.language).isascii() else locale
    try:
        return Quantity(parse_decimal(text.strip().replace(" ", "\u00a0"), locale=reader, strict=True))
    except (NumberFormatError, InvalidOperation):
        return None


@lru_cache(maxsize=64)
def _scales(language: str) -> list[tuple[str, int]]:
    """Folded words for powers of ten in a language ("juta", 10 ** 6), the longest first."""
    locale = locale_of(language)
    found: dict[str, int] = {}
    for width in ("long", "short"):
        for forms in (dict(locale.compact_decimal_formats.get(width) or {})).values():
            for power, pattern in dict(forms).items():
                text = str(pattern.pattern).split(";")[0]
                word, zeros = fold_words(re.sub(r"0+|'", "", text)), text.count("0")
                if word and zeros and len(word) > (0 if not word.isascii() else 2):
                    found.setdefault(word, int(power) // 10 ** (zeros - 1))
    return sorted(found.items(), key=lambda item: -len(item[0]))


def _number_text(quantity: Quantity, locale: Locale) -> str | None:
    """A number in words if it was in words (and the language has one word for it), else in digits."""
    if quantity.spelled and (word := _number_word(int(quantity.value), locale.language)):
        return word
    if quantity.scaled:
        return _compact(quantity.value, locale)
    return _figures(quantity.value, locale)


def _figures(value: Decimal, locale: Locale) -> str:
    return digits_of(locale.language, format_decimal(value, locale=locale, decimal_quantization=False))


@lru_cache(maxsize=4096)
def _number_word(value: int, language: str) -> str | None:
    """The only word of a language for a number; None where gender or case would have to be chosen."""
    if language in ("ja", "zh", "ko", "th", "ar", "fa", "hi"):
        return None
    forms = load_vocabulary(language).number_words.get(value, [])
    if value == 1:
        return str(_data()["one"][language]) if language in _data()["one"] else None
    return forms[0] if len(forms) == 1 else None


def _compact(value: Decimal, locale: Locale) -> str:
    """With the largest scale that shows the value exactly, else in full."""
    width = "long" if dict(locale.compact_decimal_formats).get("long") else "short"
    formats: dict[Any, Any] = dict(locale.compact_decimal_formats[width])
    for power in sorted((int(power) for power in dict(formats["other"])), reverse=True):
        text = str(formats["other"][str(power)].pattern).split(";")[0]
        zeros = text.count("0")
        size = power // 10 ** max(zeros - 1, 0)
        amount = value / size
        if not zeros or size < _SMALLEST_SCALE or amount < 1 or amount != round(amount, _EXACT_PLACES):
            continue
        chosen: Any = formats.get(locale.plural_form(amount), formats["other"])
        pattern = str(chosen[str(power)].pattern).split(";")[0]
        return re.sub(r"0+", _figures(amount, locale), pattern, count=1).replace("'", "")
    return _figures(value, locale)


def _percentage(words: str, source: Locale, target: Locale) -> str | None:
    table = _data()["percent"]
    for sign in (table["any"] + "|" + table.get(source.language, "")).split("|"):
        for inner in (words.removesuffix(sign), words.removeprefix(sign)):
            if sign and inner != words and (quantity := _quantity(inner, source)):
                text = format_percent(quantity.value / 100, locale=target, decimal_quantization=False)
                return digits_of(target.language, text)
    return None


def _money(words: str, source: Locale, target: Locale) -> str | None:
    for name, code in _currencies(source.language):
        for inner in (words.removesuffix(name), words.removeprefix(name)):
            if inner == words or not inner.strip():
                continue
            quantity = _quantity(inner, source) or _quantity(re.sub(r" (?:de|di|d')$", "", inner.rstrip()), source)
            if quantity is None:
                continue
            amount = _number_text(quantity, target)
            count: Any = quantity.value
            name_there = get_currency_name(code, count=count, locale=target)
            linked = quantity.scaled and amount is not None and any(character.isalpha() for character in amount)
            link = _data()["of_scale"].get(target.language) if linked else None
            if link:
                return f"{amount} {link} {name_there}"
            pattern = get_currency_unit_pattern(code, count=count, locale=target)
            return pattern.replace("{0}", amount or "").replace("{1}", name_there)
    return None


@lru_cache(maxsize=64)
def _currencies(language: str) -> list[tuple[str, str]]:
    """Names and signs of currencies with their codes, the longest first; a name of two currencies is left out."""
    locale = locale_of(language)
    found: dict[str, set[str]] = {}
    for code, name in locale.currencies.items():
        found.setdefault(name, set()).add(code)
        for count in (1, 2, 5):
            found.setdefault(get_currency_name(code, count=count, locale=locale), set()).add(code)
        found.setdefault(code, set()).add(code)
    for code, names in _data()["currency"].get(language, {}).items():
        for name in names.split("|"):
            found[name] = {code}
    return sorted(((name, min(codes)) for name, codes in found.items() if len(codes) == 1), key=lambda x: -len(x[0]))


def _measure(words: str, source: Locale, target: Locale) -> str | None:
    """A number with a unit of time, length, area, mass, volume, speed or temperature."""
    fused = [sense for sense in _senses(fold_words(words), source) if sense.symbol == "nu"]
    if fused:
        number, unit = fused[0].value
        return _with_unit(Quantity(Decimal(number), spelled=True), f"duration-{unit}", target)
    folded = fold_words(words)
    for name, unit in _unit_names(source.language):
        for inner in (folded.removesuffix(name), folded.removeprefix(name)):
            if inner != folded and (quantity := _quantity(inner, source)) and not quantity.scaled:
                return _with_unit(quantity, unit, target)
    return None


def _with_unit(quantity: Quantity, unit: str, target: Locale) -> str | None:
    if unit not in _UNITS:
        return None
    text = format_unit(quantity.value, unit, length="long", locale=target)
    if unit in text:  # Babel has only the short form for some languages
        text = format_unit(quantity.value, unit, length="short", locale=target)
    if unit in text:
        return None
    word = _number_text(quantity, target)
    if quantity.spelled and word:
        figures = format_decimal(quantity.value, locale=target)
        text = re.sub(rf"(?<!\d){re.escape(figures)}(?!\d)", word, text, count=1)
    return digits_of(target.language, text)


@lru_cache(maxsize=64)
def _unit_names(language: str) -> list[tuple[str, str]]:
    """Folded names of units, from CLDR's patterns and from the words that dates are counted in."""
    locale = locale_of(language)
    found: dict[str, str] = {}
    for unit in _UNITS:
        for count in _PLURALS:
            for width in _WIDTHS:
                text = fold_words(format_unit(count, unit, length=width, locale=locale))
                name = re.sub(r"\d[\d.,]*", " ", text)
                if name != text and name.strip() and unit not in name:
                    found.setdefault(" ".join(name.split()), unit)
    for form, senses in load_vocabulary(language).forms.items():
        for sense in senses:
            if sense.symbol == "u" and f"duration-{sense.value}" in _UNITS:
                found.setdefault(form, f"duration-{sense.value}")
    return sorted(found.items(), key=lambda item: -len(item[0]))


def _plain_number(words: str, source: Locale, target: Locale) -> str | None:
    if re.fullmatch(r"\d{4}", fold(words).text):  # more likely a year than a count
        return digits_of(target.language, fold(words).text)
    quantity = _quantity(words, source)
    return _number_text(quantity, target) if quantity else None


def _place(words: str, source: Locale, target: Locale) -> str | None:
    codes = _places(source.language).get(fold_words(words))
    if codes is None or len(codes) != 1:
        return None
    return _place_name(next(iter(codes)), target)


def _place_name(code: str, locale: Locale) -> str | None:
    if "/" not in code:
        name = locale.territories.get(code)
        return re.sub(r"\s*[(（].*?[)）]", "", name) if name else None
    city = dict(locale.time_zones).get(code, {}).get("city")
    if city:
        return str(city)
    latin = unicodedata.name(locale.territories.get("FR", "?")[0], "").startswith("LATIN")
    return code.rpartition("/")[2].replace("_", " ") if latin else None


@lru_cache(maxsize=64)
def _places(language: str) -> dict[str, frozenset[str]]:
    """Folded names of countries and cities with what they may be; a country wins over a city of its name."""
    locale = locale_of(language)
    found: dict[str, set[str]] = {}
    for code, name in locale.territories.items():
        if code.isalpha() and len(code) == 2 and code not in ("ZZ", "EZ"):
            found.setdefault(fold_words(re.sub(r"\s*[(（].*?[)）]", "", name)), set()).add(code)
    for code, names in _data()["place"].get(language, {}).items():
        for name in names.split("|"):
            found[fold_words(name)] = {code}
    for name in _data()["ambiguous_place"].get(language, "").split("|"):
        found.pop(fold_words(name), None)
    for zone in _zones():
        city = dict(locale.time_zones).get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
        key = fold_words(str(city))
        if key not in found or all("/" in code for code in found[key]):
            found.setdefault(key, set()).add(zone)
    return {name: frozenset(codes) for name, codes in found.items()}


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    zones = (str(zone) for zone in Locale("ru").time_zones)
    return frozenset(zone for zone in zones if "/" in zone and not zone.startswith("Etc/"))


def _language(words: str, source: Locale, target: Locale) -> str | None:
    code = _languages(source.language).get(fold_words(words))
    return locale_name(target, code) if code else None


def locale_name(locale: Locale, code: str) -> str | None:
    """The name of a language in the words of a locale."""
    return locale.languages.get(code)


@lru_cache(maxsize=64)
def _languages(language: str) -> dict[str, str]:
    """Folded names that are of a language for sure, with its code."""
    locale = locale_of(language)
    frames = _data()["language_word"].get(language, "").split("|")
    found: dict[str, str] = {}
    for code, name in locale.languages.items():
        for frame in frames:
            prefix, _, suffix = frame.partition("{}")
            if frame and "_" not in code:
                whole = name if name.startswith(prefix.strip()) and prefix else frame.replace("{}", name)
                found.setdefault(fold_words(whole if not suffix or not name.endswith(suffix) else name), code)
    return found


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((files("qa") / "data" / "localise" / "phrases.toml").read_text(encoding="utf-8"))
