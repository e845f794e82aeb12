"""The JSON API: answers, streams, articles, search, and what it says of requests that it cannot serve."""

import json
import re
import shlex
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from scripted import QUOTE, Scripted, served

from qa.answer import Answer
from ui.limits import RateLimit
from ui.loader import Loader


@pytest.fixture
def client(doors):
    return doors.client


def problem(response: httpx.Response) -> str:
    """The message of a problem, which is one line with the number of its request."""
    told = response.json()["error"]
    assert told["request"] == response.headers["x-request-id"]
    assert "\n" not in told["message"]
    assert "Traceback" not in response.text
    return told["message"]


def test_a_question_gets_its_cited_answer(client):
    response = client.post("/api/ask", json={"question": "when will Blinken arrive?"})
    assert response.status_code == 200
    answer = Answer.model_validate(response.json())
    assert answer.dates[0].value == "2023-11-08"
    assert answer.citations[0].quote == QUOTE


def test_history_and_filters_reach_the_assistant(doors):
    body = {
        "question": "and who?",
        "history": [{"role": "user", "content": "when?"}, {"role": "assistant", "content": "On Wednesday."}],
        "published_after": "2023-11-01",
        "sources": ["VOA Indonesia"],
        "languages": ["id"],
    }
    assert doors.client.post("/api/ask", json=body).status_code == 200
    assert doors.assistant.asked[-1] == ("and who?", [("user", "when?"), ("assistant", "On Wednesday.")])
    assert {name: str(value) for name, value in doors.assistant.filters[-1].items()} == {
        "published_after": "2023-11-01",
        "sources": "['VOA Indonesia']",
        "languages": "['id']",
    }


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"json": {"question": "when?", "stream": True}}, "application/x-ndjson"),
        ({"json": {"question": "when?"}, "headers": {"accept": "text/event-stream"}}, "text/event-stream"),
    ],
)
def test_an_answer_is_streamed(client, options, kind):
    response = client.post("/api/ask", **options)
    assert response.headers["content-type"].startswith(kind)
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    events = [json.loads(line) for line in lines]
    assert [event["name"] for event in events if event["type"] == "step"] == ["understand", "retrieve"]
    answer = Answer.model_validate(events[-1]["answer"])
    assert "".join(event["text"] for event in events if event["type"] == "text").strip() == answer.text


def test_what_goes_wrong_while_streaming_is_an_event(client, caplog):
    response = client.post("/api/ask", json={"question": "broken", "stream": True})
    assert response.status_code == 200
    last = json.loads(response.text.splitlines()[-1])
    assert last["type"] == "error"
    assert last["error"]["request"] == response.headers["x-request-id"]
    assert "secret" not in response.text
    assert last["error"]["request"] in caplog.text


def test_the_place_in_the_queue_is_told():
    made = Scripted()
    made.gate.clear()
    loader = Loader(lambda: made)
    loader.start()
    with served(loader) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        first = threading.Thread(target=client.post, args=("/api/ask",), kwargs={"json": {"question": "when?"}})
        first.start()
        while not loader.queue.serving:
            time.sleep(0.01)
        with client.stream("POST", "/api/ask", json={"question": "when?", "stream": True}) as response:
            lines = response.iter_lines()
            assert json.loads(next(lines)) == {"type": "waiting", "place": 1}
            made.gate.set()
            assert json.loads(list(lines)[-1])["type"] == "answer"
        first.join()


def test_who_leaves_gives_the_place_up():
    made = Scripted()
    made.gate.clear()
    loader = Loader(lambda: made)
    loader.start()
    with served(loader) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        held = loader.queue.join("somebody")
        with client.stream("POST", "/api/ask", json={"question": "when?", "stream": True}) as response:
            next(response.iter_lines())
            assert len(loader.queue) == 1
        while len(loader.queue):
            time.sleep(0.01)
        held.leave()
        made.gate.set()
        assert client.post("/api/ask", json={"question": "when?"}).status_code == 200
    assert [question for question, _ in made.asked] == ["when?"], "what nobody waited for was not worked on"


def test_an_error_that_was_not_foreseen_is_a_number(client, caplog):
    response = client.post("/api/ask", json={"question": "broken"})
    assert response.status_code == 500
    message = problem(response)
    assert "secret" not in response.text
    assert message.endswith(response.headers["x-request-id"])
    assert response.headers["x-request-id"] in caplog.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "question: Field required"),
        ({"question": ""}, "question: String should have at least 1 character"),
        ({"question": "x" * 2001}, "question: String should have at most 2000 characters"),
        ({"question": "when?", "model": "x"}, "model: Extra inputs are not permitted"),
        ({"question": "when?", "history": [["user", "x"]]}, "history.0: Input should be a valid dictionary"),
        ({"question": "when?", "published_after": 5}, "published_after: Value error, write a date like 2023-11-08"),
        ({"question": "when?", "published_after": "2023-13-01"}, "published_after: Input should be a valid date"),
        ({"question": "when?", "languages": ["en'; DROP TABLE articles"]}, "languages.0: String should match pattern"),
        ([], "the request: "),
    ],
)
def test_a_wrong_request_is_refused_in_one_line(client, body, said):
    response = client.post("/api/ask", json=body)
    assert response.status_code == 422
    assert problem(response).startswith(said)


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"question": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_refused(client, content):
    response = client.post("/api/ask", content=content, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500
    problem(response)


def test_a_foreseen_error_is_told_as_it_is(client):
    response = client.post("/api/ask", json={"question": "too long"})
    assert (response.status_code, problem(response)) == (
        503,
        "The question is too long; ask in at most 2000 characters",
    )


def test_articles_are_listed_page_by_page(client):
    first = client.get("/api/articles", params={"limit": 2}).json()
    second = client.get("/api/articles", params={"limit": 2, "offset": 2}).json()
    assert first["total"] == second["total"] == 3
    assert [article["id"] for article in first["articles"] + second["articles"]] == [
        "marapi",
        "news/blinken.txt",
        "undated",
    ]
    assert client.get("/api/articles", params={"language": "id"}).json()["total"] == 1
    assert client.get("/api/articles", params={"published_after": "2023-12-01"}).json()["total"] == 1
    assert client.get("/api/articles", params={"search": "blinken"}).json()["total"] == 1


def test_an_article_is_read(client, doors):
    found = client.get("/api/articles/news/blinken.txt").json()
    assert found == doors.index.article("news/blinken.txt").model_dump(mode="json")
    response = client.get("/api/articles/nothing")
    assert (response.status_code, problem(response)) == (404, "there is no such article; GET /api/articles lists them")


def test_passages_are_found(client, doors):
    (hit, *_) = client.get("/api/search", params={"query": "Blinken Seoul", "count": 2}).json()["hits"]
    assert hit["article"]["id"] == "news/blinken.txt"
    text = doors.index.article("news/blinken.txt").text
    assert text[hit["start"] : hit["end"]] == hit["passage"]
    assert client.get("/api/search", params={"query": "Blinken", "language": "en", "source": "nobody"}).json() == {
        "hits": []
    }
    assert problem(client.get("/api/search")) == "query: Field required"
    assert "Extra inputs" in problem(client.get("/api/search", params={"query": "x", "also": "y"}))


@pytest.mark.parametrize(("method", "route", "status"), [("GET", "ask", 405), ("GET", "nothing", 404)])
def test_a_route_that_is_not_there(client, method, route, status):
    response = client.request(method, f"/api/{route}")
    assert response.status_code == status
    problem(response)


def test_without_an_index_there_are_no_articles(tmp_path):
    loader = Loader(Scripted)
    loader.start()
    with served(loader, folder=tmp_path / "nothing") as address:
        for route in ("articles", "articles/a", "search?query=a"):
            response = httpx.get(f"{address}api/{route}", trust_env=False)
            assert response.status_code == 503
            assert "index" in problem(response)


def test_too_many_questions_are_told_when_to_come_back():
    loader = Loader(Scripted, limit=RateLimit(2))
    loader.start()
    with served(loader) as address, httpx.Client(base_url=address, trust_env=False) as client:
        codes = [client.post("/api/ask", json={"question": "when?"}).status_code for _ in range(2)]
        response = client.post("/api/ask", json={"question": "when?"})
        assert [*codes, response.status_code] == [200, 200, 429]
        assert 1 <= int(response.headers["retry-after"]) <= 60
        assert problem(response).startswith("at most 2 questions a minute")
        assert client.get("/api/search", params={"query": "x"}).status_code == 429


def test_the_description_names_every_route(client):
    described = client.get("/api/openapi.json").json()
    assert set(described["paths"]) == {"/ask", "/articles", "/articles/{article_id}", "/search"}
    assert described["servers"] == [{"url": "/api"}]


def test_an_answer_that_is_being_made_is_finished_when_the_server_stops():
    made, got = Scripted(), []
    made.gate.clear()
    loader = Loader(lambda: made)
    loader.start()

    def ask(address: str) -> None:
        got.append(httpx.post(f"{address}api/ask", json={"question": "when?"}, trust_env=False, timeout=60))

    with served(loader) as address:
        asking = threading.Thread(target=ask, args=(address,))
        asking.start()
        while not loader.queue.serving:
            time.sleep(0.01)
        threading.Timer(0.5, made.gate.set).start()  # the server is being stopped by then
    asking.join()
    assert got[0].json()["answerable"]


def test_readmes_request_gets_its_answer(client):
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^curl .*$", readme, re.MULTILINE)
    _, address, _, header, _, body = shlex.split(command)
    path = urlsplit(address).path
    name, value = header.split(": ")
    assert client.post(path, content=body, headers={name: value}).json()["answerable"]
