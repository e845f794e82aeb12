"""What a server answers with."""

from collections.abc import Generator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from qa.answer import Answer, Step, TextPiece
from ui.config import Settings

if TYPE_CHECKING:
    from index.index import Index
    from qa.turn import Turn

History = list[tuple[str, str]]
"""("user", question) and ("assistant", text) in turn, oldest first."""


class Answering(Protocol):
    """What is needed of ``qa.Assistant``."""

    def stream(
        self,
        question: str,
        *,
        history: History,
        published_after: date | None = None,
        published_before: date | None = None,
        sources: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
    ) -> Generator[Step | TextPiece | Answer]:
        """Steps, pieces of text, and the answer last; when the first piece comes, all is worked out."""

    def would_answer(self, turn: "Turn", /) -> bool:
        """Whether the articles hold the answer; cheaper than answering."""


def open_answering(settings: Settings, index: "Index | None" = None) -> Answering:
    """The assistant of the configuration, which leaves traces if they are asked for.

    Raises what ``Assistant.open`` does, and ConfigError if what traces need is not installed.
    """
    from qa.chain import Assistant

    assistant = Assistant.open(settings, index)
    if settings.server.traces is None:
        return assistant
    from ui.tracing import Traced, tracer_to

    return Traced(assistant, tracer_to(settings.server.traces))
