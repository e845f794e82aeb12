"""What is read from the web: a document at an address that was named, and a page that a list links to."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from index.addresses import same_site
from index.article import Article
from index.errors import ArticleError, FetchError
from index.fetch import NO_VALIDATORS, Fetched, Fetcher, Validators
from index.place import Known
from index.sources.entry import Entry
from index.sources.fields import article as make_article
from index.sources.html import read_page
from index.sources.kind import kind_of
from index.sources.registry import source_for
from index.sources.source import Origin, Problem

if TYPE_CHECKING:
    from index.config import IndexSettings

_PAGE_SIZE = 50_000
"""Bytes that a page is taken to have before it is fetched."""
_LEAST_TEXT = 60
"""Characters of an entry from which on it can stand for a page that cannot be had."""


def validators_of(known: Known | None) -> Validators:
    """What the stamp of a document says to ask with."""
    try:
        etag, modified = json.loads(known.stamp) if known else (None, None)
    except (ValueError, TypeError):
        return NO_VALIDATORS
    return Validators(etag, modified)


class Document:
    """What stood at an address: a page or a file of articles, or a list, whose ``pages`` have all been named.

    Without ``fetched`` it is as it was. A list is remembered only when all its pages could be read; if ``pages`` is
    empty, something is missing in it.
    """

    def __init__(
        self,
        name: str,
        fetched: Fetched | None = None,
        settings: "IndexSettings | None" = None,
        *,
        stamp: str = "",
        pages: "Sequence[Page] | None" = None,
    ) -> None:
        self.name = name
        self.stamp = stamp
        self.size = len(fetched.content) if fetched and settings else 0
        self._fetched = fetched
        self._settings = settings
        self._pages = pages

    def digest(self) -> str:
        """SHA-256 of what the server sent."""
        return hashlib.sha256(self._fetched.content).hexdigest() if self._fetched else ""

    def lasting_stamp(self) -> str:
        """What the server gave to ask with, unless some of what the document lists has yet to be read."""
        if self._pages is not None and not (self._pages and all(page.done for page in self._pages)):
            return ""
        return json.dumps(self._fetched.validators) if self._fetched and any(self._fetched.validators) else self.stamp

    def position(self) -> int:
        """Not told."""
        return 0

    def read(self) -> Iterator[Article | Problem]:
        """The articles in it; none in a list. Raises ArticleError."""
        if self._fetched and self._settings:
            yield from read_document(self._fetched, self.name, self._settings)


def read_document(fetched: Fetched, name: str, settings: "IndexSettings") -> Iterator[Article | Problem]:
    """The articles in a page or a file; the address that ``name`` is becomes their id. Raises ArticleError."""
    kind = kind_of(fetched.content, fetched.media_type)
    if kind == "page":
        yield read_page_at(fetched, name)
        return
    _whole(fetched, name)
    source = source_for(kind) if kind else None
    if source is None:
        what = fetched.media_type or "of an unknown kind"
        raise FetchError(name, f"it is {what}: no page, feed, sitemap or file of articles")
    yield from source.read(BytesIO(fetched.content), Origin(name, name, fetched.time, settings.sources))


def read_page_at(fetched: Fetched, article_id: str) -> Article:
    """The article on a page. Raises ArticleError."""
    _whole(fetched, fetched.url)
    article = read_page(fetched.content, url=fetched.url, fetched=fetched.time, charset=fetched.charset)
    # A page may call any address its own; another site's would make it take the place of that site's article.
    url = article.url if article.url and same_site(article.url, fetched.url) else fetched.url
    return article.model_copy(update={"id": article_id, "url": url})


def _whole(fetched: Fetched, where: str) -> None:
    if fetched.cut:
        raise FetchError(where, f"{fetched.cut}; the section 'fetch' of config.yaml allows more")


class Page:
    """The page that an entry of a list links to.

    ``done``: it is in the index as the list describes it; ``left``: it is left for a later run. ``name`` is the address
    of the list, ``found_at`` where it led to.
    """

    size = _PAGE_SIZE

    def __init__(self, entry: Entry, name: str, found_at: str, fetcher: Fetcher, settings: "IndexSettings") -> None:
        self.name = f"{name}#{entry.identity}"
        self.stamp = entry.fingerprint
        self.done = self.left = False
        # A guid that is an address (or a URN) means the same article in every feed.
        self._id = entry.identity if ":" in entry.identity else self.name
        self._entry = entry
        self._found_at = found_at
        self._fetcher = fetcher
        self._settings = settings

    def digest(self) -> str:
        """Not known before it is fetched."""
        return ""

    def lasting_stamp(self) -> str:
        """The stamp, if the article was read."""
        return self.stamp if self.done else ""

    def position(self) -> int:
        """Not told."""
        return 0

    def read(self) -> Iterator[Article | Problem]:
        """The article on the page; where there never will be one, what the list itself holds of it."""
        where, text = self._entry.url or self.name, self._entry.text
        try:
            article = self._from_page() if self._entry.url else self._from_list()
        except ArticleError as error:
            if len(text) < _LEAST_TEXT or (isinstance(error, FetchError) and error.transient):
                yield Problem(where, error.reason)
                return
            article = self._from_list()
            yield Problem(where, f"{error.reason}; what the feed says of it was read instead", lost=False)
        self.done = True
        yield article

    def _from_page(self) -> Article:
        entry = self._entry
        fetched = self._fetcher.get(entry.url or "", linked_from=self._found_at)
        if fetched is None or kind_of(fetched.content, fetched.media_type) != "page":
            raise FetchError(self.name, f"it is {(fetched and fetched.media_type) or 'of an unknown kind'}, no page")
        article = read_page_at(fetched, self._id)
        stated: dict[str, Any] = {}
        if article.published_from != "metadata":
            stated = _stated(entry.day(fetched.time))
        return article.model_copy(
            update={"title": entry.title or article.title, "source": article.source or entry.source, **stated}
        )

    def _from_list(self) -> Article:
        """Raises ArticleError if there is no text."""
        entry = self._entry
        now = datetime.now(tz=UTC)
        # What a list says of another site's page must not take the place of what that page says itself.
        url = entry.url if entry.url and same_site(entry.url, self._found_at) else None
        return make_article(
            Origin(self.name, self._id, now, self._settings.sources),
            text=entry.text,
            title=entry.title,
            url=url,
            source=entry.source,
            language=entry.language,
            published=_stated(entry.day(now)) or None,
        )


def _stated(day: date | None) -> dict[str, Any]:
    if day is None:
        return {}
    return {"published": day, "published_from": "metadata", "published_certainty": 1.0, "published_reason": None}
