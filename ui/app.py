"""The chat page as a web server."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from index.errors import KabarError
from qa.coverage import coverage
from qa.language import sentence
from ui.chat import build
from ui.config import Settings
from ui.examples import examples
from ui.loader import Answering, Loader
from ui.safety import Guard
from ui.theme import look

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

GRACE = 10
"""Seconds that running answers get to finish when the server is stopped."""


def serve(
    config: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    public: bool = False,
    ready: Callable[[str], None] = print,
    assistant: Callable[[], Answering] | None = None,
) -> None:
    """Serve the chat page until the process is told to stop.

    ``host`` and ``port`` win over the configuration; port 0 takes any free one. ``ready`` is called with the address
    once the page can be opened; the models load meanwhile. Raises KabarError if the port is taken, if the host is not
    known, or if it is not a loopback address and ``public`` is not set: the page knows no passwords.
    """
    host, port = host or config.server.host, config.server.port if port is None else port
    listener = listen(host, port, public=public)
    with contextlib.closing(listener):
        loader = Loader(assistant or (lambda: _open(config)))
        web = application(
            loader,
            hosts=None if public else {host.lower(), "localhost", "127.0.0.1", "::1"},
            about=lambda language: _about(loader, language),
            examples=examples(config.index.articles),
        )
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listener.getsockname()[1]}/"

        def started() -> None:
            ready(address)
            loader.start()

        with contextlib.suppress(KeyboardInterrupt):  # the way to end it that is meant
            server(web, started).run(sockets=[listener])


def listen(host: str, port: int, *, public: bool = False) -> socket.socket:
    """A socket that listens at ``host`` and ``port``. Raises KabarError as ``serve`` does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise KabarError(f"Cannot listen at {host!r}: no such host name or address; choose another --host") from error
    if not public and not ipaddress.ip_address(address[0]).is_loopback:
        raise KabarError(
            f"Refusing to listen at {host}: whoever reaches this machine could use the page, it knows no passwords; "
            "keep --host 127.0.0.1, or add --allow-remote if that is what you want"
        )
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise KabarError(f"Port {port} at {host} is in use; choose another with --port (0 takes any)") from None
        raise KabarError(f"Cannot listen at {host} port {port}: {error.strerror}; choose another with --port") from None
    return listener


def application(
    loader: Loader,
    *,
    hosts: Collection[str] | None,
    about: Callable[[str], str] | None = None,
    examples: Sequence[tuple[str, str]] = (),
) -> Guard:
    """The page, its health routes and the guard before them, as one ASGI application.

    ``hosts`` are the names it answers to, None for any; the other options are those of ``ui.chat.build``.
    """

    async def put_together() -> "FastAPI":
        import gradio
        from fastapi import FastAPI

        web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        _add_health(web, loader)
        page = build(loader, about=about, examples=examples)
        gradio.mount_gradio_app(
            web, page, path="/", footer_links=[], run_history=False, enable_monitoring=False, mcp_server=False,
            ssr_mode=False, pwa=False, show_error=False, max_file_size=0, **look(),
        )  # fmt: skip
        return web

    # Gradio makes an event loop, and forgets to close it, wherever it finds none running.
    return Guard(asyncio.run(put_together()), hosts=hosts)


def _add_health(web: "FastAPI", loader: Loader) -> None:
    from fastapi.responses import JSONResponse

    @web.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @web.get("/ready")
    def readiness() -> JSONResponse:
        state = "loading" if loader.loading else "failed" if loader.error else "ready"
        return JSONResponse({"status": state}, status_code=200 if state == "ready" else 503)


def _open(config: Settings) -> Answering:
    from qa import Assistant

    return Assistant.open(config)


def _about(loader: Loader, language: str) -> str:
    """How many articles there are, in which languages, from when to when; "" for an assistant without an index."""
    index = getattr(loader.assistant(), "index", None)
    if index is None:
        return ""
    covered = coverage(index, language, weekday=False)
    return sentence("about_reply" if covered["count"] else "no_index", language, **covered)


def server(web: Guard, started: Callable[[], None]) -> "uvicorn.Server":
    """A server for the application, to be run with the sockets it listens on; it calls ``started`` once it does."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            web.stop()
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(web, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=GRACE)
    )
