"""When two articles are one: the same text, or the same address on the web."""

import hashlib
import json
import re
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, urlencode, urlsplit

from index.article import Article

# What links carry for those who count clicks; the page is the same without.
_TRACKING = re.compile(r"utm_.*|fbclid|gclid|dclid|msclkid|yclid|mc_[ce]id|igshid|ocid|cmpid|ns_.*|at_.*|xtor")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_INDEX_PAGE = re.compile(r"/index\.(?:html?|php)$")


def canonical_address(url: str | None) -> str | None:
    """One form of all addresses of a page (``example.org/news/1``); None for a site's front page: it is no article."""
    try:
        parts = urlsplit(url or "")
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
        port = str(parts.port or "")
    except ValueError:
        return None
    path = _INDEX_PAGE.sub("", parts.path).rstrip("/")
    query = urlencode(sorted((name, value) for name, value in parse_qsl(parts.query) if not _TRACKING.fullmatch(name)))
    if not host or not (path or query):
        return None
    place = host if port in ("", _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"
    return place + path + (f"?{query}" if query else "")


def copy_key(article: Article) -> str:
    """SHA-256 that is the same for copies of an article: its words, its headline, and its date if that is stated.

    White space does not count, nor does a title that was made from the name of the file, nor a date that is the file's.
    """
    date = article.published if article.published_from not in ("file", "unknown") else None
    title = "" if _is_made_from(article.title, article.id) else " ".join(article.title.split())
    content = json.dumps([str(date), title, " ".join(article.text.split())])
    return hashlib.sha256(content.encode()).hexdigest()


def _is_made_from(title: str, article_id: str) -> bool:
    name = PurePosixPath(re.split("[!#]", article_id.rpartition("!")[2])[0])
    return _letters(title) in {_letters(name.name), _letters(name.stem), _letters(name.name.partition(".")[0])}


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
