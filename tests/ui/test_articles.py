"""The Articles page over HTTP, without a browser: what it shows, what it does, and what it refuses."""

import contextlib
import html
import io
import json
import re
import socket
import threading
import zipfile
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from articles_desk import Desk, wait_for
from fakes import WordEncoder
from scripted import Scripted, served
from starlette.testclient import TestClient
from web_server import Reply, WebServer

from index.article import Article
from index.index import Index
from index.listing import open_listing
from index.passage import titled
from index.store import ARTICLES_FILE, Writer
from ui.articles import open_articles
from ui.articles_words import duration, languages, number, words
from ui.articles_work import MOST_WAITING, Work
from ui.loader import Loader
from ui.safety import POLICY, Guard

ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def news(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    articles = [
        {"id": "bridge", "title": "Bridge opens", "text": "The bridge opened in Hull.", "source": "Daily"},
        {"id": "busan", "title": "Paduan suara", "text": "Paduan suara tiba di Busan.", "language": "id"},
        {"id": "port", "title": "ميناء جديد", "text": "افتتح الميناء الجديد أمس.", "language": "ar"},
    ]
    for place, article in enumerate(articles):
        article |= {"published": f"2024-05-0{place + 1}", "url": f"https://example.org/{article['id']}"}
        (folder / f"{article['id']}.json").write_text(json.dumps(article), encoding="utf-8")
    (folder / "plain.txt").write_text("Dermaga\nDi Palembang (3/6) dermaga dibuka, Senin (3/6/2024).", encoding="utf-8")
    return folder


@pytest.fixture
def desk(tmp_path: Path, news: Path):
    made = Desk(tmp_path, places=[news])
    made.index()
    yield made
    made.encoder.gate.set()
    made.work.close()


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return TestClient(desk.app, follow_redirects=False)


def titles(page: str) -> list[str]:
    return re.findall(r"data-article><bdi [^>]*>(.*?)</bdi>", page)


def post(client: TestClient, route: str, status: int = 303, **form):
    answer = client.post(f"/articles/{route}", **form)
    assert answer.status_code == status, answer.text
    return answer.text


# What is shown


def test_table_has_title_source_language_date_and_passages(client):
    page = client.get("/articles").text
    assert titles(page) == ["Dermaga", "ميناء جديد", "Paduan suara", "Bridge opens"]
    (row,) = re.findall(r"<tr>((?:(?!</tr>).)*Bridge opens.*?)</tr>", page)
    assert '<td class="source" data-label="Source"><bdi dir="auto">Daily</bdi></td>' in row
    assert '<td class="language" data-label="Language">English</td>' in row
    assert '<time datetime="2024-05-01">1 May 2024</time></td>' in row, "its date is stated"
    assert '<td class="passages" data-label="Passages">1</td>' in row
    (plain,) = re.findall(r"<tr>((?:(?!</tr>).)*Dermaga.*?)</tr>", page)
    assert '<em class="guess">inferred</em>' in plain
    assert '<bdi lang="ar" dir="rtl">ميناء جديد</bdi>' in page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=busan", ["Paduan suara"]),
        ("search=palembang", ["Dermaga"]),
        ("search=nothing+like+it", []),
        ("language=ar", ["ميناء جديد"]),
        ("source=Daily", ["Bridge opens"]),
        ("after=2024-05-03", ["Dermaga", "ميناء جديد"]),
        ("before=2024-05-01", ["Bridge opens"]),
        ("after=never&before=2024-13-41&page=x", ["Dermaga", "ميناء جديد", "Paduan suara", "Bridge opens"]),
        ("page=99999999999999", ["Dermaga", "ميناء جديد", "Paduan suara", "Bridge opens"]),
        ("page=99999", ["Dermaga", "ميناء جديد", "Paduan suara", "Bridge opens"]),
        ("page=²", ["Dermaga", "ميناء جديد", "Paduan suara", "Bridge opens"]),
        ("search=%00%22*%ff&language=%27", []),
    ],
)
def test_what_the_address_asks_for(client, query, expected):
    assert titles(client.get(f"/articles?{query}").text) == expected


def test_filters_show_what_was_chosen(client):
    page = client.get("/articles?search=%22x%22&language=xx&source=Nobody&after=2024-05-01").text
    assert 'name="search" value="&quot;x&quot;"' in page
    assert '<option value="xx" selected>' in page
    assert '<option value="Nobody" selected>' in page
    assert 'name="after" value="2024-05-01"' in page
    assert "No article fits." in page


def many(desk: Desk, count: int) -> None:
    with Index(desk.settings.index.path, desk.settings, desk.encoder) as index:
        index.add(
            Article(
                id=f"{place:04}", title=f"Number {place}", text=f"Words {place}.", language="en",
                published=date(2020, 1, 1) + timedelta(place), published_from="metadata",
            )
            for place in range(count)
        )  # fmt: skip


def test_pages_turn_and_keep_what_was_chosen(client, desk):
    many(desk, 120)
    first = client.get("/articles?language=en&search=number").text
    assert titles(first) == [f"Number {place}" for place in range(119, 69, -1)]
    assert "Articles: 120" in first
    assert "Page 1 of 3" in first
    (following,) = re.findall(r'rel="next" href="([^"]*)"', first)
    second = client.get(html.unescape(following)).text
    assert titles(second)[0] == "Number 69"
    assert 'rel="prev" href="/articles?search=number&amp;language=en"' in second
    last = client.get("/articles?language=en&search=number&page=3").text
    assert len(titles(last)) == 20
    assert 'rel="next"' not in last


def test_picture_says_what_it_shows(client, desk):
    many(desk, 120)
    page = client.get("/articles?before=2024-12-31").text
    (picture,) = re.findall(r"<svg.*?</svg>", page)
    assert 'role="img"' in picture
    assert "<title id=" in picture
    assert "From January 2020 to May 2024; most, 31: January 2020." in html.unescape(picture)
    drawn = re.findall(r"<g><title>(.*?)</title>", picture)
    assert drawn[0] == "January 2020: 31"
    assert drawn[-1] == "May 2024: 3"
    rows = dict(re.findall(r'<th scope="row">(.*?)</th>.*?<td>(\d+)</td></tr>', page))
    assert rows == {"English": "121", "Indonesian": "1", "Arabic": "1"}
    table = re.findall(r"<tr><td>(.*?)</td><td>(\d+)</td></tr>", page)
    assert sum(int(count) for _, count in table) == 123
    assert "January 2020" not in client.get("/articles?language=ar").text, "the picture is of what was chosen"


def test_an_article_is_shown_with_its_text_and_places(client, news):
    answer = client.get("/articles/show?id=port")
    assert '<h2 class="title" id="panel-title" lang="ar" dir="rtl">ميناء جديد</h2>' in answer.text
    assert "افتتح الميناء الجديد أمس." in answer.text
    assert f'<bdi dir="ltr">{news / "port.json"}</bdi>' in answer.text
    assert 'href="https://example.org/port" target="_blank" rel="noopener noreferrer nofollow"' in answer.text
    part = client.get("/articles/show?id=port&part=1").text
    assert part.startswith("<article")
    assert part in answer.text
    assert client.get("/articles/show?id=nothing").status_code == 404
    assert client.get("/articles/show").status_code == 404


def test_nothing_that_an_article_says_becomes_markup(client, desk):
    with Index(desk.settings.index.path, desk.settings, desk.encoder) as index:
        index.add(
            [Article(id=f"{ATTACK}\n{ATTACK}", title=ATTACK, text=f"{ATTACK} words.", source=ATTACK, language=ATTACK,
                     url=f"javascript:{ATTACK}")]
        )  # fmt: skip
    page = client.get("/articles").text
    (link,) = [found for found in re.findall(r'href="(/articles/show[^"]*)"', page) if "script" in found]
    shown = client.get(html.unescape(link)).text
    confirmation = post(client, "remove", 200, data={"id": f"{ATTACK}\r\n{ATTACK}"})
    searched = client.get("/articles", params={"search": ATTACK, "source": ATTACK, "language": ATTACK}).text
    for found in (page, shown, confirmation, searched):
        assert html.escape(ATTACK) in found
        assert "<script>alert" not in found
        assert "<img" not in found
    assert "javascript:" not in shown


def test_page_speaks_the_readers_language(client):
    page = client.get("/articles", headers={"accept-language": "ar"}).text
    assert '<html lang="ar" dir="rtl">' in page
    assert words("add_articles", "ar") in page
    chosen = client.get("/articles", headers={"accept-language": "ar", "cookie": "kabar-language=ko"}).text
    assert '<html lang="ko" dir="ltr">' in chosen
    assert client.get("/articles", headers={"accept-language": "xx"}).text.count('<html lang="en"') == 1


def test_every_language_has_every_word_with_its_placeholders():
    table = json.loads((Path(__file__).parents[2] / "ui/data/articles.json").read_text(encoding="utf-8"))
    placeholders = {key: sorted(re.findall(r"{\w+}", said)) for key, said in table["en"].items()}
    for language in languages():
        said = table[language]
        assert {key: sorted(re.findall(r"{\w+}", text)) for key, text in said.items()} == placeholders, language
        assert all(text.strip() == text for text in said.values()), language


def test_numbers_and_times():
    assert number(12345, "en") == "12,345"
    assert number(12345, "de") == "12.345"
    assert (duration(65), duration(3661.4)) == ("1:05", "1:01:01")


def test_without_an_index_there_is_a_page_to_add_with(tmp_path):
    desk = Desk(tmp_path)
    client = TestClient(desk.app)
    page = client.get("/articles").text
    assert "There are no articles yet." in page
    assert '<details class="adding" open>' in page
    assert client.get("/articles/show?id=x").status_code == 503
    assert client.get("/articles/work").status_code == 200


def test_a_damaged_index_is_named(tmp_path):
    desk = Desk(tmp_path)
    desk.settings.index.path.mkdir()
    (desk.settings.index.path / ARTICLES_FILE).write_bytes(b"no database" * 1000)
    answer = TestClient(desk.app).get("/articles")
    assert answer.status_code == 503
    assert "kabar doctor" in answer.text


# What is done


def test_a_pasted_text_is_an_article(client, desk):
    form = {"text": "The ferry sailed.\r\nAt dawn.", "title": "Ferry", "source": "Daily", "published": "2024-06-01"}
    post(client, "paste", data=form)
    desk.until_done()
    page = client.get("/articles").text
    assert "Ferry" in titles(page)
    assert "New: 1, changed: 0" in page
    with open_listing(desk.settings.index.path) as listing:
        article = listing.article("ferry.txt")
    assert (article.text, article.source) == ("The ferry sailed.\nAt dawn.", "Daily")
    assert (article.published, article.published_from) == (date(2024, 6, 1), "metadata")


def test_uploaded_files_are_articles_and_problems_are_named(client, desk):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("tram.txt", "Tram\nA tram runs in Basel.")
    files = [
        ("file", ("ferry.txt", b"Ferry\nThe ferry sailed.")),
        ("file", ("packed.zip", packed.getvalue())),
        ("file", ("broken.json", b"{")),
    ]
    post(client, "upload", files=files)
    desk.until_done()
    page = client.get("/articles").text
    assert {"Ferry", "Tram"} <= set(titles(page))
    assert re.search(r"Not read:</strong> <bdi dir=\"auto\">broken.json</bdi>: <bdi dir=\"auto\">\S+", page)
    assert [path.name for path in desk.work.added.files()] == ["ferry.txt", "packed.zip"]


def test_a_file_of_another_kind_is_refused_and_the_others_are_added(client, desk):
    files = [("file", ("a.png", b"x")), ("file", ("ferry.txt", b"Ferry\nThe ferry sailed."))]
    assert "a.png: no kind of file that is read" in post(client, "upload", 400, files=files)
    desk.until_done()
    assert "Ferry" in titles(client.get("/articles").text)


def test_an_address_is_fetched(client, desk):
    with WebServer() as web:
        body = "<article><h1>Boat sails</h1>" + "<p>The boat sailed from Aomori at dawn with forty people.</p>" * 3
        web.pages["/boat"] = Reply(f"<html><body>{body}</article></body></html>", headers={"Content-Type": "text/html"})
        post(client, "fetch", data={"address": f" {web.url('/boat')} "})
        desk.until_done()
    assert "Boat sails" in titles(client.get("/articles").text)
    assert desk.work.added.addresses() == [web.url("/boat")]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/", "gopher", "http://u:p@example.org/"])
def test_what_is_no_address_is_refused(client, desk, address):
    assert 'class="error"' in post(client, "fetch", 400, data={"address": address})
    assert desk.work.jobs() == []


def test_private_addresses_are_refused(tmp_path):
    desk = Desk(tmp_path)
    desk.work.settings = desk.settings.model_copy(
        update={"fetch": desk.settings.fetch.model_copy(update={"trusted_hosts": ()})}
    )
    with WebServer() as web:
        post(TestClient(desk.app, follow_redirects=False), "fetch", data={"address": web.url("/")})
        desk.until_done()
        assert web.requests == []
    (job,) = desk.work.jobs()
    assert len(job.report.problems) == 1
    desk.work.close()


@pytest.mark.parametrize(
    ("route", "form"),
    [
        ("paste", {"data": {"text": "  "}}),
        ("paste", {}),
        ("fetch", {"data": {"address": " "}}),
        ("upload", {"data": {"file": "no file"}}),
        ("upload", {"files": [("file", ("", b""))]}),
    ],
)
def test_nothing_given_is_said(client, desk, route, form):
    assert "Choose a file, paste a text or give an address." in post(client, route, 400, **form)
    assert desk.work.jobs() == []


def test_a_text_without_words_is_refused(client):
    assert "no text" in post(client, "paste", 400, data={"text": "—"})


def test_what_is_no_form_is_refused(client):
    wrong = {"content": b"--x\r\nnonsense", "headers": {"content-type": "multipart/form-data; boundary=x"}}
    post(client, "upload", 400, **wrong)
    post(client, "upload", 400, content=b"{}", headers={"content-type": "application/json"})


def test_more_than_the_limit_is_refused_however_it_is_sent(client, desk):
    large = b"x" * 1_200_000
    assert "more than 1 MB" in post(client, "upload", 413, files=[("file", ("a.txt", large))])
    boundary = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'

    def pieces():
        yield boundary
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    post(client, "upload", 413, content=pieces(), headers=headers)
    assert desk.work.added.files() == []
    assert desk.work.jobs() == []


def test_removal_asks_first_and_then_removes(client, desk, news):
    question = post(client, "remove", 200, data={"id": ["bridge", "port", "nothing"]})
    assert "Remove these articles?" in question
    assert question.count('type="hidden" name="id"') == 2
    assert "Bridge opens" in titles(client.get("/articles").text)
    post(client, "remove", data={"id": ["bridge", "port"], "sure": "yes"})
    desk.until_done()
    assert titles(client.get("/articles").text) == ["Dermaga", "Paduan suara"]
    assert (news / "bridge.json").exists(), "the operator's file stays"
    post(client, "rebuild")
    desk.until_done()
    assert titles(client.get("/articles").text) == ["Dermaga", "Paduan suara"], "and does not bring it back"


def test_removal_of_nothing_is_said(client):
    assert "Select the articles" in post(client, "remove", 400, data={})
    assert "not here any more" in post(client, "remove", 400, data={"id": "nothing"})


def test_reading_everything_again_says_what_changed(client, desk, news):
    post(client, "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
    (news / "bridge.json").unlink()
    (news / "busan.json").write_text(
        '{"id": "busan", "title": "Paduan suara", "text": "Lain sekali isinya.", "language": "id"}', encoding="utf-8"
    )
    (news / "tram.txt").write_text("Tram\nA tram runs in Basel.", encoding="utf-8")
    post(client, "rebuild")
    desk.until_done()
    page = client.get("/articles").text
    assert "New: 1, changed: 1, removed: 1, unchanged: 3." in page
    assert {"Ferry", "Tram"} <= set(titles(page))


def test_read_only_shows_and_changes_nothing(tmp_path, news):
    desk = Desk(tmp_path, places=[news], editable=False)
    desk.index()
    client = TestClient(desk.app)
    page = client.get("/articles").text
    assert "Articles cannot be changed here." in page
    assert 'method="post"' not in page
    assert '<input type="checkbox"' not in page
    for route in ("upload", "paste", "fetch", "remove", "rebuild", "stop"):
        post(client, route, 403, data={"id": "bridge", "sure": "yes", "text": "x", "address": "https://example.org/"})
    assert len(titles(client.get("/articles").text)) == 4
    shown = client.get("/articles/show?id=bridge").text
    assert "bridge.json" in shown
    assert str(tmp_path) not in shown


# How far it is


def test_progress_is_shown_and_what_waits(client, desk):
    desk.encoder.gate.clear()
    post(client, "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
    assert desk.encoder.waiting.wait(30)
    post(client, "rebuild")
    work = client.get("/articles/work").text
    assert " data-busy" in work
    assert re.search(r"Adding: <bdi dir=\"auto\">ferry.txt</bdi>", work)
    assert re.search(r'<progress max="1" value="0.0000" aria-label="Adding">', work)
    assert "Files: 1 of 1. Passages encoded: 0" in work
    assert "Waiting for what was begun before." in work
    assert '<noscript><meta http-equiv="refresh"' in client.get("/articles").text
    desk.encoder.gate.set()
    desk.until_done()
    work = client.get("/articles/work").text
    assert " data-busy" not in work
    assert "<progress" not in work
    assert '<meta http-equiv="refresh"' not in client.get("/articles").text


def test_rate_and_time_left(desk):
    for place in range(6):
        (desk.settings.index.articles[0] / f"{place}.txt").write_text(f"Story {place}\n" + f"Word {place}. " * 250)
    seen = []
    finish = desk.encoder.encode_passages

    def encode(texts):
        seen.append((job.rate, job.seconds_left, job.share))
        return finish(texts)

    desk.encoder.encode_passages = encode
    job = desk.work.rebuild()
    desk.until_done()
    assert job.state == "done"
    rates = [rate for rate, _, _ in seen if rate]
    shares = [share for _, _, share in seen if share is not None]
    assert rates
    assert all(rate > 0 for rate in rates)
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert any(left is not None for _, left, _ in seen)


def test_work_can_be_stopped_and_nothing_is_lost(client, desk):
    desk.encoder.gate.clear()
    post(client, "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
    assert desk.encoder.waiting.wait(30)
    post(client, "paste", data={"text": "The boat sailed.", "title": "Boat"})
    for job in desk.work.jobs():
        post(client, "stop", data={"number": str(job.number)})
    post(client, "stop", data={"number": "nonsense"})
    desk.encoder.gate.set()
    desk.until_done()
    assert {job.state for job in desk.work.jobs()} == {"stopped"}
    assert "Stopped." in client.get("/articles/work").text
    assert "Ferry" not in titles(client.get("/articles").text)
    post(client, "rebuild")
    desk.until_done()
    assert {"Ferry", "Boat"} <= set(titles(client.get("/articles").text))


def test_work_waits_for_another_process_that_writes(client, desk):
    with Writer(desk.settings.index.path):
        post(client, "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
        wait_for(lambda: "Another process is writing" in client.get("/articles/work").text)
    desk.until_done()
    assert "Ferry" in titles(client.get("/articles").text)


def test_failures_are_shown_and_the_work_goes_on(client, desk, caplog):
    good = desk.encoder.encode_passages

    def broken(texts):
        raise RuntimeError("a secret of the server")

    desk.encoder.encode_passages = broken
    guarded = TestClient(Guard(desk.app, hosts=None), follow_redirects=False, headers={"x-request-id": "proxy-0123"})
    post(guarded, "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
    desk.until_done()
    work = client.get("/articles/work").text
    assert "proxy-0123" in work, "the number of the request that asked for it"
    assert "Request proxy-0123 failed" in caplog.text
    assert "secret" not in work
    desk.encoder.encode_passages = good
    post(client, "rebuild")
    desk.until_done()
    assert "Ferry" in titles(client.get("/articles").text)


def test_too_much_work_is_refused(client, desk):
    desk.encoder.gate.clear()
    post(client, "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
    assert desk.encoder.waiting.wait(30)
    for _ in range(MOST_WAITING - 1):
        desk.work.rebuild()
    assert f"{MOST_WAITING} jobs are waiting already" in post(client, "rebuild", 503)
    for job in desk.work.jobs():
        desk.work.stop(job.number)


def test_closing_stops_the_work_soon(desk):
    desk.encoder.gate.clear()
    job = desk.work.rebuild()
    (desk.settings.index.articles[0] / "new.txt").write_text("New\nSomething new.")
    threading.Timer(0.2, desk.encoder.gate.set).start()
    desk.work.close()
    assert job.state in ("stopped", "waiting")
    assert not any(thread.name == "kabar-articles" and thread.is_alive() for thread in threading.enumerate())


def test_questions_come_between_lots_of_passages(desk):
    """Encoders work for one at a time: a question must not wait for a whole run."""
    lots = []
    finish = desk.encoder.encode_passages
    desk.encoder.encode_passages = lambda texts: lots.append(len(texts)) or finish(texts)
    (desk.settings.index.articles[0] / "long.txt").write_text(
        "\n\n".join(f"Sentence number {place} of a long story about a bridge." * 12 for place in range(41))
    )
    desk.work.rebuild()
    desk.until_done()
    assert sum(lots) > 40
    assert max(lots) <= 8
    with Index(desk.settings.index.path, desk.settings, desk.encoder) as index:
        hit = index.search("Sentence number 37")[0]
    alone = WordEncoder().encode_passages([titled(hit.article.title, hit.passage.text)])[0]
    question = WordEncoder().encode_queries(["Sentence number 37"])[0]
    assert hit.similarity == pytest.approx(float(alone @ question), abs=0.01), "each passage has its own vector"


# On the chat's server


def answered(loader: Loader) -> bool:
    return not loader.loading and loader.error is None


def test_the_page_is_on_the_chats_server_behind_its_guard(desk):
    loader = Loader(Scripted)
    loader.start()
    with served(loader, articles=desk.page) as address, httpx.Client(base_url=address, trust_env=False) as client:
        page = client.get("/articles")
        assert page.headers["content-security-policy"] == POLICY
        assert "Bridge opens" in titles(page.text)
        large = {"file": ("a.jsonl", b'{"title": "Large", "text": "Words."}\n' + b" " * 1_050_000)}
        evil = client.post("/articles/upload", files=large, headers={"origin": "https://evil.example"})
        assert evil.status_code == 403
        assert client.post("/articles/upload", files=large).status_code == 303, (
            "more than the guard lets through elsewhere"
        )
        desk.until_done()
        assert "Large" in titles(client.get("/articles").text)
        assert client.get("/articles", headers={"host": "evil.example"}).status_code == 421
        assert client.get("/articlesque").status_code == 404


def test_an_upload_that_comes_a_byte_at_a_time_is_not_waited_for(desk, monkeypatch):
    """Only two are received at once: slow ones would keep all others from theirs."""
    monkeypatch.setattr("ui.articles._GRACE", 1.0)
    loader = Loader(Scripted)
    loader.start()
    with served(loader, articles=desk.page) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
            connection.sendall(
                f"POST /articles/upload HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 900000\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
            )
            connection.settimeout(0.2)
            for _ in range(150):
                with contextlib.suppress(TimeoutError):
                    assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
                    return
                connection.sendall(b"-")
    raise AssertionError("it is received as long as one likes")


@pytest.mark.parametrize(
    ("stated", "alone", "editable"),
    [("auto", True, True), ("auto", False, False), (True, False, True), (False, True, False)],
)
def test_who_may_change_articles(tmp_path, stated, alone, editable):
    settings = Desk(tmp_path, edit_articles=stated).settings
    page = open_articles(settings, Loader(Scripted), alone=alone)
    assert (page.work is not None) == editable
    page.close()


def test_an_assistant_that_lacked_articles_gets_another_chance(tmp_path):
    desk = Desk(tmp_path)

    def make():
        with open_listing(desk.settings.index.path):
            return Scripted()

    loader = Loader(make)
    loader.start()
    wait_for(lambda: loader.error)
    desk.work = Work(desk.settings, lambda: desk.encoder, loader.start)
    desk.page.work = desk.work
    post(TestClient(desk.app, follow_redirects=False), "paste", data={"text": "The ferry sailed.", "title": "Ferry"})
    desk.until_done()
    wait_for(lambda: answered(loader))
    desk.work.close()


def test_the_assistants_encoder_is_used(desk):
    assistant = Scripted()
    assistant.index = Index(desk.settings.index.path, desk.settings, desk.encoder)
    loader = Loader(lambda: assistant)
    loader.start()
    page = open_articles(desk.settings, loader, alone=True)
    page.work.add_files([page.work.added.write("The ferry sailed.", title="Ferry")])
    assert page.work.wait(30)
    assert "Ferry\nThe ferry sailed." in desk.encoder.encoded
    page.close()
    assistant.index.close()
