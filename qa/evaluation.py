"""How well the reader finds the exact words: exact match and F1 over question sets in SQuAD's JSON format."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from index.errors import ArticleError
from qa.metrics import exact_match, f1
from qa.reader import Span


class SpanFinder(Protocol):
    """What is evaluated: a ``qa.reader.SpanReader`` or its like."""

    def read(self, question: str, passages: Sequence[str], *, limit: int = 5) -> list[Span]:
        """Spans that may answer, best first."""
        ...


class Item(NamedTuple):
    """A question, its passage, and the right answers; none if the passage does not hold one."""

    question: str
    context: str
    answers: list[str]


def read_squad(file: Path) -> Iterator[Item]:
    """The questions of a SQuAD JSON file, in order. Raises ArticleError if it is none."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        for article in data["data"]:
            for paragraph in article["paragraphs"]:
                for item in paragraph["qas"]:
                    answers = [] if item.get("is_impossible") else [answer["text"] for answer in item["answers"]]
                    yield Item(item["question"], paragraph["context"], answers)
    except OSError as error:
        raise ArticleError(str(file), error.strerror or "it cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ArticleError(str(file), "not a question set in SQuAD's JSON format") from None


def evaluate_reading(
    reader: SpanFinder, files: Sequence[Path], limit: int | None = None, *, threshold: float
) -> list[dict[str, str | int | float | None]]:
    """Figures of each file, in percent, over its first ``limit`` questions (None: all).

    ``answerable_f1`` and ``unanswerable_f1`` are None where a file has no such questions. A span whose probability is
    below ``threshold`` counts as "no answer"; files with no unanswerable questions are read without abstaining.
    Raises ArticleError if a file cannot be read.
    """
    return [_evaluate(reader, file, limit, threshold) for file in files]


def _evaluate(
    reader: SpanFinder, file: Path, limit: int | None, threshold: float
) -> dict[str, str | int | float | None]:
    items = list(read_squad(file))
    abstaining = not all(item.answers for item in items)
    items = items[:limit]
    matches, overlaps = [], []
    for item in items:
        spans = reader.read(item.question, [item.context], limit=1)
        said = spans[0].text if spans and (not abstaining or spans[0].probability >= threshold) else ""
        matches.append(exact_match(said, item.answers))
        overlaps.append(f1(said, item.answers))
    answerable = [overlap for overlap, item in zip(overlaps, items, strict=True) if item.answers]
    unanswerable = [overlap for overlap, item in zip(overlaps, items, strict=True) if not item.answers]
    return {
        "file": str(file),
        "questions": len(items),
        "em": _percent(matches),
        "f1": _percent(overlaps),
        "answerable_f1": _percent(answerable),
        "unanswerable_f1": _percent(unanswerable),
    }


def _percent(values: Sequence[float]) -> float | None:
    return round(100 * sum(values) / len(values), 2) if values else None
