"""What a server has sent, by its content first: the content type is often wrong."""

import re
from typing import Literal

Kind = Literal["feed", "sitemap", "page"]

_ROOTS: dict[bytes, str] = {
    b"rss": "feed",
    b"feed": "feed",
    b"rdf": "feed",
    b"urlset": "sitemap",
    b"sitemapindex": "sitemap",
    b"nitf": ".xml",
    b"newsitem": ".xml",
    b"newsmessage": ".xml",
    b"newsml": ".xml",
}
_MAGIC = {b"PK\x03\x04": ".zip", b"WARC/": ".warc", b"\xef\xbb\xbf{": ".json", b"{": ".json", b"[": ".json"}
_TYPES = {
    "application/json": ".json",
    "application/feed+json": ".json",
    "application/ld+json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/warc": ".warc",
    "application/zip": ".zip",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/html": "page",
    "application/xhtml+xml": "page",
}
_NAME = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")
_BETWEEN = b" \t\r\n]>"
"""Space, and the end of a DOCTYPE that holds declarations."""
_HEAD = 65_536


def kind_of(content: bytes, media_type: str) -> str | None:
    """A Kind, or the ending of a file of this format (".json"), or None for what cannot be read."""
    head = content[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode()
    root = _root(head)
    if root is not None:
        return _ROOTS.get(root, "page" if root == b"html" or "xml" not in media_type else ".xml")
    stated = _TYPES.get(media_type)
    if stated in (".jsonl", ".md", ".txt", "page"):
        return stated
    magic = next((kind for start, kind in _MAGIC.items() if head.lstrip().startswith(start)), None)
    return magic or stated or ("page" if not media_type else None)


def _root(head: bytes) -> bytes | None:
    """The name of the first tag, in lower case and without its prefix; None if the text begins otherwise."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    at = 0
    while True:
        while at < len(head) and head[at] in _BETWEEN:
            at += 1
        for start, end in ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!", b">")):
            if head.startswith(start, at):
                at = head.find(end, at) + len(end)
                if at < len(end):
                    return None
                break
        else:
            name = _NAME.match(head, at)
            return name[1].lower() if name else None
