"""``kabar serve --ray``: shards and assistants on a cluster, behind this machine's web server.

The page and the doors for programs stay in this process, with all that stands before them: sessions, users, limits,
and conversations in SQLite. What takes the time, searching and answering, is on Ray Serve, and scales there.
"""

import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from index.errors import KabarError
from index.ray_session import Installation, connect, installation, require_same
from index.sharding.deployment import (
    follow,
    import_serve,
    in_threads,
    one_line,
    run,
    run_shards,
    running_shards,
    scaled,
    stop,
    stop_shards,
)
from index.sharding.index import ShardedIndex
from qa.answer import Answer, Step, TextPiece
from ui.answering import Answering, History, open_answering
from ui.config import Settings

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

    from qa.turn import Turn

_NAME = "kabar-answers"
_TRIES = 3
_EVERY = 1.0
"""Seconds after which the index is looked at again."""

log = logging.getLogger("kabar.ui")


class Answers:
    """A replica that answers questions with the models of the configuration, from the shards."""

    def __init__(self, settings: Settings, driver: Installation) -> None:
        """Raises what ``Assistant.open`` does, and ClusterError if this machine has another kabar."""
        require_same(driver)
        with ThreadPoolExecutor(1) as thread:  # here is an event loop, in which nobody may wait for the shards
            self._assistant = thread.submit(_open, settings).result()

    async def stream(self, question: str, history: History, filters: dict[str, Any]) -> AsyncIterator[Any]:
        """What the assistant says."""
        async for event in in_threads(iter(self._assistant.stream(question, history=history, **filters))):
            yield event

    async def would_answer(self, turn: "Turn") -> bool:
        """Whether the articles hold the answer."""
        import asyncio

        return await asyncio.to_thread(self._assistant.would_answer, turn)


def _open(settings: Settings) -> Answering:
    return open_answering(settings, ShardedIndex(settings.shards_folder, running_shards(settings), settings))


class RemoteAssistant:
    """Lets the replicas of ``Answers`` answer; ``index`` is for those who read articles beside the answers."""

    def __init__(self, handle: "DeploymentHandle[Any]", index: ShardedIndex, seconds: float) -> None:
        self.index = index
        self._handle = handle
        self._seconds = seconds

    def stream(self, question: str, *, history: History, **filters: Any) -> Generator[Step | TextPiece | Answer]:
        """What an assistant says. If its replica dies, another one begins again, and what has been said is left out."""
        said = 0
        for left in reversed(range(_TRIES)):
            events: Any = self._handle.options(stream=True).stream.remote(question, history, filters)
            try:
                with one_line("the assistant", self._seconds):
                    for event in _unless_dead(islice(events, said, None), left):
                        said += 1
                        yield event
            except _DeadError:
                continue
            except GeneratorExit:  # nobody wants to hear the rest
                events.cancel()
                raise
            return

    def would_answer(self, turn: "Turn", /) -> bool:
        """See ``Answering``."""
        with one_line("the assistant", self._seconds):
            return bool(self._handle.would_answer.remote(turn).result(timeout_s=self._seconds))


class _DeadError(Exception):
    """A replica has died, and another one may be asked."""


def _unless_dead(events: Iterator[Any], left: int) -> Iterator[Any]:
    from ray.exceptions import RayActorError

    try:
        yield from events
    except RayActorError as error:
        if not left:
            raise
        raise _DeadError from error


@contextlib.contextmanager
def on_cluster(settings: Settings) -> Iterator[RemoteAssistant]:
    """An assistant whose work is done on the cluster that is connected; within ``with``, shards follow the index.

    Raises what ``follow`` and ``run`` raise.
    """
    with contextlib.ExitStack() as stack:
        serve = import_serve()
        follow(settings, None)
        stack.callback(stop_shards, settings)
        shards = run_shards(settings)
        stack.callback(stop, [_NAME])
        answers = serve.deployment(Answers).options(**scaled(settings.ray.answers))
        run({_NAME: answers.bind(settings, installation())}, settings)
        stack.enter_context(_following(lambda: follow(settings, shards)))
        index = ShardedIndex(settings.shards_folder, shards, settings)
        yield RemoteAssistant(serve.get_app_handle(_NAME), index, settings.ray.seconds)


@contextlib.contextmanager
def _following(step: Callable[[], object], every: float = _EVERY) -> Iterator[None]:
    """Do a step again and again, in a thread, until the context ends."""
    ended = threading.Event()

    def steps() -> None:
        told = ""
        while not ended.wait(every):
            try:
                step()
            except KabarError as error:
                if str(error) != told:
                    log.error("The shards stay as they are: %s", error)  # noqa: TRY400 -- the message says it all
                told = str(error)

    thread = threading.Thread(target=steps, name="kabar-shards", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def serve_on_ray(settings: Settings, address: str, *, tell: Callable[[str], None], **options: Any) -> None:
    """``ui.app.serve`` with the work on the cluster at ``address``; ``options`` are its own.

    The index is made if there is none, and ``tell`` is told. Raises what ``connect`` and ``on_cluster`` raise.
    """
    from qa.first_index import ensure_index
    from ui.app import serve

    answers = settings.ray.answers
    at_once = max(settings.server.at_once, round(answers.most_replicas * answers.ongoing))
    server = settings.server.model_copy(update={"at_once": at_once})
    with connect(address):
        ensure_index(settings, tell=tell)
        with on_cluster(settings) as assistant:
            serve(settings.model_copy(update={"server": server}), assistant=lambda: assistant, **options)
