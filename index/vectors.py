"""The FAISS side of the index: derived from SQLite, checked, and made anew whenever it does not fit.

It is a row of *parts*, files that hold the vectors of the passages from one number to another and never change. New
passages are joined with the parts before them that are no larger than they are, or small: so the work of a run depends
on what it changed, and not on the size of the index. The files are written before the transaction that names them is
committed, and files that no transaction names any more are swept away after it.

A run writes exact parts. Where there are many passages, approximate ones that hold far more of them are made of the
first parts in the background (``index.background``).
"""

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from index import approximate
from index.compute_thread import in_compute_thread
from index.errors import DamagedError
from index.store import ARTICLES_FILE, Writer, connect, find_vectors, meta, read_vectors, sync_folder, writing

# A part of fewer vectors is written again with what comes after it, which takes less than a tenth of a second.
_SMALL = 5_000
# And none has more than this: it bounds the memory that a run needs, and the time to take out what is gone.
_LARGEST = 50_000
# All parts are written again when a run has changed this share of all passages.
_REWRITE_SHARE = 0.1
_CHUNK = 10_000


@dataclass(frozen=True)
class Record:
    """What the index says of a part: its file, how to check it, and the numbers of its passages, from after ``first``.

    ``first`` itself is not in it, ``last`` is; ``count`` of the numbers between them had a passage when it was written.
    """

    file: str
    bytes: int
    sha256: str
    count: int
    first: int
    last: int
    approximate: bool = False


@dataclass(frozen=True)
class Part:
    """A FAISS index over passage numbers, the last number it covers, and the file it was read from, if any.

    ``grouped`` searches it if it is an approximate one.
    """

    index: Any
    last: int
    file: str = ""
    grouped: approximate.Grouped | None = None


def records(connection: sqlite3.Connection) -> list[Record]:
    """The parts, in the order of their passages; none if they are not the current encoder's."""
    try:
        content = json.loads(meta(connection, "faiss") or "{}")
        if not content or content["encoder"] != meta(connection, "encoder"):
            return []
        return [Record(**part) for part in content["parts"]]
    except (ValueError, LookupError, TypeError):
        raise DamagedError("articles.sqlite: the record of the FAISS files is damaged; run `kabar doctor`") from None


def load(
    folder: Path, connection: sqlite3.Connection, vectors: sqlite3.Connection, earlier: Sequence[Part] = ()
) -> list[Part]:
    """Every part, and one more for the passages after them; those of ``earlier`` are used again.

    A part whose file is missing or does not fit is built from SQLite, as an exact one. Raises DamagedError.
    """
    known = {part.file: part for part in earlier if part.file}
    encoder = meta(connection, "encoder") or ""
    parts = []
    last = 0
    for record in records(connection):
        part = known.get(record.file) or _read(folder, record)
        if part is None and _is_superseded(folder, record):
            raise DamagedError(f"{folder / record.file}: it has made way for newer files")
        parts.append(part or build(connection, vectors, encoder, after=last, up_to=record.last))
        last = record.last
    newest = build(connection, vectors, encoder, after=last)
    return [*parts, newest] if newest.index.ntotal else parts


def build(
    connection: sqlite3.Connection,
    vectors: sqlite3.Connection,
    encoder: str,
    *,
    after: int = 0,
    up_to: int | None = None,
) -> Part:
    """An exact inner-product index of the passages with numbers above ``after``, read from SQLite.

    It holds 16-bit floats, as they are stored there.
    """
    index: Any = None
    last = after
    limit = 2**62 if up_to is None else up_to
    while rows := connection.execute(
        "SELECT id, hash FROM passages WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (last, limit, _CHUNK)
    ).fetchall():
        values = read_vectors(vectors, encoder, [digest for _, digest in rows])
        if index is None:
            index = empty(values.shape[1])
        add(index, values, [number for number, _ in rows])
        last = rows[-1][0]
    return Part(index or empty(1), last if up_to is None else up_to)


def empty(dimension: int) -> Any:
    """An exact inner-product index of 16-bit floats that holds nothing yet."""
    import faiss

    kind = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexIDMap2(faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT))


@in_compute_thread
def add(index: Any, values: np.ndarray, numbers: Sequence[int] | np.ndarray) -> None:
    """Put the vectors ``values`` [n, dimension] of the passages with these numbers into an index."""
    index.add_with_ids(values, np.asarray(numbers, dtype=np.int64))


def present(stored: sqlite3.Connection, encoder: str, hashes: Mapping[int, bytes]) -> dict[int, np.ndarray]:
    """Stored vectors [dimension] float32 by passage number, of those that are there and whole."""
    found = find_vectors(stored, encoder, list(hashes.values()))
    whole = {number: found.get(digest) for number, digest in hashes.items()}
    return {number: vector.astype(np.float32) for number, vector in whole.items() if vector is not None}


def problems(folder: Path, connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the files, checksums included; empty if all are whole."""
    found = []
    for record in records(connection):
        path = folder / record.file
        if not path.is_file():
            found.append(f"{path}: missing; it is made again by the next `kabar index`")
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != record.sha256:
            found.append(f"{path}: its checksum is wrong; `kabar doctor --repair` makes it again")
    return found


def refresh(writer: Writer) -> None:
    """Bring the files into line with the passages.

    To be called in the transaction that changes the passages.
    """
    kept = _whole(writer)
    last = kept[-1].last if kept else 0
    newer = writer.connection.execute("SELECT count(*) FROM passages WHERE id > ?", (last,)).fetchone()[0]
    if writer.touched > _REWRITE_SHARE * (sum(record.count for record in kept) + newer):
        kept = list(takewhile(lambda record: record.approximate, kept))
    elif newer == 0 and len(kept) == len(records(writer.connection)):
        writer.touched = 0
        return
    while kept and not kept[-1].approximate and (kept[-1].count < _SMALL or kept[-1].count <= newer <= _LARGEST):
        newer += kept.pop().count
    _put_records(writer, [*kept, *_write_range(writer, kept[-1].last if kept else 0)])


def rewrite(writer: Writer, *, share: float = 0.0, most: int | None = None) -> int:
    """Write again the parts of which more than ``share`` is gone, at most ``most``, worst first; how many there were.

    Approximate ones only if ``share`` is 0. To be called in a transaction.
    """
    known = records(writer.connection)
    gone = {
        record: dead / max(record.count, 1)
        for record in known
        if not (share and record.approximate) and (dead := dead_in(writer.connection, record))
    }
    chosen = sorted((record for record in gone if gone[record] > share), key=lambda record: -gone[record])[:most]
    if chosen:
        parts: list[Record] = []
        for record in known:
            parts.extend(_without_dead(writer, record) if record in chosen else [record])
        _put_records(writer, parts)
    return len(chosen)


def gone_from(connection: sqlite3.Connection, record: Record, held: np.ndarray) -> np.ndarray[Any, Any] | None:
    """Those of ``held`` (sorted, what ``record``'s file holds) that have no passage; None if a passage lacks there."""
    # Without the plus signs SQLite would go through the table, texts and all, and not through its smallest index.
    rows = connection.execute("SELECT id FROM passages WHERE +id > ? AND +id <= ?", (record.first, record.last))
    there = np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))
    return None if np.setdiff1d(there, held).size else np.setdiff1d(held, there)


def replace(writer: Writer, record: Record, gone: np.ndarray) -> bool:
    """Put a part that is written in the place of those it covers; False if it does not fit between the others.

    ``gone``: numbers that it holds although they have no passage. To be called in a transaction.
    """
    known = records(writer.connection)
    if any(other.first < record.first < other.last for other in known):
        return False
    parts = [other for other in known if other.last <= record.first]
    parts.append(record)
    for other in known:
        if other.first < record.last < other.last:  # it has been joined with newer ones meanwhile
            parts.extend(_write_range(writer, record.last, other.last))
        elif other.first >= record.last:
            parts.append(other)
    _forget_removed(writer, record.first, record.last)
    writer.connection.executemany("INSERT INTO removed VALUES (?)", [(number,) for number in gone.tolist()])
    _put_records(writer, parts)
    return True


def sweep(writer: Writer) -> None:
    """Remove files that the committed index does not name."""
    named = {record.file for record in records(writer.connection)}
    for path in leftovers(writer.folder, named):
        with contextlib.suppress(PermissionError):  # Windows keeps it while a reader has it mapped; a later run is free
            path.unlink(missing_ok=True)


def leftovers(folder: Path, named: set[str]) -> list[Path]:
    """Files of parts, finished or not, that are not in ``named``."""
    return [path for path in folder.glob("vectors-*.faiss*") if path.name not in named]


def dead_in(connection: sqlite3.Connection, record: Record) -> int:
    """How many of the passages that a part holds are gone."""
    found = connection.execute(
        "SELECT count(*) FROM removed WHERE passage_id > ? AND passage_id <= ?", (record.first, record.last)
    ).fetchone()
    return int(found[0])


def _whole(writer: Writer) -> list[Record]:
    """The parts up to the first that is missing or was cut."""
    kept = []
    for record in records(writer.connection):
        path = writer.folder / record.file
        if not path.is_file() or path.stat().st_size != record.bytes:
            break
        kept.append(record)
    return kept


def _put_records(writer: Writer, parts: Sequence[Record]) -> None:
    encoder = writer.meta("encoder") or ""
    writer.touched = 0
    writer.set_meta("faiss", json.dumps({"encoder": encoder, "parts": [asdict(part) for part in parts]}))


def _write_range(writer: Writer, first: int, last: int | None = None) -> Iterator[Record]:
    """Write parts for the passages from after ``first`` up to ``last`` (None: all)."""
    connection, encoder = writer.connection, writer.meta("encoder") or ""
    _forget_removed(writer, first, 2**62 if last is None else last)
    while first != last:
        row = connection.execute(
            "SELECT id FROM passages WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", (first, _LARGEST - 1)
        ).fetchone()
        up_to = min((number for number in (last, row and row[0]) if number is not None), default=None)
        built = build(connection, writer.vectors, encoder, after=first, up_to=up_to)
        if built.index.ntotal == 0:
            return
        with writing(writer.folder):
            yield write(writer.folder, f"vectors-{os.urandom(8).hex()}.faiss", built, first)
        first = built.last
        if up_to is None:
            return


def _forget_removed(writer: Writer, first: int, last: int) -> None:
    writer.connection.execute("DELETE FROM removed WHERE passage_id > ? AND passage_id <= ?", (first, last))


def _without_dead(writer: Writer, record: Record) -> Iterator[Record]:
    if not record.approximate:
        yield from _write_range(writer, record.first, record.last)
        return
    rows = writer.connection.execute(
        "SELECT passage_id FROM removed WHERE passage_id > ? AND passage_id <= ?", (record.first, record.last)
    )
    dead = [row[0] for row in rows]
    try:
        index = approximate.without(writer.folder / record.file, dead)
    except (OSError, RuntimeError):
        yield from _write_range(writer, record.first, record.last)
        return
    _forget_removed(writer, record.first, record.last)
    if index.ntotal:
        with writing(writer.folder):
            name = f"vectors-{os.urandom(8).hex()}.faiss"
            yield write(writer.folder, name, Part(index, record.last), record.first, is_approximate=True)


def _is_superseded(folder: Path, record: Record) -> bool:
    """Whether the newest state of the index does without a file."""
    with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
        return record not in records(connection)


def _read(folder: Path, record: Record) -> Part | None:
    path = folder / record.file
    try:
        if path.stat().st_size != record.bytes:
            return None
        index = approximate.read(path)
    except (OSError, RuntimeError):
        return None
    if index.ntotal != record.count:
        return None
    grouped = approximate.Grouped(index, record.first) if record.approximate else None
    return Part(index, record.last, record.file, grouped)


def write(folder: Path, name: str, part: Part, first: int, *, is_approximate: bool = False) -> Record:
    """Write a part's file, so that it survives a power cut. Raises OSError."""
    import faiss

    content = faiss.serialize_index(part.index)
    temporary = folder / f"{name}.tmp"
    with temporary.open("wb") as file:
        file.write(content.data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)
    sync_folder(folder)
    digest = hashlib.sha256(content.data).hexdigest()
    return Record(name, content.nbytes, digest, part.index.ntotal, first, part.last, is_approximate)
