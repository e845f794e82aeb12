"""Who is let in: nobody through any route without a password or a token; and what makes guessing slow."""

import contextlib
import re

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from scripted import Scripted

from index.errors import KabarError
from ui.app import _names, application, listen
from ui.articles import Articles
from ui.auth import Attempts, Auth, _own_path
from ui.config import Settings
from ui.demand import Demand
from ui.errors import LimitError
from ui.loader import Loader
from ui.users import Users

PASSWORD = "a long enough password"
"""That of the user of the served doors."""


@pytest.fixture
def browser(doors):
    with httpx.Client(base_url=doors.address, headers={"accept": "text/html"}, trust_env=False, timeout=30) as client:
        yield client


def form_of(page: httpx.Response) -> str:
    (found,) = re.findall(r'name="form" value="([^"]+)"', page.text)
    return found


def sign_in(browser, name="ana", password=PASSWORD, back="/", **headers):
    form = form_of(browser.get("/login"))
    data = {"name": name, "password": password, "form": form, "next": back}
    return browser.post("/login", data=data, headers=headers)


# Every route


def routes(found, prefix=""):
    """Every path with its methods, those of mounted applications included."""
    for route in iter_route_contexts(found):
        mounted = getattr(route.original_route, "routes", None)
        if mounted:
            yield from routes(mounted, prefix + route.original_route.path)
        else:
            yield from ((method, prefix + route.path) for method in route.methods or {"GET", "POST"})


@pytest.fixture(scope="module")
def every_route(tmp_path_factory):
    """All routes of the application as it is served, each with something for its parameters."""
    folder = tmp_path_factory.mktemp("folder")
    guard = application(Loader(Scripted), hosts=None, folder=folder, articles=Articles(Settings(), None))
    assert isinstance(guard._app, Auth)
    found = set(routes(guard._app._app.routes))
    return sorted((method, re.sub(r"\{[^}]*\}", "x", path) or "/") for method, path in found)


def test_every_route_is_shut_but_health(doors, every_route):
    paths = {path for _, path in every_route}
    assert paths >= {
        "/api/ask", "/api/articles", "/api/articles/x", "/api/search", "/api/openapi.json", "/v1/models",
        "/v1/chat/completions", "/mcp", "/metrics", "/ready", "/health", "/config", "/gradio_api/queue/join",
        "/gradio_api/info", "/gradio_api/upload", "/gradio_api/call/x", "/articles", "/articles/upload",
        "/articles/fetch", "/page/history", "/page/feedback", "/shared/x",
    }  # fmt: skip
    open_routes = {}
    with httpx.Client(base_url=doors.address, trust_env=False, timeout=30) as stranger:
        for method, path in every_route:
            for headers in ({}, {"accept": "text/html"}, {"authorization": "Bearer kabar_wrong"}):
                response = stranger.request(method, path, headers=headers)
                if response.status_code not in (401, 403, 404):
                    open_routes[method, path] = response.status_code
                if response.status_code == 404:  # the layer before knows no such route, and tells everybody the same
                    assert response.text in ("Not found.", "")
    assert set(open_routes) <= {("GET", "/health"), ("HEAD", "/health")}
    assert open_routes["GET", "/health"] == 200


def test_a_token_opens_what_is_there(doors):
    for route in ("", "ready", "metrics", "api/articles", "v1/models", "config"):
        assert doors.client.get(f"/{route}").status_code == 200, route


@pytest.mark.parametrize(
    "header",
    ["Basic YW5hOnBhc3N3b3Jk", "Bearer", "Bearer kabar_", "bearer kabar_' OR 1=1 --", "Token {token}"],
)
def test_what_is_no_token_opens_nothing(doors, header):
    header = header.format(token=doors.token)
    response = httpx.get(f"{doors.address}api/articles", headers={"authorization": header}, trust_env=False)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "kabar token add" in response.json()["error"]["message"]


# Signing in with a browser


def test_signing_in_and_out(browser, doors):
    page = browser.get("/api/articles?limit=1")
    assert page.status_code == 401
    assert 'name="next" value="/api/articles?limit=1"' in page.text
    done = sign_in(browser, back="/api/articles?limit=1")
    assert (done.status_code, done.headers["location"]) == (303, "/api/articles?limit=1")
    cookie = next(value for value in done.headers.get_list("set-cookie") if value.startswith("kabar-session="))
    assert re.search(r"HttpOnly; Max-Age=604800; Path=/; SameSite=lax$", cookie)
    assert browser.get("/api/articles").status_code == 200
    assert browser.get("/login").headers["location"] == "/"
    assert "signed in as ana" in browser.get("/logout").text
    secret = browser.cookies["kabar-session"]
    assert browser.post("/logout", headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.get("/api/articles").status_code == 200
    assert browser.post("/logout").headers["location"] == "/login"
    assert browser.get("/api/articles").status_code == 401
    assert doors.users.of_session(secret) is None, "it is over on the server, not in the browser alone"


def test_under_https_the_cookies_are_secure(doors):
    headers = {"accept": "text/html", "x-forwarded-proto": "https"}
    with httpx.Client(base_url=doors.address, headers=headers, trust_env=False) as client:
        page = client.get("/login")
        assert "Secure" in page.headers["set-cookie"]
        form, cookie = form_of(page), page.headers["set-cookie"].split(";")[0]
        data = {"name": "ana", "password": PASSWORD, "form": form}
        done = client.post("/login", data=data, headers={"cookie": cookie})
        assert "kabar-session" in done.headers.get_list("set-cookie")[0]
        assert "Secure" in done.headers.get_list("set-cookie")[0]


@pytest.mark.parametrize(("language", "said"), [("ko-KR", "로그인"), ("ar", 'dir="rtl"'), ("xx", "Sign in")])
def test_the_page_speaks_the_browsers_language(browser, language, said):
    assert said in browser.get("/login", headers={"accept-language": language}).text


def test_a_wrong_password_does_not_say_what_was_wrong(browser, monkeypatch):
    monkeypatch.setattr(Attempts, "FREE", 1000)
    wrong, nobody = sign_in(browser, password="not this one"), sign_in(browser, name="nobody")
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    form = re.compile(r'name="form" value="[^"]+"')
    assert form.sub("", wrong.text) == form.sub("", nobody.text)
    assert "Name or password is wrong." in wrong.text


def test_a_form_of_another_site_signs_nobody_in(browser):
    data = {"name": "ana", "password": PASSWORD, "form": "made up"}
    assert browser.post("/login", data=data).status_code == 403
    browser.get("/login")
    assert browser.post("/login", data=data).status_code == 403
    assert browser.post("/login", data={"name": "ana", "password": PASSWORD}).status_code == 403
    assert sign_in(browser, origin="https://evil.example").status_code == 403
    assert "kabar-session" not in browser.cookies


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nset-cookie: x=1",
        "/logout", "/login", "", "x" * 3000, "/" + "x" * 3000,
    ],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(back):
    assert _own_path(back) == "/"


def test_guessing_becomes_slow(browser):
    codes = [sign_in(browser, name="guessed", password=f"guess number {number}") for number in range(6)]
    assert [response.status_code for response in codes[: Attempts.FREE]] == [401] * Attempts.FREE
    slowed = next(response for response in codes if response.status_code == 429)
    assert int(slowed.headers["retry-after"]) >= 1
    assert "Too many tries" in slowed.text
    assert sign_in(browser).status_code == 303, "others are not kept out"


def test_each_wrong_try_doubles_the_wait():
    now = [0.0]
    attempts = Attempts(clock=lambda: now[0])
    waits = []
    for _ in range(20):
        try:
            attempts.begin("ana", "192.0.2.1")
        except LimitError as error:
            waits.append(error.seconds)
            now[0] += error.seconds
            attempts.begin("ana", "192.0.2.1")
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == Attempts.LONGEST
    attempts.begin("ana", "192.0.2.2")
    attempts.forgive("ana", "192.0.2.1")
    now[0] += Attempts.LONGEST
    attempts.begin("ana", "192.0.2.1")


def test_guessing_names_becomes_slow_too_and_fills_no_memory(monkeypatch):
    monkeypatch.setattr(Attempts, "MOST", 50)
    attempts = Attempts(clock=lambda: 0.0)
    for number in range(5 * Attempts.FREE):
        attempts.begin(f"user{number}", "192.0.2.1")
    with pytest.raises(LimitError):
        attempts.begin("another", "192.0.2.1")
    for number in range(1000):
        attempts.begin("ana", f"address {number}")
    assert len(attempts._tried) <= 52


# Who has to sign in


@pytest.fixture
def config(tmp_path):
    return lambda **server: Settings(server={"users": tmp_path / "users.sqlite", **server})


@pytest.fixture
def demand(config):
    """Who may sign in, by settings; closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda **server: stack.enter_context(contextlib.closing(Demand(config(**server))))


def add_user(config, name="ana"):
    with contextlib.closing(Users(config().users_file)) as users:
        users.add(name, PASSWORD)


def test_alone_on_this_machine_nobody_signs_in(demand, tmp_path):
    assert demand()() is None
    assert not (tmp_path / "users.sqlite").exists()
    assert demand(auth="none")() is None


def test_where_there_are_users_they_sign_in(config, demand):
    add_user(config)
    assert [user.name for user in demand()().all()] == ["ana"]
    assert demand(auth="none")() is None


def test_users_are_demanded_where_there_are_none(config):
    with pytest.raises(KabarError, match="kabar user add NAME"):
        Demand(config(auth="users"))


def test_the_first_user_shuts_a_server_that_runs_already(config, demand):
    """And the last one that goes does not open it again."""
    loader = Loader(Scripted)
    loader.start()
    sign_in_demanded = demand()
    app = application(loader, hosts=None, users=sign_in_demanded)
    from starlette.testclient import TestClient

    client = TestClient(app)
    ask = {"json": {"question": "when will Blinken arrive?"}}
    assert client.post("/api/ask", **ask).status_code == 200
    with contextlib.closing(Users(config().users_file)) as users:
        assert client.post("/api/ask", **ask).status_code == 200, "there is the file, and nobody in it"
        users.add("ana", PASSWORD)
        for path in ("/api/ask", "/v1/chat/completions", "/mcp", "/gradio_api/queue/join"):
            assert client.post(path, **ask).status_code == 401
        assert client.get("/", headers={"accept": "text/html"}).status_code == 401
        _, token = users.add_token("ana")
        assert client.post("/api/ask", headers={"authorization": f"Bearer {token}"}, **ask).status_code == 200
        users.remove("ana")
        assert client.post("/api/ask", **ask).status_code == 401


def test_names_that_are_served(config):
    with listen("127.0.0.1", 0) as here, listen("0.0.0.0", 0, public=True) as everywhere:
        local = {"127.0.0.1", "localhost", "::1"}
        assert _names(config(), "127.0.0.1", here) == local
        assert _names(config(names=["News.example"]), "127.0.0.1", here) == local | {"news.example"}
        assert _names(config(), "0.0.0.0", everywhere) is None
        assert _names(config(names=["news.example"]), "0.0.0.0", everywhere) == local | {"0.0.0.0", "news.example"}


def test_where_nobody_signs_in_there_is_no_sign_in_page():
    async def run(path):
        sent = []
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "client": ("192.0.2.1", 5)}

        async def app(scope, receive, send):
            sent.append(scope["user"])

        async def send(message):
            sent.append(message)

        await Auth(app, lambda: None)(scope, None, send)
        return sent

    import asyncio

    (caller,) = asyncio.run(run("/"))
    assert (caller.display_name, caller.key) == ("", "address 192.0.2.1")
    assert asyncio.run(run("/login"))[0]["status"] == 303
