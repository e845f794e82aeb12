"""The same assistant as a model behind OpenAI's chat API, so that any chat client can use it.

https://platform.openai.com/docs/api-reference/chat: ``/v1/models`` and ``/v1/chat/completions``. The citations stand in
the message, numbered, with source, date and quotation; the whole answer is in the extra field ``kabar``.
"""

import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.exceptions import HTTPException

from qa.answer import Answer, Citation, pieces
from ui import problems
from ui.answering import History
from ui.fair_queue import Waiting
from ui.identity import caller_of
from ui.loader import Event, Loader
from ui.markdown import defused
from ui.streaming import from_threads, with_first

MODEL = "kabar"
_MOST_MESSAGES = 400
_LONGEST_MESSAGE = 100_000
_CREATED = 1_700_000_000


class Part(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: str = Field(default="", max_length=_LONGEST_MESSAGE)


class ChatMessage(BaseModel):
    """A message of OpenAI's API; what kabar does not use of it is ignored."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = Field(default=None)

    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type in ("text", "input_text"))
        return self.content or ""


class ChatRequest(BaseModel):
    """A request of OpenAI's API; settings of a language model (temperature and the like) are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=_MOST_MESSAGES)
    n: int | None = Field(default=None, ge=1, le=1)
    stream: StrictBool | None = None

    def question(self) -> tuple[str, History]:
        """The last message, which is the user's, and what was said before it."""
        last = self.messages[-1]
        if last.role != "user":
            raise HTTPException(400, "messages: the last message has to be the user's")
        if isinstance(last.content, list) and any(part.type not in ("text", "input_text") for part in last.content):
            raise HTTPException(400, "messages: kabar reads text alone, no pictures, sounds or files")
        said = [(message.role, message.text()) for message in self.messages[:-1]]
        return last.text(), [(role, text) for role, text in said if role in ("user", "assistant")]


def openai_api(loader: Loader) -> FastAPI:
    """The API as an application of its own, to be mounted at ``/v1``."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    problems.add_handlers(app)

    @app.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [_model()]}

    @app.get("/models/{name}")
    def model(name: str) -> dict[str, Any]:
        _check_model(name)
        return _model()

    @app.post("/chat/completions", response_model=None)
    async def complete(body: ChatRequest, request: Request) -> Response:
        _check_model(body.model)
        question, history = body.question()
        user = caller_of(request.scope).key
        events = loader.stream(question, history=history, user=user, door="openai")
        told = await with_first(from_threads(events, None if body.stream else request.is_disconnected))
        answered = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}
        if body.stream:
            lines = _chunks(told, answered | {"object": "chat.completion.chunk"})
            return StreamingResponse(lines, media_type="text/event-stream", headers={"cache-control": "no-store"})
        async for event in told:
            if isinstance(event, Answer):
                message = {"role": "assistant", "content": message_text(event), "kabar": event.model_dump(mode="json")}
                choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
                return JSONResponse(answered | {"object": "chat.completion", "choices": [choice]})
        return Response(status_code=499)  # nobody is there to read it

    return app


def message_text(answer: Answer) -> str:
    """The answer with its citations, as Markdown in which no word of an article is markup."""
    return "\n\n".join([defused(answer.text), *map(_source, answer.citations)])


def _source(citation: Citation) -> str:
    about = ", ".join(part for part in (citation.source, citation.published) if part)
    title = f"[{citation.number}] {citation.title}" + (f" ({about})" if about else "")
    quote = " ".join(citation.quote.split())
    address = f"\n{citation.url}" if citation.url and re.fullmatch(r"https?://[^\s<>]+", citation.url) else ""
    return f"{defused(title)}\n“{defused(quote)}”{defused(address)}"


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": _CREATED, "owned_by": MODEL}


def _check_model(name: str) -> None:
    if name != MODEL:
        raise HTTPException(404, f"there is no model of that name; the only one is '{MODEL}'")


async def _chunks(events: AsyncIterator[Event], about: dict[str, Any]) -> AsyncIterator[str]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return f"data: {json.dumps(about | {'choices': [choice]}, ensure_ascii=False)}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    try:
        async for event in events:
            if isinstance(event, Waiting):
                yield f": place {event.place} in the queue\n\n"
            elif isinstance(event, Answer):
                # Not as the pieces come: markup could lie across two of them.
                text = message_text(event)
                for piece in pieces(text):
                    yield chunk({"content": piece})
                yield chunk({"kabar": event.model_dump(mode="json")}, "stop")
    except Exception as error:  # noqa: BLE001 -- it is logged and told; the response has begun
        status, message, _ = problems.of_error(error)
        yield f"data: {json.dumps(problems.body(status, message), ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"
