"""Find what is printed with an article but is not part of it: "read also" lines and editors' initials.

Nothing is cut out of the text, since offsets must hold: the stretches are only named.
"""

import json
import re
from functools import cache
from importlib.resources import files

# "[ab/uh]", "(ab/uh)", "[es/ab/uh]" at the very end: who edited it.
_INITIALS = re.compile(r"[\[(]\s*[a-z]{1,4}(?:\s*[/|,]\s*[a-z]{1,4}){0,4}\s*[\])]\s*\Z")
# Where a headline was glued to the next sentence: "... ke RusiaKunjungan tersebut". Prefixes of names that are spelled
# like that ("McDonald", "YouTube") are no such place, and the headline's last word is a real word.
_GLUE = re.compile(
    r"(?<=[^\W\d_]{2}[a-zà-öø-ÿа-яёa-ž])(?<!\bMac)(?<!\bYou)(?<!\bFace)(?=[A-ZÀ-ÖØ-ÞА-ЯЁ][a-zà-öø-ÿа-яё ])"
)


def furniture(text: str) -> list[tuple[int, int]]:
    """Stretches (start, end) of ``text`` that are not part of the article, in order, not overlapping."""
    found = []
    for match in _read_also().finditer(text):
        start = match.start("line")
        end = _line_end(text, start)
        glue = _GLUE.search(text, match.end(), end)
        found.append((start, glue.start() if glue else end))
    if initials := _INITIALS.search(text, max(0, len(text) - 60)):
        found.append((initials.start(), initials.end()))
    return found


@cache
def _read_also() -> re.Pattern[str]:
    words = json.loads(files("index").joinpath("data/furniture.json").read_text(encoding="utf-8"))["read_also"]
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    # Only at the start of a line, before a colon or dash or alone on its line: "Read more books" is a sentence.
    return re.compile(rf"^[ \t*>»•▶-]*(?P<line>(?:{alternatives})\s*(?:[:：|–—»>]|\r?$))", re.IGNORECASE | re.MULTILINE)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
