"""Server-side request forgery: no address that kabar is given makes it speak with this machine or its network."""

import contextlib
import html
import re
import socket

import httpcore
import httpx
import pytest
from articles_desk import Desk
from scripted import Scripted, served
from web_server import Reply, WebServer

from index.config import FetchConfig
from index.fetch import fetcher_for
from ui.articles import Articles
from ui.articles_work import Work
from ui.loader import Loader
from ui.users import Users

SECRET = "The password of this machine is swordfish."
PUBLIC = "93.184.216.34"
"""Where the attacker's hosts are, as far as kabar can see."""
ADDRESSES = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://LOCALHOST:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://ana:password@127.0.0.1:{port}/",
    "http://evil.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@evil.example/",
    "http://127.0.0.1:{port}\\@evil.example/",
    "http:/\\127.0.0.1:{port}/",
    "http:127.0.0.1:{port}",
    "//127.0.0.1:{port}/",
    "http://inside.example:{port}/",
    "http://both.example:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "FILE:/etc/passwd",
    "/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:{port}/_GET%20/",
    "dict://127.0.0.1:{port}/info",
    "unix:/var/run/docker.sock",
    "data:text/plain,swordfish",
    "jar:http://127.0.0.1:{port}/!/",
    "http://evil.example:{port}\r\nHost: 127.0.0.1/",
]
NAMES = {
    "evil.example": [PUBLIC],
    "inside.example": ["127.0.0.1"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
}


class Internet:
    """Names and connections as kabar has them; whatever it connects to is noted. Public hosts are the attacker's."""

    def __init__(self, monkeypatch, attacker: WebServer, own: int) -> None:
        """``own`` is kabar's own port, which the test itself connects to."""
        self.names = {name: [addresses] for name, addresses in NAMES.items()}
        self.connected: list[str] = []
        resolve, connect = socket.getaddrinfo, httpcore.SyncBackend.connect_tcp

        def answer(host, port, *arguments, **options):
            known = self.names.get(host.decode() if isinstance(host, bytes) else host)
            if known is None:
                return resolve(host, port, *arguments, **options)
            found = known.pop(0) if len(known) > 1 else known[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        def connect_to(backend, host, port, *arguments, **options):
            if (host, port) != ("127.0.0.1", own):
                self.connected.append(host)
            place = ("127.0.0.1", attacker.port) if host == PUBLIC else (host, port)
            return connect(backend, *place, *arguments, **options)

        fetcher_for.cache_clear()  # it remembers which hosts failed, and leaves them alone
        monkeypatch.setattr(socket, "getaddrinfo", answer)
        monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect_to)

    @property
    def reached(self) -> set[str]:
        """What is not public among what it connected to."""
        return set(self.connected) - {PUBLIC}


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    """A server on which articles can be added, by those who have a token, and its Articles page."""
    folder = tmp_path_factory.mktemp("doors")
    desk = Desk(folder)
    desk.settings = desk.settings.model_copy(update={"fetch": FetchConfig(delay=0, tries=1, seconds=5)})
    desk.work = Work(desk.settings, lambda: desk.encoder)
    desk.page = Articles(desk.settings, desk.work)
    loader = Loader(Scripted)
    loader.start()
    with contextlib.closing(Users(folder / "users.sqlite")) as users:
        users.add("ana", "a long enough password")
        headers = {"authorization": f"Bearer {users.add_token('ana')[1]}"}
        with (
            served(loader, users=users, articles=desk.page) as address,
            httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=30) as client,
        ):
            yield desk, client
    desk.work.close()


@pytest.fixture
def victim():
    """What only this machine may see."""
    with WebServer() as server:
        server.pages = {"/": Reply(SECRET), "/robots.txt": Reply("")}
        yield server


@pytest.fixture
def attacker():
    with WebServer() as server:
        server.pages = {"/robots.txt": Reply("")}
        yield server


@pytest.fixture
def internet(monkeypatch, attacker, doors):
    return Internet(monkeypatch, attacker, doors[1].base_url.port)


def add(doors, address: str) -> str:
    """Why kabar does not add what stands at an address, as its Articles page says it."""
    desk, client = doors
    answer = client.post("/articles/fetch", data={"address": address})
    if answer.status_code == 400:
        (said,) = re.findall(r'<p class="error"[^>]*>(.*?)</p>', answer.text)
        return said
    assert answer.status_code == 303
    desk.until_done()
    (job, *_), work = desk.work.jobs(), client.get("/articles/work").text
    assert (job.report.added, job.report.changed) == (0, 0)
    assert html.escape(job.report.problems[0].reason) in work
    return job.report.problems[0].reason


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_leads_inside_is_not_fetched(doors, victim, internet, address):
    said = add(doors, address.format(port=victim.port))
    assert internet.connected == []
    assert victim.requests == []
    assert said
    assert "root:" not in said


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_inside_is_not_followed(doors, victim, attacker, internet, status):
    attacker.pages[f"/{status}"] = Reply(status=status, headers={"Location": victim.url("/")})
    assert "not on the public internet" in add(doors, f"http://evil.example/{status}")
    assert internet.connected == [PUBLIC, PUBLIC], "for robots.txt and for the page"
    assert victim.requests == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "//127.0.0.1/", "http://[::1]/"])
def test_a_redirect_out_of_the_web_is_not_followed(doors, attacker, internet, location):
    attacker.pages["/out"] = Reply(status=302, headers={"Location": location})
    assert add(doors, "http://evil.example/out")
    assert internet.reached == set()


def test_robots_that_are_redirected_inside_are_not_read(doors, victim, attacker, internet):
    attacker.pages |= {"/robots.txt": Reply(status=302, headers={"Location": victim.url("/robots.txt")})}
    assert "not on the public internet" in add(doors, "http://evil.example/page")
    assert victim.requests == []


def test_a_name_that_changes_after_it_was_checked_leads_nowhere_else(doors, victim, attacker, internet):
    """A connection goes to the very address that was checked; the next one is checked again."""
    attacker.pages["/page"] = Reply("A bridge was opened.")
    internet.names["evil.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert "not on the public internet" in add(doors, f"http://evil.example:{victim.port}/page")
    assert internet.connected == [PUBLIC], "for robots.txt"
    assert victim.requests == []


@pytest.mark.parametrize("kind", ["feed", "sitemap"])
def test_a_list_of_addresses_leads_no_further_inside(doors, victim, attacker, internet, kind):
    inside = [victim.url("/"), f"http://localhost:{victim.port}/", "http://169.254.169.254/", "file:///etc/passwd"]
    if kind == "feed":
        items = "".join(f"<item><title>News</title><link>{link}</link></item>" for link in inside)
        text = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    else:
        places = "".join(f"<url><loc>{link}</loc></url>" for link in inside)
        text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'
    attacker.pages["/list.xml"] = Reply(text, headers={"Content-Type": "application/xml"})
    desk, client = doors
    assert client.post("/articles/fetch", data={"address": "http://evil.example/list.xml"}).status_code == 303
    desk.until_done()
    assert PUBLIC in internet.connected
    assert internet.reached == set()
    assert victim.requests == []


# What else is given addresses


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("feed.xml", "<rss version='2.0'><channel><item><title>News</title><link>{url}</link></item></channel></rss>"),
        ("entity.xml", "<!DOCTYPE r [<!ENTITY x SYSTEM '{url}'>]><rss version='2.0'><channel>&x;</channel></rss>"),
        ("file.xml", "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss><channel>&x;</channel></rss>"),
        ("page.html", "<base href='{url}'><meta http-equiv=refresh content='0;url={url}'><link href={url}>"),
        ("body.html", "<p>A tram runs in Basel every day.</p><iframe src='{url}'></iframe><img src='{url}'>"),
        ("article.json", '{{"title": "Tram", "text": "A tram runs.", "url": "{url}", "image": "{url}"}}'),
        ("article.md", "---\nurl: {url}\n---\nA tram ![runs]({url}) in Basel."),
        ("addresses.list", "{url}"),
    ],
)  # fmt: skip
def test_a_file_makes_it_fetch_nothing(doors, victim, internet, name, content):
    desk, client = doors
    client.post("/articles/upload", files={"file": (name, content.format(url=victim.url("/")).encode())})
    desk.until_done()
    client.post("/articles/rebuild", files={"x": b""})
    desk.until_done()
    assert victim.url("/") not in desk.work.added.addresses()
    assert internet.connected == []
    assert victim.requests == []
    assert "root:" not in client.get("/articles").text


def test_no_door_for_programs_fetches_what_it_is_sent(doors, victim, internet):
    _, client = doors
    picture = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": victim.url("/")}}]
    asked = {"model": "kabar", "messages": [{"role": "user", "content": picture}]}
    assert client.post("/v1/chat/completions", json=asked).status_code == 400
    asked["messages"].insert(0, {"role": "assistant", "content": f"![x]({victim.url('/')})"})
    client.post("/v1/chat/completions", json=asked)
    client.post("/api/ask", json={"question": victim.url("/"), "sources": [victim.url("/")]})
    for path in ("gradio_api/proxy={}", "proxy={}", "gradio_api/file={}", "file={}", "gradio_api/stream/{}"):
        assert client.get(f"/{path.format(victim.url('/'))}").status_code == 404
    assert internet.connected == []
    assert victim.requests == []


@pytest.mark.parametrize("path", ["queue/join", "call/ask", "call/v2/ask"])
@pytest.mark.parametrize("name", ["path", "p\\u0061th"])
@pytest.mark.parametrize("place", ["{inside}", "http://evil.example/x", "/etc/passwd"])
def test_the_chat_page_takes_no_files_from_anywhere(doors, victim, internet, path, name, place):
    """Gradio fetches what is called a file in any event's data, from public hosts at least."""
    _, client = doors
    place = place.format(inside=victim.url("/"))
    file = f'{{"{name}": "{place}", "url": "{place}", "meta": {{"_type": "gradio.FileData"}}}}'
    for data in (file, f'{{"deep": [{file}]}}'):
        body = f'{{"data": [{data}, []], "question": {data}, "fn_index": 0, "session_hash": "x"}}'
        sent = client.post(f"/gradio_api/{path}", content=body, headers={"content-type": "application/json"})
        assert sent.status_code == 400
        assert "files" in sent.json()["error"]["message"]
    assert internet.connected == []
    assert victim.requests == []
