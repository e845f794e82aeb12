"""The words of a piece of HTML that is all article: what a feed holds of one."""

import re

_BLOCKS = frozenset(
    "address article aside blockquote br caption center dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4"
    " h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead tr ul".split()
)
_NO_WORDS = frozenset("audio button canvas iframe input noscript object script select style svg textarea video".split())
_SPACE = re.compile(r"\s+")


def fragment_text(html: str) -> str:
    """The text, a paragraph for each block. Never raises."""
    if "<" not in html and "&" not in html:
        return "\n\n".join(line for line in map(str.strip, html.splitlines()) if line)
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(f"<div>{html}</div>".encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return ""
    if root is None:
        return ""
    pieces: list[str] = []
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        border = "\n" if element.tag in _BLOCKS else ""
        if event == "end":
            pieces += (border, _SPACE.sub(" ", element.tail or ""))
        elif element.tag in _NO_WORDS:
            walker.skip_subtree()
        else:
            pieces += (border, _SPACE.sub(" ", element.text or ""))
    return "\n\n".join(line for line in map(str.strip, "".join(pieces).split("\n")) if line)
