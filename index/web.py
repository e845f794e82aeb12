"""An address on the web as a place to index: a page, a feed, a sitemap, or a file of articles.

What it is shows when it has been fetched. A feed or a sitemap is a list: its entries are items whose stamp is what the
list says of them, so that the page of an entry is fetched once, and again when the list says that it has changed. The
list itself is an item that gives no article and keeps what the server wants to be asked with next time.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from index.addresses import parse_address
from index.errors import ArticleError, FetchError
from index.fetch import Fetched, Fetcher, fetcher_for
from index.place import Known
from index.sources.entry import Entry
from index.sources.feed import read_feed
from index.sources.kind import kind_of
from index.sources.sitemap import read_sitemap
from index.sources.source import Problem
from index.unpacking import GZIP_MAGIC, gunzip
from index.web_items import Document, Page, validators_of

if TYPE_CHECKING:
    from index.config import IndexSettings

_SITEMAPS = 200
"""Sitemaps that are read for one address; an index may name 50,000."""
_LARGEST_FEED = 5_000_000
"""Bytes of a feed that are read: some thousand entries, which take feedparser half a minute."""


class Web:
    """What stands at an address. Raises FetchError if it is none that can be fetched from."""

    def __init__(self, url: str, settings: "IndexSettings", fetcher: Fetcher | None = None) -> None:
        self.name = str(parse_address(url))
        self.scope: tuple[str, ...] = ()  # what has left a feed is not gone
        self._settings = settings
        self._fetcher = fetcher or fetcher_for(settings.fetch)

    def items(self, known: Callable[[str], Known | None]) -> "Iterator[Document | Page | Problem]":
        """The page, or the entries of the list and then the list. What cannot be had now comes out as a Problem."""
        waiting, seen = [self.name], {self.name}
        room = self._settings.fetch.pages
        while waiting:
            url = waiting.pop(0)
            try:
                found = self._look(url, known(url))
            except ArticleError as error:
                yield Problem(error.where, error.reason)
                continue
            if isinstance(found, Document):
                yield found
                continue
            if found.fetched.cut:
                yield Problem(url, f"{found.fetched.cut}; what came until then was read", lost=False)
            pages = [Page(entry, url, found.fetched.url, self._fetcher, self._settings) for entry in found.entries]
            for page in pages:
                was = known(page.name)
                page.done = was is not None and was.stamp == page.stamp
                if page.done or room > 0:
                    room -= not page.done
                    yield page
                else:
                    page.left = True
            if left := sum(page.left for page in pages):
                yield Problem(url, f"{left} pages are left for the next run; fetch.pages sets how many", lost=False)
            new = [sitemap for sitemap in found.sitemaps if sitemap not in seen][: _SITEMAPS - len(seen)]
            waiting += new
            seen.update(new)
            # The sitemaps that an index names change while it stays as it is: it has to be had each time.
            yield Document(url, found.fetched, pages=() if found.fetched.cut or found.sitemaps else pages)

    def _look(self, url: str, before: Known | None) -> "Document | _List":
        """Fetch what stands at an address, if it has changed. Raises ArticleError."""
        limit = self._settings.fetch.megabytes
        linked_from = None if url == self.name else self.name
        fetched = self._fetcher.get(url, validators=validators_of(before), linked_from=linked_from)
        if fetched is None:
            return Document(url, stamp=before.stamp if before else "")
        if fetched.content.startswith(GZIP_MAGIC):
            try:
                content, whole = gunzip(fetched.content, limit * 1_000_000)
            except zlib.error:
                raise FetchError(url, "damaged: it cannot be unpacked") from None
            cut = fetched.cut or (None if whole else f"larger than {limit} MB")
            fetched = replace(fetched, content=content, media_type="", cut=cut)
        kind = kind_of(fetched.content, fetched.media_type)
        if kind == "feed":
            if len(fetched.content) > _LARGEST_FEED:
                fetched = replace(fetched, content=fetched.content[:_LARGEST_FEED], cut="a feed of more than 5 MB")
            cut_off = fetched.cut is not None
            return _List(fetched, read_feed(fetched.content, url=fetched.url, charset=fetched.charset, cut=cut_off), [])
        if kind == "sitemap":
            return _List(fetched, *read_sitemap(fetched.content, url=fetched.url))
        return Document(url, fetched, self._settings)


class _List(NamedTuple):
    fetched: Fetched
    entries: list[Entry]
    sitemaps: list[str]
