"""What news agencies send: NewsML-G2 (https://iptc.org/standards/newsml-g2/) and NITF (https://iptc.org/standards/nitf/)."""

import re
from collections.abc import Iterator
from html.entities import html5
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from index.article import Article
from index.errors import ArticleError
from index.sources.fields import article, read_date
from index.sources.source import Origin, Problem, read_whole

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_BLOCKS = {"p", "hl1", "hl2", "h1", "h2", "h3", "h4", "li", "dd", "dt", "tr", "pre", "block", "blockquote", "br", "div"}
# What stands in an NITF body or an XHTML story beside its text.
_BESIDE = {
    "media",
    "table",
    "script",
    "style",
    "head",
    "byline",
    "figure",
    "nitf-table",
    "note",
    "body.head",
    "body.end",
}
_WITHHELD = ("canceled", "cancelled", "withheld")


class NewsXml:
    """A NewsML-G2 item or a message with many, or an NITF story."""

    suffixes: ClassVar[tuple[str, ...]] = (".xml", ".nitf", ".newsml")

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles. Raises ArticleError."""
        root = _parse(read_whole(stream, origin), origin)
        kind = _name(root)
        if kind == "nitf":
            yield _nitf(root, origin, {})
            return
        items = [root] if kind == "newsItem" else list(root.iter("{*}newsItem"))
        if not items:
            raise ArticleError(origin.where, f"neither NewsML-G2 nor NITF: it begins with <{kind}>")
        for number, item in enumerate(items, start=1):
            place = origin if len(items) == 1 else origin.at(f"#{number}")
            try:
                yield _news_item(item, place)
            except ArticleError as error:
                yield Problem(place.where, error.reason)


def _parse(content: bytes, origin: Origin) -> "Element":
    """The root. Entities are not expanded, and nothing outside the file is read."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ArticleError(origin.where, f"not valid XML: {' '.join(str(error).split())}") from None


def _news_item(item: "Element", origin: Origin) -> Article:
    """The article of a newsItem, whose text stands in it as NITF, XHTML or plain text."""
    status = _value(item, ".//{*}itemMeta/{*}pubStatus", "qcode").rpartition(":")[2].lower()
    if status in _WITHHELD:
        raise ArticleError(origin.where, f"its publisher has {status.replace('canceled', 'cancelled')} it")
    tag = _value(item, ".//{*}contentMeta/{*}language", "tag")
    created = next(
        (
            found
            for path in (".//{*}contentMeta/{*}contentCreated", ".//{*}itemMeta/{*}firstCreated")
            if (found := _words(item.find(path)))
        ),
        _words(item.find(".//{*}itemMeta/{*}versionCreated")),
    )
    fields = {
        "id": item.get("guid"),
        "title": _words(item.find(".//{*}contentMeta/{*}headline")) or _words(item.find(".//{*}itemMeta/{*}title")),
        "url": next((_words(link) for link in item.findall(".//{*}contentMeta/{*}altId") if _words(link)), None),
        "source": _words(item.find(".//{*}contentMeta/{*}infoSource/{*}name"))
        or _words(item.find(".//{*}itemMeta/{*}provider/{*}name"))
        or _words(item.find(".//{*}contentMeta/{*}creditline")),
        "language": tag or item.get("{http://www.w3.org/XML/1998/namespace}lang"),
        "published": created,
    }
    if (story := item.find(".//{*}contentSet/{*}inlineXML")) is not None:
        nitf = story.find(".//{*}nitf")
        return _story(fields, _text(story), origin) if nitf is None else _nitf(nitf, origin, fields)
    if (plain := item.find(".//{*}contentSet/{*}inlineData")) is not None:
        return _story(fields, "".join(plain.itertext()).strip(), origin)
    raise ArticleError(origin.where, "no text in it")


def _nitf(root: "Element", origin: Origin, known: dict[str, Any]) -> Article:
    """The article of an NITF story; what the NewsML item around it says comes first."""
    about = {
        "id": _value(root, ".//{*}docdata/{*}doc-id", "id-string"),
        "title": _words(root.find(".//{*}hedline/{*}hl1")) or _words(root.find("./{*}head/{*}title")),
        "source": _words(root.find(".//{*}distributor")) or _value(root, ".//{*}docdata/{*}doc.copyright", "holder"),
        "language": root.get("{http://www.w3.org/XML/1998/namespace}lang"),
        "published": _value(root, ".//{*}docdata/{*}date.issue", "norm")
        or _value(root, ".//{*}docdata/{*}date.release", "norm")
        or _value(root, ".//{*}body.head//{*}story.date", "norm"),
    }
    body = root.find(".//{*}body.content")
    if body is None:
        raise ArticleError(origin.where, "no text in it")
    fields = {name: known.get(name) or about.get(name) for name in {*known, *about}}
    dateline = _words(root.find(".//{*}body.head/{*}dateline"))
    text = _text(body)
    return _story(fields, f"{dateline}\n\n{text}" if dateline and dateline not in text else text, origin)


def _story(fields: dict[str, Any], text: str, origin: Origin) -> Article:
    published = {}
    if stated := fields.pop("published", None):
        try:
            published = {"published": read_date(_basic_date(stated)), "published_from": "metadata"}
        except ValueError as error:
            raise ArticleError(origin.where, str(error)) from None
    return article(origin, text=text, published=published, **fields)


def _basic_date(stated: str) -> str:
    """NITF writes 20231101T093000Z and 20231101T093000+0700: the day is enough."""
    return re.sub(r"^(\d{8})T\d{4,6}.*", r"\1", stated)


def _text(story: "Element") -> str:
    """The paragraphs of a story, one empty line between them."""
    blocks = [""]

    def walk(element: "Element") -> None:
        if not isinstance(element.tag, str):
            blocks[-1] += _entity(element)
        elif (name := _name(element)) not in _BESIDE:
            if name in _BLOCKS:
                blocks.append("")
            blocks[-1] += element.text or ""
            for child in element:
                walk(child)
                blocks[-1] += child.tail or ""
            if name in _BLOCKS:
                blocks.append("")

    walk(story)
    return "\n\n".join(words for block in blocks if (words := " ".join(block.split())))


def _words(element: "Element | None") -> str:
    return "" if element is None else _text(element).replace("\n\n", " ")


def _value(element: "Element", path: str, attribute: str) -> str:
    found = element.find(path)
    return "" if found is None else found.get(attribute, "")


def _name(element: "Element") -> str:
    return str(element.tag).rpartition("}")[2]


def _entity(element: "Element") -> str:
    """The character that "&eacute;" stands for; nothing for an entity of the file's own, which may be a bomb."""
    name = getattr(element, "name", None)
    return html5.get(f"{name};", "") if name else ""
