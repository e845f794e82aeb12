"""Measure whole answers against a file of questions such as ``articles/questions.json``.

The file is a JSON list of objects: ``question``, ``answerable``, and for answerable ones ``any_of`` (acceptable short
answers), ``date`` (the ISO 8601 value, if it is a date), ``article`` and ``quote`` (a piece of the sentence that proves
it), ``also`` (other articles that say the same).
"""

import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import KabarError
from qa.answer import Answer

if TYPE_CHECKING:
    from qa.chain import Assistant


def evaluate_answers(
    assistant: "Assistant", files: Sequence[Path], *, tell: Callable[[dict[str, Any]], None] = lambda _: None
) -> list[dict[str, Any]]:
    """For each file: shares (0..1) of answerable questions answered right, cited right, dated right, of unanswerable
    ones refused, and of answers in the question's language. ``tell`` gets every question with its verdict.

    Right means that the fact or the text holds one of the acceptable answers or, for a date, that the first resolved
    date has the value; cited right, that a citation is of the article and holds the words. Raises KabarError for a file
    that is not of this form.
    """  # noqa: D205
    return [_evaluate(assistant, file, tell) for file in files]


def _evaluate(assistant: "Assistant", file: Path, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    verdicts = []
    for item in _read(file):
        answer = assistant.answer(item["question"])
        verdict = {
            "question": item["question"],
            "answerable": bool(item["answerable"]),
            "answered": answer.answerable,
            "right": _right(answer, item),
            "cited": _cited(answer, item),
            "dated": _dated(answer, item),
            "language": answer.language == item.get("language", answer.language),
            "short": answer.short,
            "confidence": answer.confidence,
        }
        tell(verdict)
        verdicts.append(verdict)
    answerable = [verdict for verdict in verdicts if verdict["answerable"]]
    dated = [verdict for verdict in answerable if verdict["dated"] is not None]
    return {
        "file": str(file),
        "questions": len(verdicts),
        "right": _share(answerable, "right"),
        "cited": _share(answerable, "cited"),
        "dated": _share(dated, "dated"),
        "refused": 1 - _share([verdict for verdict in verdicts if not verdict["answerable"]], "answered"),
        "language": _share(verdicts, "language"),
    }


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        items = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise KabarError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise KabarError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(items, list) or not all(isinstance(item, dict) and "question" in item for item in items):
        raise KabarError(f"{file}: expected a JSON list of objects with 'question' and 'answerable'")
    return items


def _right(answer: Answer, item: dict[str, Any]) -> bool:
    if not answer.answerable:
        return False
    if _dated(answer, item):
        return True
    said = _folded(f"{answer.short} {answer.text}")
    return any(_folded(expected) in said for expected in item.get("any_of", ()))


def _dated(answer: Answer, item: dict[str, Any]) -> bool | None:
    """Whether the answer's date is the expected one; None if none is expected."""
    if not item.get("date"):
        return None
    return bool(answer.dates) and answer.dates[0].value == item["date"]


def _cited(answer: Answer, item: dict[str, Any]) -> bool:
    articles = {item.get("article"), *item.get("also", ())}
    quote = _folded(item.get("quote") or "")
    return any(
        citation.article_id in articles
        and (citation.article_id != item.get("article") or quote in _folded(citation.quote))
        for citation in answer.citations
    )


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _share(verdicts: Sequence[dict[str, Any]], key: str) -> float:
    return sum(bool(verdict[key]) for verdict in verdicts) / len(verdicts) if verdicts else 1.0
