"""The body of a request, read before anybody works with it: not more than allowed, and not slower."""

import asyncio
import json
import re

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

_LENGTH = re.compile("[0-9]{1,15}")


class BodyError(Exception):
    """A body that is not taken, with the HTTP ``status`` that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(scope: Scope, receive: Receive, *, most: int, seconds: float) -> tuple[bytes, Receive]:
    """The whole body, at most so many bytes, and a ``receive`` that gives it at once, and then what else comes.

    Raises BodyError if it is larger, or not there within so many seconds.
    """
    if not has_body(scope):
        return b"", receive
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
    body = b"".join(parts)
    first: list[Message] = [last if last["type"] == "http.disconnect" else {**last, "body": body}]

    async def receive_whole() -> Message:
        return first.pop() if first else await receive()

    return body, receive_whole


def check_no_files(body: bytes) -> None:
    """Raise BodyError if the JSON of an event names a file, which Gradio would fetch from wherever it is said to be."""
    try:
        waiting = [json.loads(body)] if body else []
    except (ValueError, RecursionError):
        raise BodyError(400, "the request is no JSON") from None
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value:
                raise BodyError(400, "no files are taken here")
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def has_body(scope: Scope) -> bool:
    """Whether a request says that it has one."""
    headers = Headers(scope=scope)
    return "content-length" in headers or "transfer-encoding" in headers


def _too_large(most: int) -> BodyError:
    return BodyError(413, f"the request is too large; send at most {most:,} bytes")
