"""Near-duplicate passages: what an agency wrote and several newspapers printed.

Two passages are copies if most of their shingles (three words in a row; characters where words are not spaced) are the
same, by Jaccard's measure (Broder 1997), and if neither says another thing in the same place: hiding a story that was
corrected would be worse than showing it twice.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

LEAST_LIKENESS = 0.6
"""Least share of common shingles. Leaving out one sentence of five keeps 0.8; two stories from one template that differ
in a name or a number reach this too, which is why copies may not differ in the same place."""

_AROUND_WORDS = " \t\"'“”„«»‘’()[]…—–-,.;:!?،؛؟"
_WORD_CHARACTERS = 12
"""Mean length of a "word" from which on a text is in a script that does not space its words (Thai spaces phrases)."""

_STEM = 3
"""Words that begin with so many common letters are one word in two spellings or forms: says, said; centre, center."""

_Shingle = tuple[str, ...]

_DIGITS = re.compile(r"\d+")


def originals(texts: Sequence[str]) -> list[int]:
    """For each text the number of the first that it is a copy of, its own if it is a copy of none."""
    found: list[int] = []
    kept: dict[int, _Text] = {}
    first: dict[_Shingle, int] = {}
    others: dict[_Shingle, list[int]] = {}
    for number, text in enumerate(texts):
        this = _Text(text)
        known = this.shingles & first.keys()
        common = Counter(first[shingle] for shingle in known)
        common.update(one for shingle in known & others.keys() for one in others[shingle])
        for one, shared in common.most_common():
            if this.is_like(kept[one], shared) and not this.contradicts(kept[one]):
                found.append(one)
                break
        else:
            found.append(number)
            kept[number] = this
            first.update(dict.fromkeys(this.shingles - known, number))
            for shingle in known:
                others.setdefault(shingle, []).append(number)
    return found


class _Text:
    """One text, as far as copies are concerned."""

    def __init__(self, text: str) -> None:
        self._text = text
        chunks = text.casefold().split()
        if len(text) > _WORD_CHARACTERS * len(chunks):
            self.words = list("".join(chunks))
        else:
            self.words = [word if word.isalnum() else word.strip(_AROUND_WORDS) for word in chunks]
        self.shingles: set[_Shingle] = set(zip(self.words, self.words[1:], self.words[2:], strict=False))
        if not self.shingles:
            self.shingles = {tuple(self.words)}

    def is_like(self, other: "_Text", shared: int) -> bool:
        """Whether ``shared`` common shingles are enough for a copy."""
        return shared >= LEAST_LIKENESS * (len(self.shingles) + len(other.shingles) - shared)

    def contradicts(self, other: "_Text") -> bool:
        """Whether two likely copies have different words in the same place, or each numbers of its own."""
        if self.words == other.words:
            return False
        if self.numbers - other.numbers and other.numbers - self.numbers:
            return True
        changed = self.places.items() - other.places.items()
        return any(word[:_STEM] != other.places.get(place, word)[:_STEM] for place, word in changed)

    @cached_property
    def places(self) -> dict[tuple[str, ...], str]:
        """Each word by the two words before and the two after it."""
        words = self.words
        around = zip(words, words[1:], words[3:], words[4:], strict=False)
        return dict(zip(around, words[2:], strict=False))

    @cached_property
    def numbers(self) -> set[str]:
        """What is written in digits."""
        return set(_DIGITS.findall(self._text))
