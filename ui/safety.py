"""What stands before every request to the page: known hosts, origins and routes, one content security policy."""

import asyncio
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}

_PAGES = ("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", "/health", "/ready")
_FOLDERS = ("/assets/", "/static/", "/svelte/")
_GRADIO = ("info", "openapi.json", "theme.css", "app_id", "heartbeat", "queue", "call", "cancel", "reset")
"""Gradio's routes that a question needs. Those that upload, fetch or show files and monitor users stay shut."""


_HEARTBEAT = "/gradio_api/heartbeat/"
"""Each open page holds one such request open for ever."""


class Guard:
    """ASGI layer that refuses unknown hosts, origins and routes, and adds the headers above to every response."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] | None) -> None:
        """``hosts``: names under which the page may be asked for; None for any."""
        self._app = app
        self._hosts = hosts
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

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for header, value in _HEADERS.items():
                    headers[header] = value
            await send(message)

        async def receive_until_stop() -> Message:
            received, stopped = asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopped.wait())
            await asyncio.wait((received, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if received.done():
                return received.result()
            received.cancel()
            return {"type": "http.disconnect"}

        refusal = self._refusal(scope)
        endless = scope["path"].startswith(_HEARTBEAT)
        await (refusal or self._app)(scope, receive_until_stop if endless else receive, send_with_headers)

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
    rest = path.removeprefix("/gradio_api/")
    return rest != path and rest.split("/")[0] in _GRADIO
