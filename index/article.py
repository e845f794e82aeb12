"""An article, as the index keeps it."""

import hashlib
import re
from datetime import date, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

CERTAIN_ENOUGH = 0.5
"""Below this a publication date is too uncertain to count "next Wednesday" from it, or to be searched by."""

_SURROGATE = re.compile("[\ud800-\udfff]")

DateSource = Literal["metadata", "page", "dateline", "file", "unknown"]
"""How a publication date is known, best first."""


class Article(BaseModel):
    """One article; ``text`` is kept exactly as read, and every offset in kabar counts its characters.

    Attributes:
        id: stable name of the article; the same file or URL keeps it when the text changes.
        title: headline, or a name made from the file's.
        text: the whole text, unchanged (Unicode code points are the unit of every offset).
        url: where a reader can open it.
        source: who published it ("VOA Indonesia").
        language: ISO 639-1.
        published: publication date, if it is known or can be inferred.
        published_from: how it is known.
        published_certainty: 0..1; below 1 it is a guess and is shown as one.
        published_reason: for a guess, what it was made from.
        fetched: when kabar read it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    text: str
    url: str | None = None
    source: str | None = None
    language: str = "und"
    published: date | None = None
    published_from: DateSource = "unknown"
    published_certainty: float = Field(default=1.0, ge=0, le=1)
    published_reason: str | None = None
    fetched: datetime | None = None

    @field_validator("title", "text", "source", "url")
    @classmethod
    def _no_lone_surrogates(cls, text: str | None) -> str | None:
        """Half a UTF-16 pair (JSON can hold one) is no character: it becomes U+FFFD, which keeps all offsets."""
        return text and _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)

    @model_validator(mode="after")
    def _date_has_a_source(self) -> Self:
        if (self.published is None) != (self.published_from == "unknown"):
            msg = "published and published_from go together: a date needs its source, and 'unknown' means no date"
            raise ValueError(msg)
        return self

    @property
    def certain_date(self) -> date | None:
        """The publication date, if it is certain enough to rely on."""
        return self.published if self.published_certainty >= CERTAIN_ENOUGH else None

    @property
    def content_hash(self) -> str:
        """SHA-256 of all that a reader would see change (everything but ``id`` and ``fetched``)."""
        fields = self.model_dump_json(exclude={"id", "fetched"})
        return hashlib.sha256(fields.encode()).hexdigest()
