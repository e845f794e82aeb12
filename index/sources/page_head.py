"""What a page states about its article for machines."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# The subtypes of schema.org's Article, and what is used for one.
_ARTICLE_TYPES = re.compile(r"(Article|BlogPosting|Report|Review|SocialMediaPosting)$")
_PAGE_TYPES = re.compile(r"(WebPage|ItemPage)$")
_LONGEST_TITLE = 1000
_OPENS = re.compile(r"[\[{]")
_DATED = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?=$|[-_])")


class PageHead:
    """What a page states for machines: ``<meta>``, and JSON-LD (https://schema.org)."""

    def __init__(self, tree: "HtmlElement") -> None:
        self.tree = tree
        self.metas: dict[str, str] = {}
        for element in tree.iter("meta"):
            name = next((n for key in ("property", "name", "itemprop", "http-equiv") if (n := element.get(key))), None)
            if name and (content := (element.get("content") or "").strip()):
                self.metas.setdefault(name.lower(), content)
        self.article: dict[str, Any] = {}
        self.page: dict[str, Any] = {}
        self.dated_in_broken_json: str | None = None
        for script in tree.iterfind(".//script[@type='application/ld+json']"):
            self._read_json(script.text or "")

    def _read_json(self, text: str) -> None:
        try:
            # From the first bracket to the last: some wrap it in a comment or in CDATA.
            first = _OPENS.search(text)
            last = max(text.rfind("]"), text.rfind("}")) + 1
            nodes = list(_nodes(json.loads(text[first.start() : last], strict=False))) if first else []
        except (ValueError, RecursionError):
            if match := _DATED.search(text):
                self.dated_in_broken_json = self.dated_in_broken_json or match.group(1)
            return
        for node in nodes:
            kinds = node.get("@type")
            kinds = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]
            if any(map(_ARTICLE_TYPES.search, kinds)):
                self.article = self.article or node
            elif any(map(_PAGE_TYPES.search, kinds)):
                self.page = self.page or node

    @property
    def language(self) -> str | None:
        """The language that the page declares, ISO 639."""
        stated = (
            *(self.tree.get("lang"), self.tree.get("xml:lang"), self.article.get("inLanguage")),
            *(self.metas.get(name) for name in ("content-language", "og:locale")),
        )
        found = (_LANGUAGE.match(value.strip()) for value in stated if isinstance(value, str))
        return next((match.group().lower() for match in found if match), None)

    @property
    def is_live(self) -> bool:
        """Whether the page is a live report, which has many entries."""
        return self.article.get("@type") == "LiveBlogPosting"

    @property
    def source(self) -> str | None:
        """The publisher that the page names."""
        publisher = self.article.get("publisher")
        names = (
            publisher.get("name") if isinstance(publisher, dict) else publisher,
            *(self.metas.get(name) for name in ("og:site_name", "application-name", "dcterms.publisher", "publisher")),
        )
        return next((words for name in names if isinstance(name, str) and (words := " ".join(name.split()))), None)

    @property
    def titles(self) -> list[str]:
        """Titles that the page states, best first, as they are: with the site's name in some."""
        stated = [self.article.get("headline"), self.metas.get("og:title"), self.metas.get("twitter:title")]
        if (element := self.tree.find(".//title")) is not None:
            stated.append(element.text_content())
        found = (" ".join(unescape(title[:_LONGEST_TITLE]).split()) for title in stated if isinstance(title, str))
        return [words for words in found if words]

    @property
    def dates(self) -> list[str]:
        """Times of publication that are stated as such, best first."""
        stated = (
            self.article.get("datePublished"),
            self.metas.get("article:published_time"),
            self.dated_in_broken_json,
            *(e.get("content") or e.get("datetime") for e in self.tree.xpath("//*[@itemprop='datePublished']")),
            self.page.get("datePublished"),
        )
        return [text.strip() for text in stated if isinstance(text, str)]


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """The objects at the top, which lists and ``@graph`` hold; an article inside another is of something else."""
    waiting = [data]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting[:0] = item
        elif isinstance(item, dict):
            yield item
            waiting[:0] = [item[key] for key in ("@graph", "mainEntity") if isinstance(item.get(key), list | dict)]
