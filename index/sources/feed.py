"""RSS and Atom, read by feedparser."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any

from index.addresses import parse_address
from index.errors import ArticleError, FetchError
from index.sources.entry import Entry
from index.sources.fragment import fragment_text

_LONGEST_IDENTITY = 500
# feedparser's own method gives one date for another, and warns that it does.
_get = dict.get


def read_feed(content: bytes, *, url: str, charset: str | None = None, cut: bool = False) -> list[Entry]:
    """The entries of the feed at ``url``, as it lists them; ``cut``: its end is missing.

    An entry's identity is its guid, or its address where it has none. Raises ArticleError if ``content`` is no feed.
    """
    import feedparser

    headers = {
        "content-location": url,
        "content-type": "application/xml" + (f"; charset={charset}" if charset else ""),
    }
    try:
        # A stream: of bytes feedparser would first ask whether they are the name of a file here.
        parsed = feedparser.parse(
            BytesIO(content), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
        feed = parsed.get("feed", {})
        source, language = _plain(feed.get("title")), _plain(feed.get("language"))
        entries = [_entry(entry, url, source, language) for entry in parsed.get("entries", [])]
    except Exception as error:  # noqa: BLE001 -- whatever its parsers do with what a server sends
        raise ArticleError(url, f"not a feed that can be read ({type(error).__name__})") from None
    if not entries and not parsed.get("version"):
        reason = " ".join(str(parsed.get("bozo_exception") or "neither RSS nor Atom").split())[:200]
        raise ArticleError(url, f"not a feed that can be read: {reason}")
    return _distinct(entries[:-1] if cut else entries)


def _distinct(entries: list[Entry]) -> list[Entry]:
    """Each entry once; where a feed gives one guid to several, their addresses tell them apart."""
    guids = Counter(entry.identity for entry in entries)
    found: dict[str, Entry] = {}
    for entry in entries:
        identity = entry.identity
        if guids[identity] > 1:
            identity = f"{identity} {entry.url or entry.title}"
        found.setdefault(identity, replace(entry, identity=identity))
    return list(found.values())


def _entry(entry: dict[str, Any], feed: str, source: str | None, language: str | None) -> Entry:
    title = _plain(_get(entry, "title"))
    # An entry may hold itself in several forms; the longest is the article, the others are its first lines.
    bodies = [part.get("value") or "" for part in _get(entry, "content") or ()] + [_get(entry, "summary") or ""]
    text = max(map(fragment_text, bodies), key=len)
    try:
        url = str(parse_address(str(_get(entry, "link") or ""), base=feed)) if _get(entry, "link") else None
    except FetchError:
        url = None
    guid = str(_get(entry, "id") or "").strip()
    identity = guid or url or f"{title} {hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"
    if len(identity) > _LONGEST_IDENTITY:
        identity = hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()
    origin = _get(entry, "source") or {}
    return Entry(
        identity=identity,
        url=url,
        title=title,
        published=_published(entry),
        modified=_plain(_get(entry, "updated")),
        text=text,
        source=_plain(origin.get("title")) or source,
        language=_plain((_get(entry, "title_detail") or {}).get("language")) or language,
    )


def _published(entry: dict[str, Any]) -> date | None:
    """When the entry was published, in its own time zone where it states one."""
    for name in ("published", "created", "updated"):
        stated = str(_get(entry, name) or "").strip()
        for read in (datetime.fromisoformat, parsedate_to_datetime):
            try:
                return read(stated)
            except (ValueError, TypeError, OverflowError, IndexError):
                continue
        if (parsed := _get(entry, f"{name}_parsed")) is not None:
            return date(*parsed[:3])
    return None


def _plain(html: Any) -> str | None:
    return " ".join(fragment_text(str(html)).split()) or None if html else None
