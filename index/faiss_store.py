"""FAISS files beside the index as the place where vectors are searched (see ``index.vectors``)."""

import contextlib
import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index import approximate, background, nearest, vectors
from index.config import RetrieverConfig
from index.errors import DamagedError
from index.store import Writer, meta, read_vectors
from index.stores import Generation, Nearest, Stored, StoreName, set_aside_others

# A file is written again at the end of a run when more than this share of it is gone.
_SHARE = 0.2
_LOT = 1_000
# Least cosine of a vector to its 8-bit copy. Few are below 0.999; values that the sample did not have are cut.
_LIKE = 0.9
# Of an element of an 8-bit copy that is made again.
_ROUNDING = 1e-5


class FaissNearest:
    """Searches the parts of one generation."""

    def __init__(self, parts: list[vectors.Part], removed: np.ndarray, stored: Stored) -> None:
        self.parts = parts
        self._removed = removed
        self._stored = stored

    def nearest(self, vector: np.ndarray, count: int, only: np.ndarray | None = None) -> list[tuple[int, float]]:
        """See ``Nearest``. Exact, but where there are so many passages that some parts are approximate."""
        return nearest.nearest(self.parts, vector, count, only=only, without=self._removed, stored=self._stored)

    def vectors_of(self, passages: Sequence[int]) -> dict[int, np.ndarray]:
        """See ``Nearest``: from the exact parts, which hold them, else from SQLite."""
        found: dict[int, np.ndarray] = {}
        rest = []
        for number in passages:
            part = self.parts[bisect_left(self.parts, number, key=lambda part: part.last)]
            if part.grouped:
                rest.append(number)
            else:
                found[number] = part.index.reconstruct(number)
        return {**found, **self._stored(rest)} if rest else found


class FaissStore:
    """The store that needs nothing else; ``exact_up_to`` as in the configuration."""

    name: StoreName = "faiss"

    def __init__(self, exact_up_to: int = RetrieverConfig().exact_up_to) -> None:
        self._exact_up_to = exact_up_to

    def open(self, generation: Generation, earlier: Nearest | None) -> FaissNearest:
        """See ``Store``. Raises DamagedError."""
        known = earlier.parts if isinstance(earlier, FaissNearest) else ()
        parts = vectors.load(generation.folder, generation.connection, generation.vectors, known)
        return FaissNearest(parts, generation.removed, generation.stored)

    def refresh(self, writer: Writer) -> None:
        """See ``Store``. Raises DamagedError if a stored vector is, and WriteError."""
        set_aside_others(writer, self.name)
        vectors.refresh(writer)

    def sweep(self, writer: Writer) -> None:
        """See ``Store``."""
        vectors.sweep(writer)

    def forget(self, writer: Writer) -> None:
        """See ``Store``."""
        writer.set_meta(self.name, "{}")

    def tidy(self, writer: Writer) -> None:
        """See ``Store``: one file at most is written again."""
        vectors.rewrite(writer, share=_SHARE, most=1)

    def compact(self, writer: Writer) -> None:
        """See ``Store``."""
        vectors.rewrite(writer)

    def settle(self, writer: Writer) -> None:
        """See ``Store``: approximate parts are made in the background."""
        background.start(writer.folder, writer.connection, self._exact_up_to)

    def status(self, connection: sqlite3.Connection) -> str:
        """See ``Store``."""
        known = vectors.records(connection)
        return f"{sum(record.count for record in known)} in {len(known)} FAISS files beside the index"

    def damage(self, folder: Path, connection: sqlite3.Connection, stored: sqlite3.Connection) -> Iterator[str]:
        """See ``Store``: the files against their checksums, the passages, and the vectors they were made from."""
        import faiss

        by_number: Any = faiss.DirectMap.Hashtable  # type: ignore[attr-defined]
        try:
            records = vectors.records(connection)
        except DamagedError as error:
            yield str(error)
            return
        problems = vectors.problems(folder, connection)
        yield from problems
        if problems:
            return
        removed = {row[0] for row in connection.execute("SELECT passage_id FROM removed")}
        encoder = meta(connection, "encoder") or ""
        for record in records:
            index: Any = faiss.read_index(str(folder / record.file))
            rows = connection.execute(
                "SELECT id, hash FROM passages WHERE id > ? AND id <= ? ORDER BY id", (record.first, record.last)
            )
            if record.approximate:
                index.set_direct_map_type(by_number)
                held = set(approximate.held(index).tolist())
            else:
                held = set(faiss.vector_to_array(index.id_map).tolist())
            wrong = 0
            while lot := rows.fetchmany(_LOT):
                present = [(number, digest) for number, digest in lot if number in held]
                held.difference_update(number for number, _ in present)
                wrong += len(lot) - len(present)
                expected = read_vectors(stored, encoder, [digest for _, digest in present])
                for (number, _), row in zip(present, expected, strict=True):
                    found = index.reconstruct(number)
                    same = _is_copy(index, found, row) if record.approximate else np.array_equal(found, row)
                    wrong += not same
            wrong += len(held - removed)
            if wrong:
                yield f"{folder / record.file}: {wrong} vectors are not those of the passages"

    @contextlib.contextmanager
    def trial(self, rows: np.ndarray) -> Iterator[Nearest]:
        """See ``Store``: an exact index in memory."""
        index = vectors.empty(rows.shape[1])
        vectors.add(index, rows, range(1, len(rows) + 1))
        nothing = np.empty(0, dtype=np.int64)
        yield FaissNearest([vectors.Part(index, len(rows))], nothing, lambda _: {})


def _is_copy(index: Any, copy: npt.NDArray[Any], vector: npt.NDArray[Any]) -> bool:
    """Whether ``copy`` is the vector in the 8 bits of ``index``, or as far as it can say it."""
    if copy @ vector >= _LIKE * vector @ vector:
        return True
    return bool(np.allclose(copy, index.sa_decode(index.sa_encode(vector[np.newaxis]))[0], atol=_ROUNDING))
