"""Follow-up questions: whether a question leans on what was said before it, and what it means in that light.

A question leans by its words ("And who will he meet there?"), or because it has no topic of its own ("How long?",
"¿Cuándo asumirá?"); one that names what it asks about stands alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from qa.errors import QuestionError
from qa.language import identify, sentence, sentence_languages, small_talk
from qa.question import clean_question
from qa.wording import Wording, date_spans

Leaning = Literal["alone", "maybe", "leans", "replaces"]
"""How a question stands to the one before: "maybe" if it names nothing ("How much will the repair cost?"), "replaces"
if it puts another name in its place ("And in Busan?")."""

_LONGEST_CONTEXT = 2000
_LONGEST_FACT = 60
_NUMBERS = re.compile(r"\[\d+\]")


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
    asked = list(_asked(history, language))
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
        query = f"{Wording(*thread[-1]).undated} {question}"
        return FollowUp(leans, query, query, context, before, before)
    about = ", ".join(dict.fromkeys(filter(None, (Wording(base, spoken).topic, _fact(said, spoken)))))
    core = Wording(question, language).unopened
    return FollowUp(leans, f"{about}: {core}", core, context, base, question)


def leaning(question: str, language: str) -> Leaning:
    """Whether the question leans on an earlier one; "alone" in a language without a table."""
    wording = Wording(question, language)
    if not wording.known:
        return "alone"
    if wording.leans:
        return "leans"
    content = wording.content
    if wording.named or wording.dates:
        return "replaces" if not content and (wording.opens or not wording.asks) else "alone"
    if not content or wording.opens or (content == 1 and not wording.defines):
        return "leans"
    return "maybe"


def has_no_topic(question: str, language: str) -> bool:
    """Whether all words of the question are small words of ``language`` ("How long?", "And when was that?")."""
    wording = Wording(question, language)
    return wording.known and not wording.named and not wording.content


def last_language(history: Sequence[tuple[str, str]]) -> str | None:
    """The language of the last question in the history, if there is one."""
    newest_first = _asked(reversed(history), "en")
    return next((language for _, language in newest_first), None)


def _asked(history: Iterable[tuple[str, str]], language: str) -> Iterator[tuple[str, str]]:
    """The questions of a history, each with its language."""
    for role, text in history:
        if role != "user":
            continue
        try:
            question = clean_question(text)
        except QuestionError:
            continue
        spoken = identify(question, default=language)
        if small_talk(question, spoken) is None:
            yield question, spoken


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


def _fact(said: str, language: str) -> str:
    """The fact that an answer begins with, if it can be what the next question is about: no date, no number."""
    first = re.split(r"[.。।](?:\s|$)", said, maxsplit=1)[0].strip()
    if len(first) > _LONGEST_FACT or any(map(str.isdigit, first)) or date_spans(first, language):
        return ""
    return first
