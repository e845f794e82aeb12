"""What was asked: checked, cleaned, and whether it asks for a time or for an amount."""

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from qa.errors import QuestionError

LONGEST_QUESTION = 2000
"""Characters; about 400 words, far more than the encoder reads."""

_MARKS = "\u0610-\u061a\u064b-\u0652\u0900-\u0903\u093a-\u094d"
"""Vowel signs and the like of Arabic and Devanagari, which belong to the letter before them."""

UNSPACED_LANGUAGES = frozenset(("ko", "ja", "zh", "th"))
"""Languages in which a question word is looked for inside of words, too."""


def clean_question(text: str) -> str:
    """The question on one line, without control characters. Raises QuestionError if nothing or too much is left."""
    if not isinstance(text, str):
        raise QuestionError(f"the question must be text, not {type(text).__name__}")
    if len(text) > LONGEST_QUESTION:
        raise QuestionError(
            f"the question has {len(text):,} characters; please ask in {LONGEST_QUESTION:,} or fewer", "too_long"
        )
    # Cc: control characters, Cs: half surrogate pairs. Joiners and direction marks (Cf) belong to some scripts.
    kept = "".join(" " if unicodedata.category(character) in ("Cc", "Cs") else character for character in text)
    kept = " ".join(kept.split())
    if not any(character.isalnum() for character in kept):
        raise QuestionError("the question is empty; please type one", "empty_question")
    return kept


def asks_for_time(question: str, language: str) -> bool:
    """Whether the answer should be a date ("when", "kapan", "いつ"; not "who died when the bridge fell?")."""
    time = time_word(question, language)
    if time is None:
        return False
    words = _other_words().get(language)
    if words is None:
        return True
    folded = _folded(question)
    other = words.asks.search(folded, 0, time)
    return other is None or words.time.match(folded, other.end(), time) is not None


def asks_for_amount(question: str, language: str) -> bool:
    """Whether the answer should be a number ("how many", "berapa lama", "多少"), not a date."""
    pattern = _words_of("amount_questions").get(language)
    if pattern is None or pattern.search(_folded(question)) is None:
        return False
    return not asks_for_time(question, language)


def time_word(question: str, language: str) -> int | None:
    """Where the first word stands that asks for a time, in characters of the folded question."""
    folded = _folded(question)
    pattern, amount = (_words_of(name).get(language) for name in ("time_questions", "amount_questions"))
    for found in pattern.finditer(folded) if pattern else ():
        longer = amount.match(folded, found.start()) if amount else None
        if longer is None or longer.end() <= found.end():  # 何日 is a day, 何日間 how many
            return found.start()
    return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


class _Other(NamedTuple):
    asks: re.Pattern[str]
    time: re.Pattern[str]


@cache
def _other_words() -> dict[str, _Other]:
    table = json.loads(files("qa").joinpath("data/other_questions.json").read_text(encoding="utf-8"))
    return {
        language: _Other(
            re.compile(rf"(?<!\w){_any_of(words['asks'])}(?!\w)"),
            re.compile(rf"\W+(?:\w+\W+){{0,3}}{_any_of(words['time'])}(?!\w)"),
        )
        for language, words in table.items()
        if language != "about"
    }


def _any_of(words: Iterable[str]) -> str:
    longest_first = sorted(map(_folded, words), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})"


@cache
def _words_of(name: str) -> dict[str, re.Pattern[str]]:
    """By language a pattern for the phrases of a table."""
    table = json.loads(files("qa").joinpath(f"data/{name}.json").read_text(encoding="utf-8"))
    patterns = {}
    for language, words in table.items():
        if language != "about":
            edge = "" if language in UNSPACED_LANGUAGES else rf"(?![\w{_MARKS}])"
            start = "" if language in UNSPACED_LANGUAGES else rf"(?<![\w{_MARKS}])"
            patterns[language] = re.compile(f"{start}{_any_of(words)}{edge}")
    return patterns
