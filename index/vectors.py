"""The FAISS side of the index: derived from SQLite, checked, and made anew whenever it does not fit.

A *base* file holds the vectors of every passage up to some number. Passages that came later are few; each reader puts
them into a small index of its own, so that adding one article never rewrites the base.
"""

import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import DamagedError
from index.store import VECTORS_FILE, Writer, meta, read_vectors, writing

# The base is written again when what came after it, or went from it, is this share of it; below the floor always.
_REWRITE_SHARE = 0.1
_REWRITE_FLOOR = 20_000
_CHUNK = 50_000


@dataclass(frozen=True)
class Base:
    """A FAISS index over passage numbers, the last number it covers, and the file it was read from, if any."""

    index: Any
    last_passage: int
    file: str


def build(connection: sqlite3.Connection, vectors: sqlite3.Connection, encoder: str, *, after: int = 0) -> Base:
    """An exact inner-product index of all passages with a number above ``after``, read from SQLite."""
    import faiss

    index: Any = None
    last = after
    while rows := connection.execute(
        "SELECT id, hash FROM passages WHERE id > ? ORDER BY id LIMIT ?", (last, _CHUNK)
    ).fetchall():
        values = read_vectors(vectors, encoder, [digest for _, digest in rows])
        if index is None:
            index = faiss.IndexIDMap2(faiss.IndexFlatIP(values.shape[1]))
        index.add_with_ids(values, np.asarray([number for number, _ in rows], dtype=np.int64))
        last = rows[-1][0]
    return Base(index or faiss.IndexIDMap2(faiss.IndexFlatIP(1)), last, "")


def load(folder: Path, connection: sqlite3.Connection, earlier: Base | None = None) -> Base | None:
    """The base file, or None if there is none or it does not fit the index; ``earlier`` itself if it is that file."""
    import faiss

    record = _record(connection)
    if not record or record["encoder"] != meta(connection, "encoder"):
        return None
    if earlier is not None and earlier.file == record["file"]:
        return earlier
    path = folder / record["file"]
    try:
        if path.stat().st_size != record["bytes"]:
            return None
        index = faiss.read_index(str(path))
    except (OSError, RuntimeError):
        return None
    return Base(index, record["last_passage"], record["file"]) if index.ntotal == record["count"] else None


def problems(folder: Path, connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the base file, checksum included; empty if it is whole."""
    record = _record(connection)
    if not record:
        return []
    path = folder / record["file"]
    if not path.is_file():
        return [f"{path}: missing; it is made again by the next `kabar index`"]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return [] if digest == record["sha256"] else [f"{path}: checksum is wrong; it is made again by `kabar index`"]


def refresh(writer: Writer) -> None:
    """Write a new base file if there is none that is whole, or too much has changed since."""
    from index.store import connect

    connection, folder = writer.connection, writer.folder
    base = load(folder, connection)
    passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
    if base is not None:
        newer = connection.execute("SELECT count(*) FROM passages WHERE id > ?", (base.last_passage,)).fetchone()[0]
        gone = connection.execute("SELECT count(*) FROM removed").fetchone()[0]
        if newer + gone == 0 or (passages > _REWRITE_FLOOR and newer + gone < _REWRITE_SHARE * passages):
            return
    vectors = connect(folder, VECTORS_FILE)
    try:
        built = build(connection, vectors, writer.meta("encoder") or "")
    finally:
        vectors.close()
    with writing(folder):
        record = _write(folder, f"vectors-{writer.meta('generation')}-{os.urandom(4).hex()}.faiss", built)
    writer.set_meta("faiss", json.dumps({**record, "encoder": writer.meta("encoder")}))
    writer.connection.execute("DELETE FROM removed")
    writer.commit_meta()
    for path in folder.glob("vectors-*.faiss*"):
        if path.name != record["file"]:
            path.unlink(missing_ok=True)


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


def _record(connection: sqlite3.Connection) -> dict[str, Any]:
    record = json.loads(meta(connection, "faiss") or "{}")
    if not isinstance(record, dict):
        raise DamagedError("articles.sqlite: the record of the FAISS file is damaged")
    return record


def _write(folder: Path, name: str, base: Base) -> dict[str, Any]:
    import faiss

    content = faiss.serialize_index(base.index).tobytes()
    temporary = folder / f"{name}.tmp"
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)
    folder_handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(folder_handle)
    finally:
        os.close(folder_handle)
    return {
        "file": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "count": base.index.ntotal,
        "last_passage": base.last_passage,
    }
