"""Files of questions with what a right answer holds, such as ``articles/questions.json``.

A JSON list of questions, and of conversations: ``{"turns": [question, question, ...]}``, where a turn that is not
judged may be its text alone, and what stands beside "turns" is said of the last. A question is an object:

``question``    as a reader would ask it.
``language``    ISO 639-1.
``today``       the day it is asked on, from which its "last month" counts, if it is not today.
``answerable``  whether the articles hold the answer; a turn without it is asked, but not judged.
``any_of``      acceptable short answers.
``date``        the answer's ISO 8601 value, if it is a date.
``article``     id of the article that proves it; ``also``: ids of others that say the same.
``quote``       a piece of the sentence that proves it.
``gold``        for a question whose answer is no single fact: the sentences that must be cited, each
                ``{"article", "quote"}``, with ``also`` for sentences that would do instead.
"""

import datetime
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.errors import KabarError


class Gold(BaseModel):
    """A sentence that must be cited, known by a piece of it; or one of ``also`` in its place."""

    model_config = ConfigDict(frozen=True)

    article: str
    quote: str = Field(min_length=1)
    also: tuple["Gold", ...] = ()


class Item(BaseModel):
    """One question."""

    model_config = ConfigDict(frozen=True)

    question: str
    language: str | None = None
    today: datetime.date | None = None
    answerable: bool | None = None
    any_of: tuple[str, ...] = ()
    date: str | None = None
    article: str | None = None
    quote: str | None = None
    also: tuple[str, ...] = ()
    gold: tuple[Gold, ...] = ()


class Conversation(BaseModel):
    """Questions that are asked one after the other, each with the history of those before."""

    model_config = ConfigDict(frozen=True)

    turns: tuple[Item, ...] = Field(min_length=1)


def read_questions(file: Path) -> list[Conversation]:
    """All questions of a file; one that stands alone is a conversation of one turn.

    Raises KabarError, which names the file, the item and what is wrong with it.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise KabarError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise KabarError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(data, list) or not data:
        raise KabarError(f"{file}: expected a JSON list of objects with 'question' and 'answerable', or 'turns'")
    return [_conversation(item, f"{file}: item {number}") for number, item in enumerate(data, start=1)]


def _conversation(item: object, where: str) -> Conversation:
    try:
        conversation = Conversation.model_validate({"turns": _turns(item)})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise KabarError(f"{where}: {place}: {first['msg']}") from None
    if all(turn.answerable is None for turn in conversation.turns):
        raise KabarError(f"{where}: 'answerable' is missing: true or false, whether the articles hold the answer")
    return conversation


def _turns(item: object) -> object:
    """What should be a list of questions; a conversation's last turn has what is said of the conversation."""
    if not isinstance(item, dict) or "turns" not in item:
        return [item]
    turns = item["turns"]
    if not isinstance(turns, list) or not turns:
        return turns
    asked = [{"question": turn} if isinstance(turn, str) else turn for turn in turns]
    if isinstance(asked[-1], dict):
        asked[-1] = {name: value for name, value in item.items() if name != "turns"} | asked[-1]
    return asked
