"""What a date expression in a text means."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

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
