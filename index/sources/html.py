"""Pages of web sites: the article on a page without its menus, advertisements and comments."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError
from index.language import rank
from index.sources.decoding import decode_page
from index.sources.fields import article
from index.sources.page_facts import PageFacts, day_in, page_facts
from index.sources.page_head import PageHead
from index.sources.page_text import page_lines
from index.sources.source import Origin, Problem, read_whole

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# A page that is made by a script says so in a line or two.
_LONGEST_EXCUSE = 400
_EXCUSE = re.compile(r"java\s?script", re.IGNORECASE)
# Lines above the story: headline, date, author.
_TOP, _LONGEST_TOP_LINE = 4, 100
# Characters that XML has not; NUL among them.
_UNWRITABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


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
    tree = _parse(decode_page(content, charset), origin)
    head = PageHead(tree)
    lines = page_lines(head)
    text = "\n".join(lines)
    if not any(map(str.isalnum, text)) or (len(text) < _LONGEST_EXCUSE and _EXCUSE.search(text)):
        raise ArticleError(origin.where, "no article on this page; what a script puts there is not in the file")
    language = _believed(head.language, text)
    facts = page_facts(head, url, language, origin.fetched)
    return article(
        origin,
        text="\n".join(_story(lines, facts, language)),
        title=facts.title,
        url=facts.url,
        source=facts.source,
        language=language,
        published=facts.published,
    )


def _parse(text: str, origin: Origin) -> "HtmlElement":
    """The page's tree. Raises ArticleError."""
    from lxml import etree, html

    parser = html.HTMLParser(remove_comments=True, remove_pis=True, encoding="utf-8", no_network=True)
    try:
        tree = html.document_fromstring(_UNWRITABLE.sub(" ", text).encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        raise ArticleError(origin.where, "no text") from None
    if any("Excessive depth" in entry.message for entry in parser.error_log):
        raise ArticleError(origin.where, "its elements are nested too deeply to be read")
    return tree


def _story(lines: list[str], facts: PageFacts, language: str) -> list[str]:
    """The lines without the headline, which is the article's title, and without the line that dates it."""
    top = list(takewhile(lambda line: len(line) <= _LONGEST_TOP_LINE, lines[:_TOP]))
    kept = [
        line
        for line in top
        if " ".join(line.split()) != facts.title and not (facts.published and day_in(line, language))
    ]
    return [*kept, *lines[len(top) :]] or lines


def _believed(declared: str | None, text: str) -> str:
    """The declared language if the text can be in it; many a site declares its template's."""
    likely = rank(text)
    return declared if declared and (declared in likely[:3] or declared not in likely) else likely[0]
