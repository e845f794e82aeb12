"""Finds the date words and the digits of a text, place by place."""

import re
from typing import Any

from index.dates.folding import Folded, is_word
from index.dates.vocabulary import Sense, Vocabulary

Lexeme = tuple[int, tuple[Sense, ...]]
"""Where a word ends, and what it may mean."""

_ISO = re.compile(r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})(?!\d)(?:t\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?")
_NUMERIC = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4}|\d\d)(?!\d|[-./]\d)")
_DAY_MONTH = re.compile(r"(\d{1,2})([./])(\d{1,2})(?!\d|\2\d|:)\.?")
_HAN_DIGITS = "〇一二三四五六七八九"
_HAN_YEAR = re.compile("([一二][〇零一二三四五六七八九]{3})年")
_PUNCTUATION = {",": ",", "(": "(", ")": ")", "/": "/", ".": ".", "-": "-"}


class Lexer:
    """The words of one text; ``at(position)`` gives every lexeme that begins there."""

    def __init__(self, folded: Folded, vocabulary: Vocabulary, trie: dict[str, Any]) -> None:
        self.text = folded.text
        self.folded = folded
        self.vocabulary = vocabulary
        self.trie = trie
        self._found: dict[int, list[Lexeme]] = {}

    def at(self, position: int) -> list[Lexeme]:
        """All lexemes that begin at a position, the longest last."""
        found = self._found.get(position)
        if found is None:
            found = self._found[position] = self._look(position)
        return found

    def _look(self, position: int) -> list[Lexeme]:
        if position >= len(self.text):
            return []
        character = self.text[position]
        found: list[Lexeme] = []
        if character in _PUNCTUATION:
            found.append((position + 1, (Sense(_PUNCTUATION[character]),)))
        elif character.isdigit():
            found = self._digits(position)
        elif match := _HAN_YEAR.match(self.text, position):
            year = int("".join(str(_HAN_DIGITS.index(digit)) for digit in match.group(1).replace("零", "〇")))
            found.append((match.end(1), (Sense("y", year),)))
        node: Any = self.trie
        end = position
        while end < len(self.text):
            node = node.get(self.text[end])
            if node is None:
                break
            end += 1
            if "" in node and self._ends_word(position, end):
                senses = self._allowed(position, end, node[""])
                if any(sense.symbol == "blocked" for sense in senses):  # "日間" is no "日"
                    found = [lexeme for lexeme in found if lexeme[0] >= end]
                if senses:
                    found.append((end, senses))
        return found

    def _ends_word(self, start: int, end: int) -> bool:
        if end >= len(self.text) or self.vocabulary.spaceless:
            return True
        before, after = self.text[end - 1], self.text[end]
        if not is_word(after) or not is_word(before) or before.isdigit() != after.isdigit():
            return not (after == "'" and self.text[end + 1 : end + 2].isalpha() and before == "'")
        if self.vocabulary.suffixes and end - start >= self.vocabulary.suffix_least:
            rest = self.text[end : end + 8]
            for suffix in self.vocabulary.suffixes:
                if rest.startswith(suffix):
                    next_end = end + len(suffix)
                    if next_end >= len(self.text) or not is_word(self.text[next_end]):
                        return True
        return self.vocabulary.language == "ko" and after in self.trie and bool(self.at(end))

    def _allowed(self, start: int, end: int, senses: tuple[Sense, ...]) -> tuple[Sense, ...]:
        """Without the senses that need a capital, if there is none; with only those, if there is one on purpose."""
        capital = self.vocabulary.capital
        if not capital or not any(sense.symbol in capital for sense in senses):
            return senses
        first, last = self.folded.span(start, end)
        if not any(character.isupper() for character in self.folded.original[first:last]):
            return tuple(sense for sense in senses if sense.symbol not in capital)
        if self.begins_sentence(start):
            return senses
        return tuple(sense for sense in senses if sense.symbol in capital or sense.symbol in ("n", "o"))

    def begins_sentence(self, position: int) -> bool:
        """Whether only quotation marks and space stand between the position and the end of a sentence (or nothing)."""
        index = position - 1
        while index >= 0 and position - index < 6 and (self.text[index] in " \t\"'“”«»„-([*#>"):
            index -= 1
        return index < 0 or self.text[index] in ".!?:\n…"

    def _digits(self, position: int) -> list[Lexeme]:
        text = self.text
        previous = text[position - 1] if position else " "
        if previous.isdigit():
            return []
        end = position + 1
        while end < len(text) and text[end].isdigit():
            end += 1
        behind_digits = position > 1 and previous in ".,:/" and text[position - 2].isdigit()
        if behind_digits and not (previous == "/" and end - position == 4):  # but "11/2023"
            return []
        if previous in "$€£¥₩#№+&=@_" or (previous.isalpha() and previous.isascii() and not self.vocabulary.spaceless):
            return []
        if not self._one_script(position, end):
            return []
        found: list[Lexeme] = []
        rest = text[end : end + 2]
        if rest[:1] in {".", ",", ":", "-", "/"} and rest[1:].isdigit():
            found = self._in_digits(position)
            if rest[0] in ".,:" and not (rest[0] == "." and found):
                return found
            if rest[0] in ".,:":
                return found
        if rest[:1] and rest[0] in "%€$£₩°‰":
            return found
        value = int(text[position:end]) if end - position <= 4 else 0
        if end - position == 4 and value >= 1:
            found.append((end, (Sense("y", value), Sense("n", value))))
        elif end - position == 2 and not 1 <= value <= 31:
            found.append((end, (Sense("n", value), Sense("yy", value))))
        elif end - position <= 2 and 1 <= value <= 31:
            found.append((end, (Sense("d", value), Sense("n", value), Sense("yy", value))))
        elif end - position <= 3:
            found.append((end, (Sense("n", value),)))
        return found

    def _in_digits(self, position: int) -> list[Lexeme]:
        """Dates of digits alone: 2023-11-08, 8/11/2023, 8/11."""
        found: list[Lexeme] = []
        if match := _ISO.match(self.text, position):
            year, month, day = (int(match.group(index)) for index in (1, 3, 4))
            found.append((match.end(), (Sense("iso", (year, month, day)),)))
        elif match := _NUMERIC.match(self.text, position):
            first, second = int(match.group(1)), int(match.group(3))
            digits = match.group(4)
            if len(digits) == 4 or (match.group(2) != "-" and len(match.group(3)) == 2 and len(match.group(1)) == 2):
                found.append(
                    (match.end(), (Sense("numeric", (first, second, int(digits), len(digits), match.group(2))),))
                )
        elif match := _DAY_MONTH.match(self.text, position):
            end = match.end() - (1 if match.group(2) == "/" and match.group().endswith(".") else 0)
            found.append((end, (Sense("dm", (int(match.group(1)), int(match.group(3)))),)))
        return found

    def _one_script(self, start: int, end: int) -> bool:
        if self.folded.original.isascii():
            return True
        first, last = self.folded.span(start, end)
        zeros = {ord(c) - int(d) for c, d in zip(self.folded.original[first:last], self.text[start:end], strict=False)}
        return len(zeros) == 1


def make_trie(vocabulary: Vocabulary) -> dict[str, Any]:
    """A trie over the folded characters of every form; the key "" holds the senses."""
    root: dict[str, Any] = {}
    for form, senses in vocabulary.forms.items():
        node = root
        for character in form:
            node = node.setdefault(character, {})
        node[""] = tuple(senses)
    return root
