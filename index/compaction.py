"""Give back what removed articles leave behind: their vectors, their places in the FAISS files, and the disk space.

The words themselves are overwritten when they are removed (SQLite's ``secure_delete``). ``tidy`` does a bounded share
of the rest at the end of every run; ``compact`` does all of it, as ``kabar doctor --compact``. Both are transactions of
SQLite, so that a process that dies in the middle leaves a whole index behind.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from index import background
from index.errors import NoIndexError, WriteError
from index.faiss_store import FaissStore
from index.store import ARTICLES_FILE, VECTORS_FILE, Writer, checkpoint, exists, writing
from index.stores import Store

REPAIR_FOLDER = "repair"
"""Where ``index.repair`` works; a process that dies leaves it behind."""

# What one run does at most: together less than a second on a laptop's disk.
_VECTORS = 10_000
_PAGES = 4_000
# A database gives pages back when more than this share of it is free.
_SHARE = 0.2
# How long to wait for readers to move on, in seconds, before the log beside a database is left for the next run.
_PATIENCE = 5.0


class Compaction(BaseModel):
    """What a compaction did; ``finished`` is False if readers still hold an older state, and with it removed text."""

    model_config = ConfigDict(frozen=True)

    vectors: int
    bytes_before: int
    bytes_after: int
    finished: bool


def compact(folder: Path, store: Store | None = None) -> Compaction:
    """Take out all that no article needs: vectors (of abandoned runs and other encoders too), and free space.

    Needs as much free disk as the index is large. Raises BusyError, NoIndexError, WriteError.
    """
    if not exists(folder):
        raise NoIndexError(f"{folder}: there is no index here yet; make one with `kabar index FOLDER`")
    store = store or FaissStore()
    before = _size(folder)
    with Writer(folder) as writer:
        removed = _forget_unused(writer, most=None) + _forget_unreferenced(writer)
        store.compact(writer)
        with writing(folder):
            # The lexical index keeps the words of what was removed until its segments are merged.
            writer.connection.execute("INSERT INTO terms (terms) VALUES ('optimize')")
            writer.connection.execute("COMMIT")
            store.sweep(writer)
            for connection in (writer.connection, writer.vectors):
                connection.execute("PRAGMA temp_store = FILE")  # its copy of a large database has no place in memory
                connection.execute("VACUUM")
            finished = [checkpoint(each, patience=_PATIENCE) for each in (writer.connection, writer.vectors)]
    return Compaction(vectors=removed, bytes_before=before, bytes_after=_size(folder), finished=all(finished))


def tidy(writer: Writer, store: Store) -> None:
    """Do a bounded part of the work, if it is worth it; called when a run has committed.

    A full disk is no reason to fail a run whose articles are safe: what is left undone is done by a later run.
    """
    with contextlib.suppress(WriteError, sqlite3.OperationalError, OSError):
        _forget_unused(writer, most=_VECTORS)
        store.tidy(writer)
        for connection in (writer.connection, writer.vectors):
            _give_back_pages(connection)
        writer.commit_meta()
        store.sweep(writer)
        for left in (writer.folder / REPAIR_FOLDER, *background.leftovers(writer.folder)):
            shutil.rmtree(left, ignore_errors=True)


def _forget_unused(writer: Writer, *, most: int | None) -> int:
    """Delete vectors of removed passages, unless another passage has the same words; how many were deleted.

    Those that a run which was stopped has made ahead are not among them.
    """
    rows = writer.connection.execute("SELECT hash FROM unused_vectors LIMIT ?", (-1 if most is None else most,))
    unused = [row[0] for row in rows]
    deleted = _delete(writer, "hash", [digest for digest in unused if not _is_needed(writer, digest)])
    writer.connection.executemany("DELETE FROM unused_vectors WHERE hash = ?", [(digest,) for digest in unused])
    return deleted


def _forget_unreferenced(writer: Writer) -> int:
    """Delete every vector that no passage refers to; how many there were."""
    encoder = writer.meta("encoder")
    deleted = last = 0
    while rows := writer.vectors.execute(
        "SELECT id, encoder, hash FROM vectors WHERE id > ? ORDER BY id LIMIT ?", (last, _VECTORS)
    ).fetchall():
        last = rows[-1][0]
        gone = [number for number, made_by, digest in rows if made_by != encoder or not _is_needed(writer, digest)]
        deleted += _delete(writer, "id", gone)
    return deleted


def _is_needed(writer: Writer, digest: bytes) -> bool:
    return writer.connection.execute("SELECT 1 FROM passages WHERE hash = ?", (digest,)).fetchone() is not None


def _delete(writer: Writer, key: Literal["id", "hash"], values: Sequence[bytes | int]) -> int:
    """Delete vectors in one transaction, before anything says that it was done."""
    statement = {"id": "DELETE FROM vectors WHERE id = ?", "hash": "DELETE FROM vectors WHERE hash = ?"}[key]
    if not values:
        return 0
    with writing(writer.folder):
        writer.vectors.execute("BEGIN IMMEDIATE")
        try:
            cursor = writer.vectors.executemany(statement, [(value,) for value in values])
            writer.vectors.execute("COMMIT")
        except BaseException:
            if writer.vectors.in_transaction:
                writer.vectors.execute("ROLLBACK")
            raise
    return cursor.rowcount


def _give_back_pages(connection: sqlite3.Connection) -> None:
    free, pages = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
    if free > _SHARE * pages:
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()


def _size(folder: Path) -> int:
    names = [ARTICLES_FILE, VECTORS_FILE, f"{ARTICLES_FILE}-wal", f"{VECTORS_FILE}-wal"]
    files = [*(folder / name for name in names), *folder.glob("vectors-*.faiss")]
    return sum(path.stat().st_size for path in files if path.is_file())
