"""The words of a question: which ask, which stand for something said before, and what it names.

The words are data (data/follow_up.json).
"""

import datetime
import re
import unicodedata
from collections.abc import Iterable
from functools import cache, cached_property
from importlib.resources import files
from json import loads
from typing import NamedTuple

from index.dates import resolve
from qa.entities import entities
from qa.names import CASED, names

Spans = list[tuple[int, int]]

_UNSPACED = {"zh": 2, "ja": 2, "th": 3}
"""Languages written without spaces, and about how many characters make a word."""
_OWN_ANTECEDENT = 4
"""Words with a meaning of their own; after so many, "it" stands for something in the question itself."""
_MARKED_NOUNS = {"de"}
"""Languages that write every noun with a capital: one capitalised word is no name there."""
_QUOTED = re.compile('「([^」]+)」|『([^』]+)』|《([^》]+)》|“([^”]+)”|«([^»]+)»|„([^“”]+)[“”]|"([^"]+)"')
_FOREIGN = {
    "zh": re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]"),
    "ja": re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]|[ァ-ヺー]{3,}(?:・[ァ-ヺー]+)*"),
    "th": re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]"),
    **dict.fromkeys(("ko", "ar", "fa", "hi"), re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]")),
}
# Only where the date expressions of a question stand matters here, not what they mean.
_ANY_DAY = datetime.date(2000, 1, 1)


class Wording:
    """What the words of one question say; in a language without a table, nothing.

    ``text`` is the ``question`` in normal form; offsets count its characters.
    """

    def __init__(self, question: str, language: str) -> None:
        self.question = question
        self.text = unicodedata.normalize("NFKC", question).replace("\u2019", "'")
        self.language = language
        self.dates = date_spans(self.text, language)
        # Same length as the text, so that offsets hold; marks become spaces.
        folded = "".join(low if len(low := character.lower()) == 1 else character for character in self.text)
        self._folded = "".join(character if _of_word(character) else " " for character in folded)
        self._words = _tables().get(language, _NONE)

    @property
    def known(self) -> bool:
        """Whether there is a table of the language."""
        return self._words is not _NONE

    @cached_property
    def named(self) -> Spans:
        """What the question names: people, places, titles in quotation marks, words in another script."""
        return _names(self.text, self.language, self._words, self.dates)

    @property
    def opens(self) -> bool:
        """Whether it begins or ends with a word that continues a conversation."""
        return bool(self._words.opener.match(self._folded) or self._words.ending.search(self._folded))

    @property
    def leans(self) -> bool:
        """Whether a word stands for something that was said before the question, not in it."""
        excepted = (match.span() for match in self._words.excepted.finditer(self._folded))
        text = _blank(self._folded, [*self.dates, *self.named, *excepted])
        first = min((start for start, _ in self.named), default=len(text))
        return any(
            match.start() < first and self._content(match.start()) < _OWN_ANTECEDENT
            for match in self._words.leaning.finditer(text)
        )

    @property
    def asks(self) -> bool:
        """Whether there is a question word."""
        return bool(self._words.asking.search(self._folded))

    @property
    def defines(self) -> bool:
        """Whether it asks what one thing is ("what is inflation?")."""
        return bool(self._words.definition.search(self._folded))

    @property
    def content(self) -> int:
        """About how many words with a meaning of their own there are beside names and dates."""
        return self._content(len(self._folded))

    def _content(self, end: int) -> int:
        text = _blank(self._folded, [*self.named, *self.dates])[:end]
        for pattern in (self._words.opener, self._words.ending, self._words.asking, self._words.plain):
            text = pattern.sub(lambda match: " " * len(match.group()), text)
        if unit := _UNSPACED.get(self.language):
            return -(-sum(map(str.isalpha, text)) // unit)
        return sum(any(map(str.isalpha, word)) for word in text.split())

    @property
    def topic(self) -> str:
        """What the question names, or else what stands before its question word, or else all but that."""
        if self.named:
            return ", ".join(dict.fromkeys(self.text[start:end] for start, end in sorted(self.named)))
        asking = [match.span() for match in self._words.asking.finditer(self._folded)]
        kept = _blank(self.text, [*self.dates, *asking])
        # Where the question word does not come first, what does is the topic ("달빛도서관은 언제 문을 여나요?").
        before = kept[: asking[0][0]] if asking else ""
        own = self._words.plain.sub(" ", before.lower())
        return " ".join((before if any(map(str.isalpha, own)) else kept).split()).strip("?¿؟!.,。 ")

    @property
    def undated(self) -> str:
        """The question without its dates."""
        return " ".join(_blank(self.text, self.dates).split())

    @property
    def unopened(self) -> str:
        """The question without "and" before it."""
        opener = self._words.opener.match(self._folded)
        if opener is None:
            return self.question
        if self._words.asking.search(opener.group()):
            # "and" is a part of the question word in Arabic: "وكم" is "and how much".
            return self.text.removeprefix("و")
        rest = self.text[opener.end() :].strip(" ,")
        return rest if any(map(str.isalpha, rest)) else self.question


def date_spans(text: str, language: str) -> Spans:
    """Where the date expressions of ``text`` stand."""
    return [(date.start, date.end) for date in resolve(text, _ANY_DAY, language)]


class _Words(NamedTuple):
    """The table of a language, as patterns over text in lower case."""

    opener: re.Pattern[str]
    ending: re.Pattern[str]
    leaning: re.Pattern[str]
    excepted: re.Pattern[str]
    asking: re.Pattern[str]
    plain: re.Pattern[str]
    definition: re.Pattern[str]


_NOTHING = re.compile("(?!)")
_NONE = _Words(*[_NOTHING] * len(_Words._fields))


def _names(text: str, language: str, words: _Words, dates: Iterable[tuple[int, int]]) -> Spans:
    """(start, end) of what a question names: people, places, titles in quotation marks, words in another script."""
    found = [match.span() for match in _QUOTED.finditer(text)]
    if (foreign := _FOREIGN.get(language)) is not None:
        found.extend(match.span() for match in foreign.finditer(text))
    found.extend(
        (place.start, place.end)
        for place in entities(text, language, dates)
        if language not in CASED or _capitalised(text[place.start : place.end], words)
    )
    for name in names(text, language):
        at = name.start
        parts = list(name.words)
        if name.initial and parts:
            # A question begins with a capital whatever its first word is.
            at += len(parts.pop(0))
        while parts and (words.asking.fullmatch(parts[0].lower()) or words.plain.fullmatch(parts[0].lower())):
            at = text.index(parts[0], at) + len(parts.pop(0))
        if not parts or (language in _MARKED_NOUNS and len(parts) == 1):
            continue
        start = text.index(parts[0], at)
        end = start
        for part in parts:
            end = text.index(part, end) + len(part)
        found.append((start, end))
    return found


def _capitalised(word: str, words: _Words) -> bool:
    """Whether it is written as a name and is none of the words that a question may begin with."""
    low = word.lower()
    return word[0].isupper() and not any(
        pattern.fullmatch(low) for pattern in (words.opener, words.asking, words.plain, words.leaning)
    )


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with spaces in some places."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" or character in "'-\u200c"


@cache
def _tables() -> dict[str, _Words]:
    table = loads(files("qa").joinpath("data/follow_up.json").read_text(encoding="utf-8"))
    return {code: _words(entry, spaced=code not in _UNSPACED) for code, entry in table.items() if code != "about"}


def _words(entry: dict[str, str], *, spaced: bool) -> _Words:
    def pattern(key: str, *, start: str = "", end: str = "") -> re.Pattern[str]:
        entries = sorted(filter(None, (word.strip() for word in entry.get(key, "").split(","))), key=len, reverse=True)
        if not entries:
            return _NOTHING
        letters = "|".join(re.escape(word).replace(r"\*", r"[^\s]*").replace(r"\ ", r"\s+") for word in entries)
        left, right = (r"(?<![^\s'-])", r"(?![^\s'-])") if spaced else ("", "")
        return re.compile(f"{start}{left}(?:{letters}){right}{end}")

    return _Words(
        opener=pattern("opener", start=r"\s*"),
        ending=pattern("ending", end=r"\s*$"),
        leaning=pattern("leaning"),
        excepted=pattern("not"),
        asking=pattern("asking"),
        plain=pattern("plain"),
        definition=pattern("definition"),
    )
