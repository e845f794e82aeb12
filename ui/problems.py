"""How the doors for programs say that something went wrong: one line, the number of the request, never a traceback."""

import logging
from typing import TYPE_CHECKING, Any, Literal

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from index.errors import KabarError
from qa.errors import QuestionError
from ui.errors import LimitError
from ui.logs import request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

log = logging.getLogger("kabar.ui")

Kind = Literal["invalid_request_error", "authentication_error", "not_found_error", "rate_limit_error", "server_error"]
_KINDS: dict[int, Kind] = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Problem(BaseModel):
    """What went wrong, in one line; ``request`` is the number under which the log tells more."""

    message: str
    type: Kind
    request: str


class ProblemBody(BaseModel):
    """The body of every response that is no success. The form is OpenAI's, so that its clients understand it."""

    error: Problem


def described(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that are no success, for its OpenAPI description."""
    return {code: {"model": ProblemBody} for code in codes}


def body(status: int, message: str) -> dict[str, Any]:
    """A problem as JSON."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    problem = Problem(message=" ".join(message.split()), type=kind, request=request_id.get())
    return ProblemBody(error=problem).model_dump()


def response(status: int, message: str, headers: "Mapping[str, str] | None" = None) -> JSONResponse:
    """A problem as an HTTP response."""
    return JSONResponse(body(status, message), status_code=status, headers=dict(headers or {}))


def of_error(error: Exception) -> tuple[int, str, dict[str, str]]:
    """Status, message and headers for an error; what was not foreseen is logged, and only its number is told."""
    if isinstance(error, LimitError):
        return 429, str(error), {"retry-after": str(max(1, round(error.seconds)))}
    if isinstance(error, QuestionError):
        return 422, str(error), {}
    if isinstance(error, KabarError):
        return 503, str(error), {}
    log.error("Request %s failed", request_id.get(), exc_info=error)
    return 500, f"something went wrong here; it is logged as {request_id.get()}", {}


def add_handlers(app: "FastAPI") -> None:
    """Let an application answer with problems, whatever happens in it."""

    async def failed(_: "Request", error: Exception) -> JSONResponse:
        status, message, headers = of_error(error)
        return response(status, message, headers)

    async def refused(_: "Request", error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 -- it is registered for these
        return response(error.status_code, str(error.detail), error.headers)

    async def invalid(_: "Request", error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 -- it is registered for these
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:])) if first["type"] != "json_invalid" else ""
        return response(422, f"{where}: {first['msg']}" if where else f"the request: {first['msg']}")

    app.add_exception_handler(KabarError, failed)
    app.add_exception_handler(Exception, failed)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
