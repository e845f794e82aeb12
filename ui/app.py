"""The chat page and the doors for programs as one web server."""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import KabarError
from qa.coverage import coverage
from qa.language import sentence
from ui.answering import Answering, open_answering
from ui.articles import Articles, open_articles
from ui.auth import Auth
from ui.chat import build
from ui.config import Settings
from ui.demand import Demand
from ui.examples import examples
from ui.fair_queue import FairQueue
from ui.helpers import Helpers, open_helping
from ui.history import History
from ui.limits import RateLimit
from ui.loader import Loader
from ui.safety import BODY_SECONDS, Guard
from ui.theme import look
from ui.users import Users

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

GRACE = 10
"""Seconds that running answers get to finish when the server is stopped."""
_THREADS = 40


def serve(
    config: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    public: bool = False,
    ready: Callable[[str], None] = print,
    assistant: Callable[[], Answering] | None = None,
    helping: Callable[[], Answering] | None = None,
) -> None:
    """Serve the chat page and the doors for programs until the process is told to stop.

    ``host`` and ``port`` win over the configuration; port 0 takes any free one. ``ready`` is called with the address
    once the page can be opened; the models load meanwhile. ``assistant`` makes what answers, by default that of the
    configuration; ``helping`` makes the same in other processes (see ``ui.helpers``). Raises KabarError if the port is
    taken, if the host is not known, if it is not a loopback address, nobody has to sign in, and ``public`` is not set.
    """
    # OpenMP's threads look for the next product for some 5 ms before they sleep, on cores that the server needs.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    host, port = host or config.server.host, config.server.port if port is None else port
    with contextlib.ExitStack() as stack:
        users = stack.enter_context(contextlib.closing(Demand(config)))
        listener = stack.enter_context(contextlib.closing(listen(host, port, public=public or users() is not None)))
        history = stack.enter_context(contextlib.closing(History(file))) if (file := config.history_file) else None
        if assistant is None:
            assistant, helping = partial(open_answering, config), partial(open_helping, config)
        loader = shared_loader(config, assistant, helping)
        stack.callback(loader.close)
        alone = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
        web = application(
            loader,
            hosts=_names(config, host, listener),
            about=lambda language: _about(loader, language),
            examples=examples(config.index.articles),
            folder=config.index.path,
            users=users,
            history=history,
            session_days=config.server.session_days,
            articles=stack.enter_context(contextlib.closing(open_articles(config, loader, alone=alone))),
        )
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listener.getsockname()[1]}/"

        def started() -> None:
            ready(address)
            loader.start()

        with contextlib.suppress(KeyboardInterrupt):  # the way to end it that is meant
            server(web, started).run(sockets=[listener])


def shared_loader(
    config: Settings, assistant: Callable[[], Answering], helping: Callable[[], Answering] | None = None
) -> Loader:
    """What all doors ask through, with the limits of the configuration; the others are as for ``serve``."""
    from ui.metrics import Metrics

    server = config.server
    queue = FairQueue(at_once=server.at_once, waiting=server.waiting, per_user=server.waiting_per_user)
    metrics = Metrics()
    metrics.observe(queue, config.index.path)
    more = min(server.processes, os.cpu_count() or 1) - 1
    helpers = Helpers(helping, more, queue) if helping and more else None
    return Loader(
        assistant, queue=queue, limit=RateLimit(server.questions_per_minute), metrics=metrics, helpers=helpers
    )


def _names(config: Settings, host: str, listener: socket.socket) -> set[str] | None:
    """The names that are served; None for all, where others reach this machine and its names were not told."""
    if not config.server.names and not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        return None
    return {host.lower(), "localhost", "127.0.0.1", "::1", *(name.lower() for name in config.server.names)}


def listen(host: str, port: int, *, public: bool = False) -> socket.socket:
    """A socket that listens at ``host`` and ``port``. Raises KabarError as ``serve`` does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise KabarError(f"Cannot listen at {host!r}: no such host name or address; choose another --host") from error
    if not public and not ipaddress.ip_address(address[0]).is_loopback:
        raise KabarError(
            f"Refusing to listen at {host}: whoever reaches this machine could use the page; keep --host 127.0.0.1, "
            "or add who may use it with `kabar user add NAME`, or add --allow-remote if you want to let anybody in"
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


def application(  # noqa: PLR0913 -- each is one thing that can be served
    loader: Loader,
    *,
    hosts: Collection[str] | None,
    about: Callable[[str], str] | None = None,
    examples: Sequence[tuple[str, str]] = (),
    folder: Path | None = None,
    users: Callable[[], Users | None] = lambda: None,
    history: History | None = None,
    session_days: float = 7,
    body_seconds: float = BODY_SECONDS,
    articles: Articles | None = None,
) -> Guard:
    """The page, the doors for programs and what stands before them, as one ASGI application.

    ``hosts`` are the names it answers to, None for any; ``folder`` is that of the index; as soon as there are ``users``
    nobody else is let in; ``body_seconds`` are those in which a request has to come; ``articles`` is their page. The
    other options are those of ``ui.chat.build``.
    """

    async def put_together() -> "FastAPI":
        import gradio
        from fastapi import FastAPI

        from ui.api import api
        from ui.mcp_server import http_route, mcp_server
        from ui.openai_api import openai_api
        from ui.page_routes import page_routes

        route, sessions = http_route(mcp_server(loader, folder))

        @contextlib.asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            from anyio import to_thread

            # Each question that waits holds a thread; those are besides what the routes need.
            queue = loader.queue
            served = queue.at_once + (loader.helpers.most if loader.helpers else 0)
            to_thread.current_default_thread_limiter().total_tokens = queue.waiting + served + _THREADS
            async with sessions:
                yield

        web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
        _add_health(web, loader)
        web.mount("/api", api(loader, folder))
        web.mount("/v1", openai_api(loader))
        web.router.routes.append(route)
        web.router.routes.extend(articles.routes() if articles else ())
        web.include_router(page_routes(loader, history))
        page = build(loader, about=about, examples=examples, history=history)
        gradio.mount_gradio_app(
            web, page, path="/", footer_links=[], run_history=False, enable_monitoring=False, mcp_server=False,
            ssr_mode=False, pwa=False, show_error=False, max_file_size=0, **look(),
        )  # fmt: skip
        return web

    # Gradio makes an event loop, and forgets to close it, wherever it finds none running.
    behind = Auth(asyncio.run(put_together()), users, days=session_days)
    return Guard(behind, hosts=hosts, metrics=loader.metrics, body_seconds=body_seconds)


def _add_health(web: "FastAPI", loader: Loader) -> None:
    from fastapi.responses import JSONResponse, Response

    @web.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @web.get("/ready")
    def readiness() -> JSONResponse:
        state = "loading" if loader.loading else "failed" if loader.error else "ready"
        return JSONResponse({"status": state}, status_code=200 if state == "ready" else 503)

    @web.get("/metrics")
    def metrics() -> Response:
        from ui.metrics import TYPE

        return Response(loader.metrics.text() if loader.metrics else b"", media_type=TYPE)


def _about(loader: Loader, language: str) -> str:
    """How many articles there are, in which languages, from when to when; "" for an assistant without an index."""
    index = getattr(loader.assistant(), "index", None)
    if index is None:
        return ""
    covered = coverage(index, language, weekday=False)
    return sentence("about_reply" if covered["count"] else "no_index", language, **covered)


def server(web: Guard, started: Callable[[], None], *, head_seconds: float | None = None) -> "uvicorn.Server":
    """A server for the application, to be run with the sockets it listens on; it calls ``started`` once it does.

    ``head_seconds`` are those in which the headers of a request have to come, if not ``ui.protocol.HEAD_SECONDS``.
    """
    import uvicorn

    from ui.protocol import HEAD_SECONDS, protocol

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            web.stop()
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(
            web, http=protocol(head_seconds or HEAD_SECONDS), ws="none", log_config=None, log_level="warning",
            access_log=False, server_header=False, timeout_graceful_shutdown=GRACE,
        )
    )  # fmt: skip
