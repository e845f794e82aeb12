"""More processes that answer, for as long as many ask.

Whoever asks alone is answered soonest if all cores compute for that one question. Of many questions more are answered
if each core computes for one of its own: cores that share a question wait for each other some thousand times. Threads
of one process cannot do that, since most of their time they would wait for the interpreter's lock.
"""

import logging
import math
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from index.compute_thread import share_cores
from index.errors import KabarError
from qa.answer import Answer, Step, TextPiece
from ui.answering import Answering, History, open_answering
from ui.config import Settings
from ui.fair_queue import FairQueue
from ui.logs import quiet, set_up

_IDLE = 600.0
"""Seconds without a question after which a helper ends."""

_PAUSE = 60.0
"""Seconds after which another one is started where one failed."""

log = logging.getLogger("kabar.ui")

Said = Step | TextPiece | Answer


class _Asked(NamedTuple):
    question: str
    history: History
    filters: dict[str, Any]
    at_work: int


class _Failed(NamedTuple):
    error: Exception


_READY, _END, _STOP = "ready", "end", "stop"


class _GoneError(Exception):
    """A helper has ended."""


class Helper:
    """A process that answers one question at a time, with an assistant of its own."""

    def __init__(self, make: Callable[[], Answering], idle: float = _IDLE) -> None:
        """Start it; ``make``, which makes its assistant, is a function of a module, or a partial one of such."""
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, make, idle), name="kabar-helper", daemon=True)
        self.process.start()
        theirs.close()  # so that its end is the end of the connection

    def until_ready(self) -> None:
        """Wait until its assistant is made. Raises what its making raised, and EOFError if the process ended."""
        said = self._connection.recv()
        if isinstance(said, _Failed):
            raise said.error

    def stream(self, asked: _Asked) -> Generator[Said]:
        """What its assistant says; to be closed before anything else is asked.

        Raises what the assistant raises, and _GoneError if the process has ended.
        """
        said: Any = None
        try:
            self._send(asked)
            while (said := self._receive()) != _END:
                if isinstance(said, _Failed):
                    raise said.error
                yield said
        finally:
            with suppress(_GoneError):
                if said != _END:
                    self._send(_STOP)
                while said != _END:
                    said = self._receive()

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError as error:
            raise _GoneError from error

    def _receive(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise _GoneError from error

    def end(self) -> None:
        """End the process at once; it keeps nothing that could be lost."""
        self.process.kill()
        self.process.join()


class Helpers:
    """At most so many helpers beside this process, started when ``wanted``. Safe to use from several threads."""

    def __init__(
        self, make: Callable[[], Answering], most: int, queue: FairQueue, *, idle: float = _IDLE, pause: float = _PAUSE
    ) -> None:
        """``make`` and ``idle`` are as for ``Helper``; ``queue`` serves one more at once for each that is there.

        After one that failed, the next is started ``pause`` seconds later at the earliest.
        """
        self.most = most
        self._make = make
        self._queue = queue
        self._idle = idle
        self._pause = pause
        self._changing = threading.Lock()
        self._started: list[Helper] = []
        self._starting = False
        self._not_before = 0.0
        # How many answers each process works on; None is this one.
        self._busy: dict[Helper | None, int] = {None: 0}

    def wanted(self) -> None:
        """Start one more in the background, unless one is being started or all are there."""
        with self._changing:
            full = self._starting or len(self._started) >= self.most
            if full or time.monotonic() < self._not_before:
                return
            self._starting = True
        threading.Thread(target=self._see_through, name="kabar-helper", daemon=True).start()

    def _see_through(self) -> None:
        """Start a helper and wait for its end."""
        try:
            with self._changing:
                if self._not_before == math.inf:
                    return
                helper = Helper(self._make, self._idle)
                self._started.append(helper)
        except OSError as error:  # no memory for another process, or too many of them
            with self._changing:
                self._starting = False
            self._failed(error.strerror or repr(error))
            return
        reason = self._run(helper)
        with self._changing:
            self._started.remove(helper)
        if reason:
            self._failed(reason)

    def _failed(self, reason: str) -> None:
        """Start none for a while, and say why, once the server is not ending."""
        with self._changing:
            self._not_before = max(self._not_before, time.monotonic() + self._pause)
            ending = self._not_before == math.inf
        if not ending:
            log.warning("A process that helps to answer failed: %s", reason)

    def _run(self, helper: Helper) -> str:
        """Let it answer from when it is ready to its end; why it failed, if it did."""
        try:
            helper.until_ready()
            with self._changing:
                self._busy[helper] = 0
        except KabarError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 -- this process can answer without
            return repr(error)
        finally:
            with self._changing:
                self._starting = False
        self._queue.widen(1)
        helper.process.join()
        with self._changing:
            del self._busy[helper]
        self._queue.widen(-1)
        return f"it ended with exit code {code}" if (code := helper.process.exitcode) else ""

    def stream(self, own: Answering, question: str, *, history: History, **filters: Any) -> Generator[Said]:
        """What an assistant says: ``own``, that of this process, or a helper's while ``own`` is at work.

        If a helper dies, ``own`` begins again, and what has been said is left out.
        """
        rest: list[Said] = []
        with self._chosen() as (helper, at_work):
            events = own.stream(question, history=history, **filters)
            if helper is None:
                share_cores(at_work)
            else:
                events = _with_substitute(helper.stream(_Asked(question, history, filters, at_work)), events)
            with closing(events):
                for event in events:
                    if not isinstance(event, Step):
                        rest = [event, *events]  # all is worked out: no process waits for a slow reader
                        break
                    yield event
        yield from rest

    @contextmanager
    def _chosen(self) -> Iterator[tuple[Helper | None, int]]:
        """A process that is not at work, this one before others and if all are; and how many are at work now."""
        with self._changing:
            chosen = next((one for one, count in self._busy.items() if not count), None)
            self._busy[chosen] += 1
            at_work = sum(count > 0 for count in self._busy.values())
        try:
            yield chosen, at_work
        finally:
            with self._changing:
                if chosen in self._busy:
                    self._busy[chosen] -= 1

    def close(self) -> None:
        """End them all; none is started any more."""
        with self._changing:
            self._not_before = math.inf
            helpers = list(self._started)
        for helper in helpers:
            helper.end()


def _with_substitute(events: Generator[Said], substitute: Iterator[Said]) -> Generator[Said]:
    """The events, and what is left of the ``substitute`` if the helper that they come from is gone."""
    said = 0
    with closing(events):
        try:
            for event in events:
                yield event
                said += 1
        except _GoneError:
            yield from islice(substitute, said, None)


def open_helping(settings: Settings) -> Answering:
    """The assistant of the configuration, in a process that does nothing else. Raises what ``open_answering`` does."""
    quiet()
    set_up(settings.server.log)
    return open_answering(settings)


def _work(connection: Connection, make: Callable[[], Answering], idle: float) -> None:
    """Answer what is asked, until nobody listens or nothing is asked for ``idle`` seconds."""
    for one in (signal.SIGINT, signal.SIGTERM):  # running answers are finished; the end of the server is ours, too
        signal.signal(one, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        try:
            assistant = make()
        except Exception as error:  # noqa: BLE001 -- it is told
            connection.send(_Failed(_sendable(error)))
            return
        connection.send(_READY)
        while connection.poll(idle):
            asked = connection.recv()
            if asked != _STOP:  # that came too late
                _answer(connection, assistant, asked)


def _answer(connection: Connection, assistant: Answering, asked: _Asked) -> None:
    try:
        share_cores(asked.at_work)
        for event in assistant.stream(asked.question, history=asked.history, **asked.filters):
            connection.send(event)
            if connection.poll():
                connection.recv()  # _STOP: nothing else is sent meanwhile
                break
    except (BrokenPipeError, EOFError):
        raise
    except Exception as error:  # noqa: BLE001 -- it is raised again where the answer was asked for
        connection.send(_Failed(_sendable(error)))
    connection.send(_END)


def _sendable(error: Exception) -> Exception:
    """The error, with where it was raised, as something that can be sent to another process."""
    if not isinstance(error, KabarError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        copied = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own
    except Exception:  # noqa: BLE001 -- whatever its making raises
        return RuntimeError(f"{type(error).__name__}: {error}")
    return copied if isinstance(copied, Exception) else RuntimeError(str(error))
