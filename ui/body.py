"""The body of a request, read before anybody works with it: not more than allowed, and not slower."""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

_LENGTH = re.compile("[0-9]{1,15}")


class BodyError(Exception):
    """A body that is not taken, with the HTTP ``status`` that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(scope: Scope, receive: Receive, *, most: int, seconds: float) -> Receive:
    """A ``receive`` that gives the whole body at once, at most so many bytes, and then what else comes.

    Raises BodyError if it is larger, or not there within so many seconds.
    """
    if not has_body(scope):
        return receive
    length = Headers(scope=scope).get("content-length", "0")
    if not _LENGTH.fullmatch(length) or int(length) > most:
        raise _too_large(most)
    parts: list[bytes] = []
    last: Message = {"type": "http.disconnect"}
    try:
        async with asyncio.timeout(seconds):
            while (last := await receive())["type"] == "http.request":
                parts.append(last.get("body", b""))
                if sum(map(len, parts)) > most:
                    raise _too_large(most)
                if not last.get("more_body"):
                    break
    except TimeoutError:
        raise BodyError(408, f"the request did not come within {seconds:g} seconds") from None
    first: list[Message] = [last if last["type"] == "http.disconnect" else {**last, "body": b"".join(parts)}]

    async def receive_whole() -> Message:
        return first.pop() if first else await receive()

    return receive_whole


def has_body(scope: Scope) -> bool:
    """Whether a request says that it has one."""
    headers = Headers(scope=scope)
    return "content-length" in headers or "transfer-encoding" in headers


def _too_large(most: int) -> BodyError:
    return BodyError(413, f"the request is too large; send at most {most:,} bytes")
