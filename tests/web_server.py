"""A web server on the loopback address, for tests of what fetches."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple, Self


class Reply(NamedTuple):
    """What the server answers; ``headers`` beside Content-Length."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        handler.send_response(self.status)
        for name, value in {"Content-Length": str(len(body)), **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


Page = Reply | Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """Serves ``pages`` (path to reply, to a list of replies in turn, or to a function) and notes every request."""

    def __init__(self) -> None:
        self.pages: dict[str, Page | list[Page]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                page = web.pages.get(self.path, Reply("not here", 404))
                if isinstance(page, list):
                    page = page.pop(0) if len(page) > 1 else page[0]
                self.close_connection = True
                with contextlib.suppress(OSError):  # who asked may leave at any time
                    page.send(self) if isinstance(page, Reply) else page(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, robots.txt aside."""
        return [path for path, _ in self.requests if path != "/robots.txt"]

    def drip(self, piece: bytes, *, pause: float, content_type: str, start: bytes = b"") -> Page:
        """A body without end: ``start``, and ``piece`` again and again."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", content_type)
            handler.end_headers()
            handler.wfile.write(start)
            while not self._closing.wait(pause):
                handler.wfile.write(piece)

        return send
