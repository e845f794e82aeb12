"""What an answer is made of, and its JSON form."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DateKind = Literal["absolute", "relative", "partial", "range"]


class DateMention(BaseModel):
    """A date expression found in a text and what it means.

    Attributes:
        text: the words ("Rabu depan").
        start, end: character offsets of the words in the text they were found in.
        value: ISO 8601 of the precision that was said: 2023-11-08, 2023-W45, 2023-11, 2023, 2023-Q3,
            or "first/last" for a range.
        kind: absolute ("8 November 2023"), relative ("next Wednesday"), partial ("8 November", "Wednesday"), range.
        derived: how the value was reached, in English, for "counted from ..." ("next Wednesday after 2023-11-01").
        reporting: True if it says when somebody said it (a dateline), not when it happens.
        conflict: what does not fit, if anything ("2 November 2023 is a Thursday").
    """

    model_config = ConfigDict(frozen=True)

    text: str
    start: int
    end: int
    value: str
    kind: DateKind
    derived: str = ""
    reporting: bool = False
    conflict: str | None = None


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
    """The answer to one question."""

    model_config = ConfigDict(frozen=True)

    question: str
    text: str
    short: str
    answerable: bool
    confidence: float = Field(ge=0, le=1)
    language: str
    dates: tuple[DateMention, ...] = ()
    citations: tuple[Citation, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict)


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
