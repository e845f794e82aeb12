"""The FAISS side of the index: derived from SQLite, checked, and made anew whenever it does not fit.

It is a row of *parts*, files that hold the vectors of the passages from one number to another and never change. New
passages are joined with the parts before them that are no larger than they are, or small: so the work of a run depends
on what it changed, and not on the size of the index. The files are written before the transaction that names them is
committed, and files that no transaction names any more are swept away after it.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import DamagedError
from index.store import Writer, meta, read_vectors, sync_folder, writing

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


@dataclass(frozen=True)
class Part:
    """A FAISS index over passage numbers, the last number it covers, and the file it was read from, if any."""

    index: Any
    last: int
    file: str = ""


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

    A part whose file is missing or does not fit is built from SQLite.
    """
    known = {part.file: part for part in earlier if part.file}
    encoder = meta(connection, "encoder") or ""
    parts = []
    last = 0
    for record in records(connection):
        part = known.get(record.file) or _read(folder, record)
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
    """An exact inner-product index of the passages with numbers above ``after``, read from SQLite."""
    import faiss

    index: Any = None
    last = after
    limit = 2**62 if up_to is None else up_to
    while rows := connection.execute(
        "SELECT id, hash FROM passages WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (last, limit, _CHUNK)
    ).fetchall():
        values = read_vectors(vectors, encoder, [digest for _, digest in rows])
        if index is None:
            index = faiss.IndexIDMap2(faiss.IndexFlatIP(values.shape[1]))
        index.add_with_ids(values, np.asarray([number for number, _ in rows], dtype=np.int64))
        last = rows[-1][0]
    return Part(index or faiss.IndexIDMap2(faiss.IndexFlatIP(1)), last if up_to is None else up_to)


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
        kept = []
    elif newer == 0 and len(kept) == len(records(writer.connection)):
        writer.touched = 0
        return
    while kept and (kept[-1].count < _SMALL or kept[-1].count <= newer <= _LARGEST):
        newer += kept.pop().count
    _put_records(writer, [*kept, *_write_range(writer, kept[-1].last if kept else 0)])


def rewrite(writer: Writer, *, share: float = 0.0, most: int | None = None) -> int:
    """Write again the parts of which more than ``share`` is gone, at most ``most``, worst first; how many there were.

    To be called in a transaction.
    """
    known = records(writer.connection)
    gone = {record: dead / max(record.count, 1) for record in known if (dead := _dead(writer, record))}
    chosen = sorted((record for record in gone if gone[record] > share), key=lambda record: -gone[record])[:most]
    if chosen:
        parts: list[Record] = []
        for record in known:
            parts.extend(_write_range(writer, record.first, record.last) if record in chosen else [record])
        _put_records(writer, parts)
    return len(chosen)


def sweep(writer: Writer) -> None:
    """Remove files that the committed index does not name."""
    named = {record.file for record in records(writer.connection)}
    for path in leftovers(writer.folder, named):
        path.unlink(missing_ok=True)


def leftovers(folder: Path, named: set[str]) -> list[Path]:
    """Files of parts, finished or not, that are not in ``named``."""
    return [path for path in folder.glob("vectors-*.faiss*") if path.name not in named]


def _dead(writer: Writer, record: Record) -> int:
    found = writer.connection.execute(
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
    connection.execute(
        "DELETE FROM removed WHERE passage_id > ? AND passage_id <= ?", (first, 2**62 if last is None else last)
    )
    while first != last:
        row = connection.execute(
            "SELECT id FROM passages WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?", (first, _LARGEST - 1)
        ).fetchone()
        up_to = min((number for number in (last, row and row[0]) if number is not None), default=None)
        built = build(connection, writer.vectors, encoder, after=first, up_to=up_to)
        if built.index.ntotal == 0:
            return
        with writing(writer.folder):
            yield _write(writer.folder, f"vectors-{os.urandom(8).hex()}.faiss", built, first)
        first = built.last
        if up_to is None:
            return


def nearest(
    parts: Sequence[Part], vector: np.ndarray, count: int, *, only: np.ndarray | None, without: np.ndarray
) -> list[tuple[int, float]]:
    """``search`` in all parts together; ``only`` and ``without`` are sorted."""
    found = []
    first = 0
    for part in parts:
        allowed = None if only is None else _between(only, first, part.last)
        found += search(part.index, vector, count, only=allowed, without=_between(without, first, part.last))
        first = part.last
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:count]


def _between(numbers: np.ndarray, first: int, last: int) -> np.ndarray[Any, Any]:
    begin, end = np.searchsorted(numbers, [first, last], side="right")
    return numbers[begin:end]


def search(
    index: Any, vector: np.ndarray, count: int, *, only: np.ndarray | None, without: np.ndarray
) -> list[tuple[int, float]]:
    """(passage number, cosine) of the ``count`` nearest, best first; exact, also under the restrictions.

    ``only``: numbers to choose from (None: all); ``without``: numbers to leave out. Both int64.
    """
    import faiss

    if index.ntotal == 0 or count < 1 or (only is not None and only.size == 0):
        return []
    selector: Any = None
    if only is not None:
        selector = faiss.IDSelectorBatch(np.setdiff1d(only, without))
    elif without.size:
        selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(without))
    make_parameters: Any = faiss.SearchParameters  # its wrapper's keywords are not in its types
    parameters = make_parameters(sel=selector) if selector is not None else None
    scores, numbers = index.search(vector[np.newaxis, :], min(count, index.ntotal), params=parameters)
    return [(int(number), float(score)) for number, score in zip(numbers[0], scores[0], strict=True) if number >= 0]


def _read(folder: Path, record: Record) -> Part | None:
    import faiss

    path = folder / record.file
    try:
        if path.stat().st_size != record.bytes:
            return None
        index = faiss.read_index(str(path))
    except (OSError, RuntimeError):
        return None
    return Part(index, record.last, record.file) if index.ntotal == record.count else None


def _write(folder: Path, name: str, part: Part, first: int) -> Record:
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
    return Record(name, content.nbytes, digest, part.index.ntotal, first, part.last)
