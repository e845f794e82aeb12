"""From bytes to text: which encoding, and what to say where it is doubtful."""

import codecs
import re

from index.errors import ArticleError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# charset-normalizer's measure of how unlike a text the decoded text is, 0..1.
_MOST_CHAOS = 0.2
# Bytes that are enough to recognise an encoding by.
_SAMPLE = 200_000

# A page states its encoding within its first 1,024 bytes by the standard, and later in practice.
_HEAD = 8192
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w:.-]+)""", re.IGNORECASE)
# What is read in the place of an encoding that a page names (https://encoding.spec.whatwg.org/#names-and-labels).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Python knows more encodings than pages may be in, some of which do more than decode.
_OF_PAGES = re.compile(
    r"cp(125\d|866|874|932|949)|iso8859-\d+|koi8-[ru]|mac-(roman|cyrillic)|euc_jp|gb18030|big5hkscs|utf-8"
)
_SCRIPT = re.compile(rb"</?(?:script|style)\b", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>")
# No language of Europe writes more of its letters with accents; Vietnamese writes a third.
_MOST_ACCENTED = 0.45


def decode(content: bytes) -> tuple[str, str]:
    """The text, and how it had to be helped ("" if it was plain UTF-8). Raises ArticleError for a binary file."""
    if (unicode := _decode_unicode(content)) is not None and "\0" not in unicode[:_HEAD]:
        return unicode, ""
    if b"\0" in content[:_HEAD]:
        raise ArticleError("", "binary file, not text")
    text = content.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    if broken * 100 <= len(text):
        line = text.count("\n", 0, text.index("\N{REPLACEMENT CHARACTER}")) + 1
        return text, f"{broken} characters could not be read and were replaced, the first in line {line}"
    recognised = _recognise(content)
    if recognised is None:
        raise ArticleError("", "binary file, not text")
    return content.decode(recognised, "replace"), f"read as {recognised}"


def decode_page(content: bytes, charset: str | None = None) -> str:
    """The text of a web page. Raises ArticleError if it is none.

    What the bytes are counts first, then ``charset``, which the server names, then what the page says of itself:
    both are often those of another time of the site.
    """
    text = _decode_unicode(content)
    if text is not None and "\x1b$" not in text:
        return text
    if text is not None:
        return content.decode("iso2022_jp", "replace")
    if content.count(b"\0") * 100 > len(content):
        raise ArticleError("", "binary file, not a page")
    found = _DECLARED.search(content[:_HEAD])
    for name in (charset, found and found.group(1).decode("ascii", "replace")):
        if name and (text := _decode_as(content, name)) is not None:
            return text
    recognised = _recognise(_words(content))
    if recognised is None:
        raise ArticleError("", "binary file, not a page")
    return content.decode(recognised, "replace")


def _decode_unicode(content: bytes) -> str | None:
    """The text, if it is in some form of Unicode."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    zeros = (content[:2000:2].count(0), content[1:2000:2].count(0))
    if min(zeros) == 0 and max(zeros) * 4 > len(content[:2000]):
        return content.decode("utf-16-be" if zeros[0] else "utf-16-le", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decode_as(content: bytes, charset: str) -> str | None:
    """The text, or None if it is not in this encoding."""
    try:
        name = codecs.lookup(charset.strip("\"' ").lower().removeprefix("x-").replace("windows-", "cp")).name
    except (LookupError, ValueError):
        return None
    name = _SUPERSETS.get(name, name)
    if not _OF_PAGES.fullmatch(name):
        return None
    text = content.decode(name, "replace")
    if text.count("\N{REPLACEMENT CHARACTER}") * 200 > len(text):
        return None
    # Any bytes are letters of Western Europe. Where most of them have accents, it is another encoding.
    words = _words(content).decode(name, "replace")
    accented = sum("\xc0" <= character <= "\u024f" for character in words)
    return None if accented > _MOST_ACCENTED * sum(map(str.isalpha, words)) else text


def _words(content: bytes) -> bytes:
    """The beginning of a page without tags and scripts."""
    # Every second piece lies between the beginning of a script and its end.
    return _TAG.sub(b" ", b" ".join(_SCRIPT.split(content[:_SAMPLE])[::2]))


def _recognise(content: bytes) -> str | None:
    """The encoding of a text that is not Unicode, or None if it is like no text in any."""
    from charset_normalizer import from_bytes

    best = from_bytes(content[:_SAMPLE]).best()
    return None if best is None or best.chaos > _MOST_CHAOS else best.encoding
