"""The chat page as a server: routes, hosts, questions by its API, errors, and a start that names what is wrong."""

import json
import logging
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from scripted import Scripted, served

from index.errors import KabarError
from qa.answer import Answer, Step
from ui import chrome
from ui.app import listen, serve, shared_loader
from ui.config import Settings
from ui.conversation import Conversation
from ui.errors import LimitError
from ui.examples import examples
from ui.loader import Loader
from ui.safety import POLICY, _without_port
from ui.visitor import Visitor
from ui.words import best_language

ROOT = Path(__file__).resolve().parents[2]


EN = Visitor("", "en", "address 127.0.0.1")


def loaded(make=Scripted) -> Loader:
    loader = Loader(make)
    loader.start()
    return loader


@pytest.fixture(scope="module")
def address():
    with served(loaded(), examples=[("when will Blinken arrive?", "en")]) as found:
        yield found


def fetch(url: str, body: bytes | None = None, **headers: str):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


# Questions


def talk(loader: Loader, question: str, conversation: Conversation | None = None) -> tuple[Conversation, list[str]]:
    conversation = conversation or Conversation()
    assert conversation.receive(question, "en")
    return conversation, list(conversation.reply(loader, EN))


def test_a_question_grows_into_its_answer():
    conversation, growing = talk(loaded(), "when will Blinken arrive?")
    assert any("Looking in 1,204 passages" in html for html in growing)
    assert any("partial" in html and "November" in html for html in growing)
    assert isinstance(conversation.turns[-1].answer, Answer)
    assert "<mark>" in growing[-1]
    assert "partial" not in growing[-1]
    assert conversation.current("en") == growing[-1]
    assert conversation.past("en") == ""


def test_history_is_what_was_asked_and_answered():
    assistant = Scripted()
    loader = loaded(lambda: assistant)
    conversation, _ = talk(loader, "when will Blinken arrive?")
    talk(loader, "too long", conversation)
    talk(loader, "and who comes?", conversation)
    said = conversation.turns[0].answer.text
    assert assistant.asked[-1] == ("and who comes?", [("user", "when will Blinken arrive?"), ("assistant", said)])


@pytest.mark.parametrize("asked", ["", "   ", "\n\t"])
def test_an_empty_question_gets_a_fixed_sentence(asked):
    assistant = Scripted()
    conversation, growing = talk(loaded(lambda: assistant), asked)
    assert growing == []
    assert conversation.turns[-1].error == "Please type a question."
    assert "Please type a question." in conversation.current("en")
    assert assistant.asked == []


def test_a_second_question_waits_until_the_first_is_answered():
    conversation = Conversation()
    assert conversation.receive("when will Blinken arrive?", "en")
    assert not conversation.receive("and who?", "en")
    growing = conversation.reply(loaded(), EN)
    next(growing)
    assert not conversation.receive("and who?", "en")
    assert list(conversation.reply(loaded(), EN)) == [], "nobody else answers it too"
    list(growing)
    assert conversation.receive("and who?", "en")
    assert [turn.question for turn in conversation.turns] == ["when will Blinken arrive?", "and who?"]


def test_a_reply_that_is_broken_off_frees_the_conversation():
    conversation = Conversation()
    conversation.receive("when will Blinken arrive?", "en")
    growing = conversation.reply(loaded(), EN)
    next(growing)
    growing.close()
    assert conversation.receive("and who?", "en")


def test_an_expected_error_is_shown_as_it_is():
    conversation, growing = talk(loaded(), "too long")
    assert conversation.turns[-1].error == "The question is too long; ask in at most 2000 characters"
    assert 'role="alert"' in growing[-1]


@pytest.mark.parametrize("question", ["broken", "silence"])
def test_an_unexpected_error_shows_the_number_that_the_log_has(question, caplog):
    with caplog.at_level(logging.ERROR, "kabar.ui"):
        conversation, growing = talk(loaded(), question)
    assert "secret" not in growing[-1]
    assert "Traceback" not in growing[-1]
    (record,) = caplog.records
    assert record.args[0] in conversation.turns[-1].error
    assert record.exc_info[0] is RuntimeError


def test_a_question_asked_while_the_models_load_waits_for_them():
    begin = threading.Event()

    def make():
        assert begin.wait(30)
        return Scripted()

    loader = loaded(make)
    conversation = Conversation()
    conversation.receive("when will Blinken arrive?", "en")
    growing = conversation.reply(loader, EN)
    assert "loading" in next(growing)
    assert loader.loading
    begin.set()
    list(growing)
    assert conversation.turns[-1].answer is not None
    assert not loader.loading


def test_an_assistant_that_cannot_be_made_is_an_error_on_the_page():
    def make():
        raise KabarError("No index at /x; make one with kabar index")

    loader = loaded(make)
    conversation, _ = talk(loader, "when?")
    assert conversation.turns[-1].error == "No index at /x; make one with kabar index"
    assert "No index at /x" in chrome.state(loader, "en")


def test_an_unforeseen_failure_to_load_keeps_its_details_in_the_log(caplog):
    def make():
        raise RuntimeError("a secret of the server")

    loader = loaded(make)
    with pytest.raises(RuntimeError):
        loader.assistant()
    assert "secret" not in chrome.state(loader, "en")
    assert "secret" in caplog.text


def test_steps_are_said_in_every_language_of_the_page():
    for language in ("en", "id", "ko", "ja", "ar", "es"):
        shown = chrome.step(Step(name="retrieve", count=1234), language)
        assert re.search("1[.,]?234", shown), shown
        assert "6" in chrome.step(Step(name="read", count=6), language)
        assert "3" in chrome.place(3, language)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("xx, id;q=0.3, ar;q=0.7", "ar"),
        ("*", "en"),
        ("en;q=nonsense, ja", "ja"),
        ("ko;q=0", "en"),
    ],
)
def test_language_of_the_page_is_the_browsers(accepted, language):
    assert best_language(accepted) == language


# The server


def test_page_and_health(address):
    status, headers, body = fetch(address)
    assert status == 200
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert b"kabar" in body
    assert json.loads(fetch(address + "health")[2]) == {"status": "alive"}
    assert json.loads(fetch(address + "ready")[2]) == {"status": "ready"}


def test_page_asks_nothing_of_other_machines(address):
    _, _, body = fetch(address)
    for other in (b"fonts.googleapis", b"fonts.gstatic", b"cdn.", b"api.gradio.app", b"huggingface"):
        assert other not in body
    config = json.loads(fetch(address + "config")[2])
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
    assert not config["footer_links"]


def test_not_ready_while_loading():
    begin = threading.Event()
    with served(loaded(lambda: begin.wait(30) and Scripted())) as place:
        assert fetch(place + "ready")[0] == 503
        assert json.loads(fetch(place + "ready")[2]) == {"status": "loading"}
        begin.set()


@pytest.mark.parametrize(
    "route",
    [
        "gradio_api/upload",
        "gradio_api/file=/etc/passwd",
        "gradio_api/file/etc/passwd",
        "gradio_api/proxy=https://example.org/",
        "gradio_api/vibe-edit/",
        "gradio_api/runs",
        "gradio_api/mcp/",
        "monitoring",
        "docs",
        "openapi.json",
        "nothing",
    ],
)
def test_routes_that_no_question_needs_are_shut(address, route):
    assert fetch(address + route)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_name_is_refused(address, host):
    assert fetch(address, Host=host)[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "LOCALHOST:1"])
def test_this_machines_names_are_served(address, host):
    assert fetch(address, Host=host)[0] == 200


@pytest.mark.parametrize("host", ["[::1]", "[::1]:7860"])
def test_port_is_no_part_of_a_host_name(host):
    assert _without_port(host) == "::1"


def test_a_page_of_another_site_cannot_send_questions(address):
    join = address + "gradio_api/queue/join"
    for origin, status in (("https://evil.example", 403), ("null", 403), (address.rstrip("/"), 422)):
        assert fetch(join, b"{}", Origin=origin)[0] == status


def test_gradio_client_asks_and_gets_the_cited_answer(address):
    from gradio_client import Client

    client = Client(address, verbose=False, analytics_enabled=False, httpx_kwargs={"trust_env": False})
    try:
        found = Answer.model_validate(client.predict("when will Blinken arrive?", api_name="/ask"))
        assert found.citations[0].quote in found.citations[0].passage
        assert found.dates[0].value == "2023-11-08"
        with pytest.raises(Exception, match="too long; ask in at most 2000"):
            client.predict("too long", api_name="/ask")
        with pytest.raises(Exception, match=r"logged as [0-9a-f]{12}\b") as caught:
            client.predict("broken", api_name="/ask")
        assert "secret" not in str(caught.value)
        assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/ask"]
    finally:
        client.close()


def test_a_taken_port_is_named():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(KabarError, match=rf"Port {port} at 127.0.0.1 is in use; .*--port"):
            serve(Settings(), host="127.0.0.1", port=port, assistant=Scripted)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_are_let_in_only_on_request(host):
    with pytest.raises(KabarError, match="--allow-remote"):
        listen(host, 0)


def test_listening_for_other_machines_on_request():
    with listen("0.0.0.0", 0, public=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


def test_an_unknown_host_is_named():
    with pytest.raises(KabarError, match="'no such host'"):
        listen("no such host", 0)


def test_import_of_the_command_line_does_not_load_gradio():
    found = subprocess.run(
        [sys.executable, "-c", "import sys, ui.app, ui.config; print('gradio' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == "False", found.stderr


def test_start_connects_to_nothing_but_this_machine(tmp_path):
    """A whole start in a process of its own, where every connection is written down."""
    script = tmp_path / "start.py"
    script.write_text(
        """
import socket, sys, threading, urllib.request
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
seen = []
real = socket.socket.connect
def connect(self, address):
    seen.append(address)
    return real(self, address)
socket.socket.connect = connect
lookup = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **named: (seen.append((host,)), lookup(host, *rest, **named))[1]
import os, signal
from scripted import Scripted
from ui.app import serve
from ui.config import Settings
def ready(address):
    def visit():
        urllib.request.urlopen(address).read()
        print(sorted({str(place[0]) for place in seen}), flush=True)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=visit).start()
serve(Settings(), port=0, assistant=Scripted, ready=ready)
""",
        encoding="utf-8",
    )
    found = subprocess.run(
        [sys.executable, str(script), str(ROOT)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "['127.0.0.1']"
    assert {path.name for path in tmp_path.iterdir()} <= {"start.py", "user-data"}


def test_the_limits_of_the_configuration_are_kept_and_its_queue_is_counted():
    limits = {"at_once": 1, "waiting": 1, "waiting_per_user": 2, "questions_per_minute": 3}
    loader = shared_loader(Settings(server=limits), Scripted)
    loader.start()
    with loader.queue.join("ana"), loader.queue.join("ana"):
        assert b"kabar_queue_waiting 1.0" in loader.metrics.text()
        with pytest.raises(LimitError, match="2 questions of yours wait already"):
            next(loader.stream("When?", history=[], user="ana"))
        with pytest.raises(LimitError, match="too many questions are waiting"):
            next(loader.stream("When?", history=[], user="ben"))
    for _ in range(2):
        *_, last = loader.stream("when will Blinken arrive?", history=[], user="ana")
        assert last.answerable
    with pytest.raises(LimitError, match="at most 3 questions a minute"):
        next(loader.stream("When?", history=[], user="ana"))


@pytest.mark.parametrize(("processes", "most"), [(1, None), (2, 1), (64, 3)])
def test_there_are_never_more_processes_than_cores_or_than_allowed(monkeypatch, processes, most):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    config = Settings(server={"processes": processes})
    assert getattr(shared_loader(config, Scripted, Scripted).helpers, "most", None) == most
    assert shared_loader(config, Scripted).helpers is None


# Examples


def test_examples_are_answerable_one_a_language_about_different_articles(tmp_path):
    questions = [
        {"question": "When?", "language": "en", "answerable": True, "article": "a"},
        {"question": "Who won?", "language": "id", "answerable": False, "article": "b"},
        {"question": "Kapan?", "language": "id", "answerable": True, "article": "a"},
        {"question": "Siapa?", "language": "id", "answerable": True, "article": "b"},
        {"question": "언제?", "language": "ko", "answerable": True, "article": "a"},
    ]
    (tmp_path / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    assert examples([tmp_path]) == [("When?", "en"), ("Siapa?", "id"), ("언제?", "ko")]
    assert examples([tmp_path], most=1) == [("When?", "en")]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, {}]", b'{"question": 1}', b"\xff\xfe"])
def test_a_broken_file_of_questions_is_as_good_as_none(tmp_path, content):
    (tmp_path / "questions.json").write_bytes(content)
    assert examples([tmp_path, tmp_path / "missing"]) == []


def test_the_sample_articles_have_examples_in_several_languages():
    found = examples([ROOT / "articles"])
    assert found[0] == ("when will Blinken arrive?", "en")
    assert len({language for _, language in found}) >= 6


def test_server_settings():
    assert (Settings().server.host, Settings().server.port) == ("127.0.0.1", 7860)
    assert socket.inet_aton(Settings().server.host)[0] == 127
