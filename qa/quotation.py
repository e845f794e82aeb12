"""Find a quotation in the text that it was taken from, though spaces and Unicode forms may have changed on the way."""

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_SAME = {
    **dict.fromkeys("‘’‚‛ʼʻ`´′‹›＇", "'"),
    **dict.fromkeys("“”„‟″«»＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
}
"""Marks that keyboards, editors and models exchange for one another; ‹› are what a model is shown for < and >."""
_SAME |= {"<": "'", ">": "'"}


class Folded(NamedTuple):
    """``text`` is the comparable form of an original.

    ``starts`` and ``ends`` say where in the original a character (with its combining marks) begins whose comparable
    form begins at an index of ``text``, and ends whose form ends there. At other indexes nothing can begin or end.
    """

    text: str
    starts: dict[int, int]
    ends: dict[int, int]


def find(quotation: str, text: str) -> tuple[int, int] | None:
    """Where ``text`` holds ``quotation``, as (start, end): exactly, else with both folded; None if it does not.

    Of several places the first. ``fold(text[start:end])`` is then ``fold(quotation)``; a match never begins or ends
    inside a character (a letter without its accent, a part of a ligature). White space at the edges does not count.
    """
    wanted, within = fold(quotation).text, fold(text)
    if not wanted:
        return None
    exact = quotation.strip()
    starts, ends = set(within.starts.values()), set(within.ends.values())
    for start in _places(exact, text):
        if start in starts and start + len(exact) in ends:
            return start, start + len(exact)
    for start in _places(wanted, within.text):
        if start in within.starts and start + len(wanted) in within.ends:
            return within.starts[start], within.ends[start + len(wanted)]
    return None


def fold(text: str) -> Folded:
    """Without case, compatibility forms, kinds of quotation marks and dashes, and what cannot be seen.

    A run of white space counts as one space, and not at all at the edges.
    """
    folded = ""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for start, end in _characters(text):
        form = _form(text[start:end])
        if form == " " and (not folded or folded[-1] == " "):
            continue
        starts[len(folded)] = start
        folded += form
        ends[len(folded)] = end
    return Folded(folded.rstrip(" "), starts, ends)


def _places(part: str, whole: str) -> Iterator[int]:
    at = whole.find(part)
    while part and at >= 0:
        yield at
        at = whole.find(part, at + 1)


def _characters(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each visible or blank character, with its combining marks and what stands between them."""
    start = end = -1
    for index, character in enumerate(text):
        if invisible(character):
            continue
        mark = unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
        if mark and start >= 0 and not text[start].isspace():
            end = index + 1
            continue
        if start >= 0:
            yield start, end
        start, end = index, index + 1
    if start >= 0:
        yield start, end


def _form(character: str) -> str:
    """The comparable form of a character with its marks; it does not depend on its neighbours."""
    if character.isspace():
        return " "
    seen = "".join(one for one in character if not invisible(one))
    form = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", seen).casefold())
    if any(map(str.isspace, form)):  # an accent that stands alone is a space and an accent in Unicode
        form = unicodedata.normalize("NFD", seen)
    return "".join(_SAME.get(one, one) for one in form)


def invisible(character: str) -> bool:
    """Joiners, direction marks, soft hyphens and variation selectors; control characters that are no white space."""
    if character.isspace():
        return False
    return unicodedata.category(character) in ("Cc", "Cf") or "\ufe00" <= character <= "\ufe0f"
