"""Countries, cities and languages under their names in many languages, from CLDR (through Babel).

A word for the people or the language of a country counts as the country: "Russian envoy" says "utusan Rusia".
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_UNSPACED = re.compile("[\u0600-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_SPACED = re.compile("[\u0600-\u06ff\u0900-\u097f\uac00-\ud7a3]")
_PARTICLES = frozenset(("و", "ب", "ل", "ال", "وال", "بال", "لل", "ف", "ك"))
_STEM = 4
_ENDING = 5


@dataclass(frozen=True)
class Entity:
    """A known name in a text; ``keys`` are all that it may mean."""

    start: int
    end: int
    keys: frozenset[str]


def entities(text: str, language: str, ignored: Iterable[tuple[int, int]] = ()) -> list[Entity]:
    """Known names of places, longest first where they overlap; offsets count characters of ``text``.

    Nothing is looked for in the ``ignored`` stretches (months and weekdays: Monday is Dushanbe in Persian).
    """
    found: list[Entity] = []
    taken = bytearray(len(text))
    folded = _fold(text)
    if len(folded) != len(text):  # a letter that folds into two; offsets would be wrong
        folded = text.lower()
    names = _names(language)
    for start, end in ignored:
        taken[start:end] = b"\1" * (end - start)
    for name, keys in names.inside:
        at = folded.find(name)
        while at >= 0:
            if _begins(folded, at):
                _take(found, taken, at, at + len(name), keys)
            at = folded.find(name, at + 1)
    words = [(match.start(), match.end()) for match in re.finditer(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?", text)]
    for index, (start, end) in enumerate(words):
        for form, keys in names.acronyms:
            if text.startswith(form, start) and not text[start + len(form) : start + len(form) + 1].isalpha():
                _take(found, taken, start, start + len(form), keys)
        for stems, keys in names.spelled.get(folded[start:end][:_STEM], ()):
            span = words[index : index + len(stems)]
            if len(span) == len(stems) and all(
                _inflected(folded[a:b], stem) for (a, b), stem in zip(span, stems, strict=True)
            ):
                _take(found, taken, start, span[-1][1], keys)
    return found


def related(keys: Iterable[str]) -> frozenset[str]:
    """The keys and what may be said for them: a language for its countries and the other way round."""
    whole = set(keys)
    for key in tuple(whole):
        whole |= _relations().get(key, frozenset())
    return frozenset(whole)


def _begins(text: str, at: int) -> bool:
    """Whether a word begins at ``at``, in scripts that have words; Arabic writes some particles with it."""
    if not at or not text[at - 1].isalpha() or not _SPACED.match(text[at]):
        return True
    before = re.search(r"[^\W\d_]*$", text[:at])
    return bool(before) and before.group() in _PARTICLES  # type: ignore[union-attr]


def _take(found: list[Entity], taken: bytearray, start: int, end: int, keys: frozenset[str]) -> None:
    if any(taken[start:end]):
        overlapping = [entity for entity in found if entity.start < end and start < entity.end]
        if any(entity.end - entity.start > end - start for entity in overlapping):
            return
        if not overlapping:
            return
        for entity in overlapping:
            found.remove(entity)
            if (entity.start, entity.end) == (start, end):
                keys |= entity.keys
    taken[start:end] = b"\1" * (end - start)
    found.append(Entity(start, end, keys))


def _inflected(word: str, stem: str) -> bool:
    """Whether a word is the stem with a short ending: россии, российской; koreans."""
    return word.startswith(stem) and len(word) - len(stem) <= (_ENDING if len(stem) > _STEM else 3)


@dataclass(frozen=True)
class _Names:
    inside: tuple[tuple[str, frozenset[str]], ...]
    spelled: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]]
    acronyms: tuple[tuple[str, frozenset[str]], ...]


@cache
def _names(language: str) -> _Names:
    forms: dict[str, set[str]] = {}
    acronyms: dict[str, set[str]] = {}
    for name, key in [*_cldr(language), *_aliases()]:
        if name.isupper() and len(name) <= 6 and not _UNSPACED.search(name):
            acronyms.setdefault(name, set()).add(key)
        else:
            forms.setdefault(_fold(name), set()).add(key)
    inside: list[tuple[str, frozenset[str]]] = []
    spelled: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = {}
    for name, keys in sorted(forms.items(), key=lambda item: -len(item[0])):
        if _UNSPACED.search(name):
            if len(name) > 1:
                inside.append((name, frozenset(keys)))
            continue
        words = re.findall(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*", name)
        if words and len(name) > 2:
            stems = tuple(
                word[:-2] if len(word) > _STEM + 2 else word[:-1] if len(word) > _STEM else word for word in words
            )
            spelled.setdefault(words[0][:_STEM], []).append((stems, frozenset(keys)))
    return _Names(tuple(inside), spelled, tuple((form, frozenset(keys)) for form, keys in acronyms.items()))


def _cldr(language: str) -> Iterable[tuple[str, str]]:
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return
    for code, name in locale.territories.items():
        if code.isalpha() and code not in ("ZZ", "EZ"):
            yield re.sub(r"\s*[(（].*?[)）]", "", name), code
    for zone, names in locale.time_zones.items():
        if city := names.get("city"):
            yield city, f"city:{zone}"
    for zone in _zones() - {zone for zone, names in locale.time_zones.items() if "city" in names}:
        if not _UNSPACED.search(next(iter(locale.territories.values()))) and locale.language not in ("ru", "uk"):
            yield zone.rpartition("/")[2].replace("_", " "), f"city:{zone}"
    for code, name in locale.languages.items():
        if f"language:{code}" in _relations() and len(name) > 2:
            yield re.sub(r"^(?:bahasa|tiếng|язык|lingua)\s+|\s*[(（].*?[)）]", "", name.lower()), f"language:{code}"


@cache
def _zones() -> frozenset[str]:
    from babel import Locale

    return frozenset(Locale.parse("ru").time_zones)


@cache
def _aliases() -> tuple[tuple[str, str], ...]:
    table: dict[str, str] = json.loads(files("qa").joinpath("data/check/aliases.json").read_text(encoding="utf-8"))
    return tuple(
        (form.replace("_", " "), key) for key, line in table.items() if key != "about" for form in line.split()
    )


@cache
def _relations() -> dict[str, frozenset[str]]:
    from babel import Locale
    from babel.languages import get_official_languages

    relations: dict[str, set[str]] = {
        "KR": {"language:ko", "city:Asia/Seoul"},
        "KP": {"language:ko", "city:Asia/Pyongyang"},
    }
    for code in map(str, Locale.parse("en").territories):
        if code.isalpha():
            for language in get_official_languages(code, de_facto=True):
                relations.setdefault(code, set()).add(f"language:{language}")
                relations.setdefault(f"language:{language}", set()).add(code)
    for city, country in (
        ("Europe/Moscow", "RU"),
        ("Asia/Tokyo", "JP"),
        ("Europe/London", "GB"),
        ("Asia/Seoul", "KR"),
        ("Asia/Pyongyang", "KP"),
    ):
        relations.setdefault(f"city:{city}", set()).add(country)
    return {key: frozenset(values) for key, values in relations.items()}


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("’", "'").lower())
    marks = "".join(c for c in decomposed if not 0x300 <= ord(c) < 0x370)
    return unicodedata.normalize("NFC", marks)
