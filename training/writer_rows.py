"""Trees of prompts as rows of token ids, several of them to a row, in which a token sees its own text alone."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from training.writer_data import Mixture, Node

ROW = 512
"""Tokens of a row of a batch; several trees share one."""

POOL = 96
"""Trees that are drawn together and laid into rows, the largest first, so that little room is left over."""


@dataclass
class Row:
    """Token ids, their positions in their own text, which earlier tokens each sees, and where targets are written.

    ``parents`` holds for each token the number of the token before it in its own text, -1 for the first of a tree.
    ``targets`` pairs the number of a token with the token to be written after it.
    """

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    targets: list[tuple[int, int]] = field(default_factory=list)

    def add(self, ids: Sequence[int], after: int) -> int:
        """Append tokens that follow token ``after``; returns the number of the last one."""
        for token in ids:
            self.ids.append(token)
            self.parents.append(after)
            after = len(self.ids) - 1
        return after

    def seen(self) -> torch.Tensor:
        """Which tokens each token sees, [tokens, tokens]: itself and those before it in its own text."""
        size = len(self.ids)
        seen = torch.zeros(size, size, dtype=torch.bool)
        for number, parent in enumerate(self.parents):
            if parent >= 0:
                seen[number] = seen[parent]
            seen[number, number] = True
        return seen

    def extend(self, other: "Row") -> None:
        """Lay another row behind this one; neither sees the other."""
        shift = len(self.ids)
        self.ids += other.ids
        self.parents += [parent + shift if parent >= 0 else -1 for parent in other.parents]
        self.targets += [(place + shift, token) for place, token in other.targets]


def lay_out(tree: Node, tokenizer: Any, limit: int = ROW) -> Row:
    """A tree as one row of at most ``limit`` tokens; branches that find no room are left out."""
    row = Row()

    def tokens(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return ids

    def write(node: Node, after: int) -> None:
        given, written = tokens(node.given), tokens(node.written)
        if len(row.ids) + len(given) + len(written) > limit:
            return
        after = row.add(given, after)
        for token in written:
            row.targets.append((after, token))
            after = row.add([token], after)
        for branch in node.branches:
            write(branch, after)

    write(tree, row.add([tokenizer.bos_token_id], -1))
    return row


def rows(mixture: Mixture, tokenizer: Any, pool: int, processes: int) -> Iterator[tuple[int, Row]]:
    """Endless (pool number, row), the trees of a pool laid together so that the rows are nearly full.

    Each process has every so-manieth pool, from its own first on.
    """
    for number in itertools.count(pool, processes):
        laid = [lay_out(mixture.draw(number * POOL + offset), tokenizer) for offset in range(POOL)]
        packed: list[Row] = []
        for tree in sorted((tree for tree in laid if tree.targets), key=lambda tree: -len(tree.ids)):
            fitting = next((row for row in packed if len(row.ids) + len(tree.ids) <= ROW), None)
            if fitting is None:
                packed.append(tree)
            else:
                fitting.extend(tree)
        order = torch.randperm(len(packed), generator=torch.Generator().manual_seed(number)).tolist()
        for place in order:
            yield number, packed[place]


def additive(seen: torch.Tensor) -> torch.Tensor:
    """The mask that attention adds to its scores: 0 where a token is seen, else the least number."""
    mask = torch.zeros(seen.shape, dtype=torch.bfloat16)
    return mask.masked_fill_(~seen, torch.finfo(torch.bfloat16).min).unsqueeze(1)
