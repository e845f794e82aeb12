"""Text, dates and links as HTML.

Whatever comes from a question, an article, a model or a reader is text and passes through ``text``: nothing of it can
become an element, an attribute or a link. Links go to http and https addresses only.
"""

from html import escape
from urllib.parse import urlsplit

from qa.language import direction
from qa.localise import date_text


def local_date(value: str, language: str) -> str:
    """``2023-11-08`` in the words of the language, anything that is no date as it is."""
    try:
        return date_text(value, language, weekday=False)
    except ValueError:
        return value


def safe_link(url: str | None) -> str | None:
    """The address if a reader may follow it: http or https, with a host and without white space; else None."""
    if not url or any(character.isspace() or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def text(raw: str) -> str:
    """Text that is safe between tags and in quoted attributes, and that UTF-8 can carry."""
    return escape(raw.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}"))


def attributes(language: str | None) -> str:
    """``lang`` and ``dir`` of an element in ``language``; the text's own direction if the language is unknown."""
    if not language or language == "und":
        return 'dir="auto"'
    return f'lang="{text(language)}" dir="{direction(language)}"'
