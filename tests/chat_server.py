"""A server on loopback that speaks OpenAI's language, well or badly, as a test wants."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEYS = ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
"""Variables of the environment that would lead a client elsewhere."""


class Request(BaseHTTPRequestHandler):
    """One request to the server; ``body`` is what was sent. The methods are ways to answer it."""

    server: "ChatServer"
    body: dict[str, Any]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({"path": self.path, "key": self.headers.get("Authorization"), **self.body})
        self.server.answer(self)

    def begin(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def event(self, text: str | None = None, finish: str | None = None) -> None:
        delta = {"role": "assistant", "content": text} if text is not None else {}
        chunk: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def say(self, *pieces: str, finish: str = "stop") -> None:
        """The pieces as a stream, and its proper end."""
        self.begin()
        for piece in pieces:
            self.event(piece)
        self.event(finish=finish)
        self.wfile.write(b"data: [DONE]\n\n")

    def cut(self, *pieces: str) -> None:
        """End in the middle, politely: only the missing finish reason tells."""
        self.begin()
        for piece in pieces:
            self.event(piece)

    def torn(self) -> None:
        """End in the middle of a chunk of a chunked reply."""
        self.protocol_version = "HTTP/1.1"
        self.begin(Transfer_Encoding="chunked")
        self.wfile.write(b"500\r\ndata: {")
        self.wfile.flush()
        self.close_connection = True

    def silent(self, seconds: float = 1.5) -> None:
        time.sleep(seconds)

    def pings(self, count: int = 40) -> None:
        """Keep the line alive and say nothing, as servers do whose model is being loaded."""
        self.begin()
        for _ in range(count):
            self.wfile.write(b": ping\n\n")
            self.wfile.flush()
            time.sleep(0.05)

    def drip(self) -> None:
        self.begin()
        for _ in range(40):
            self.event("very ")
            time.sleep(0.05)

    def endless(self) -> None:
        self.begin()
        for _ in range(2000):
            self.event("very long words ")

    def broken_stream(self) -> None:
        self.begin()
        self.wfile.write(b'data: {"choices": [{"del\n\ndata: [DONE]\n\n')

    def page(self) -> None:
        """A server for something else altogether."""
        self.begin(kind="text/html")
        self.wfile.write(b"<html>It works!</html>")

    def refuse(self, status: int, message: str, **headers: str) -> None:
        self.begin(status, "application/json", **headers)
        self.wfile.write(json.dumps({"error": {"message": message}}).encode())


class ChatServer(ThreadingHTTPServer):
    """Answers each request by ``answer``, and keeps the requests."""

    def __init__(self, answer: Callable[[Request], None]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """What goes into ``base_url``."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what some tests are about."""


@contextlib.contextmanager
def chat_server(answer: Callable[[Request], None]) -> Iterator[ChatServer]:
    """A server that runs while the context lasts."""
    server = ChatServer(answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
