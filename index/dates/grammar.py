"""Puts date words together: reads ``data/dates/grammar.toml`` and parses a text with it."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from index.dates.folding import is_word
from index.dates.lexer import Lexer

_SILENT = "weekdayprefix"
"""A word in front of a date that makes it one, but is not part of it."""


class Piece(NamedTuple):
    """A word of a match: its symbol, value and place in the folded text."""

    symbol: str
    value: Any
    start: int
    end: int


class Reading(NamedTuple):
    """A way to read the text at one place as a date of the kind ``rule``."""

    rule: str
    start: int
    end: int
    pieces: tuple[Piece, ...]

    def get(self, symbol: str) -> Any:
        """The value of the first piece with a symbol, or None."""
        return next((piece.value for piece in self.pieces if piece.symbol == symbol), None)

    def has(self, symbol: str) -> bool:
        """Whether there is a piece with a symbol."""
        return any(piece.symbol == symbol for piece in self.pieces)


Sequence = tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Grammar:
    """Parts and rules; a sequence is of (name, may be missing)."""

    parts: dict[str, tuple[Sequence, ...]]
    rules: tuple[tuple[str, tuple[Sequence, ...]], ...]
    first: dict[str, frozenset[str]]
    _starts: dict[frozenset[str], list[tuple[str, Sequence]]] = field(default_factory=dict)
    _beginnings: dict[tuple[str, frozenset[str]], list[Sequence]] = field(default_factory=dict)

    def starts(self, symbols: frozenset[str]) -> list[tuple[str, Sequence]]:
        """The sequences of the rules that can begin with one of the symbols, in their order."""
        if symbols not in self._starts:
            self._starts[symbols] = [
                (rule, sequence)
                for rule, sequences in self.rules
                for sequence in sequences
                if any(self.first[name] & symbols for name in _openers(sequence))
            ]
        return self._starts[symbols]

    def beginnings(self, part: str, symbols: frozenset[str]) -> list[Sequence]:
        """The same for the sequences of a part."""
        key = (part, symbols)
        if key not in self._beginnings:
            self._beginnings[key] = [
                sequence
                for sequence in self.parts[part]
                if any(self.first[name] & symbols for name in _openers(sequence))
            ]
        return self._beginnings[key]


def _openers(sequence: Sequence) -> Iterator[str]:
    for name, optional in sequence:
        yield name
        if not optional:
            return


@lru_cache(maxsize=1)
def load_grammar() -> Grammar:
    """The grammar of the data file."""
    data = tomllib.loads((files("index") / "data" / "dates" / "grammar.toml").read_text(encoding="utf-8"))
    parts = {name: _sequences(texts) for name, texts in data["parts"].items()}
    rules = tuple((name, _sequences(texts)) for name, texts in data["rules"].items())
    names = {name for group in (*parts.values(), *(group for _, group in rules)) for s in group for name, _ in s}
    first: dict[str, frozenset[str]] = {name: frozenset([name]) for name in names if name not in parts}
    pending = set(parts)
    while pending:
        ready = [part for part in pending if all(n in first for s in parts[part] for n in _openers(s))]
        for part in ready:
            first[part] = frozenset().union(*(first[name] for s in parts[part] for name in _openers(s)))
            pending.discard(part)
    return Grammar(parts, rules, first)


def _sequences(texts: list[str]) -> tuple[Sequence, ...]:
    return tuple(tuple((word.removesuffix("?"), word.endswith("?")) for word in text.split()) for text in texts)


class Parser:
    """Reads one text; every result is remembered, so the work grows with the text and not with its readings."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.text = lexer.text
        self.grammar = load_grammar()
        self._at: dict[int, frozenset[str]] = {}
        self._parts: dict[tuple[str, int], list[tuple[int, tuple[Piece, ...]]]] = {}

    def readings(self, position: int) -> list[Reading]:
        """What begins here, best first."""
        symbols = self._symbols(position)
        if not symbols:
            return []
        found = [
            Reading(rule, position, end, pieces)
            for rule, sequence in self.grammar.starts(symbols)
            for end, pieces in self._sequence(sequence, 0, position, first=True)
        ]
        found.sort(key=lambda reading: -reading.end)
        return found

    def _symbols(self, position: int) -> frozenset[str]:
        found = self._at.get(position)
        if found is None:
            symbols = (sense.symbol for _, senses in self.lexer.at(position) for sense in senses)
            found = self._at[position] = frozenset(symbols)
        return found

    def _sequence(
        self, sequence: Sequence, index: int, position: int, *, first: bool = False
    ) -> Iterator[tuple[int, tuple[Piece, ...]]]:
        if index == len(sequence):
            yield position, ()
            return
        name, optional = sequence[index]
        start = position if first else self._gap(position)
        if start is not None and not self.grammar.first[name].isdisjoint(self._symbols(start)):
            for end, pieces in self._name(name, start):
                for last, rest in self._sequence(sequence, index + 1, end):
                    yield last, pieces + rest
        if optional:
            yield from self._sequence(sequence, index + 1, position, first=first)

    def _name(self, name: str, position: int) -> list[tuple[int, tuple[Piece, ...]]]:
        if name not in self.grammar.parts:
            return [
                (end, (Piece(name, sense.value, position, end),))
                for end, senses in self.lexer.at(position)
                for sense in senses
                if sense.symbol == name
            ]
        key = (name, position)
        if key not in self._parts:
            self._parts[key] = []
            self._parts[key] = [
                result
                for sequence in self.grammar.beginnings(name, self._symbols(position))
                for result in self._sequence(sequence, 0, position, first=True)
            ]
        return self._parts[key]

    def _gap(self, position: int) -> int | None:
        """Where the next word may begin: behind spaces, or at once where the script or the characters allow it."""
        text = self.text
        start = position
        while start < len(text) and start - position < 3 and text[start] == " ":
            start += 1
        if start >= len(text):
            return None
        if start > position or self.lexer.vocabulary.spaceless or self.lexer.vocabulary.language == "ko":
            return start
        before, after = text[position - 1], text[position]
        if is_word(before) and is_word(after) and before.isdigit() == after.isdigit():
            return None
        return start


def spoken(reading: Reading) -> tuple[int, int]:
    """The stretch of a reading without the words that only introduce it."""
    pieces = [piece for piece in reading.pieces if piece.symbol != _SILENT]
    if pieces and pieces[-1].symbol == ".":
        pieces.pop()
    return (pieces[0].start, pieces[-1].end) if pieces else (reading.start, reading.end)
