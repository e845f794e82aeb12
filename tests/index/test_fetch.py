import contextlib
import gzip
import ssl
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web_server import Reply, WebServer

from index.config import FetchConfig
from index.errors import FetchError
from index.fetch import Fetched, Fetcher, Validators

HTML = {"Content-Type": "text/html; charset=iso-8859-1"}


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


class Pauses(list[float]):
    """Stands for sleeping, and notes how long."""

    __call__ = list.append


def fetcher(**options: Any) -> Fetcher:
    """Trusts the loopback server, and waits for nobody."""
    others = {name: options.pop(name) for name in ("resolve", "network", "sleep") if name in options}
    config = FetchConfig(**{"trusted_hosts": ("127.0.0.1",), "delay": 0, "seconds": 5, **options})
    return Fetcher(config, **{"sleep": Pauses(), **others})


def fetch(url: str, **options: Any) -> Fetched:
    found = fetcher(**options).get(url)
    assert found is not None
    return found


def refusal(url: str, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as raised:
        fetcher(**options).get(url)
    assert "\n" not in str(raised.value)
    return raised.value


def test_gives_content_type_charset_and_final_address(server):
    server.pages = {
        "/old": Reply(status=301, headers={"Location": "/new#part"}),
        "/new": Reply("gr\xfcn".encode("latin-1"), headers=HTML),
    }
    found = fetch(server.url("/old"))
    assert (found.url, found.content, found.media_type, found.charset, found.cut) == (
        server.url("/new"),
        b"gr\xfcn",
        "text/html",
        "iso8859-1",
        None,
    )
    assert found.time.tzinfo is UTC


def test_says_who_it_is_and_sends_nothing_else_about_the_user(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    server.pages = {"/robots.txt": Reply(headers={"Set-Cookie": "a=b"}), "/": Reply("x", headers={"Set-Cookie": "c=d"})}
    web = fetcher()
    web.get(server.url("/"))
    web.get(server.url("/"))
    _, sent = server.requests[-1]
    assert sent.pop("user-agent").startswith("kabar")
    assert sent.pop("host") == f"127.0.0.1:{server.port}"
    assert set(sent) == {"accept", "accept-encoding", "connection"}


def test_asks_whether_it_has_changed(server):
    server.pages = {
        "/a": [
            Reply("1", headers={"ETag": '"v1"', "Last-Modified": "Wed, 01 Nov 2023 00:00:00 GMT"}),
            Reply(status=304),
        ]
    }
    web = fetcher()
    first = web.get(server.url("/a"))
    assert first is not None
    assert web.get(server.url("/a"), validators=first.validators) is None
    _, sent = server.requests[-1]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"v1"', "Wed, 01 Nov 2023 00:00:00 GMT")


def test_304_without_having_asked_is_an_error(server):
    server.pages = {"/a": Reply(status=304)}
    assert "304" in refusal(server.url("/a")).reason


@pytest.mark.parametrize("status", [401, 403, 404, 410, 206])
def test_other_answers_are_errors_that_last(server, status):
    server.pages = {"/a": Reply("x", status)}
    error = refusal(server.url("/a"))
    assert str(status) in error.reason
    assert error.where == server.url("/a")
    assert not error.transient
    assert server.paths == ["/a"]


def test_proxy_of_the_configuration(server):
    server.pages = {"http://news.example/a": Reply("there")}
    options = {"proxy": server.url("/"), "robots": False, "trusted_hosts": ()}

    def unknown(host: str, port: int) -> list[str]:
        if host == "127.0.0.1":
            return [host]
        raise OSError("only the proxy knows")

    assert fetch("http://news.example/a", resolve=unknown, **options).content == b"there"
    assert server.paths == ["http://news.example/a"]
    assert "127.0.0.1, not on the public internet" in refusal("http://0x7f.1/", **options).reason
    assert refusal("https://news.example/", resolve=unknown, **options).transient  # this proxy makes no tunnels


# Redirects


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, not on the public internet"),
        ("http://[::1]/", "::1, not on"),
        ("http://localhost/", "not on the public internet"),
        ("http://2130706433/", "127.0.0.1, not on"),
        ("http://0177.0.0.1/", "not a web address"),
        ("http://0x7f.1/", "127.0.0.1, not on"),
        ("http://[::ffff:10.0.0.1]/", "not on the public internet"),
        ("file:///etc/passwd", "only http and https"),
        ("ftp://example.org/", "only http and https"),
        ("gopher://127.0.0.1/", "only http and https"),
        ("http://user:secret@example.org/", "user name or password"),
        ("http://a b/", "not a web address"),
        ("http://[::1", "not a web address"),
    ],
)
def test_redirects_are_checked_like_the_first_address(server, location, why):
    server.pages = {"/a": Reply(status=302, headers={"Location": location})}
    error = refusal(server.url("/a"), trusted_hosts=("127.0.0.1",))
    assert why in error.reason
    assert error.where == server.url("/a")
    assert "secret" not in str(error)


def test_redirects_in_a_circle_or_without_end(server):
    server.pages = {
        "/a": Reply(status=302, headers={"Location": "/b"}),
        "/b": Reply(status=302, headers={"Location": "/a"}),
    }
    assert "circle" in refusal(server.url("/a")).reason
    server.pages = {f"/{n}": Reply(status=307, headers={"Location": f"/{n + 1}"}) for n in range(50)}
    assert "more than 5 redirects" in refusal(server.url("/0")).reason


def test_nothing_on_the_web_leads_to_a_trusted_host(server):
    server.pages = {"/a": Reply("inside")}
    web = fetcher()
    assert web.get(server.url("/a"), linked_from=server.url("/feed")) is not None
    with pytest.raises(FetchError, match="not on the public internet"):
        web.get(server.url("/a"), linked_from="https://example.org/feed")


# Limits


def test_stops_at_the_limit_of_size(server):
    server.pages = {"/a": Reply(b"x" * 3_000_000)}
    found = fetch(server.url("/a"), megabytes=1)
    assert (len(found.content), found.cut) == (1_000_000, "larger than 1 MB")


def test_gzip_bomb_is_unpacked_no_further_than_the_limit(server):
    bomb = gzip.compress(b"\0" * 50_000_000, 1)
    server.pages = {"/a": Reply(bomb, headers={"Content-Encoding": "gzip"})}
    found = fetch(server.url("/a"), megabytes=1)
    assert (len(found.content), found.cut) == (1_000_000, "larger than 1 MB")


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"body")),
        ("X-GZip", gzip.compress(b"bo") + gzip.compress(b"dy") + b"\0\0"),
        ("deflate", zlib.compress(b"body")),
        (
            "deflate",
            zlib.compress(b"body", wbits=-15),
        ),
        ("identity", b"body"),
    ],
)
def test_unpacks(server, encoding, packed):
    server.pages = {"/a": Reply(packed, headers={"Content-Encoding": encoding})}
    assert fetch(server.url("/a")).content == b"body"


@pytest.mark.parametrize(("encoding", "why"), [("gzip", "cannot be unpacked"), ("br", "not asked for")])
def test_what_cannot_be_unpacked_is_an_error(server, encoding, why):
    server.pages = {"/a": Reply(b"not packed at all", headers={"Content-Encoding": encoding})}
    assert why in refusal(server.url("/a")).reason


def test_slow_drip_ends_at_the_limit_of_time(server):
    server.pages = {"/a": server.drip(b"drop ", pause=0.05, content_type="text/plain")}
    found = fetch(server.url("/a"), seconds=0.4)
    assert found.cut == "not complete within 0.4 s"
    assert found.content.startswith(b"drop drop")


def test_slow_drip_of_headers_ends_at_the_limit_of_time(server):
    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(200):
            handler.wfile.write(b"X-%d: y\r\n" % number)
            time.sleep(0.05)

    server.pages = {"/a": drip}
    error = refusal(server.url("/a"), seconds=0.4, tries=1)
    assert error.reason == "no answer within 0.4 seconds"
    assert error.transient


# Tries, and patience


def test_tries_again_with_growing_pauses(server):
    pauses = Pauses()
    server.pages = {"/a": [Reply(status=503), Reply(status=500), Reply("there")]}
    assert fetch(server.url("/a"), sleep=pauses).content == b"there"
    assert len(pauses) == 2
    assert 1 <= pauses[0] <= 2 <= pauses[1] <= 4


def test_gives_up_after_so_many_tries(server):
    server.pages = {"/a": Reply(status=502)}
    error = refusal(server.url("/a"), tries=4)
    assert "502" in error.reason
    assert error.transient
    assert server.paths == ["/a"] * 4


def test_broken_connections_are_tried_again(server):
    def cut_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    server.pages = {"/a": [cut_off, Reply("whole")]}
    assert fetch(server.url("/a")).content == b"whole"


def test_retry_after_is_heeded(server):
    pauses = Pauses()
    soon = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=20), usegmt=True)
    server.pages = {
        "/a": [
            Reply(status=429, headers={"Retry-After": "7"}),
            Reply(status=503, headers={"Retry-After": soon}),
            Reply("x"),
        ]
    }
    fetch(server.url("/a"), sleep=pauses)
    assert pauses[0] == 7
    assert 10 < pauses[1] <= 20


def test_host_that_asks_for_long_patience_is_left_alone(server):
    server.pages = {"/a": Reply(status=429, headers={"Retry-After": "99999999999"}), "/b": Reply("x")}
    pauses = Pauses()
    web = fetcher(sleep=pauses)
    with pytest.raises(FetchError, match="429"):
        web.get(server.url("/a"))
    with pytest.raises(FetchError, match=r"left alone for 1440 more minutes: it asked for it"):
        web.get(server.url("/b"))
    assert server.paths == ["/a"]
    assert pauses == []


def test_host_that_fails_again_and_again_is_left_alone(server):
    server.pages = {"/a": Reply(status=500)}
    web = fetcher(tries=1)
    for _ in range(5):
        with pytest.raises(FetchError) as raised:
            web.get(server.url("/a"))
    assert server.paths == ["/a"] * 3
    assert "left alone for 5 more minutes: it failed 3 times" in raised.value.reason


def test_keeps_its_distance_from_a_host(server):
    server.pages = {f"/{n}": Reply("x") for n in range(3)}
    pauses = Pauses()
    web = fetcher(delay=10, sleep=pauses)
    for number in range(3):
        web.get(server.url(f"/{number}"))
    # robots.txt was the first request; nobody slept, so that the pauses add up.
    assert [round(pause, -1) for pause in pauses] == [10, 20, 30]


# robots.txt


def test_robots_disallow(server):
    server.pages = {
        "/robots.txt": Reply(
            "User-agent: *\nDisallow: /\n\nUser-agent: kabar\nDisallow: /private/*.html$\nCrawl-delay: 40\n"
        ),
        "/open": Reply("x"),
        "/private/a.html": Reply("x"),
    }
    pauses = Pauses()
    web = fetcher(sleep=pauses)
    assert web.get(server.url("/open")) is not None
    with pytest.raises(FetchError, match=r"robots\.txt"):
        web.get(server.url("/private/a.html"))
    assert web.get(server.url("/open")) is not None
    assert [path for path, _ in server.requests] == ["/robots.txt", "/open", "/open"]
    assert [round(pause, -1) for pause in pauses] == [40]
    assert fetch(server.url("/private/a.html"), robots=False).content == b"x"


def test_robots_of_the_host_that_a_redirect_leads_to(server):
    server.pages = {
        "/a": Reply(status=302, headers={"Location": "/b"}),
        "/b": Reply("x"),
        "/robots.txt": Reply("User-agent: *\nDisallow: /b"),
    }
    assert "robots.txt" in refusal(server.url("/a")).reason
    assert server.paths == ["/a"]


def test_robots_that_cannot_be_read_now_allow_nothing(server):
    server.pages = {"/robots.txt": Reply(status=503), "/a": Reply("x")}
    error = refusal(server.url("/a"))
    assert "503" in error.reason
    assert error.transient
    assert server.paths == []


@settings(deadline=None, max_examples=60)
@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "User-agent: *",
                "user-agent:kabar",
                "Disallow: /*a*$",
                "Allow: %zz",
                "Crawl-delay: nan",
                "Crawl-delay: -1",
                "Crawl-delay: 1e999",
                "\0",
            ]
        )
    ).map("\n".join)
)
def test_any_robots_can_be_read(text):
    from index.robots import Robots

    robots = Robots(text, "kabar")
    robots.allows("http://example.org/a%20b?c")
    assert 0 <= robots.delay <= 60


# Addresses


LINES = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 X\r\n", b"HTTP/1.1 503 \r\n", b"Location: http://[\r\n"),
    *(b"Content-Length: 5\r\n", b"Content-Type: \xff;charset=\xfe\r\n", b"Content-Encoding: gzip\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"ETag: \xff\r\n", b"Retry-After: x\r\n"),
    *(b"\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"hello", b"\0"),
]


class Network(httpcore.NetworkBackend):
    """Notes where it is told to connect to; every connection answers the same."""

    def __init__(self, body: bytes = b"x") -> None:
        self.connected: list[tuple[str, int]] = []
        self.names: list[str | None] = []
        self.unreachable: set[str] = set()
        self._body = body

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        if host in self.unreachable:
            raise httpcore.ConnectError(f"{host} is down")
        self.connected.append((host, port))
        names = self.names

        class Stream(httpcore.MockStream):
            def start_tls(self, ssl_context, server_hostname=None, timeout=None):
                assert ssl_context.check_hostname
                names.append(server_hostname)
                return self

        return Stream([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self._body), self._body])


def test_connects_to_the_very_address_that_was_checked():
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    network = Network()
    web = fetcher(robots=False, network=network, resolve=lambda host, port: answers.pop(0))
    assert web.get("https://rebind.example/a") is not None
    assert network.connected == [("93.184.216.34", 443)]
    assert network.names == ["rebind.example"]
    with pytest.raises(FetchError, match=r"127\.0\.0\.1, not on the public internet"):
        web.get("https://rebind.example/a")
    assert len(network.connected) == 1


def test_one_private_address_among_others_is_refused():
    web = fetcher(network=(network := Network()), resolve=lambda host, port: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(FetchError, match=r"10\.0\.0\.1"):
        web.get("http://mixed.example/")
    assert network.connected == []


def test_certificate_that_is_not_valid_is_not_tried_again():
    class Impostor(Network):
        def connect_tcp(self, *arguments, **options):
            stream = super().connect_tcp(*arguments, **options)

            def start_tls(ssl_context, server_hostname=None, timeout=None):
                error = ssl.SSLCertVerificationError(1, "certificate verify failed")
                error.verify_message = "Hostname mismatch"
                with httpcore_errors():
                    raise error

            stream.start_tls = start_tls
            return stream

    @contextlib.contextmanager
    def httpcore_errors():
        try:
            yield
        except ssl.SSLError as error:  # as httpcore's own streams do
            raise httpcore.ConnectError(str(error)) from error

    network = Impostor()
    error = refusal("https://news.example/", network=network, resolve=lambda host, port: ["93.184.216.34"])
    assert error.reason == "its certificate is not valid: Hostname mismatch"
    assert network.connected == [("93.184.216.34", 443)]


def test_tries_the_addresses_of_a_host_in_turn():
    network = Network()
    network.unreachable = {"2606:2800:220:1::1"}
    web = fetcher(robots=False, network=network, resolve=lambda host, port: ["2606:2800:220:1::1", "93.184.216.34"])
    assert web.get("http://both.example:8080/") is not None
    assert network.connected == [("93.184.216.34", 8080)]


def test_unknown_host():
    def resolve(host, port):
        raise OSError(-2, "Name or service not known")

    error = refusal("http://nowhere.invalid/", resolve=resolve)
    assert error.reason == "there is no host nowhere.invalid; check the address"


def test_connection_refused(server):
    url = server.url("/")
    server.__exit__()
    error = refusal(url)
    assert "refused" in error.reason
    assert error.transient


@pytest.mark.parametrize(
    "url",
    ["", "example.org/a", "file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "http://", "http:///a",
     "http://a b/", "http://user@example.org/", "http://:pw@example.org/", "http://exa\nmple.org/", "http://[::1/", "http://x:99999/",
     "http://" + "a" * 5000],
)  # fmt: skip
def test_addresses_that_are_none(url):
    assert refusal(url, resolve=pytest.fail).transient is False


def test_passwords_are_not_repeated():
    assert "secret" not in str(refusal("https://me:secret@example.org/feed"))
    assert "secret" not in str(refusal("https://me:secret@example.org:99999/feed"))


@settings(deadline=None, max_examples=60)
@given(st.text() | st.text().map("http://{}".format) | st.text(max_size=20).map("http://example.org/{}".format))
def test_no_address_raises_anything_but_its_own_error(text):
    web = fetcher(robots=False, network=Network(), resolve=lambda host, port: ["93.184.216.34"])
    with contextlib.suppress(FetchError):
        web.get(text)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=20)))
def test_no_answer_raises_anything_but_its_own_error(pieces):
    class Garbage(httpcore.NetworkBackend):
        def connect_tcp(self, *args, **options):
            return httpcore.MockStream([*pieces])

    web = fetcher(robots=False, network=Garbage(), resolve=lambda host, port: ["93.184.216.34"])
    with contextlib.suppress(FetchError):
        web.get("http://example.org/", validators=Validators('"v"'))
