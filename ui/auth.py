"""Who is let in: the layer before every route, those of Gradio and of the Model Context Protocol included.

A browser signs in with name and password and gets a session; a program sends a token with every request. Whoever has
neither gets 401 and the page to sign in at, whatever was asked for; only ``/health`` is open.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui import problems, sign_in
from ui.errors import LimitError
from ui.identity import Caller
from ui.users import Users
from ui.visitor import chosen_language

SESSION_COOKIE = "kabar-session"
_FORM_COOKIE = "kabar-sign-in"
_OPEN = ("/health",)
_LOGIN, _LOGOUT = "/login", "/logout"
_LONGEST_FORM = 10_000


class Auth:
    """ASGI layer that knows who asks, and lets in nobody but users as soon as there are some."""

    def __init__(self, app: ASGIApp, users: Callable[[], Users | None], *, days: float = 7) -> None:
        """``users`` are asked for with every request; None lets everybody in. ``days`` is how long a session lasts."""
        self._app = app
        self._users = users
        self._days = days
        self._attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its caller as ``scope["user"]``, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        address = client[0] if client else ""
        users = self._users()
        if users is None:
            answer: Response | None = RedirectResponse("/", 303) if scope["path"] in (_LOGIN, _LOGOUT) else None
            scope["user"] = Caller(address=address)
        else:
            headers = Headers(scope=scope)
            name = _user(users, headers)
            scope["user"] = Caller(name or "", address)
            answer = await self._answer(users, Request(scope, receive), name)
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, users: Users, request: Request, name: str | None) -> Response | None:
        """What is answered here; None if the request may go on."""
        path, language = request.url.path, _language(request)
        if path == _LOGIN and request.method == "POST":
            return await self._sign_in(users, request, language)
        if name is None:
            return None if path in _OPEN else _refusal(request, language)
        if path == _LOGIN:
            return RedirectResponse("/", 303)
        if path != _LOGOUT:
            return None
        if request.method != "POST":
            return HTMLResponse(sign_in.sign_out_page(language, name))
        users.close_session(_cookie(request.headers, SESSION_COOKIE))
        done = RedirectResponse(_LOGIN, 303)
        done.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
        return done

    async def _sign_in(self, users: Users, request: Request, language: str) -> Response:
        body = await request.body()
        form = parse_qs(body.decode("utf-8", "replace")) if len(body) <= _LONGEST_FORM else {}
        name, password, shown, back = (form.get(key, [""])[0] for key in ("name", "password", "form", "next"))
        name, back = name.strip().lower(), _own_path(back)
        expected = _cookie(request.headers, _FORM_COOKIE)
        if not expected or not hmac.compare_digest(shown.encode(), expected.encode()):
            return _page(request, language, 403, problem="again", back=back)
        address = request.client.host if request.client else ""
        try:
            self._attempts.begin(name, address)
        except LimitError as error:
            page = _page(request, language, 429, problem="slow", back=back, seconds=error.seconds)
            page.headers["retry-after"] = str(round(error.seconds))
            return page
        if not await run_in_threadpool(users.check, name, password):
            return _page(request, language, 401, problem="wrong", back=back)
        self._attempts.forgive(name, address)
        done = RedirectResponse(back, 303)
        done.set_cookie(
            SESSION_COOKIE, users.open_session(name, self._days), max_age=round(self._days * 86_400), path="/",
            secure=request.url.scheme == "https", httponly=True, samesite="lax",
        )  # fmt: skip
        done.delete_cookie(_FORM_COOKIE, path=_LOGIN, httponly=True, samesite="strict")
        return done


class Attempts:
    """Slows guessing down: after some wrong passwords each further try has to wait twice as long. Thread-safe."""

    FREE = 4
    """Wrong tries without a wait, by one address for one name; five times as many by one address for all names."""
    LONGEST = 900.0
    FORGOTTEN = 3600.0
    MOST = 10_000
    """Names and addresses that are kept; the oldest go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tried: dict[tuple[str, ...], tuple[int, float]] = {}

    def begin(self, name: str, address: str) -> None:
        """Count a try, as a wrong one until it is forgiven. Raises LimitError if it comes too early."""
        keys = {(name[:64], address): self.FREE, (address,): 5 * self.FREE}
        with self._lock:
            now = self._clock()
            self._forget(now)
            for key, free in keys.items():
                count, last = self._tried.get(key, (0, now))
                wait = last + min(2.0 ** min(count - free, 20), self.LONGEST) - now if count >= free else 0
                if wait > 0:
                    raise LimitError("too many tries", max(1.0, wait))
            for key in keys:
                count, _ = self._tried.pop(key, (0, now))
                self._tried[key] = (count + 1, now)

    def forgive(self, name: str, address: str) -> None:
        """The password was right."""
        with self._lock:
            self._tried.pop((name[:64], address), None)
            count, last = self._tried.get((address,), (1, self._clock()))
            self._tried[(address,)] = (count - 1, last)

    def _forget(self, now: float) -> None:
        for key in list(self._tried):  # oldest first
            if len(self._tried) <= self.MOST and self._tried[key][1] > now - self.FORGOTTEN:
                break
            del self._tried[key]


def _user(users: Users, headers: Headers) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind:  # whoever sends one means it: a session does not stand in for a token that was revoked
        return users.of_token(token.strip()) if kind.lower() == "bearer" else None
    session = _cookie(headers, SESSION_COOKIE)
    return users.of_session(session) if session else None


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _language(request: Request) -> str:
    return chosen_language(request.headers.get("cookie", ""), request.headers.get("accept-language", ""))


def _refusal(request: Request, language: str) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return _page(request, language, 401, back="/" if request.url.path == _LOGIN else back)
    return problems.response(
        401,
        "sign in at /login, or send a token of `kabar token add` as 'Authorization: Bearer TOKEN'",
        {"www-authenticate": "Bearer"},
    )


def _page(
    request: Request, language: str, status: int, *, back: str, problem: str = "", seconds: float = 0
) -> HTMLResponse:
    """The page to sign in at. Its form is good for the browser that got it alone."""
    form = secrets.token_urlsafe(24)
    page = HTMLResponse(sign_in.page(language, form, _own_path(back), problem, seconds), status_code=status)
    page.headers["cache-control"] = "no-store"
    page.set_cookie(
        _FORM_COOKIE, form, max_age=3600, path=_LOGIN, secure=request.url.scheme == "https", httponly=True,
        samesite="strict",
    )  # fmt: skip
    return page


def _own_path(path: str) -> str:
    """The path if it leads to this server, else "/"."""
    leads_away = not path.startswith("/") or path.startswith(("//", "/\\", _LOGIN, _LOGOUT))
    return "/" if leads_away or not path.isprintable() or len(path) > 2000 else path
