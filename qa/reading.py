"""What a reader says: which stretch of which passage answers, and how surely."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class Reading(NamedTuple):
    """A stretch of a passage that answers.

    ``passage`` is its number in the list given; ``start`` and ``end`` count characters of that passage's text.
    ``probability`` (0..1) is that of being right; ``exact`` is False if the stretch is a whole sentence, not the words.
    """

    passage: int
    start: int
    end: int
    probability: float
    exact: bool = True


Unfit = Callable[[int, str], bool]
"""Whether these words of a passage, by its number, cannot be the answer: "Wednesday" says not how long."""


class Reader(Protocol):
    """Finds answers in passages."""

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:
        """The readings of ``passages`` (best first by relevance) that may answer, best first.

        ``unfit`` words are passed over by a reader that names the very words.
        """
        ...
