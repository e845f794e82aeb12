"""Follow-up questions: whether a question leans on what was said before it, and what it means in that light.

A question leans by its words ("And who will he meet there?"), or because it has no topic of its own ("How long?",
"¿Cuándo asumirá?"); one that names what it asks about stands alone. The words are data (data/follow_up.json).
"""

import datetime
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from json import loads
from typing import Literal, NamedTuple

from index.dates import resolve
from qa.entities import entities
from qa.errors import QuestionError
from qa.language import identify, sentence, sentence_languages, small_talk
from qa.names import CASED, names
from qa.question import clean_question

Leaning = Literal["alone", "maybe", "leans", "replaces"]
"""How a question stands to the one before: "maybe" if it names nothing ("How much will the repair cost?"), "replaces"
if it puts another name in its place ("And in Busan?")."""

_UNSPACED = {"zh": 2, "ja": 2, "th": 5}
"""Languages written without spaces, and about how many characters make a word."""
_MARKED_NOUNS = {"de"}
"""Languages that write every noun with a capital: one capitalised word is no name there."""
_LONGEST_CONTEXT = 2000
_LONGEST_FACT = 60
_NUMBERS = re.compile(r"\[\d+\]")
_QUOTED = re.compile('「([^」]+)」|『([^』]+)』|《([^》]+)》|“([^”]+)”|«([^»]+)»|„([^“”]+)[“”]|"([^"]+)"')
_FOREIGN = {
    "zh": re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]"),
    "ja": re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]|[ァ-ヺー]{3,}(?:・[ァ-ヺー]+)*"),
    "th": re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]"),
    **dict.fromkeys(("ko", "ar", "fa", "hi"), re.compile(r"[A-Za-z][A-Za-z .-]*[A-Za-z]")),
}
# Only where the date expressions of a question stand matters here, not what they mean.
_ANY_DAY = datetime.date(2000, 1, 1)


class FollowUp(NamedTuple):
    """A question in the light of what was said before.

    ``query`` is what to read with, ``core`` the part of it that is not from before, ``context`` what to search with as
    well; ``base`` is the question that it leans on, if it does; ``kind_of`` is the one whose kind ("when", "who") is
    asked.
    """

    leaning: Leaning
    query: str
    core: str
    context: str
    base: str
    kind_of: str


def follow_up(question: str, language: str, history: Sequence[tuple[str, str]]) -> FollowUp:
    """What ``question`` means after ``history``, which is (role, text) with role "user" or "assistant"."""
    asked = _asked(history, language)
    leans = leaning(question, language) if asked else "alone"
    if leans == "alone":
        return FollowUp(leans, question, question, "", "", question)
    thread = _thread(asked)
    base, spoken = thread[0]
    said = _last_answer(history, since=base)
    context = " ".join([*(text for text, _ in thread), _NUMBERS.sub("", said)])[:_LONGEST_CONTEXT]
    if leans == "maybe":
        return FollowUp(leans, question, question, context, "", question)
    if leans == "replaces":
        before = thread[-1][0]
        query = f"{_undated(*thread[-1])} {question}"
        return FollowUp(leans, query, query, context, before, before)
    about = ", ".join(dict.fromkeys(filter(None, (_topic(base, spoken), _fact(said, spoken)))))
    core = _unopened(question, language)
    return FollowUp(leans, f"{about}: {core}", core, context, base, question)


def leaning(question: str, language: str) -> Leaning:
    """Whether the question leans on an earlier one; "alone" in a language without a table."""
    words = _tables().get(language)
    if words is None:
        return "alone"
    text = unicodedata.normalize("NFKC", question).replace("\u2019", "'")
    marks = _Marks(text, language, words)
    opens = marks.opens()
    if marks.leans():
        return "leans"
    content = marks.content()
    if marks.named or marks.dates:
        return "replaces" if not content and (opens or not marks.asks()) else "alone"
    if not content or opens:
        return "leans"
    if content <= 1 and not marks.defines():
        return "leans"
    return "maybe"


def has_no_topic(question: str, language: str) -> bool:
    """Whether all words of the question are small words of ``language`` ("How long?", "And when was that?")."""
    words = _tables().get(language)
    if words is None:
        return False
    marks = _Marks(unicodedata.normalize("NFKC", question).replace("\u2019", "'"), language, words)
    return not marks.named and not marks.content()


def last_language(history: Sequence[tuple[str, str]]) -> str | None:
    """The language of the last question in the history, if there is one."""
    asked = _asked(history, "en")
    return asked[-1][1] if asked else None


class _Words(NamedTuple):
    """The table of a language, as patterns over text in lower case."""

    opener: re.Pattern[str]
    ending: re.Pattern[str]
    leaning: re.Pattern[str]
    excepted: re.Pattern[str]
    asking: re.Pattern[str]
    plain: re.Pattern[str]
    definition: re.Pattern[str]


class _Marks:
    """What the words of one question say."""

    def __init__(self, text: str, language: str, words: _Words) -> None:
        self.words = words
        self.unit = _UNSPACED.get(language, 0)
        self.dates = [(date.start, date.end) for date in resolve(text, _ANY_DAY, language)]
        self.named = _names(text, language, words, self.dates)
        # Same length as the text, so that offsets hold; marks become spaces.
        folded = "".join(low if len(low := character.lower()) == 1 else character for character in text)
        self.text = "".join(character if _of_word(character) else " " for character in folded)

    def opens(self) -> bool:
        return bool(self.words.opener.match(self.text) or self.words.ending.search(self.text))

    def leans(self) -> bool:
        """Whether a word stands for something that was said before the question, not in it."""
        text = _blank(self.text, [*self.dates, *(match.span() for match in self.words.excepted.finditer(self.text))])
        text = _blank(text, self.named)
        first = min((start for start, _ in self.named), default=len(text))
        return any(match.start() < first for match in self.words.leaning.finditer(text))

    def asks(self) -> bool:
        return bool(self.words.asking.search(self.text))

    def defines(self) -> bool:
        return bool(self.words.definition.search(self.text))

    def content(self) -> int:
        """About how many words with a meaning of their own there are beside names, dates and numbers."""
        text = _blank(self.text, [*self.named, *self.dates])
        for pattern in (self.words.opener, self.words.ending, self.words.asking, self.words.plain):
            text = pattern.sub(lambda match: " " * len(match.group()), text)
        if self.unit:
            return -(-sum(map(str.isalpha, text)) // self.unit)
        return sum(any(map(str.isalpha, word)) for word in text.split())


def _asked(history: Sequence[tuple[str, str]], language: str) -> list[tuple[str, str]]:
    """The questions asked so far, each with its language."""
    asked = []
    for role, text in history:
        if role != "user":
            continue
        try:
            question = clean_question(text)
        except QuestionError:
            continue
        spoken = identify(question, default=language)
        if small_talk(question, spoken) is None:
            asked.append((question, spoken))
    return asked


def _thread(asked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The last question that had a topic of its own and those that leaned on it."""
    for number in range(len(asked) - 1, 0, -1):
        if leaning(*asked[number]) in ("alone", "maybe"):
            return list(asked[number:])
    return list(asked)


def _last_answer(history: Sequence[tuple[str, str]], *, since: str) -> str:
    """The last answer to the question ``since`` and those after it that was not a refusal; "" if there is none."""
    for role, text in reversed(history):
        said = " ".join(text.split())
        if role == "assistant" and said and said not in _refusals():
            return said
        if role == "user" and said == since:
            break
    return ""


@cache
def _refusals() -> frozenset[str]:
    return frozenset(sentence("not_said", language) for language in sentence_languages())


def _topic(question: str, language: str) -> str:
    """What the question names, or else what stands before its question word, or else all but that."""
    words = _tables().get(language)
    if words is None:
        return question.strip("?¿ ")
    text = unicodedata.normalize("NFKC", question).replace("\u2019", "'")
    marks = _Marks(text, language, words)
    if marks.named:
        return ", ".join(dict.fromkeys(text[start:end] for start, end in sorted(marks.named)))
    asking = [match.span() for match in words.asking.finditer(marks.text)]
    kept = _blank(text, [*marks.dates, *asking])
    # Where the question word does not come first, what does is the topic ("달빛도서관은 언제 문을 여나요?").
    before = kept[: asking[0][0]] if asking else ""
    own = words.plain.sub(" ", before.lower())
    return " ".join((before if any(map(str.isalpha, own)) else kept).split()).strip("?¿？؟!.,。 ")


def _undated(question: str, language: str) -> str:
    """The question without its dates, which another is to replace."""
    text = unicodedata.normalize("NFKC", question)
    dates = ((date.start, date.end) for date in resolve(text, _ANY_DAY, language))
    return " ".join(_blank(text, dates).split())


def _unopened(question: str, language: str) -> str:
    """The question without "and" before it."""
    words = _tables().get(language)
    text = unicodedata.normalize("NFKC", question)
    if words is None or (match := words.opener.match(_Marks(text, language, words).text)) is None:
        return question
    if words.asking.search(match.group()):
        # "and" is a part of the question word in Arabic: "وكم" is "and how much".
        return text.removeprefix("و")
    rest = text[match.end() :].strip(" ,")
    return rest if any(map(str.isalpha, rest)) else question


def _fact(said: str, language: str) -> str:
    """The fact that an answer begins with, if it can be what the next question is about: no date, no number."""
    first = re.split(r"[.。।](?:\s|$)", said, maxsplit=1)[0].strip()
    if len(first) > _LONGEST_FACT or any(map(str.isdigit, first)) or resolve(first, _ANY_DAY, language):
        return ""
    return first


def _names(text: str, language: str, words: _Words, dates: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
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
            return re.compile("(?!)")
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
