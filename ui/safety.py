"""What stands before every request: known hosts, origins and routes, bodies of a size, one content security policy.

Here each request also gets its number, and whatever goes wrong behind is answered with that number alone.
"""

import asyncio
import logging
import re
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import problems
from ui.body import BodyError, check_no_files, has_body, read_body
from ui.identity import caller_of
from ui.logs import NUMBER, access, new_number, request_id

if TYPE_CHECKING:
    from ui.metrics import Metrics

log = logging.getLogger("kabar.ui")

# Gradio starts with inline scripts and compiles its templates: without the two "unsafe" words it does not run.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""The page may speak with its own server alone: no picture, font or script from elsewhere, whatever an article says."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with less, a browser does not say where a form comes from
    "cross-origin-opener-policy": "same-origin",
}

_PAGES = (
    "/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/health", "/ready", "/metrics",
    "/login", "/logout", "/mcp", "/articles",
)  # fmt: skip
_FOLDERS = ("/assets/", "/static/", "/svelte/", "/api/", "/v1/", "/page/", "/shared/", "/articles/")
_GRADIO = ("info", "openapi.json", "theme.css", "app_id", "heartbeat", "queue", "call", "cancel", "reset")
"""Gradio's routes that a question needs. Those that upload, fetch or show files and monitor users stay shut."""


_EVENTS = "/gradio_api/"
_HEARTBEAT = f"{_EVENTS}heartbeat/"
"""Each open page holds one such request open for ever."""
_MOST_BYTES = 1_000_000
_UPLOADS = "/articles/"
"""What is sent there may be larger and take longer; ``ui.articles`` counts it as it comes."""
BODY_SECONDS = 20.0
"""Seconds in which a request has to come."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_PARTS = re.compile(
    r"/(assets|static|svelte|api|v1|gradio_api|mcp|page|shared|articles|metrics|health|ready|login|logout)\b"
)


class Guard:
    """ASGI layer that refuses unknown hosts, origins, routes and endless bodies, and adds the headers above."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] | None,
        metrics: "Metrics | None" = None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        """``hosts``: names under which the page may be asked for; None for any. Bodies come in ``body_seconds``."""
        self._app = app
        self._hosts = hosts
        self._metrics = metrics
        self._body_seconds = body_seconds
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Let go of the pages that are open, so that the server can end when the running answers have."""
        self._stopped.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it through."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        number = given if _REQUEST_ID.fullmatch(given) else new_number()
        request_id.set(number)
        scope[NUMBER] = number
        began, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for header, value in _HEADERS.items():
                    headers[header] = value
                headers["x-request-id"] = number
                if status >= 400 and has_body(scope):
                    headers["connection"] = "close"  # nobody goes on to receive what may still come of it
            await send(message)

        try:
            await self._pass_on(scope, receive, send_with_headers)
        except Exception:
            log.exception("Request %s failed", number)
            if not status:
                answer = PlainTextResponse(f"Something went wrong here; it is logged as {number}.", status_code=500)
                await answer(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_until_stop() -> Message:
            received, stopped = asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopped.wait())
            await asyncio.wait((received, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if received.done():
                return received.result()
            received.cancel()
            return {"type": "http.disconnect"}

        answer: ASGIApp = self._refusal(scope) or self._app
        if answer is self._app and not scope["path"].startswith(_UPLOADS):
            try:
                body, receive = await read_body(scope, receive, most=_MOST_BYTES, seconds=self._body_seconds)
                if scope["path"].startswith(_EVENTS):
                    check_no_files(body)
            except BodyError as error:
                answer = problems.response(error.status, str(error))
        endless = scope["path"].startswith(_HEARTBEAT)
        await answer(scope, receive_until_stop if endless else receive, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        found = _PARTS.match(scope["path"])
        if self._metrics is not None:
            self._metrics.requests.labels(found[1] if found else "page", str(status)).inc()
        user = caller_of(scope).display_name
        about = {"method": scope["method"], "path": scope["path"], "status": status, "seconds": round(seconds, 4)}
        access.info("request", extra=about | ({"user": user} if user else {}))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        # A page on another site can make a browser resolve its own name to this machine; the name gives it away.
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and _without_port(host) not in self._hosts:
            return PlainTextResponse("This host name is not served here.", status_code=421)
        # A page elsewhere may send questions in its reader's name, though it never sees the answers.
        origin = headers.get("origin")
        if origin and scope["method"] not in ("GET", "HEAD") and origin.partition("://")[2] != host:
            return PlainTextResponse("Requests from pages of other sites are not served.", status_code=403)
        if not _known(scope["path"]):
            return PlainTextResponse("Not found.", status_code=404)
        return None


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return (name if port.isdigit() else host).strip("[]").lower()


def _known(path: str) -> bool:
    if path in _PAGES or path.startswith(_FOLDERS):
        return True
    rest = path.removeprefix(_EVENTS)
    return rest != path and rest.split("/")[0] in _GRADIO
