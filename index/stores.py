"""Where the vectors of an index are searched: in FAISS files beside it, or in a service that exists.

SQLite holds articles, passages and the vectors themselves, whichever it is. What a store has is derived from them: it
is put there before the transaction that counts on it is committed, made again when it is missing, and never encoded.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np

from index.config import IndexSettings
from index.store import Writer

StoreName = Literal["faiss", "milvus"]
"""Also what the record of each is called in the index's ``meta``."""
Stored = Callable[[Sequence[int]], Mapping[int, np.ndarray]]
"""Stored vectors of passages, by number; those that are gone are left out."""


@dataclass(frozen=True)
class Generation:
    """What a store may know of the generation that is searched; the connections hold it.

    ``removed``: numbers (int64, sorted) that the store may still have. ``numbers`` gives those of all passages.
    """

    folder: Path
    connection: sqlite3.Connection
    vectors: sqlite3.Connection
    removed: np.ndarray
    stored: Stored
    numbers: Callable[[], np.ndarray]


class Nearest(Protocol):
    """Finds the nearest vectors of one generation. Safe to share between threads."""

    def nearest(self, vector: np.ndarray, count: int, only: np.ndarray | None = None) -> list[tuple[int, float]]:
        """(passage number, cosine) of the ``count`` nearest to a unit vector [dimension], best first.

        ``only``: numbers to choose from (int64, sorted; None: all). No other is ever found, and fewer than ``count``
        only if fewer are there.
        """

    def vectors_of(self, passages: Sequence[int]) -> dict[int, np.ndarray]:
        """Vectors [dimension] float32 by passage; those of passages that are gone may lack."""


class Store(Protocol):
    """Keeps the vectors of an index where they are searched. Its methods raise StoreError."""

    name: StoreName

    def open(self, generation: Generation, earlier: Nearest | None) -> Nearest:
        """What searches a generation; ``earlier``, of a former one, lends what has not changed."""

    def refresh(self, writer: Writer) -> None:
        """Bring the store into line with the passages, in the transaction that changes them."""

    def sweep(self, writer: Writer) -> None:
        """Remove what the committed index does not name."""

    def forget(self, writer: Writer) -> None:
        """Let the next ``refresh`` make everything anew."""

    def tidy(self, writer: Writer) -> None:
        """Take out a bounded share of what is gone, if it is worth it; in a transaction."""

    def compact(self, writer: Writer) -> None:
        """Take out all that is gone; in a transaction."""

    def settle(self, writer: Writer) -> None:
        """Begin what may go on after a run."""

    def status(self, connection: sqlite3.Connection) -> str:
        """Where the vectors are and how many, for a user's eyes."""

    def damage(self, folder: Path, connection: sqlite3.Connection, stored: sqlite3.Connection) -> Iterator[str]:
        """Compare everything with the stored vectors; what is wrong."""

    def trial(self, rows: np.ndarray) -> AbstractContextManager[Nearest]:
        """A search in ``rows`` [n, dimension] alone, with the numbers from 1 on, that leaves nothing behind."""


def open_store(settings: IndexSettings) -> Store:
    """The configured store; nothing is loaded, and no service asked, before there is something to do."""
    if settings.index.store == "milvus":
        from index.milvus import MilvusStore

        return MilvusStore(settings)
    from index.faiss_store import FaissStore

    return FaissStore(settings.retriever.exact_up_to)


def set_aside_others(writer: Writer, name: StoreName) -> None:
    """Let no other store than ``name`` have a record: what it holds does not follow the passages any more."""
    for other in get_args(StoreName):
        if other != name and writer.meta(other) not in (None, "{}"):
            writer.set_meta(other, "{}")
