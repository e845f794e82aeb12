"""What a date expression means, and what it is counted from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from index.dates.mention import DateKind
from index.dates.tense import Tense
from index.dates.vocabulary import Vocabulary


class ImpossibleDateError(ValueError):
    """The words name a date that no calendar has; nothing inside them may be read as a date either."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Value, kind and origin of a date expression, as in ``DateMention``."""

    value: str
    kind: DateKind
    derived: str = ""
    conflict: str | None = None
    dateline: bool = False
    """It has the form "Wednesday (1/11)"."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a date is counted from: publication, language, and the tense around it (worked out when needed)."""

    published: date | None
    vocabulary: Vocabulary
    tense: Callable[[], Tense]
    tense_of_date: Callable[[], Tense]
