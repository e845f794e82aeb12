"""One question of a conversation and what came of it, as it is shown and kept."""

import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from qa.answer import Answer
from ui.around import Around
from ui.filters import Filters

Verdict = Literal["right", "wrong"]


def new_id() -> str:
    """A name that nobody can guess: 128 random bits."""
    return uuid.uuid4().hex


class Turn(BaseModel):
    """One question and what came of it: an answer, or an error's message; neither while it is being worked on.

    ``number`` counts from 1 in its conversation, ``id`` names it for ever; ``around`` is what the page shows beside the
    answer; ``verdict`` is what its reader says of it.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    question: str
    id: str = Field(default_factory=new_id)
    filters: Filters = Filters()
    answer: Answer | None = None
    error: str | None = None
    around: Around = Around()
    verdict: Verdict | None = None
