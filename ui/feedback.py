"""Feedback as files of questions that ``kabar eval answers`` reads (see ``qa.question_file``)."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from index.errors import KabarError
from ui.history import Feedback
from ui.markup import local_date


def evaluation(given: Iterable[Feedback]) -> list[dict[str, Any]]:
    """What was called right, as questions with their answers."""
    return [_in_conversation(one, _judged(one)) for one in given if one.verdict == "right"]


def to_be_answered(given: Iterable[Feedback]) -> list[dict[str, Any]]:
    """What was called wrong: the questions with the wrong answers and remarks.

    Nobody has said what is right. Whoever knows adds ``answerable``, and ``any_of`` or ``date``; until then the file
    is refused, so that nothing is measured against a guess.
    """
    return [_in_conversation(one, _open(one)) for one in given if one.verdict == "wrong"]


def write(items: list[dict[str, Any]], file: Path) -> None:
    """Write a file of questions. Raises KabarError."""
    try:
        file.write_text(as_json(items), encoding="utf-8")
    except OSError as error:
        raise KabarError(f"{file}: {error.strerror}; name another file") from None


def as_json(items: list[dict[str, Any]]) -> str:
    """The questions as JSON text."""
    return json.dumps(items, ensure_ascii=False, indent=2) + "\n"


def _question(one: Feedback) -> dict[str, Any]:
    answer = one.turn.answer
    found: dict[str, Any] = {"question": one.turn.question, "today": one.given[:10]}
    if answer is not None:
        found["language"] = answer.language
    return found


def _judged(one: Feedback) -> dict[str, Any]:
    """The question with its answer; of an answer in several sentences all that were cited are expected."""
    found, answer = _question(one), one.turn.answer
    if answer is None:
        return found
    found["answerable"] = answer.answerable
    if not answer.answerable:
        return found
    found["any_of"] = [answer.short]
    if answer.dates and local_date(answer.dates[0].value, answer.language) in answer.short:
        found["date"] = answer.dates[0].value
    if answer.citations:
        first, *others = answer.citations
        found |= {"article": first.article_id, "quote": first.quote, "also": [cited.article_id for cited in others]}
    return found


def _open(one: Feedback) -> dict[str, Any]:
    answer = one.turn.answer
    said = (
        {"wrong": answer.short or answer.text, "cited": [cited.quote for cited in answer.citations]} if answer else {}
    )
    return _question(one) | said | ({"remark": one.remark} if one.remark else {})


def _in_conversation(one: Feedback, item: dict[str, Any]) -> dict[str, Any]:
    return {"turns": [*one.before, item]} if one.before else item
