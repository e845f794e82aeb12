"""Split an article into sentences that know where they stand in it."""

import re
from collections.abc import Iterator

from index.cleaning import furniture

# A "sentence" above this is a table, a list without stops or a script without spaces: it is cut at a space or mark.
LONGEST_SENTENCE = 700
_LINE = re.compile(r"[^\r\n\u2028\u2029\x0b\x0c\x85]+")
_BREAK = re.compile(r"[\s،,;；、，]\S*?\Z")
_HEADING_MARK = re.compile(r"[ \t]*(?:#{1,6}[ \t]+|[*•-][ \t]+|>[ \t]*)")


def sentences(text: str, language: str, *, skip: tuple[int, int] | None = None) -> list[tuple[int, int]]:
    """(start, end) of every sentence of ``text`` in order, trimmed of white space, without furniture.

    ``skip`` is one more stretch to leave out (the headline). Line breaks end a sentence.
    """
    from sentencex import get_sentence_boundaries

    found: list[tuple[int, int]] = []
    for start, end in _lines(text, [*furniture(text), *([skip] if skip else [])]):
        for boundary in get_sentence_boundaries(language, text[start:end]):
            found.extend(_pieces(text, start + boundary["start_index"], start + boundary["end_index"]))
    return found


def _lines(text: str, left_out: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Lines of ``text`` less the stretches left out and less the marks that make a heading, a list or a quote."""
    position = 0
    for skip_start, skip_end in [*sorted(left_out), (len(text), len(text))]:
        for match in _LINE.finditer(text, position, max(position, skip_start)):
            mark = _HEADING_MARK.match(text, *match.span())
            yield (mark.end() if mark else match.start()), match.end()
        position = max(position, skip_end)


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentence, trimmed; in pieces if it is too long. Nothing for a stretch without a letter or digit."""
    pieces = []
    while start < end:
        stop = end
        if end - start > LONGEST_SENTENCE:
            stop = start + LONGEST_SENTENCE
            if (space := _BREAK.search(text, start + LONGEST_SENTENCE // 2, stop)) is not None:
                stop = space.start() + 1
        piece = text[start:stop]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if any(character.isalnum() for character in text[left:right]):
            pieces.append((left, right))
        start = stop
    return pieces
