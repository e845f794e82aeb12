"""Text made comparable (case, digits, letter variants), with the way back to the original offsets."""

import unicodedata
from dataclasses import dataclass

_SAME = {
    **dict.fromkeys("أإآٱ", "ا"),
    **dict.fromkeys("یى", "ي"),
    "ک": "ك",
    "ۀ": "ه",
    "İ": "i",
    "ı": "i",
    "ё": "е",
    "Ё": "е",
    "،": ",",
    "、": ",",
    "。": ".",
    "।": ".",
    "・": " ",
    **dict.fromkeys("‘’ʼʻ`´′＇", "'"),
    **dict.fromkeys("‐‑‒–—―−－～〜", "-"),
    **dict.fromkeys("〔［【", "("),
    **dict.fromkeys("〕］】", ")"),
    "ँ": "ं",
    "\u200c": " ",
}
_DROPPED = frozenset(
    {"\u0640", "\u00ad", "\u200b", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff"}
    | {chr(code) for code in (*range(0x064B, 0x0656), 0x0670)}
)


class _Table(dict[int, str]):
    """A character's comparable form, worked out when it is first met; always exactly one character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        found = _SAME.get(character)
        if found is None:
            decimal = unicodedata.decimal(character, None)
            found = str(decimal) if decimal is not None else unicodedata.normalize("NFKC", character).lower()
            found = _SAME.get(found, found)
            if len(found) != 1:
                lower = character.lower()
                found = lower if len(lower) == 1 else character
            if found.isspace() and found != "\n":
                found = " "
        self[code] = found
        return found


_TABLE = _Table()


@dataclass(frozen=True, slots=True)
class Folded:
    """``text`` is comparable; ``offsets[i]`` is where its i-th character begins in ``original`` (None: at i)."""

    original: str
    text: str
    offsets: list[int] | None

    def position(self, index: int) -> int:
        """The offset in the original text of an index of the folded text (its length included)."""
        return index if self.offsets is None else self.offsets[index]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The same stretch in the original text, without the invisible characters behind it."""
        first, last = self.position(start), self.position(end)
        while last > first + 1 and (self.original[last - 1] in _DROPPED or self.original[last - 1].isspace()):
            last -= 1
        return first, last


def fold(text: str) -> Folded:
    """Lower case, ASCII digits, plain punctuation, composed letters; Arabic vowel marks and joiners are dropped."""
    if text.isascii():
        return Folded(text, text.lower(), None)
    if unicodedata.is_normalized("NFC", text) and not _DROPPED.intersection(text):
        return Folded(text, text.translate(_TABLE), None)
    pieces: list[str] = []
    offsets: list[int] = []
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and end - start < 16 and unicodedata.combining(text[end]):
            end += 1
        kept = "".join(character for character in text[start:end] if character not in _DROPPED)
        composed = unicodedata.normalize("NFC", kept).translate(_TABLE)
        pieces.append(composed)
        offsets.extend([start] * len(composed))
        start = end
    offsets.append(len(text))
    return Folded(text, "".join(pieces), offsets)


def fold_words(text: str) -> str:
    """A form of a data file, folded, with single spaces."""
    return " ".join(fold(unicodedata.normalize("NFC", text)).text.split())


def is_word(character: str) -> bool:
    """Letters, digits and the marks that belong to letters (Indic vowels), which ``str.isalnum`` leaves out."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"
