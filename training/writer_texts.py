"""Parallel texts of translated programs and free word lists, from unpacked Debian and npm packages.

``texts(folder)`` looks through ``folder`` for gettext (``.mo``) and Qt (``.qm``) catalogues, MediaWiki's messages, the
English-German word list of Ding, dictionaries of FreeDict and CC-CEDICT; ``training/README.md`` names the packages.
"""

import gettext
import gzip
import itertools
import json
import re
import struct
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

Parallel = dict[str, str]
"""One text in several languages, by ISO 639-1 code."""

LOCALES = {
    **{code: code for code in "ar de el en es fa fr hi id it ja ko ms nl pl pt ro ru sw th tr uk vi zh".split()},
    "pt_BR": "pt",
    "zh_CN": "zh",
    "zh-hans": "zh",
    "pt-br": "pt",
}
"""Names of catalogues, and the language that they are in; a later name goes before an earlier one."""

NAMES = re.compile(r"geonames|libgweather-\S*locations|kgeography|stellarium-planetary-features|iso_3166")
"""Catalogues of names."""

DICTIONARIES = {
    "ara": "ar", "deu": "de", "ell": "el", "eng": "en", "hin": "hi", "ind": "id", "jpn": "ja", "rus": "ru",
    "spa": "es", "tur": "tr",
}  # fmt: skip
"""Languages as FreeDict writes them."""

_MARKUP = re.compile(r"[\n\\<>{}$%@_=|/~^#*•]|\[\[|''|::|https?:|\.{3}|…|&\w+;")
_FOREIGN = {  # scripts that a text in a language must have
    "ar": "ARABIC", "fa": "ARABIC", "ru": "CYRILLIC", "uk": "CYRILLIC", "zh": "CJK", "ja": "CJK|HIRAGANA|KATAKANA",
    "ko": "HANGUL", "th": "THAI", "hi": "DEVANAGARI", "el": "GREEK",
}  # fmt: skip
_LONGEST = 420
_WORDS = 6
"""A text of fewer English words is a term."""

_QT_MESSAGES, _QT_END, _QT_CONTEXT_HASH, _QT_SOURCE, _QT_TRANSLATION = 0x69, 1, 4, 6, 3


def texts(folder: Path) -> dict[str, list[Parallel]]:
    """All texts found, each in two languages at least: "name", "term" and "prose"."""
    rows: dict[tuple[str, str], Parallel] = defaultdict(dict)
    for domain, language, key, text in itertools.chain(_gettext(folder), _qt(folder), _messages(folder)):
        rows[domain, key][language] = text
    found: dict[str, list[Parallel]] = {"name": [], "term": [], "prose": []}
    seen: set[str] = set()
    for (domain, key), row in sorted(rows.items()):
        said = {language: kept for language, text in row.items() if (kept := _kept(text, language))}
        english = said.get("en", "")
        if len(said) < 2 or english.lower() in seen:
            continue
        seen.add(english.lower())
        words = len(english.split()) if english else 1
        if NAMES.fullmatch(domain):
            if not re.search(r"\(| [A-Z]$", english):  # "(region)"; craters beside a crater
                found["name"].append(said)
        elif words < _WORDS:
            found["term"].append(said)
        elif "messages" not in domain or key.endswith("."):
            found["prose"].append(said)
    for row in itertools.chain(_ding(folder), _freedict(folder), _cedict(folder)):
        said = {language: kept for language, text in row.items() if (kept := _kept(text, language))}
        if len(said) == 2:
            found["term"].append(said)
    return found


def _kept(text: str, language: str) -> str:
    """The text on one line, or "" if it is no plain text of the language."""
    text = " ".join("".join(c for c in text if unicodedata.category(c) != "Cf" or c in "\u200c\u200d").split())
    if not 1 < len(text) + (language in ("zh", "ja")) <= _LONGEST or _MARKUP.search(text):
        return ""
    letters = [unicodedata.name(c, "").partition(" ")[0] for c in text if c.isalpha()]
    script = re.compile(_FOREIGN.get(language, "LATIN"))
    own = sum(bool(script.fullmatch(name)) for name in letters)
    return text if letters and own >= 0.6 * len(letters) else ""


def _gettext(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """(domain, language, key, text) of gettext catalogues; English is the key where there is no English catalogue."""
    for file in _by_language(folder, "*.mo", lambda file: file.parts[-3]):
        with file.open("rb") as opened:
            catalogue = gettext.GNUTranslations(opened)._catalog  # type: ignore[attr-defined]  # noqa: SLF001
        domain, language = file.stem, LOCALES[file.parts[-3]]
        for key, text in catalogue.items():
            if not isinstance(key, str) or not key or not text:
                continue
            if domain != "geonames":  # whose keys are numbers
                yield domain, "en", key, re.sub(r"^(?:.*\x04|\?\w+:|\w+\^)", "", key, flags=re.DOTALL)
            yield domain, language, key, text


def _by_language(folder: Path, pattern: str, locale: Callable[[Path], str]) -> list[Path]:
    """Files of the languages wanted, the preferred name of a language last."""
    order = {code: place for place, code in enumerate(LOCALES)}
    return sorted(
        (file for file in folder.rglob(pattern) if locale(file) in order), key=lambda file: order[locale(file)]
    )


def _qt(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """The same of Qt's catalogues, named ``DOMAIN/ru.qm`` or ``DOMAIN_ru.qm``."""

    def locale(file: Path) -> str:
        return re.sub(r"^[a-z]+?_(?=[a-z]{2}(?:_|$))", "", file.stem)

    for file in _by_language(folder, "*.qm", locale):
        domain = file.parent.name if file.stem == locale(file) else file.stem.partition("_")[0]
        if domain not in ("stellarium-planetary-features", "gcompris"):
            continue
        for source, text in _qt_messages(file.read_bytes()):
            yield domain, "en", source, source
            yield domain, LOCALES[locale(file)], source, text


def _qt_messages(data: bytes) -> Iterator[tuple[str, str]]:
    """(source, translation) of a catalogue: sections of tag and length, in one of which messages lie as tagged pieces.

    The format is that of Qt's QTranslator.
    """
    at = 16
    while at + 5 <= len(data):
        tag, size = data[at], struct.unpack_from(">I", data, at + 1)[0]
        body, at = data[at + 5 : at + 5 + size], at + 5 + size
        place, source, text = 0, "", ""
        while tag == _QT_MESSAGES and place < len(body):
            kind, place = body[place], place + 1
            if kind == _QT_END:
                if source and text:
                    yield source, text
                source = text = ""
                continue
            length = struct.unpack_from(">I", body, place)[0]
            length = 0 if length == 0xFFFFFFFF else length
            piece, place = body[place + 4 : place + 4 + length], place + 4 + length
            if kind == _QT_TRANSLATION:
                text = piece.decode("utf-16-be")
            elif kind == _QT_SOURCE:
                source = piece.decode()


def _messages(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """The same of MediaWiki's messages, keyed by their English texts."""
    for english in folder.rglob("i18n/**/en.json"):
        keys = json.loads(english.read_text(encoding="utf-8"))
        for file in _by_language(english.parent, "*.json", lambda file: file.stem):
            if file.parent != english.parent:
                continue
            for name, text in json.loads(file.read_text(encoding="utf-8")).items():
                if isinstance(text, str) and isinstance(key := keys.get(name), str):
                    yield "messages", "en", key, key
                    yield "messages", LOCALES[file.stem], key, text


def _ding(folder: Path) -> Iterator[Parallel]:
    """Ding's lines: ``German | more :: English | more``, alternatives behind semicolons, remarks in brackets."""
    for file in folder.rglob("trans/de-en"):
        for line in file.read_text(encoding="utf-8").splitlines():
            german, _, english = line.partition(" :: ")
            for pair in zip(german.split("|"), english.split("|"), strict=False):
                ours, theirs = (_bare(side).partition(";")[0].strip() for side in pair)
                if ours and theirs and not line.startswith("#"):
                    yield {"de": ours, "en": theirs}


def _bare(text: str) -> str:
    return re.sub(r"\{[^}]*\}|\[[^\]]*\]|<[^>]*>|\([^)]*\)|/[^/]*/", " ", text)


def _freedict(folder: Path) -> Iterator[Parallel]:
    """The first sense of each headword; the line before its senses ends in its sound."""
    for file in folder.rglob("freedict-*.dict.dz"):
        source, target = (DICTIONARIES.get(code) for code in file.name.split(".")[0].split("-")[1:])
        if not source or not target:
            continue
        lines = gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()
        for line, after in itertools.pairwise(lines):
            if head := re.fullmatch(r"([^/<]+?) /.*/(?: <[^>]*>)?", line):
                first = re.split("[,،;]", re.sub(r"^1\. ", "", after))[0]
                yield {source: head[1].strip(), target: _bare(first).strip()}


def _cedict(folder: Path) -> Iterator[Parallel]:
    """The first sense of each Chinese word, but for words of one character and references to others."""
    for file in folder.rglob("cc-cedict*/package/data/all.js"):
        text = file.read_text(encoding="utf-8")
        for _, word, _, senses, *_ in json.loads(text[text.index("{") : text.rindex("}") + 1])["all"]:
            sense = _bare(senses if isinstance(senses, str) else next(iter(senses), "")).partition(";")[0].strip()
            if len(word) > 1 and not re.match(r"(?:see|variant of|old variant|abbr|CL:|surname|lit\.|fig\.)", sense):
                yield {"zh": word, "en": re.sub(r"^to (?=\w+$)", "", sense.partition(",")[0])}
