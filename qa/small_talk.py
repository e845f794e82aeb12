"""Small talk: greetings, thanks and questions about kabar itself. Whole messages only: no real question is caught."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

SmallTalk = Literal["greeting", "thanks", "about"]

_CLAUSES = re.compile(r"[.,;:!?¿¡…~()\n。、，！？：；（）،؛؟।]+")
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")
_LONGEST = 100  # characters
_BY_WEIGHT: tuple[SmallTalk, ...] = ("greeting", "thanks", "about")


def small_talk(text: str, language: str) -> SmallTalk | None:
    """What kind of small talk the whole message is, if it is; "Hi, what can you do?" is "about".

    Words of ``language`` count first, then those of the other languages ("hi" in a Korean conversation).
    """
    if len(text) > _LONGEST:
        return None
    clauses = [clause for clause in map(_plain, _CLAUSES.split(text)) if clause]
    whole = _kind(" ".join(clauses), language)
    if whole is not None or not clauses:
        return whole
    kinds = [kind for clause in clauses if (kind := _kind(clause, language)) is not None]
    return max(kinds, key=_BY_WEIGHT.index) if len(kinds) == len(clauses) else None


def languages_of(text: str) -> tuple[str, ...]:
    """The languages in which the whole message is small talk."""
    return tuple(_phrases().get(_plain(text), {})) if len(text) <= _LONGEST else ()


def _kind(phrase: str, language: str) -> SmallTalk | None:
    known = _phrases().get(phrase) or _phrases().get(_DRAWN_OUT.sub(r"\1", phrase)) or {}
    return known.get(language) or next(iter(known.values()), None)


def _plain(text: str) -> str:
    """Lower case, words apart by one space, no accents that typists leave out, no punctuation, no emoji."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'").replace("-", " ").replace("ي", "ی")
    kept = "".join(mark if mark in "' \u200c" or unicodedata.category(mark)[0] in "LMN" else " " for mark in text)
    return " ".join(kept.replace("\u200c", " ").split())


@cache
def _phrases() -> Mapping[str, Mapping[str, SmallTalk]]:
    table = json.loads(resources.files("qa").joinpath("data/language/small_talk.json").read_text(encoding="utf-8"))
    phrases: dict[str, dict[str, SmallTalk]] = {}
    for language, kinds in table.items():
        for kind in _BY_WEIGHT:
            for phrase in kinds[kind]:
                phrases.setdefault(_plain(phrase), {})[language] = kind
    return phrases
