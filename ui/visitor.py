"""Who asks, and in which language the page speaks to them."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple

from starlette.datastructures import Headers

from ui.words import best_language, languages

LANGUAGE_COOKIE = "kabar-language"
"""Set by the page's own switch."""
LOCAL = "local"
"""The owner of all conversations where nobody has to sign in."""


class Visitor(NamedTuple):
    """Whose request it is, and the language of the page."""

    owner: str
    language: str


def visitor(scope: Mapping[str, Any]) -> Visitor:
    """The visitor of a request, by its ASGI scope: ``scope["user"]`` is put there by whoever checks who they are."""
    headers = Headers(scope=dict(scope))
    return Visitor(owner(scope), chosen_language(headers.get("cookie", ""), headers.get("accept-language", "")))


def owner(scope: Mapping[str, Any]) -> str:
    """The name of the user who has signed in; "local" where nobody has to."""
    user = scope.get("user")
    return str(getattr(user, "display_name", user) or LOCAL)


def chosen_language(cookie: str, accepted: str) -> str:
    """The language chosen on the page, else the browser's best."""
    try:
        chosen = SimpleCookie(cookie).get(LANGUAGE_COOKIE)
    except CookieError:
        chosen = None
    return chosen.value if chosen and chosen.value in languages() else best_language(accepted)
