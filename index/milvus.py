"""Milvus as the place where vectors are searched: Milvus Lite in a file, a server or a cluster.

The vectors of all passages up to some number are in one collection, under these numbers, and SQLite's record names it:

- New vectors are put in before the transaction that counts on them is committed. Until then nobody looks for them, and
  if the process dies, the next run puts others in their place: SQLite gives their numbers again.
- What was removed is passed over by whoever searches the new generation. Its vectors are taken out by a later run, when
  the generation that had them is not the last but one any more.
- When a collection is missing, lacks vectors, or is of another encoder, a new one is made from SQLite's vectors; the
  former one is dropped by the run after that.

Milvus proposes, and SQLite's vectors decide: it may search approximately, and the cosines are the same as with FAISS.
"""

import contextlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from index import vectors
from index.config import IndexSettings
from index.errors import DamagedError, ServiceError, SupersededError
from index.milvus_service import DEEPEST, LOT, MissingCollectionError, Service
from index.nearest import best, compared
from index.store import ARTICLES_FILE, Writer, connect, meta, read_vectors, sync_folder, writing
from index.stores import Generation, Nearest, StoreName, set_aside_others

Numbers = np.ndarray[Any, Any]

# So many passages are compared one by one without asking the service.
_FEW = 1_000
# Candidates for each passage that is wanted; the stored vectors say which are the best of them.
_CANDIDATES, _MORE_CANDIDATES = 2, 20
# How much deeper a search looks that has found too few.
_DEEPER = 4
_LOT = 1_000
_IDENTITY_FILE = "milvus"


@dataclass(frozen=True)
class Record:
    """What the index says of its collection: it holds the ``count`` passages that have a number up to ``last``.

    ``former`` is the one that readers of the generation before may still search.
    """

    collection: str
    encoder: str
    last: int
    count: int
    former: str = ""


def record_of(connection: sqlite3.Connection) -> Record | None:
    """The collection that the index counts on; None if there is none of the current encoder. Raises DamagedError."""
    record = _named(connection)
    return record if record and record.encoder == meta(connection, "encoder") else None


def _named(connection: sqlite3.Connection) -> Record | None:
    try:
        content = json.loads(meta(connection, "milvus") or "{}")
        return Record(**content) if content else None
    except (ValueError, TypeError):
        raise DamagedError(
            f"{ARTICLES_FILE}: the record of the Milvus collection is damaged; run `kabar doctor --repair`"
        ) from None


class MilvusNearest:
    """Searches one generation in its collection. Safe to share between threads."""

    def __init__(self, service: Service, record: Record | None, generation: Generation) -> None:
        self._service = service
        self._record = record
        self._generation = generation
        self._state = _state(generation.connection)
        self._is_checked = False

    def nearest(self, vector: np.ndarray, count: int, only: np.ndarray | None = None) -> list[tuple[int, float]]:
        """See ``Nearest``. Raises ServiceError, and SupersededError if a newer generation has taken vectors away."""
        if count < 1:
            return []
        if only is not None:
            only = np.setdiff1d(only, self._generation.removed, assume_unique=True)
        if only is not None and only.size <= _FEW:
            return best(compared(vector, only.tolist(), self._generation.stored), count)
        try:
            found = self._candidates(vector, _CANDIDATES * count + _MORE_CANDIDATES, only)
        except MissingCollectionError as error:
            raise self._superseded() or error from None
        hits = compared(vector, found.tolist(), self._generation.stored)
        if len(hits) < found.size and (superseded := self._superseded()):
            raise superseded
        return best(hits, count)

    def vectors_of(self, passages: Sequence[int]) -> dict[int, np.ndarray]:
        """See ``Nearest``: from SQLite."""
        return dict(self._generation.stored(passages))

    def _candidates(self, vector: np.ndarray, wanted: int, only: np.ndarray | None) -> Numbers:
        """Numbers of about the ``wanted`` nearest, of ``only`` alone and without what was removed."""
        record = self._checked(vector.size)
        total = record.count if only is None else only.size
        depth = ceil(wanted * max(1.0, record.count / max(total, 1)))
        while depth <= DEEPEST and (only is None or only.size > LOT):
            hits = self._service.search(record.collection, vector, depth, last=record.last)
            fit = _within(hits, only) & ~_within(hits, self._generation.removed)
            if fit.sum() >= min(wanted, total):
                chosen: Numbers = hits[fit][:wanted]
                return chosen
            depth *= _DEEPER
        if only is None:
            only = self._generation.numbers()
        return self._among(record, vector, wanted, only)

    def _among(self, record: Record, vector: np.ndarray, wanted: int, only: np.ndarray) -> Numbers:
        """The same where those to choose from are named to the service, lot by lot."""
        found = []
        for start in range(0, only.size, LOT):
            lot = only[start : start + LOT]
            most = min(wanted, lot.size)
            hits = self._service.search(record.collection, vector, most, last=record.last, among=lot.tolist())
            # An approximate search may lose its way among few: then all of them are compared.
            found.append(hits if hits.size == most else lot)
        return np.concatenate(found) if found else only

    def _checked(self, dimension: int) -> Record:
        """The record, if the service has such a collection as it says. Raises ServiceError."""
        if self._record is None:
            raise ServiceError(
                f"{self._generation.folder}: its vectors are not in Milvus at {self._service.uri} yet; run "
                "`kabar index`, which puts them there and encodes nothing again"
            )
        if not self._is_checked:
            found = self._service.load(self._record.collection)
            if found != dimension:
                raise ServiceError(
                    f"{self._service.uri}: collection '{self._record.collection}' holds vectors of {found} numbers, "
                    f"the encoder's have {dimension}; run `kabar doctor --repair`, which makes it again"
                )
            self._is_checked = True
        return self._record

    def _superseded(self) -> SupersededError | None:
        """What to say if there is a newer generation, for which things may have been taken away; None if there is not.

        The vectors of what a run removes go when it ends, from SQLite too.
        """
        folder = self._generation.folder
        with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
            if _state(connection) == self._state:
                return None
        return SupersededError(f"{folder}: what was to be searched has made way for a newer generation; ask again")


def _state(connection: sqlite3.Connection) -> tuple[str | None, ...]:
    return meta(connection, "generation"), meta(connection, "milvus")


class MilvusStore:
    """One collection for each index, named after the configured one and the index's own identity."""

    name: StoreName = "milvus"

    def __init__(self, settings: IndexSettings) -> None:
        self._collection = settings.milvus.collection
        lite = settings.index.path / "milvus.db"
        self.service = Service(str(lite) if settings.milvus.uri == "auto" else settings.milvus.uri)

    def open(self, generation: Generation, earlier: Nearest | None) -> MilvusNearest:  # noqa: ARG002 -- nothing to lend
        """See ``Store``: the service is asked at the first search, and whoever only reads articles needs none."""
        return MilvusNearest(self.service, record_of(generation.connection), generation)

    def refresh(self, writer: Writer) -> None:
        """See ``Store``. Raises ServiceError, DamagedError if a stored vector is, and WriteError."""
        set_aside_others(writer, self.name)
        writer.touched = 0
        last, count = writer.connection.execute("SELECT coalesce(max(id), 0), count(*) FROM passages").fetchone()
        record = record_of(writer.connection)
        if record is not None and self._is_whole(writer, record):
            self._delete(writer, record, _removed_before(writer))
            after, record = record.last, Record(record.collection, record.encoder, max(last, record.last), count)
        elif count:
            former = _named(writer.connection)
            made = f"{self._own(writer.folder)}{os.urandom(4).hex()}"
            self.service.make(made, _dimension(writer))
            writer.connection.execute("DELETE FROM removed")  # none of these will be in it
            record = Record(made, writer.meta("encoder") or "", last, count, former.collection if former else "")
            after = 0
        else:
            return
        self.service.put(record.collection, _stored_vectors(writer, after))
        content = json.dumps(asdict(record))
        if writer.meta(self.name) != content:  # what is the same is no news for readers
            writer.set_meta(self.name, content)

    def sweep(self, writer: Writer) -> None:
        """See ``Store``: collections of this index, and FAISS files. A service that is away is no reason to fail."""
        vectors.sweep(writer)
        record = _named(writer.connection)
        kept = (record.collection, record.former) if record else ()
        with contextlib.suppress(ServiceError):
            for name in self.service.names():
                if name.startswith(self._own(writer.folder)) and name not in kept:
                    self.service.drop(name)

    def forget(self, writer: Writer) -> None:
        """See ``Store``."""
        writer.set_meta(self.name, "{}")

    def tidy(self, writer: Writer) -> None:
        """See ``Store``: the next run takes out what this one removed."""

    def compact(self, writer: Writer) -> None:
        """See ``Store``."""
        record = record_of(writer.connection)
        if record is not None:
            removed = [row[0] for row in writer.connection.execute("SELECT passage_id FROM removed")]
            self._delete(writer, record, removed)

    def settle(self, writer: Writer) -> None:
        """See ``Store``: the service does by itself what goes on after a run."""

    def status(self, connection: sqlite3.Connection) -> str:
        """See ``Store``."""
        record = record_of(connection)
        if record is None:
            return f"none in Milvus at {self.service.uri} yet; `kabar index` puts them there"
        self.service.load(record.collection)
        count = self.service.count(record.collection, record.last)
        return f"{count} in collection '{record.collection}' of Milvus at {self.service.uri}"

    def damage(self, folder: Path, connection: sqlite3.Connection, stored: sqlite3.Connection) -> Iterator[str]:
        """See ``Store``: every row against SQLite's vector."""
        try:
            record = record_of(connection)
        except DamagedError as error:
            yield str(error)
            return
        passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
        where = f"{self.service.uri}, collection '{record.collection}'" if record else self.service.uri
        if record is None:
            if passages:
                yield f"{where}: the index's vectors are not there; `kabar index` puts them there"
            return
        try:
            wrong = self._differences(record, connection, stored)
        except MissingCollectionError as error:
            yield str(error)
            return
        if wrong:
            yield f"{where}: {wrong} vectors are not those of {folder}; `kabar doctor --repair` makes it again"

    @contextlib.contextmanager
    def trial(self, rows: np.ndarray) -> Iterator[Nearest]:
        """See ``Store``: in a collection of its own, which is dropped at the end."""
        kept = rows.astype(np.float16).astype(np.float32)  # as an index keeps them
        collection = f"{self._collection}_trial_{os.urandom(4).hex()}"
        self.service.make(collection, kept.shape[1])
        try:
            everything = np.arange(1, len(kept) + 1)
            self.service.put(collection, [(everything.tolist(), kept)])
            with contextlib.closing(sqlite3.connect(":memory:")) as none:
                generation = Generation(
                    folder=Path(),
                    connection=none,
                    vectors=none,
                    removed=np.empty(0, dtype=np.int64),
                    stored=lambda numbers: {number: kept[number - 1] for number in numbers},
                    numbers=lambda: everything,
                )
                none.execute("CREATE TABLE meta (key, value)")
                yield MilvusNearest(self.service, Record(collection, "", len(kept), len(kept)), generation)
        finally:
            self.service.drop(collection)

    def _differences(self, record: Record, connection: sqlite3.Connection, stored: sqlite3.Connection) -> int:
        """How many rows are missing, are not the stored vector, or belong to nothing that is or was there."""
        self.service.load(record.collection)
        wrong = present = 0
        rows = connection.execute("SELECT id, hash FROM passages ORDER BY id")
        while lot := dict(rows.fetchmany(_LOT)):
            found = self.service.vectors(record.collection, list(lot))
            present += len(found)
            expected = read_vectors(stored, record.encoder, list(lot.values()))
            wrong += sum(
                number not in found or not np.array_equal(found[number], vector)
                for number, vector in zip(lot, expected, strict=True)
            )
        removed = [row[0] for row in connection.execute("SELECT passage_id FROM removed")]
        for start in range(0, len(removed), _LOT):
            present += len(self.service.vectors(record.collection, removed[start : start + _LOT]))
        return wrong + max(0, self.service.count(record.collection, record.last) - present)

    def _own(self, folder: Path) -> str:
        """How the names of this index's collections begin, and of no other's in the same service."""
        return f"{self._collection}_{_identity(folder)}_"

    def _is_whole(self, writer: Writer, record: Record) -> bool:
        """Whether the collection is this index's, is there, fits the vectors, and has no fewer rows than it should."""
        if not record.collection.startswith(self._own(writer.folder)):
            return False
        try:
            dimension = self.service.load(record.collection)
            found = self.service.count(record.collection, record.last)
        except MissingCollectionError:
            return False
        query = "SELECT count(*) FROM passages WHERE id <= ?"
        expected = writer.connection.execute(query, (record.last,)).fetchone()[0]
        return found >= expected and dimension == (_dimension(writer) or dimension)

    def _delete(self, writer: Writer, record: Record, removed: Sequence[int]) -> None:
        self.service.delete(record.collection, removed)
        writer.connection.executemany("DELETE FROM removed WHERE passage_id = ?", [(number,) for number in removed])


def _dimension(writer: Writer) -> int:
    """How long the encoder's vectors are; 0 if there are no passages."""
    row = writer.connection.execute("SELECT hash FROM passages LIMIT 1").fetchone()
    return int(read_vectors(writer.vectors, writer.meta("encoder") or "", [row[0]]).shape[1]) if row else 0


def _stored_vectors(writer: Writer, after: int) -> Iterator[tuple[list[int], np.ndarray]]:
    """Numbers and vectors of the passages with numbers above ``after``, a bounded number at a time."""
    encoder = writer.meta("encoder") or ""
    while rows := writer.connection.execute(
        "SELECT id, hash FROM passages WHERE id > ? ORDER BY id LIMIT ?", (after, _LOT)
    ).fetchall():
        yield [number for number, _ in rows], read_vectors(writer.vectors, encoder, [digest for _, digest in rows])
        after = rows[-1][0]


def _removed_before(writer: Writer) -> list[int]:
    """What the committed generation lacks already: only readers of the one before it could still look for these."""
    with contextlib.closing(connect(writer.folder, ARTICLES_FILE)) as committed:
        return [row[0] for row in committed.execute("SELECT passage_id FROM removed")]


def _identity(folder: Path) -> str:
    """Eight digits that tell this index from others in the same service.

    They are in a file of their own, so that what a run has left in the service is known for its own even if the run was
    killed before it could commit anything.
    """
    path = folder / _IDENTITY_FILE
    with contextlib.suppress(FileNotFoundError):
        known = path.read_text(encoding="ascii", errors="replace")
        if re.fullmatch("[0-9a-f]{8}", known):
            return known
    made = os.urandom(4).hex()
    with writing(folder):
        temporary = path.with_suffix(".tmp")
        with temporary.open("w", encoding="ascii") as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(folder)
    return made


def _within(numbers: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    """Which of ``numbers`` are among ``known`` (sorted; None: all are)."""
    if known is None:
        return np.ones(numbers.shape, dtype=bool)
    if known.size == 0:
        return np.zeros(numbers.shape, dtype=bool)
    places = np.minimum(np.searchsorted(known, numbers), known.size - 1)
    fit: Numbers = known[places] == numbers
    return fit
