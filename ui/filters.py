"""Which articles a question is about, as chosen on the page, and which conversation it belongs to."""

from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.errors import KabarError
from ui.words import word

_WEEK = timedelta(days=6)
"""From the first of seven days to the last."""


class Filters(BaseModel):
    """Empty fields choose nothing; dates are inclusive. ``last_week`` are the last 7 days, today among them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: date | None = None
    before: date | None = None
    last_week: bool = False
    source: str = Field(default="", max_length=1000)
    language: str = Field(default="", max_length=20)

    def options(self, today: date) -> dict[str, Any]:
        """The keywords of ``Assistant.stream`` that say the same; none where nothing is chosen."""
        found: dict[str, Any] = {}
        after = max(filter(None, (self.after, today - _WEEK if self.last_week else None)), default=None)
        if after:
            found["published_after"] = after
        if self.before:
            found["published_before"] = self.before
        if self.source:
            found["sources"] = [self.source]
        if self.language:
            found["languages"] = [self.language]
        return found


class Context(BaseModel):
    """What the page sends with every question: the conversation that it shows, "" for a new one, and the filters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: str = Field(default="", max_length=64)
    filters: Filters = Filters()

    @classmethod
    def read(cls, text: object, language: str) -> "Context":
        """What the page's script wrote as JSON. Raises KabarError if it is something else."""
        try:
            return cls.model_validate_json(text or "{}") if isinstance(text, str) else cls.model_validate(text or {})
        except ValidationError:
            raise KabarError(word("wrong_filter", language)) from None
