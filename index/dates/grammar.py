"""Puts date words together: reads ``data/dates/grammar.toml`` and parses a text with it."""

import tomllib
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


@dataclass(slots=True)
class Node:
    """A place in the sequences of a rule or part, which share their beginnings: what may follow, and what ends here."""

    edges: dict[str, "Node"] = field(default_factory=dict)
    ends: list[tuple[int, str]] = field(default_factory=list)
    """Rank in the data file and rule (or part) of the sequences that end here."""

    def add(self, names: list[str], rank: int, rule: str) -> None:
        """Let a sequence begin here; of a name that ends in "?" there is a way with and one without it."""
        if not names:
            self.ends.append((rank, rule))
            return
        name, rest = names[0].removesuffix("?"), names[1:]
        self.edges.setdefault(name, Node()).add(rest, rank, rule)
        if names[0].endswith("?"):
            self.add(rest, rank, rule)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Sequences by part and of all rules together; ``first`` has the symbols that a name can begin with."""

    parts: dict[str, Node]
    rules: Node
    first: dict[str, frozenset[str]]


@lru_cache(maxsize=1)
def load_grammar() -> Grammar:
    """The grammar of the data file."""
    data = tomllib.loads((files("index") / "data" / "dates" / "grammar.toml").read_text(encoding="utf-8"))
    parts = {name: _node([(name, text) for text in texts]) for name, texts in data["parts"].items()}
    rules = _node([(rule, text) for rule, texts in data["rules"].items() for text in texts])
    first: dict[str, frozenset[str]] = {}

    def symbols(name: str) -> frozenset[str]:
        if name not in first:
            openers = parts[name].edges if name in parts else ()
            first[name] = frozenset().union(*(symbols(opener) for opener in openers)) if openers else frozenset([name])
        return first[name]

    def visit(node: Node) -> None:
        for name, child in node.edges.items():
            symbols(name)
            visit(child)

    for node in (*parts.values(), rules):
        visit(node)
    return Grammar(parts, rules, first)


def _node(sequences: list[tuple[str, str]]) -> Node:
    root = Node()
    for rank, (rule, text) in enumerate(sequences):
        root.add(text.split(), rank, rule)
    return root


Match = tuple[int, str, int, tuple[Piece, ...]]
"""Rank, rule, end and pieces."""


class Parser:
    """Reads one text; every result is remembered, so the work grows with the text and not with its readings."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.text = lexer.text
        self.grammar = load_grammar()
        self._at: dict[int, frozenset[str]] = {}
        self._parts: dict[tuple[str, int], list[tuple[int, tuple[Piece, ...]]]] = {}

    def readings(self, position: int) -> list[Reading]:
        """What begins here, best first: the longest, then the first in the grammar."""
        if not self._symbols(position):
            return []
        found: list[Match] = []
        self._walk(self.grammar.rules, position, position, (), found)
        found.sort(key=lambda match: (-match[2], match[0]))
        return [Reading(rule, position, end, pieces) for _, rule, end, pieces in found]

    def _symbols(self, position: int) -> frozenset[str]:
        found = self._at.get(position)
        if found is None:
            symbols = (sense.symbol for _, senses in self.lexer.at(position) for sense in senses)
            found = self._at[position] = frozenset(symbols)
        return found

    def _walk(
        self, node: Node, position: int, start: int | None, pieces: tuple[Piece, ...], found: list[Match]
    ) -> None:
        """Collect all that ends at or behind ``node``; the next word begins at ``start`` (None: nothing can follow)."""
        found.extend((rank, rule, position, pieces) for rank, rule in node.ends)
        if start is None or not node.edges:
            return
        symbols = self._symbols(start)
        for name, child in node.edges.items():
            if self.grammar.first[name].isdisjoint(symbols):
                continue
            for end, inner in self._name(name, start):
                self._walk(child, end, self._gap(end) if child.edges else None, pieces + inner, found)

    def _name(self, name: str, position: int) -> list[tuple[int, tuple[Piece, ...]]]:
        key = (name, position)
        if key not in self._parts:
            if name in self.grammar.parts:
                found: list[Match] = []
                self._walk(self.grammar.parts[name], position, position, (), found)
                found.sort(key=lambda match: match[0])
                self._parts[key] = [(end, pieces) for _, _, end, pieces in found]
            else:
                self._parts[key] = [
                    (end, (Piece(name, sense.value, position, end),))
                    for end, senses in self.lexer.at(position)
                    for sense in senses
                    if sense.symbol == name
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
