"""Text of articles inside Markdown: words, never markup."""

import re

# What begins a picture, a link, a definition of either, or HTML, and what would undo the backslash before it. Emphasis
# and the like may stand: they load nothing.
_MARKUP = re.compile(r"!\[|\](?=[(\[:])|<|\\")


def defused(text: str) -> str:
    r"""The text with a backslash before whatever could load a picture, lead elsewhere or be HTML.

    >>> defused("![x](https://example.org/x.png) <img> [1]")
    '!\\[x\\](https://example.org/x.png) \\<img> [1]'
    """
    return _MARKUP.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], text)
