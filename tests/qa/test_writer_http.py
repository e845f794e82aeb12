"""Writers behind a real HTTP connection on loopback: llama.cpp's own server, and a server that misbehaves by script."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from qa.config import WriterConfig
from qa.errors import WriterError
from qa.writer import Writer, open_writer

SENTENCE = "Hujan lebat menutup jalan utama."
PIECES = ["Heavy rain ", "closed the ", "main road."]


class Script(BaseHTTPRequestHandler):
    """Answers a chat request in the way that the model's name asks for; keeps what it was sent."""

    requests: ClassVar[list[dict[str, Any]]] = []

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
        getattr(self, body["model"].replace("-", "_"))()

    def _begin(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _event(self, text: str | None = None, finish: str | None = None) -> None:
        delta = {"role": "assistant", "content": text} if text is not None else {}
        chunk: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def good(self) -> None:
        self._begin()
        for piece in PIECES:
            self._event(piece)
        self._event(finish="stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def cut(self) -> None:
        """End in the middle, politely: only the missing finish reason tells."""
        self._begin()
        self._event(PIECES[0])

    def torn(self) -> None:
        """End in the middle of a chunk of a chunked reply."""
        self.protocol_version = "HTTP/1.1"
        self._begin(Transfer_Encoding="chunked")
        self.wfile.write(b"500\r\ndata: {")
        self.wfile.flush()
        self.close_connection = True

    def limit(self) -> None:
        self._begin()
        self._event(PIECES[0])
        self._event(finish="length")

    def slow(self) -> None:
        time.sleep(1.5)

    def drip(self) -> None:
        self._begin()
        for _ in range(40):
            self._event("very ")
            time.sleep(0.05)

    def endless(self) -> None:
        self._begin()
        for _ in range(2000):
            self._event("very long words ")

    def broken(self) -> None:
        self._begin()
        self.wfile.write(b'data: {"choices": [{"del\n\ndata: [DONE]\n\n')

    def other(self) -> None:
        self._begin(kind="text/html")
        self.wfile.write(b"<html>It works!</html>")

    def busy(self) -> None:
        self._begin(429, "application/json", Retry_After="30")
        self.wfile.write(b'{"error": {"message": "Rate limit reached"}}')

    def secret(self) -> None:
        self._begin(401, "application/json")
        self.wfile.write(b'{"error": {"message": "Incorrect API key"}}')

    def failing(self) -> None:
        self._begin(500, "application/json")
        self.wfile.write(b'{"error": {"message": "out of memory"}}')


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is what some of these tests are about."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Script)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def opened(model: str, address: str, timeout: float = 0.6) -> Writer:
    writer = open_writer(WriterConfig(model=model, base_url=address, timeout=timeout))
    assert writer is not None
    return writer


def test_a_rendering_is_streamed(address: str) -> None:
    Script.requests.clear()
    pieces = list(opened("openai:good", address, timeout=20).translate(SENTENCE, "id", "en"))
    assert "".join(pieces) == "".join(PIECES)
    assert len(pieces) > 1
    (request,) = Script.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["stream"] is True
    assert request["temperature"] == 0
    assert [message["role"] for message in request["messages"][:3]] == ["system", "user", "assistant"]
    assert SENTENCE in request["messages"][-1]["content"]


def test_the_key_of_the_environment_is_used(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    Script.requests.clear()
    list(opened("openai:good", address, timeout=20).translate(SENTENCE, "id", "en"))
    assert Script.requests[0]["key"] == "Bearer sk-test"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("cut", "connection ended in the middle"),
        ("torn", "RemoteProtocolError|connection|cannot be reached"),
        ("limit", "was cut"),
        ("slow", r"did not answer within 0\.6 s"),
        ("drip", r"no whole sentence within 0\.6 s"),
        ("endless", "does not stop writing"),
        ("broken", "JSON"),
        ("other", r"nothing that can be read; see writer\.base_url"),
        ("busy", "429"),
        ("secret", "refuses the key"),
        ("failing", "out of memory"),
    ],
)
def test_what_goes_wrong_is_one_clear_error(address: str, model: str, reason: str) -> None:
    writer = opened(f"openai:{model}", address, timeout=0.6 if model in ("slow", "drip") else 20)
    begun = time.monotonic()
    with pytest.raises(WriterError, match=reason) as caught:
        list(writer.translate(SENTENCE, "id", "en"))
    assert time.monotonic() - begun < 5, "it waited or tried again"
    assert str(caught.value).startswith(f"writer openai:{model}: ")
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(WriterError, match=r"cannot be reached; see writer\.base_url"):
        list(opened("openai:gone", "http://127.0.0.1:9/v1", timeout=5).translate(SENTENCE, "id", "en"))
    with pytest.raises(WriterError, match=r"writer ollama:gone: .*cannot be reached"):
        list(opened("ollama:gone", "http://127.0.0.1:9", timeout=5).translate(SENTENCE, "id", "en"))


@pytest.mark.models
def test_llama_cpp_serves_the_same_sentence_over_http() -> None:
    import xllamacpp

    from qa.gemma import weights

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.n_ctx = 1024
    parameters.n_predict = 40
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.verbosity = -1
    parameters.warmup = parameters.ui = parameters.fit_params = False
    server = xllamacpp.Server(parameters)
    writer = opened("openai:gemma", f"{server.listening_address}/v1", timeout=60)
    rendering = "".join(writer.translate(SENTENCE, "id", "en"))
    assert rendering
    assert "\n" not in rendering
