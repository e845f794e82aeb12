"""What a page tells of its article outside the text: headline, address, publisher and date of publication."""

import logging
import re
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from index.dates import resolve
from index.sources.fields import read_date, web_address
from index.sources.page_head import PageHead

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_DASH = r"\s*[|–—·•»«<>:：_-]+\s*"
_LONGEST_SITE = 60
_LONGEST_TITLE = 1000
# The text that a reader sees, but for links.
_VISIBLE = "//body//text()[not(parent::script or parent::style or parent::a)]"
# "2022. március 3." without its dots.
_ORDINAL = re.compile(r"(?<=\d)\.(?=\s|$)")
_LONGEST_LINE = 120
_LINES = 12
# A line that ends like a sentence and is so long is one; after two of them the story has begun.
_ENDS = tuple(".!?。！？।؟…")
_SENTENCE, _LEAD = 30, 1
_EARLIEST = date(1995, 1, 1)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is known of the article; ``published`` holds the Article's fields of that name, and is empty if none is."""

    title: str | None
    url: str | None
    source: str | None
    published: dict[str, Any]


def page_facts(head: PageHead, url: str | None, language: str, fetched: datetime) -> PageFacts:
    """What the page at ``url`` tells of its article; no date is later than ``fetched``."""
    title = _title(head)
    return PageFacts(title, _address(head, url), _source(head, title), _published(head, title, url, language, fetched))


def _title(head: PageHead) -> str | None:
    """The headline as it stands on the page: the longest heading that a stated title begins or ends with."""
    site = head.source
    found = (" ".join(e.text_content()[:_LONGEST_TITLE].split()) for e in head.tree.iter("h1", "h2", "h3"))
    headings = [words for words in found if words and words != site]
    for title in head.titles:
        if inside := [words for words in headings if title.startswith(words) or title.endswith(words)]:
            return max(inside, key=len)
    if not head.titles:
        return headings[0] if headings else None
    title = head.titles[0]
    if site:
        title = re.sub(rf"{_DASH}{re.escape(site)}\Z|\A{re.escape(site)}{_DASH}", "", title)
    return title


def _source(head: PageHead, title: str | None) -> str | None:
    """The publisher: as stated, else what the page's title has beside the headline."""
    stated = head.source
    if stated is None and title and head.titles:
        before, found, after = head.titles[-1].partition(title)
        rest = re.sub(rf"\A{_DASH}|{_DASH}\Z", "", after or before)
        stated = rest if found and 0 < len(rest) <= _LONGEST_SITE else None
    return stated


def _address(head: PageHead, url: str | None) -> str | None:
    """The canonical address. Of another site, or of a site's front page, it is a mistake or a trick."""
    links = [link.get("href") for link in head.tree.iterfind(".//link[@rel='canonical']")]
    for stated in (*links, head.metas.get("og:url")):
        try:
            address = web_address(urljoin(url or "", (stated or "").strip()))
            parts = urlsplit(address or "")
            ours = urlsplit(url).hostname if url else parts.hostname
        except ValueError:
            continue
        if address and len(parts.path) > 1 and _site(parts.hostname) == _site(ours):
            return address
    return web_address(url)


def _site(host: str | None) -> str:
    return ".".join((host or "").split(".")[-2:])


def _published(head: PageHead, title: str | None, url: str | None, language: str, fetched: datetime) -> dict[str, Any]:
    """From what is stated; else a date beside the headline; else what htmldate finds in the head and the address."""
    for stated in head.dates:
        if (day := _day(stated, fetched)) is not None:
            return {"published": day, "published_from": "metadata"}
    day = _beside_headline(head.tree, title, language, fetched) or _found_by_htmldate(head.tree, url, fetched)
    return {} if day is None else {"published": day, "published_from": "page"}


def _day(stated: str, fetched: datetime) -> date | None:
    """The day as it was where the article came out, if it is not later than the fetch."""
    try:
        day = read_date(stated)
    except ValueError:
        return None
    return None if day < _EARLIEST or _is_late(stated, fetched) else day


def _is_late(stated: str, fetched: datetime) -> bool:
    """Whether it is a time after the fetch, wherever on Earth, or a day after it."""
    try:
        day = read_date(stated)
    except ValueError:
        return False
    try:
        time = datetime.fromisoformat(stated.strip())
    except ValueError:
        return day > fetched.date()
    return time > fetched if time.tzinfo else day > fetched.date()


def _found_by_htmldate(tree: "HtmlElement", url: str | None, fetched: datetime) -> date | None:
    """What other names of ``<meta>``, or the address, say. A date further down is as often that of another article."""
    import htmldate
    from lxml import html

    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    page = html.document_fromstring("<html><head></head><body><p></p></body></html>")
    for element in tree.xpath("//meta|//link[@rel='canonical']"):
        if not _is_late(element.get("content") or "", fetched):  # it would take the first of that month
            page.head.append(deepcopy(element))
    try:
        found = htmldate.find_date(
            page,
            extensive_search=False,
            original_date=True,
            url=url,
            max_date=fetched.date().isoformat(),
            deferred_url_extractor=True,
        )
        return date.fromisoformat(found) if found else None
    except Exception:  # noqa: BLE001 -- whatever the library makes of a broken page, the others are read
        return None


def _beside_headline(tree: "HtmlElement", title: str | None, language: str, fetched: datetime) -> date | None:
    """A date on a line of its own between the headline and the story, or just above the headline."""
    texts = [text for text in tree.xpath(_VISIBLE) if text.strip()]
    lines = [" ".join(text.split()) for text in texts]
    story = next((number for number, line in enumerate(lines) if len(line) > _LONGEST_LINE), len(lines))
    place = lines.index(title) if title in lines else story
    sentences = 0
    for number in (*range(place, min(place + _LINES, len(lines))), *reversed(range(max(0, place - _LINES), place))):
        line = lines[number]
        if number > place and sentences > _LEAD:
            continue  # the story has begun: on to the lines above the headline
        if len(line) > _SENTENCE and (line.endswith(_ENDS) or len(line) > _LONGEST_LINE):
            sentences += 1 if len(line) <= _LONGEST_LINE else 1 + _LEAD
            continue
        element = texts[number].getparent()
        stated = None if texts[number].is_tail else element.get("datetime") or element.get("title")
        day = (_day(stated, fetched) if stated else None) or day_in(line, language)
        if day is not None and _EARLIEST <= day <= fetched.date():
            return day
    return None


def day_in(line: str, language: str) -> date | None:
    """The first day that a line names with its year, in the language or as software writes it by default."""
    for words, code in ((line, language), (_ORDINAL.sub("", line), language), (line, "en")):
        for mention in resolve(words, None, code):
            if len(mention.value) == len("2023-11-08"):
                return date.fromisoformat(mention.value)
    return None
