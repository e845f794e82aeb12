"""The assistant, loaded behind the page's back."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from index.errors import KabarError
from qa.answer import Answer, Step, TextPiece

History = list[tuple[str, str]]
"""("user", question) and ("assistant", text) in turn, oldest first."""

log = logging.getLogger("kabar.ui")


class Answering(Protocol):
    """What the page needs of ``qa.Assistant``."""

    def stream(self, question: str, *, history: History) -> Iterator[Step | TextPiece | Answer]:
        """Steps, pieces of text, and the answer last."""


class Loader:
    """Makes an assistant once, in a thread of its own; whoever needs it earlier waits."""

    def __init__(self, make: Callable[[], Answering]) -> None:
        self._make = make
        self._done = threading.Event()
        self._assistant: Answering | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._load, name="kabar-loader", daemon=True)

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    @property
    def loading(self) -> bool:
        """Whether the assistant is still being made."""
        return not self._done.is_set()

    @property
    def error(self) -> Exception | None:
        """Why there is no assistant."""
        return self._error

    def assistant(self) -> Answering:
        """The assistant, as soon as it is there. Raises what its making raised."""
        self._done.wait()
        if self._assistant is None:
            raise self._error or RuntimeError("the assistant was not made")
        return self._assistant

    def _load(self) -> None:
        try:
            self._assistant = self._make()
        except KabarError as error:
            log.error("%s", error)  # noqa: TRY400 - one line by design: the message says it all
            self._error = error
        except Exception as error:
            log.exception("The assistant could not be loaded")
            self._error = error
        finally:
            self._done.set()
