"""What an article puts in the place of what it, or another, reported before: "correction", "ralat", "put off"."""

import json
import re
import unicodedata
from dataclasses import replace
from functools import cache
from importlib.resources import files

from qa.question import UNSPACED_LANGUAGES
from qa.turn import Evidence

_DIGITS = re.compile(r"\d+(?:[.,٫٬]\d+)*")


def corrects(evidence: Evidence) -> bool:
    """Whether the sentence, or the one before, says that it corrects a report; for a date, that the day is another."""
    before = [_sentence(evidence, place) for place in _places(evidence) if place[1] <= evidence.start][-1:]
    return any(_says_so(evidence, text) for text in (evidence.quote, *before))


def corrected(evidence: Evidence) -> Evidence | None:
    """What a sentence that repeats and corrects a report says instead; None if it corrects nothing, or none is found.

    "Our report gave the cost as £42 million. The right figure is £46 million": another number in the same form, in that
    sentence or the next.
    """
    words = evidence.words
    if not _DIGITS.search(words) or not _says_so(evidence, evidence.quote):
        return None
    form = re.compile(_DIGITS.pattern.join(map(re.escape, _DIGITS.split(words))))
    for place in [place for place in _places(evidence) if place[0] >= evidence.start][:2]:
        found = [match.group() for match in form.finditer(_sentence(evidence, place)) if match.group() != words]
        if found:
            return replace(evidence, start=place[0], end=place[1], words=found[0])
    return None


def _says_so(evidence: Evidence, text: str) -> bool:
    patterns = _words().get(evidence.hit.article.language, {})
    kinds = ("corrects", "moves") if evidence.date else ("corrects",)
    return any(patterns[kind].search(_folded(text)) for kind in kinds if kind in patterns)


def _places(evidence: Evidence) -> tuple[tuple[int, int], ...]:
    return evidence.hit.passage.sentences


def _sentence(evidence: Evidence, place: tuple[int, int]) -> str:
    return evidence.hit.article.text[slice(*place)]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def _words() -> dict[str, dict[str, re.Pattern[str]]]:
    table = json.loads(files("qa").joinpath("data/corrections.json").read_text(encoding="utf-8"))
    return {
        language: {
            kind: re.compile(
                ("" if language in UNSPACED_LANGUAGES else r"(?<!\w)(?:ال|و)?")
                + f"(?:{'|'.join(re.escape(_folded(word)) for word in words)})"
            )
            for kind, words in kinds.items()
        }
        for language, kinds in table.items()
        if language != "about"
    }
