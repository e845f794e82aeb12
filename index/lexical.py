"""Terms for keyword search (BM25) in any script, made for SQLite FTS5.

An FTS5 table is given ``" ".join(terms(text))`` and must be created with ``tokenize = "..."`` holding ``TOKENIZER``:
that tokenizer splits at the spaces and nowhere else. Its default, unicode61, would cut Hindi or Thai words at every
vowel sign.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from threading import local
from typing import Any

from index.language import identify

TOKENIZER = "ascii tokenchars '.-'"
"""Value of FTS5's ``tokenize`` option under which every term stays one token."""

QUERY_TERMS = 64
TERM_CHARACTERS = 64

STEM = "."
"""What a stem begins with, and no word; the language follows, and again this sign: languages should not meet here."""

_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Names that Snowball has for its stemmers, by ISO 639-1."""

_SAME = {"ms": "id", "nb": "no", "nn": "no"}
"""Languages with the forms of another, for which they are easily taken."""

_stemmers = local()

# Scripts that do not put a space between words, and Hangul, where particles stick to the word: "서울에서" must be
# found by "서울". Their runs become pairs of neighbouring letters (a letter with its marks counts as one).
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf"  # Lao
    "\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17d3\u17d7\u17dc\u17dd"  # Khmer
    "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"  # Hangul
    "\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001b000-\U0001b16f"  # kana
    "\u3105-\u312f\u31a0-\u31bf"  # bopomofo
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U000323af"  # rare Han
)
# A subscript consonant belongs to the letter before it: Khmer coeng, Burmese virama.
_STACKERS = "\u17d2\u1039"

_ACCENTS = "(?<=[a-z\u0370-\u03ff])[\u0300-\u036f]+"  # Latin and Greek
_MARKS = re.compile(
    "(?<=[аеиоуыэюяі])[\u0300\u0301]+|(?<=е)\u0308"  # Cyrillic stress, ё; but й and ї are letters
    "|[\u0591-\u05c7]+"  # Hebrew points
    "|[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]+"  # Arabic vowels, hamza
)
_MARKS_AND_ACCENTS = re.compile(f"{_ACCENTS}|{_MARKS.pattern}")
# Horned letters, and vowels with a hook above or a dot below.
_VIETNAMESE = re.compile("[ouOU]\u031b|[aeiouyAEIOUY][\u0302\u0306]?[\u0309\u0323]")

_LETTERS = str.maketrans(
    dict(zip("đħıłøŧɓɗƙ", "dhilotbdk", strict=True)) | {"æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ə": "e"}
)
_SIGNS = str.maketrans(
    {
        **dict(zip("ٱىیېکةھ", "ايييكهه", strict=True)),
        **dict.fromkeys("\u2019\u2018\u02bc\u02bb\u02b9\u00b4\u2032\uff07`\u05f3", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u05be", "-"),
        **dict(zip("\u066b\u066c", ".,", strict=True)),
    }
)
_FRACTION = re.compile("(?<=[0-9])(?=[\u00bc-\u00be\u2150-\u215e\u2189])")  # "6½" is not 61/2

_GROUPED = re.compile(r"([0-9]{1,3}(?:([.,'])[0-9]{3}(?:\2[0-9]{3})*|(?:,[0-9]{2})+,[0-9]{3}))(?:[.,]([0-9]+))?")
_DECIMAL = re.compile(r"([0-9]+)[.,:]([0-9]+)")
_LEADING_ZERO = re.compile("^0([0-9])$")
_NUMBER = re.compile(r"[0-9]+(?:[.,:/'-][0-9]+)*")


def terms(text: str, language: str | None = None) -> list[str]:
    """Terms of ``text`` in order, repeated as often as they occur; any string is accepted.

    Case, width, accents and digit shapes do not matter. Numbers stay whole ("15.000" and "15,000" give "15000", "1,5"
    gives "1.5"); a date gives itself and its parts; "Abdul-Jabbar" gives "abdul", "jabbar" and "abduljabbar". Scripts
    written without spaces give pairs of letters. Vietnamese, where accents tell words apart, gives its words both with
    and without them.

    With ``language`` (ISO 639-1) the stems of words that are not stems follow, by Snowball's stemmers, marked by
    ``STEM``. The words do not depend on it: a question matches an article whatever language each was taken for.
    """
    folded = _split(_fold(text))
    words = folded
    if _accents_tell_words_apart(text):
        accented = _split(_fold(text, keep_accents=True))
        words = accented + [plain for plain in folded if plain not in set(accented)]
    return words + [term for differs, term in _stems(words, language) if differs]


def query(text: str) -> str:
    """FTS5 MATCH expression for passages with any term of ``text``, or "" if it has none (then nothing can match).

    Words are looked for in other forms too, by their stems in the language that ``text`` seems to be in.
    """
    words = _asked(text)
    stems = [term for _, term in _stems(words, _language(text))] if words else []
    return " OR ".join(map(_quoted, dict.fromkeys(words + stems)))


def quoted_words(text: str) -> list[str]:
    """The words of ``text`` as FTS5 wants them in a MATCH expression, to be put together by "AND" or "OR"."""
    return list(map(_quoted, _asked(text)))


def pairs(text: str) -> list[tuple[str, str]]:
    """Words of ``query`` that stand side by side in a question, each pair once."""
    asked = set(_asked(text))
    return [pair for pair in dict.fromkeys(pairwise(_words(text))) if asked.issuperset(pair)]


def sign(text: str) -> str:
    """What stems begin with in articles in the language that ``text`` seems to be in; "" if it has none."""
    code = _stemmed(_language(text))
    return f"{STEM}{code}{STEM}" if code in _STEMMERS else ""


def _asked(text: str) -> list[str]:
    """The first ``QUERY_TERMS`` distinct words of a question."""
    return list(dict.fromkeys(_words(text)))[:QUERY_TERMS]


def _words(text: str) -> list[str]:
    """The words of a question, in order. Accents that were typed in Vietnamese are meant."""
    return _split(_fold(text, keep_accents=_accents_tell_words_apart(text)))


@lru_cache(maxsize=64)
def _language(text: str) -> str:
    """``identify`` takes a thousandth of a second, and the same question is asked for more than once."""
    return identify(text)


def _stemmed(language: str | None) -> str:
    """The language whose stems those of ``language`` are."""
    return _SAME.get(language or "", language or "")


def _quoted(term: str) -> str:
    """Terms hold no quotation mark, so no text can be taken for FTS5 syntax."""
    return f'"{term}"'


def _stems(words: Sequence[str], language: str | None) -> Iterator[tuple[bool, str]]:
    """For each word whether its stem is another, and the term for the stem."""
    code = _stemmed(language)
    name = _STEMMERS.get(code)
    if name is not None:
        for word in filter(str.isalpha, words):
            stem = _stem(word, name)
            yield stem != word, f"{STEM}{code}{STEM}{stem}"


@lru_cache(maxsize=100_000)
def _stem(word: str, name: str) -> str:
    stemmer: Any = getattr(_stemmers, name, None)
    if stemmer is None:
        import snowballstemmer

        stemmer = snowballstemmer.stemmer(name)
        setattr(_stemmers, name, stemmer)  # one a thread: it keeps its place in the word
    return str(stemmer.stemWord(word))


def _split(folded: str) -> list[str]:
    pattern, letter = _patterns()
    found: list[str] = []
    for match in pattern.finditer(folded):
        run = match.group()
        if match.lastgroup == "unspaced":
            letters = letter.findall(run)
            found.extend(map("".join, pairwise(letters)) if len(letters) > 1 else letters)
        elif match.lastgroup == "initials":
            found.append(run.replace(".", ""))
        elif run.isalnum():
            found.append(_without_zero(run))
        else:
            found.extend(_number(run) if _NUMBER.fullmatch(run) else _compound(run))
    return [term[:TERM_CHARACTERS] for term in found]


def _fold(text: str, *, keep_accents: bool = False) -> str:
    """One spelling for what a reader takes for the same letters."""
    if text.isascii():
        return text.lower().replace("`", "'")
    ignorable, digits = _tables()
    text = unicodedata.normalize("NFKC", _FRACTION.sub(" ", text)).casefold()
    text = unicodedata.normalize("NFD", text.translate(ignorable))
    text = (_MARKS if keep_accents else _MARKS_AND_ACCENTS).sub("", text)
    text = unicodedata.normalize("NFC", text).translate(digits).translate(_SIGNS)
    return text if keep_accents else text.translate(_LETTERS)


def _accents_tell_words_apart(text: str) -> bool:
    return not text.isascii() and bool(_VIETNAMESE.search(unicodedata.normalize("NFD", text)))


def _number(run: str) -> Iterator[str]:
    if grouped := _GROUPED.fullmatch(run):
        yield re.sub("[.,']", "", grouped[1]) + (f".{grouped[3]}" if grouped[3] else "")
    elif decimal := _DECIMAL.fullmatch(run):
        yield f"{decimal[1]}.{decimal[2]}"
    else:
        parts = re.split("[.,:/'-]", run)
        yield "-".join(parts)
        yield from map(_without_zero, parts)


def _compound(run: str) -> Iterator[str]:
    """Words held together by hyphens or apostrophes: the parts, and the whole without the signs."""
    parts = [part for part in re.split("['.,:/-]", run.removesuffix("'s")) if part]
    if len(parts) == 1:
        yield parts[0]
        return
    yield from (_without_zero(part) for part in parts if len(part) > 1 or part.isdigit())
    if len(set(parts)) > 1:
        yield "".join(parts)


def _without_zero(word: str) -> str:
    """A day or month as it is written without its zero: "08" is "8"."""
    return _LEADING_ZERO.sub(r"\1", word)


@cache
def _tables() -> tuple[dict[int, None], dict[int, str]]:
    """What is dropped (joiners, direction marks, variation selectors, tatweel) and every script's digits."""
    ignorable: dict[int, None] = {0x0640: None, **dict.fromkeys([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])}
    digits: dict[int, str] = {}
    for point in range(0x80, 0x20000):
        category = unicodedata.category(chr(point))
        if category == "Cf":
            ignorable[point] = None
        elif category == "Nd":
            digits[point] = str(unicodedata.decimal(chr(point)))
    return ignorable, digits


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The pattern of a run of letters, and that of one letter with its marks. Made once: it scans Unicode's marks."""
    points = [point for point in range(0x300, 0x20000) if unicodedata.category(chr(point)) in ("Mn", "Mc")]
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    marks = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    word = f"(?:(?![{_UNSPACED}_])[\\w{marks}])+"
    run = re.compile(
        f"(?P<unspaced>[{_UNSPACED}]+)"
        r"|(?P<initials>(?<!\w)(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?)"
        f"|(?P<word>{word}(?:(?:['-]|(?<=[0-9])[.,:/](?=[0-9])){word})*)"
    )
    return run, re.compile(f"(?:[^{marks}]|[{marks}])(?:[{_STACKERS}][^{marks}]|[{marks}])*")
