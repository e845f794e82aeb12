"""Events of the assistant, which works in threads, for a response that does not."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool

from ui.loader import Event


async def from_threads(
    events: Generator[Event], gone: Callable[[], Awaitable[bool]] | None = None
) -> AsyncIterator[Event]:
    """The same events; it ends early, and gives the place in the queue up, if ``gone`` says that nobody listens.

    ``gone`` is asked at every event. A streamed response needs none: it is cancelled. Raises what the events raise.
    """
    loop, told, stopped = asyncio.get_running_loop(), asyncio.Queue[Event | None](), threading.Event()

    def work() -> None:
        # All events of an answer in one thread: to ask a thread for each of them anew takes three times as long.
        try:
            for event in events:
                if stopped.is_set():
                    break
                loop.call_soon_threadsafe(told.put_nowait, event)
        finally:
            events.close()
            loop.call_soon_threadsafe(told.put_nowait, None)

    working = asyncio.ensure_future(run_in_threadpool(work))
    try:
        while (event := await told.get()) is not None:
            if gone is not None and await gone():
                return
            yield event
    finally:
        stopped.set()
        with CancelScope(shield=True):
            await working


async def with_first(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The same events, of which the first has happened when this returns: what it raises can still be a status."""
    first = await anext(events, None)

    async def all_of_them() -> AsyncIterator[Event]:
        if first is not None:
            yield first
        async for event in events:
            yield event

    return all_of_them()


def as_dict(event: Event) -> dict[str, Any]:
    """An event as JSON, which says its type: waiting, step, text or answer."""
    from qa.answer import Answer, Step
    from ui.fair_queue import Waiting

    if isinstance(event, Waiting):
        return {"type": "waiting", "place": event.place}
    if isinstance(event, Step):
        return {"type": "step", **event.model_dump()}
    if isinstance(event, Answer):
        return {"type": "answer", "answer": event.model_dump(mode="json")}
    return {"type": "text", **event.model_dump()}
