"""Whether a name sounds the same in two scripts: Blinken, Блинкен, بلينكن, 블링컨, ブリンケン, 布林肯.

Both sides are romanised and compared by a weighted edit distance in which vowels weigh little and consonants that
scripts mix up (l and r, p and b, m and n) weigh less than others.
"""

import re
import unicodedata
from functools import cache

from anyascii import anyascii

LIMIT = 0.26
"""Greatest distance per consonant of names that count as the same.

Of sixteen names in seven scripts, those with four or more consonants come to 0.24 at most, pairs of different ones to
0.28 at least.
"""

_PART = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f\u064b-\u0652\u0900-\u0963][^\W\d_]*)*")
_VOWELS = frozenset("aeiouyw")
_WEAK = frozenset("h'")
_GROUPS = {letter: group for group in ("bpfv", "kgqh", "td", "szjSC", "rl", "nm") for letter in group}
_NEAR = frozenset({"tS", "tC", "kC", "dj", "ts", "dS", "gj", "hv", "fh", "fw"})
_SPELLINGS = (
    *((letters, "S") for letters in ("shch", "sch", "sh", "zh", "cz", "sz")),
    *((letters, "C") for letters in ("tch", "ch")),
    *((letters, "s") for letters in ("dz", "ts", "tz")),
    *((letters, "k") for letters in ("kh", "gh", "ck", "qu")),
    *(
        ("th", "t"),
        ("ph", "f"),
        ("dj", "j"),
        ("ng", "n"),
        ("ce", "se"),
        ("ci", "si"),
        ("x", "ks"),
        ("c", "k"),
        ("q", "k"),
    ),
)
_PINYIN = (("ng", "n"), ("zh", "S"), ("ch", "C"), ("sh", "S"), ("x", "S"), ("q", "C"), ("c", "s"))
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN = re.compile("[\u3400-\u9fff]")
# Names may begin inside what looks like a word
_SYLLABLES = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


@cache
def _sound(text: str) -> str:
    """The letters of one word (or of one character, where words are not spaced) as rough sounds."""
    han = bool(_HAN.search(text))
    latin = re.sub("[^a-z]", "", anyascii(text).lower())
    for spelling, sound in _PINYIN if han else _SPELLINGS:
        latin = latin.replace(spelling, sound)
    return re.sub(r"([^aeiouyw])\1+", r"\1", latin)


@cache
def _stream(text: str) -> tuple[str, dict[int, float], tuple[int, ...]]:
    """A text as sounds, where in them a name may begin, and how many sounds of the word follow at each place.

    A name begins with a word, in scripts without spaces with any syllable, and there it also ends anywhere; in Korean,
    which writes compounds as one word, it does so at a small price.
    """
    sounds, starts = "", dict[int, float]()
    after: list[int] = [0]
    for word in _PART.findall(text):
        inside = 0.25 if _HANGUL.search(word) else 0.0
        for number, piece in enumerate(list(word) if _SYLLABLES.search(word) else [word]):
            sound = _sound(piece)
            if number and sound[:1] == sounds[-1:] and sound[:1] not in _VOWELS:
                sound = sound[1:]  # one consonant that two syllables share
                starts.setdefault(len(sounds) - 1, inside)
            starts.setdefault(len(sounds), inside if number else 0.0)
            sounds += sound
            after += range(len(sound) - 1, -1, -1)
        if re.match("[\u0600-\u06ff]", word):  # "and", "in", "to", "the" are written together with the name
            at = len(sounds) - len(_sound(word))
            starts.update(
                (at + len(_sound(prefix)), 0.0)
                for prefix in ("و", "ب", "ل", "ال", "وال", "بال", "ف", "ك")
                if word.startswith(prefix)
            )
    return sounds, starts, tuple(after)


def distance(name: str, text: str) -> float:
    """Least distance per consonant between ``name`` and a stretch of ``text`` where a name may stand; 0 is equal."""
    pattern = "".join(
        _sound(part) for part in re.findall(r"[^\W\d_]+(?:[\u0300-\u036f\u064b-\u0652\u0900-\u0963][^\W\d_]*)*", name)
    )
    sounds, starts, after = _stream(text)
    if not pattern or not sounds:
        return 1.0
    far = float(len(pattern))
    row = [starts.get(at, far) for at in range(len(sounds) + 1)]
    for place, letter in enumerate(pattern):
        silent = letter == "r" and pattern[place + 1 : place + 2] not in _VOWELS  # as in Amber, or Park: 앰버, パク
        drop = 0.2 if silent else _alone(letter)
        following = [row[0] + drop]
        for at, other in enumerate(sounds):
            following.append(min(row[at] + _cost(letter, other), row[at + 1] + drop, following[at] + _alone(other)))
        row = following
    weight = sum(1.0 if letter not in _VOWELS and letter not in _WEAK else 0.15 for letter in pattern)
    return min(cost + min(0.1 * after[at], 0.6) for at, cost in enumerate(row)) / max(weight, 1.0)


def consonants(name: str) -> int:
    """How many consonants of a name count: it can be told apart from what sounds like it only if it has some."""
    return sum(letter not in _VOWELS and letter not in _WEAK for letter in _sound(name))


def same(name: str, text: str) -> bool:
    """Whether ``name`` is heard in ``text``.

    Short names must fit better, since they fit somewhere by chance; names in one script must nearly be equal; Chinese
    syllables fit no foreign name well.
    """
    count = consonants(name)
    limit = LIMIT * (1.0 if count > 3 else 0.8 if count == 3 else 0.85)
    if _HAN.search(text) or _HAN.search(name):
        limit *= 1.1 if count > 3 else 1.25
    elif _alphabet(name) == _alphabet(text):
        limit *= 0.4
    return distance(name, text) <= limit


def _alphabet(text: str) -> str:
    for letter in text:
        if letter.isalpha():
            return unicodedata.name(letter, "?").partition(" ")[0]
    return ""


@cache
def _alone(letter: str) -> float:
    return 0.12 if letter in _VOWELS else 0.25 if letter in _WEAK else 0.5 if letter in "rn" else 0.8


@cache
def _cost(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one in _VOWELS and other in _VOWELS:
        return 0.12
    if _GROUPS.get(one, one) == _GROUPS.get(other, other):
        return 0.25
    if one.lower() == other.lower():
        return 0.1
    if f"{one}{other}" in ("jy", "yj", "vw", "wv", "vu", "uv"):
        return 0.15
    return 0.4 if {f"{one}{other}", f"{other}{one}"} & _NEAR else 1.0
