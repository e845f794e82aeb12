"""What an answer is made of, and its JSON form."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from index.dates.mention import DateKind, DateMention

__all__ = ["Answer", "Citation", "DateKind", "DateMention", "Step", "TextPiece", "pieces"]

_PIECE = 120


class Citation(BaseModel):
    """The sentence that proves an answer; ``article.text[start:end] == quote``, exactly.

    ``start`` and ``end`` count characters in the article; ``passage`` is the stretch of the article around the
    quotation, and ``passage[passage_start:][: len(quote)] == quote``.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    article_id: str
    title: str
    url: str | None
    source: str | None
    language: str
    published: str | None
    published_from: str
    passage: str
    passage_start: int
    start: int
    end: int
    quote: str


class Answer(BaseModel):
    """The answer to one question.

    ``notes`` say, in English, what did not go as configured: that the chat model failed which should have read.
    ``nearest`` are the passages that came nearest where the articles do not answer, each quoted as a whole.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    text: str
    short: str
    answerable: bool
    confidence: float = Field(ge=0, le=1)
    language: str
    dates: tuple[DateMention, ...] = ()
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Citation, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Step(BaseModel):
    """An event of ``Assistant.stream``: a step begins.

    ``count`` is how much it has before it: passages in the index for "retrieve", passages found for "read".
    """

    model_config = ConfigDict(frozen=True)

    name: Literal["understand", "retrieve", "read", "ground", "phrase", "check"]
    count: int = 0


class TextPiece(BaseModel):
    """An event of ``Assistant.stream``: the next piece of the answer's text."""

    model_config = ConfigDict(frozen=True)

    text: str


def pieces(text: str) -> Iterator[str]:
    """``text`` in the pieces that are streamed, of 120 characters each."""
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
