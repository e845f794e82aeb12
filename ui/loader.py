"""The assistant, loaded behind the page's back, and shared by all who ask."""

import logging
import threading
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from index.errors import KabarError
from qa.answer import Answer, Step, TextPiece
from ui.answering import Answering, History
from ui.errors import LimitError
from ui.fair_queue import FairQueue, Waiting
from ui.limits import RateLimit

if TYPE_CHECKING:
    from index.index import Index
    from qa.turn import Turn
    from ui.helpers import Helpers
    from ui.metrics import Metrics

Event = Waiting | Step | TextPiece | Answer

log = logging.getLogger("kabar.ui")

_PATIENCE = 2.0
"""Seconds for which something waits for its turn that nobody has asked for."""


class Loader:
    """Makes an assistant once, in a thread of its own; whoever needs it earlier waits. All ask through ``stream``."""

    def __init__(
        self,
        make: Callable[[], Answering],
        *,
        queue: FairQueue | None = None,
        limit: RateLimit | None = None,
        metrics: "Metrics | None" = None,
        helpers: "Helpers | None" = None,
    ) -> None:
        """``queue`` says whose turn it is, ``limit`` how often one user may ask; ``metrics`` counts what is asked.

        ``helpers``, those of the queue, answer too while many ask.
        """
        self.queue = FairQueue() if queue is None else queue  # an empty one is false
        self.limit = limit or RateLimit(0)
        self.metrics = metrics
        self.helpers = helpers
        self._make = make
        self._done = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._assistant: Answering | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin to load; begin again if that failed for a reason that may be gone: there was no article, say."""
        with self._starting:
            if self._thread is None or (not self.loading and isinstance(self._error, KabarError)):
                self._error = None
                self._done.clear()
                self._thread = threading.Thread(target=self._load, name="kabar-loader", daemon=True)
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

    def index(self) -> "Index | None":
        """The index that the assistant answers from, as soon as it is there. Raises what making it raised."""
        return getattr(self.assistant(), "index", None)

    def stream(
        self, question: str, *, history: History, user: str = "", door: str = "page", **filters: Any
    ) -> Generator[Event]:
        """Answer a question when its turn comes: the place in the queue while it waits, then what the assistant says.

        ``user`` is who asks, for turns and limits; ``door`` where, for the metrics. Raises LimitError, and what the
        assistant raises; RuntimeError if it ends without an answer.
        """
        events = self._in_turn(question, history, user, filters)
        return self.metrics.watch(events, door) if self.metrics else events

    def _in_turn(self, question: str, history: History, user: str, filters: dict[str, Any]) -> Generator[Event]:
        self.limit.admit(user)
        event: Event | None = None
        with self.queue.join(user) as ticket:
            for beats, waiting in enumerate(ticket.until_served()):
                if beats and self.helpers and self._assistant:
                    self.helpers.wanted()
                yield waiting
            assistant, helpers = self.assistant(), self.helpers
            answering = partial(helpers.stream, assistant) if helpers else assistant.stream
            for event in answering(question, history=history, **filters):
                if not isinstance(event, Step):
                    ticket.leave()  # all is worked out: nobody waits for a slow reader
                yield event
        if not isinstance(event, Answer):
            raise RuntimeError("the assistant ended without an answer")  # noqa: TRY004 -- no mistake of the caller

    def answered(self, turns: "Iterable[Turn]", *, most: int, user: str = "", patience: float = _PATIENCE) -> list[str]:
        """Of some questions the first that the articles answer, as far as they are looked at before others ask.

        It waits for its turn for ``patience`` seconds only: nobody has asked them yet.
        """
        found: list[str] = []
        try:
            ticket = self.queue.join(user)
        except LimitError:
            return found
        with ticket:
            if ticket.turn.wait(patience):
                for turn in turns:
                    if self.assistant().would_answer(turn):
                        found.append(turn.question)
                    if len(found) == most or len(self.queue):
                        break
        return found

    def close(self) -> None:
        """End what helps to answer."""
        if self.helpers:
            self.helpers.close()

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
