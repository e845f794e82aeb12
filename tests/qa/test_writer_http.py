"""Writers behind a real HTTP connection on loopback: llama.cpp's own server, and a server that misbehaves by script."""

import threading
import time
from collections.abc import Iterator

import pytest
from chat_server import KEYS, ChatServer, Request, chat_server

from qa.config import WriterConfig
from qa.errors import WriterError
from qa.writer import Writer, open_writer

SENTENCE = "Hujan lebat menutup jalan utama."
PIECES = ["Heavy rain ", "closed the ", "main road."]


WAYS = {
    "good": lambda request: request.say(*PIECES),
    "cut": lambda request: request.cut(PIECES[0]),
    "torn": Request.torn,
    "limit": lambda request: request.say(PIECES[0], finish="length"),
    "slow": Request.silent,
    "drip": Request.drip,
    "pings": Request.pings,
    "endless": Request.endless,
    "broken": Request.broken_stream,
    "other": Request.page,
    "busy": lambda request: request.refuse(429, "Rate limit reached", Retry_After="30"),
    "secret": lambda request: request.refuse(401, "Incorrect API key"),
    "failing": lambda request: request.refuse(500, "out of memory"),
}
"""How the server answers, by the name of the model that is asked."""


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with chat_server(lambda request: WAYS[request.body["model"]](request)) as server:
        yield server


@pytest.fixture
def address(server: ChatServer) -> str:
    server.requests.clear()
    return server.address


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


def opened(model: str, address: str, timeout: float = 0.6) -> Writer:
    writer = open_writer(WriterConfig(model=model, base_url=address, timeout=timeout))
    assert writer is not None
    return writer


def test_a_rendering_is_streamed(server: ChatServer, address: str) -> None:
    pieces = list(opened("openai:good", address, timeout=20).translate(SENTENCE, "id", "en"))
    assert "".join(pieces) == "".join(PIECES)
    assert len(pieces) > 1
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["stream"] is True
    assert request["temperature"] == 0
    assert [message["role"] for message in request["messages"][:3]] == ["system", "user", "assistant"]
    assert SENTENCE in request["messages"][-1]["content"]


def test_the_key_of_the_environment_is_used(server: ChatServer, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    list(opened("openai:good", address, timeout=20).translate(SENTENCE, "id", "en"))
    assert server.requests[0]["key"] == "Bearer sk-test"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("cut", "connection ended in the middle"),
        ("torn", "RemoteProtocolError|connection|cannot be reached"),
        ("limit", "was cut"),
        ("slow", r"did not answer within 0\.6 s"),
        ("drip", r"did not answer within 0\.6 s"),
        ("pings", r"did not answer within 0\.6 s"),
        ("endless", "does not stop writing"),
        ("broken", "JSON"),
        ("other", r"nothing that can be read; see writer\.base_url"),
        ("busy", "429"),
        ("secret", "refuses the key"),
        ("failing", "out of memory"),
    ],
)
def test_what_goes_wrong_is_one_clear_error(address: str, model: str, reason: str) -> None:
    writer = opened(f"openai:{model}", address, timeout=0.6 if model in ("slow", "drip", "pings") else 20)
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
    # The reply is left after its first line. The server ends with the last connection, and lets no thread of Python do
    # anything meanwhile.
    for thread in threading.enumerate():
        if thread.name == "kabar-chat-model":
            thread.join(30)
    assert rendering
    assert "\n" not in rendering
