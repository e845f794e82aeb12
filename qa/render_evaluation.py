"""How well parts of sentences are rendered in another language: chrF over parallel question sets in SQuAD's format."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from index.errors import ArticleError
from index.sentences import sentences
from qa.language import UNKNOWN, identify
from qa.render import Rendering, render

if TYPE_CHECKING:
    from qa.writer import Writer

_IDENTIFIED = 5
"""So many contexts of a file are read to tell its language."""


class Part(NamedTuple):
    """The gold answer of a question, and the sentence that it stands in (both, if it crosses their border)."""

    text: str
    sentence: str


class Pair(NamedTuple):
    """A part, the same part in the other file, and what was made of it."""

    part: Part
    gold: str
    rendering: Rendering


def evaluate_rendering(
    writer: "Writer", source: Path, target: Path, limit: int | None = None
) -> dict[str, str | int | float]:
    """Render the gold answers of ``source`` in the language of ``target`` and compare them with its gold answers.

    Both files hold the same questions by id. ``chrf`` is that of all renderings, accepted or not, and ``copy_chrf``
    that of the parts left as they are; ``accepted`` counts the renderings that the check lets through. Raises
    ArticleError if a file cannot be read, has no known language, or lacks a question of the other.
    """
    pairs = render_all(writer, source, target, limit)
    golds = [pair.gold for pair in pairs]
    return {
        "source": language_of(source),
        "target": language_of(target),
        "questions": len(pairs),
        "chrf": chrf([pair.rendering.text for pair in pairs], golds),
        "copy_chrf": chrf([pair.part.text for pair in pairs], golds),
        "accepted": sum(pair.rendering.accepted for pair in pairs),
    }


def render_all(writer: "Writer", source: Path, target: Path, limit: int | None = None) -> list[Pair]:
    """Render the gold answers of the first ``limit`` questions (None: all); as ``evaluate_rendering``."""
    languages = language_of(source), language_of(target)
    parts, golds = read_parts(source, languages[0]), read_parts(target, languages[1])
    known: dict[Part, Rendering] = {}
    pairs = []
    for name, part in list(parts.items())[:limit]:
        if name not in golds:
            raise ArticleError(str(target), f"it has no question {name!r}, which {source.name} has")
        if part not in known:
            known[part] = render(*part, *languages, writer)
        pairs.append(Pair(part, golds[name].text, known[part]))
    return pairs


def chrf(texts: list[str], golds: list[str]) -> float:
    """Character n-gram F-score (Popovic 2015) of a whole set, in percent, as sacrebleu computes it."""
    from sacrebleu.metrics import CHRF

    return round(CHRF().corpus_score(texts, [golds]).score, 2) if texts else 0.0


def language_of(file: Path) -> str:
    """ISO 639-1 code of a question set: from a name such as ``xquad.de.json``, else from what it says."""
    from babel import localedata

    if (named := re.search(r"[.\-_]([a-z]{2})\.json$", file.name)) and localedata.exists(named[1]):
        return named[1]
    text = " ".join(context for context, _ in list(_paragraphs(file))[:_IDENTIFIED])
    if (found := identify(text)) == UNKNOWN:
        raise ArticleError(str(file), "its language is not known; name it like xquad.de.json")
    return found


def read_parts(file: Path, language: str) -> dict[str, Part]:
    """The gold answers by question; questions that have none are left out. Raises ArticleError."""
    parts = {}
    for context, items in _paragraphs(file):
        bounds = sentences(context, language)
        for name, text, begin in items:
            start = begin if context.startswith(text, begin) else context.find(text)
            if start < 0 or not text.strip():
                continue
            inside = [place for place in bounds if place[1] > start and place[0] < start + len(text)]
            around = context[inside[0][0] : inside[-1][1]] if inside else context
            parts[name] = Part(text.strip(), around)
    return parts


def _paragraphs(file: Path) -> Iterator[tuple[str, list[tuple[str, str, int]]]]:
    """Each context, and (id, text, start) of the first gold answer of each of its questions."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        for article in data["data"]:
            for paragraph in article["paragraphs"]:
                yield (
                    str(paragraph["context"]),
                    [
                        (str(item["id"]), str(item["answers"][0]["text"]), int(item["answers"][0]["answer_start"]))
                        for item in paragraph["qas"]
                        if item["answers"]
                    ],
                )
    except OSError as error:
        raise ArticleError(str(file), error.strerror or "it cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ArticleError(str(file), "not a question set in SQuAD's JSON format") from None
