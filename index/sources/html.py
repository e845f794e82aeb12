"""Pages of web sites: the article on a page without its menus, advertisements and comments."""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, ClassVar

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError
from index.sources.decoding import decode_page
from index.sources.fields import article
from index.sources.source import Origin, Problem, read_whole


def read_page(content: bytes, *, url: str, fetched: datetime, charset: str | None = None) -> Article:
    """The article on the page at ``url``, which is its id. Raises ArticleError.

    ``charset`` is the one that the server names; what the page says of itself and what its bytes are count too.
    The publication date is never later than ``fetched``.
    """
    return page(content, Origin(url, url, fetched, SourcesConfig()), url=url, charset=charset)


class Html:
    """A saved page."""

    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml")

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The article. Raises ArticleError."""
        yield page(read_whole(stream, origin), origin)


def page(content: bytes, origin: Origin, *, url: str | None = None, charset: str | None = None) -> Article:
    """The article on a page. Raises ArticleError."""
    import trafilatura

    text = decode_page(content, charset)
    document = trafilatura.bare_extraction(text, url=url, include_comments=False, with_metadata=True)
    if document is None or isinstance(document, dict) or not document.text:
        raise ArticleError(origin.where, "no article on this page")
    return article(origin, text=document.text, title=document.title, url=document.url or url, source=document.sitename)
