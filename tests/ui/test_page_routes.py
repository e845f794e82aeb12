"""The page's own routes: each visitor reaches their own conversations alone, and whatever is text stays text."""

from datetime import date

import pytest
from fakes import WordEncoder
from fastapi import FastAPI
from markdown_it import MarkdownIt
from scripted import PASSAGE, QUOTE, Scripted, scripted_answer
from starlette.testclient import TestClient

from index.article import Article
from index.config import IndexConfig
from index.index import Index
from index.update import add
from qa.config import Settings
from ui.history import History
from ui.identity import Caller
from ui.loader import Loader
from ui.page_routes import page_routes
from ui.turn import Turn

ATTACKS = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    '"><svg onload=alert(1)>',
    "</title><script>alert(1)</script>",
    "' OR 1=1; DROP TABLE turns; --",
    "javascript:alert(1)",
    "\u202eevil\u202c",
]
FOREIGN = ["<script", "<img", "<svg onload", 'href="javascript:', "</title><"]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    settings = Settings(index=IndexConfig(path=tmp_path_factory.mktemp("index")))
    encoder = WordEncoder()
    article = Article(
        id="blinken", title="Blinken ke Seoul", text=PASSAGE, language="id", source="VOA Indonesia",
        url="https://example.org/blinken", published=date(2023, 11, 1), published_from="dateline",
    )  # fmt: skip
    hostile = Article(id="hostile", title=ATTACKS[0], text=f"{ATTACKS[1]} {QUOTE}", url=ATTACKS[7], source=ATTACKS[4])
    add([article, hostile], folder=settings.index.path, settings=settings, encoder=encoder)
    with Index(settings.index.path, settings, encoder) as opened:
        yield opened


@pytest.fixture
def history(tmp_path):
    opened = History(tmp_path / "history.sqlite")
    opened.put("ann", "c1", [Turn(number=1, id="t1", question="when?", answer=scripted_answer("when?"))])
    yield opened
    opened.close()


@pytest.fixture
def client(index, history):
    loader = Loader(lambda: Scripted(index))
    loader.start()
    loader.assistant()
    return lambda user="ann", kept=history: TestClient(_app(loader, kept, user))


def _app(loader, history, user):
    app = FastAPI()
    app.include_router(page_routes(loader, history))

    async def signed_in(scope, receive, send):
        await app(scope | {"user": Caller(user)} if scope["type"] == "http" else scope, receive, send)

    return signed_in


def test_conversations_are_listed_searched_renamed_shared_and_deleted(client):
    ann = client()
    assert "when?" in ann.get("/page/history").text
    assert 'aria-current="page"' in ann.get("/page/history?current=c1").text
    assert "Nothing found" in ann.get("/page/history?search=unheard").text
    assert "Arrival" in ann.post("/page/history/c1/title", json={"title": "Arrival"}).text
    shared = ann.post("/page/history/c1/share").text
    token = shared.split('data-link="shared/')[1].split('"')[0]
    page = client("bob").get(f"/shared/{token}")
    assert "Wednesday, 8 November 2023" in page.text
    assert "data-act" not in page.text
    assert "data-judge" not in page.text
    assert ann.post("/page/history/c1/unshare").status_code == 200
    assert client("bob").get(f"/shared/{token}").status_code == 404
    assert "No conversations yet" in ann.delete("/page/history/c1").text
    assert ann.get("/page/history/c1.json").status_code == 404


REACHES = [
    ("GET", "/page/history/c1.json", None),
    ("GET", "/page/history/c1.md", None),
    ("POST", "/page/history/c1/title", {"title": "mine"}),
    ("POST", "/page/history/c1/share", None),
    ("POST", "/page/history/c1/unshare", None),
    ("DELETE", "/page/history/c1", None),
    ("POST", "/page/feedback", {"conversation": "c1", "turn": "t1", "verdict": "wrong"}),
    ("GET", "/shared/c1", None),
    ("GET", "/shared/t1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REACHES)
def test_anothers_conversation_is_as_unknown_as_none(client, history, method, path, body):
    bob = client("bob")
    assert bob.request(method, path, json=body).status_code == 404
    unknown = bob.request(method, path.replace("c1", "c2"), json=body and body | {"conversation": "c2"})
    assert unknown.status_code == 404
    assert unknown.json() == bob.request(method, path, json=body).json()
    bob.delete("/page/history")
    assert history.get("ann", "c1").summary.title == "when?"
    assert history.feedback() == []


@pytest.mark.parametrize("path", ["/page/history", "/page/history/c1.json", "/shared/x"])
def test_without_history_nothing_is_found(client, path):
    assert client(kept=None).get(path).status_code == 404


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_is_text_in_every_view(client, history, attack):
    cited = scripted_answer(attack).citations[0]
    cited = cited.model_copy(
        update={"title": attack, "source": attack, "url": attack, "quote": attack, "passage": attack}
        | {"passage_start": 0, "end": len(attack)}
    )
    answer = scripted_answer(attack, text=f"{attack} [1]", short=attack, citations=(cited,), dates=())
    history.put("ann", "evil", [Turn(number=1, question=attack, answer=answer)])
    ann = client()
    token = history.share("ann", "evil")
    for path in ("/page/history", f"/page/history?search={attack}", f"/shared/{token}"):
        shown = ann.get(path).text.split("</style>")[-1].split("<script>{")[0]
        assert not [part for part in FOREIGN if part in shown], path
    rendered = MarkdownIt("commonmark").render(ann.get("/page/history/evil.md").text)
    assert not [part for part in [*FOREIGN, "<a href", "<img"] if part in rendered.replace('<a href="https://', "")]
    exported = ann.get("/page/history/evil.json")
    assert exported.json()["turns"][0]["question"] == attack
    assert exported.headers["content-disposition"].startswith('attachment; filename="kabar-')
    assert ann.post("/page/history/evil/title", json={"title": attack}).status_code == 200
    assert history.get("ann", "evil").summary.title == attack


def test_exports_hold_the_evidence(client):
    ann = client()
    markdown = MarkdownIt("commonmark").render(ann.get("/page/history/c1.md").text)
    assert "<h2>when?</h2>" in markdown
    assert QUOTE in markdown
    assert '<a href="https://example.org/blinken">' in markdown
    turn = ann.get("/page/history/c1.json").json()["turns"][0]
    assert turn["answer"]["citations"][0]["quote"] == QUOTE


def test_an_article_is_shown_whole_with_its_sentence_marked(client):
    start = PASSAGE.index(QUOTE)
    shown = client().get("/page/article", params={"id": "blinken", "start": start, "end": start + len(QUOTE)}).text
    assert f"<mark>{QUOTE}</mark>" in shown
    assert "Park Jin" in shown
    assert 'rel="noopener noreferrer nofollow"' in shown
    hostile = client().get("/page/article", params={"id": "hostile", "start": 0, "end": 5}).text
    assert not [part for part in FOREIGN if part in hostile]
    assert "href" not in hostile


@pytest.mark.parametrize(
    "asked", [{"id": "unknown"}, {"start": -1}, {"end": 10_000}, {"start": 9, "end": 9}, {"id": "' OR 1=1 --"}]
)
def test_a_place_that_no_article_has_is_nothing(client, asked):
    place = {"id": "blinken", "start": 0, "end": 5} | asked
    response = client().get("/page/article", params=place)
    assert (response.status_code, response.content) == (204, b"")


def test_feedback_is_kept_with_the_answer(client, history):
    ann = client()
    given = {"conversation": "c1", "turn": "t1", "verdict": "wrong", "remark": "a day late"}
    assert ann.post("/page/feedback", json=given).json() == {"verdict": "wrong"}
    assert history.feedback()[0].remark == "a day late"
    assert ann.post("/page/feedback", json=given | {"verdict": None}).status_code == 200
    assert history.feedback() == []
    assert ann.post("/page/feedback", json=given | {"verdict": "perhaps"}).status_code == 422


def test_language_is_the_cookies_then_the_browsers(client):
    ann = client()
    ann.delete("/page/history")
    assert "No conversations yet" in ann.get("/page/history").text
    assert "Belum ada" in ann.get("/page/history", headers={"accept-language": "id"}).text
    cookie = {"accept-language": "id", "cookie": "kabar-language=es"}
    assert "Todavía" in ann.get("/page/history", headers=cookie).text
    broken = {"accept-language": "id", "cookie": "kabar-language=<script>"}
    assert "Belum ada" in ann.get("/page/history", headers=broken).text
