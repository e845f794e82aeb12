"""Questions whose answer is no single fact: why, how, what happened, what somebody said, which ones, what is new."""

import datetime
import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from qa.question import UNSPACED_LANGUAGES, time_word

OpenKind = Literal["why", "how", "said", "list", "event"]

_KINDS: tuple[OpenKind, ...] = ("why", "said", "list", "event", "how")
_ANY_DAY = datetime.date(2024, 1, 15)  # only where a date stands matters here, not which it is


class OpenQuestion(NamedTuple):
    """What an open question asks for; ``subject`` is what is left of it without the words that ask.

    An ``event`` without a subject asks for the news in general: "What's new?", "Summarise this week".
    """

    kind: OpenKind
    subject: str


def open_question(question: str, language: str) -> OpenQuestion | None:
    """What kind of open question this is; None if it asks for a single fact or a time."""
    table = _patterns().get(language)
    if table is None:
        return None
    text = _plain(question)
    if table["never"].search(text):
        return None
    found = [(match, kind) for kind in _KINDS if (match := table[kind].search(text))]
    if not found:
        return None
    match, kind = min(found, key=lambda pair: (pair[0].start(), -pair[0].end()))
    time = time_word(question, language)
    if time is not None and time <= match.start():
        return None
    inside = " ".join(part for part in match.groups() if part)
    subject = _subject(f"{text[: match.start()]} {inside} {text[match.end() :]}", language)
    return OpenQuestion("event" if kind == "list" and not subject else kind, subject)


def gives_cause(text: str, language: str) -> bool:
    """Whether a sentence of an article has a word that gives a reason: "because", "akibat"."""
    table = _patterns().get(language)
    return bool(table and table["cause"].search(_plain(text)))


def _subject(rest: str, language: str) -> str:
    """The words of ``rest`` if one of them names a subject, else ""."""
    from index.dates import resolve

    left = rest
    for mention in sorted(resolve(rest, _ANY_DAY, language), key=lambda mention: -mention.start):
        left = f"{left[: mention.start]} {left[mention.end :]}"
    filler = _words()[language]
    if language in UNSPACED_LANGUAGES:
        for word in sorted(filler, key=len, reverse=True):
            left = left.replace(word, " ")
        named = any(character.isalnum() for character in left)
    else:
        words = ["".join(c for c in word if unicodedata.category(c)[0] in "LMN") for word in re.split(r"[\s'-]+", left)]
        named = any(len(word) > 1 and word not in filler for word in words)
    return " ".join(rest.split()) if named else ""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    table = json.loads(files("qa").joinpath("data/open_questions.json").read_text(encoding="utf-8"))
    return {language: lists for language, lists in table.items() if language != "about"}


@cache
def _words() -> dict[str, frozenset[str]]:
    return {language: frozenset(map(_plain, lists["filler"])) for language, lists in _table().items()}


@cache
def _patterns() -> dict[str, dict[str, re.Pattern[str]]]:
    return {
        language: {name: _pattern(phrases, language) for name, phrases in lists.items() if name != "filler"}
        for language, lists in _table().items()
    }


def _pattern(phrases: list[str], language: str) -> re.Pattern[str]:
    """One pattern for all phrases; it never matches if there are none."""
    spaced = language not in UNSPACED_LANGUAGES
    before, after = (r"(?<!\w)", r"(?!\w)") if spaced else ("", "")
    alternatives = []
    for phrase in sorted(phrases, key=len, reverse=True):
        parts = [re.escape(_plain(part)).replace(r"\*", r"\S*") for part in phrase.removeprefix("^").split("…")]
        start = r"\A\W*" if phrase.startswith("^") else before
        alternatives.append(start + r"([^,.;:!?]+?)".join(parts) + after)
    return re.compile("|".join(alternatives) or r"(?!)")
