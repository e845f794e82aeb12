"""Names of files: which are passed over, and how they are shown."""

import re

# Controls, marks that turn the direction of writing, and bytes of a name that are no characters.
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PASSED_OVER = ("questions.json", "__MACOSX")


def printable(name: str) -> str:
    """A name with what is no visible character escaped: it fits one line, and any encoding."""
    return _UNPRINTABLE.sub(lambda match: match.group().encode("unicode_escape").decode(), name)


def is_passed_over(path: str) -> bool:
    """Whether a file in a folder of articles is none by its name or folder: hidden ones, and questions about them."""
    return any(part in _PASSED_OVER or (part.startswith(".") and part not in (".", "..")) for part in path.split("/"))
