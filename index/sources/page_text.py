"""The article's text on a page: trafilatura, on a page that is tidied up for it."""

import re
from copy import deepcopy
from itertools import accumulate
from typing import TYPE_CHECKING

from index.sources.page_head import PageHead

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HIDDEN = "//noscript|//template|//dialog|//*[@role='dialog']|//*[@hidden]|//amp-consent|//amp-sidebar|//amp-ad"
# Words in the class or id of what stands beside an article or between its paragraphs.
_BESIDE = re.compile(
    r"(?:^|[\s_-])(?:ads?|advert\w*|banner|breadcrumbs?|comments?|consent|cookies?|gdpr|newsletter|paywall|promo|"
    r"recommend\w*|related|shar(?:e|ing)|signup|social|subscri\w+)(?:$|[\s_-])",
    re.IGNORECASE,
)
# But what holds so much of the page's text is the page, whatever its class.
_MOST_BESIDE = 0.25
# A short block that is mostly a link leads to another article.
_TEASER, _LINKED = 200, 0.5
# A table whose cell holds so much, or a headline, lays out the page.
_LAYOUT_CELL = 300
_RIGHTS = re.compile(r"©|\(c\) ?\d{4}|all rights reserved", re.IGNORECASE)
_SHORT = 100
_BLOCKS = ("p", "li", "div", "dd", "td", "h4", "h5", "h6", "section")
# trafilatura drops the two joiners, without which words of Persian and of India's scripts are other words. They pass
# it as signs that no text has.
_JOINERS = (("\u200c", "\ua9c1"), ("\u200d", "\ua9c2"))


def page_lines(head: PageHead) -> list[str]:
    """The headings, paragraphs and items of a page's article, in order; none if there is no article. Never raises."""
    import trafilatura

    tree = _tidy(head)
    try:
        document = trafilatura.bare_extraction(tree, include_comments=False)
    except Exception:  # noqa: BLE001 -- whatever the library makes of a broken page, the others are read
        return []
    text = "" if document is None or isinstance(document, dict) else document.text or ""
    for joiner, stand_in in _JOINERS:
        text = text.replace(stand_in, joiner)
    return [line for line in text.splitlines() if line.strip() and not (len(line) <= _SHORT and _RIGHTS.search(line))]


def _tidy(head: PageHead) -> "HtmlElement":
    tree = deepcopy(head.tree)
    for element in tree.xpath(_HIDDEN):
        _drop(element)
    if head.is_live:
        for element in list(tree.iter("article")):
            element.tag = "div"  # of several articles only the first would be taken
    for table in list(tree.iter("table")):
        if any(map(_lays_out, table.iter("td"))):
            for element in table.iter("table", "tbody", "tr", "td", "th"):
                element.tag = "div"
    most = _MOST_BESIDE * len(tree.text_content())
    for element in list(tree.iter("div", "section", "aside", "p", "ul", "span", "form")):
        names = f"{element.get('class', '')} {element.get('id', '')}"
        if _BESIDE.search(names) and len(element.text_content()) < most:
            _drop(element)
    for element in list(tree.iter(*_BLOCKS)):
        if _is_teaser(element):
            _drop(element)
    for element in tree.iter():
        for joiner, stand_in in _JOINERS:
            if element.text and joiner in element.text:
                element.text = element.text.replace(joiner, stand_in)
            if element.tail and joiner in element.tail:
                element.tail = element.tail.replace(joiner, stand_in)
    return tree


def _is_teaser(element: "HtmlElement") -> bool:
    if _is_longer(element, _TEASER) or next(element.iter("h1", "h2", "h3"), None) is not None:
        return False
    linked = sum(len(" ".join(link.text_content().split())) for link in element.iter("a"))
    return linked > _LINKED * len(" ".join(element.text_content().split()))


def _lays_out(cell: "HtmlElement") -> bool:
    """Whether a cell holds a part of the page and no value."""
    return cell.find(".//h1") is not None or any(
        child.tag != "table" and _is_longer(child, _LAYOUT_CELL) for child in cell
    )


def _is_longer(element: "HtmlElement", length: int) -> bool:
    """Whether an element has more characters than that; no more of it is looked at."""
    return any(count > length for count in accumulate(len(text.strip()) for text in element.itertext()))


def _drop(element: "HtmlElement") -> None:
    if element.getparent() is not None:
        element.drop_tree()
