"""Who asks, and in which language the page speaks to them."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple

from starlette.datastructures import Headers

from ui.identity import caller_of
from ui.logs import NUMBER
from ui.words import best_language, languages

LANGUAGE_COOKIE = "kabar-language"
"""Set by the page's own switch."""


class Visitor(NamedTuple):
    """Whose conversations a request is about, "" where nobody has to sign in, and the language of the page.

    ``key`` is what turns and limits are counted by; ``request`` is the number of the request in the log: events of the
    page are worked on where nobody knows it any more.
    """

    owner: str
    language: str
    key: str
    request: str = ""


def visitor(scope: Mapping[str, Any]) -> Visitor:
    """The visitor of a request, by its ASGI scope."""
    caller, headers = caller_of(scope), Headers(scope=dict(scope))
    language = chosen_language(headers.get("cookie", ""), headers.get("accept-language", ""))
    return Visitor(caller.display_name, language, caller.key, scope.get(NUMBER, ""))


def chosen_language(cookie: str, accepted: str) -> str:
    """The language chosen on the page, else the browser's best."""
    try:
        chosen = SimpleCookie(cookie).get(LANGUAGE_COOKIE)
    except CookieError:
        chosen = None
    return chosen.value if chosen and chosen.value in languages() else best_language(accepted)
