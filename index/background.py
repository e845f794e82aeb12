"""Make approximate parts of the FAISS side in a process of their own, while the index is read and written.

Parts are joined as the pages of a log-structured merge tree are: when the exact parts that runs have written hold
enough vectors, an approximate one is made of them, together with the approximate ones before them that hold no more.
Its groups are learned anew from its own vectors; so no part ever grows away from what it was trained on, and each
vector is written a number of times that grows with the logarithm of their number. A part is made again, too, when much
of it is gone. All is read from SQLite and nothing else is touched until the finished file is put in its place, in one
transaction: a process that is killed leaves a folder behind, which the next run removes.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from index import approximate, vectors
from index.errors import BusyError, KabarError
from index.store import ARTICLES_FILE, BUILDING, VECTORS_FILE, Writer, connect, exists, meta, sync_folder, writing

# Exact parts of this share of the greatest number of passages that all are searched exactly may wait.
_WAITING_SHARE = 0.25
# A part is made again when more than this share of it is gone.
_GONE_SHARE = 0.3
# No part has more vectors: it bounds the memory that making it needs, half a kilobyte for each.
_LARGEST = 2_000_000
_CHUNK = 10_000
_POLITE = 10
_SECONDS = 0.5

_started: list["subprocess.Popen[bytes]"] = []


class Task(NamedTuple):
    """Make one approximate part of the passages with numbers from after ``first`` to ``last``."""

    first: int
    last: int
    vectors: int


def due(connection: sqlite3.Connection, exact_up_to: int) -> Task | None:
    """What is worth doing, in an index that is searched exactly up to so many passages."""
    known = vectors.records(connection)
    approximates = list(takewhile(lambda record: record.approximate, known))
    waiting = known[len(approximates) :]
    newer = sum(record.count for record in waiting)
    if sum(record.count for record in known) > exact_up_to and newer > _WAITING_SHARE * exact_up_to:
        joined = _bounded(waiting)
        for record in reversed(approximates):
            if record.count > joined.vectors or record.count + joined.vectors > _LARGEST:
                break
            joined = Task(record.first, joined.last, record.count + joined.vectors)
        return joined
    for record in approximates:
        if vectors.dead_in(connection, record) > _GONE_SHARE * record.count:
            return Task(record.first, record.last, record.count)
    return None


def _bounded(waiting: list[vectors.Record]) -> Task:
    count = 0
    last = waiting[0].first
    for record in waiting:
        if count and count + record.count > _LARGEST:
            break
        count += record.count
        last = record.last
    return Task(waiting[0].first, last, count)


def start(folder: Path, connection: sqlite3.Connection, exact_up_to: int) -> None:
    """If something is due, do it in a process that goes on when this one ends."""
    _started[:] = [process for process in _started if process.poll() is None]
    if due(connection, exact_up_to) is None or _is_at_work(folder):
        return
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "index.background", str(folder.absolute()), str(exact_up_to)]
    nothing = subprocess.DEVNULL
    with contextlib.suppress(OSError):  # searches are slower without, and no less right
        _started.append(
            subprocess.Popen(
                command,
                stdin=nothing,
                stdout=nothing,
                stderr=nothing,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
        )


def work(folder: Path, exact_up_to: int) -> int:
    """Do all that is due, unless another process is at it; how many parts were made.

    Waits while a run writes. Raises WriteError, and DamagedError if vectors are.
    """
    made = 0
    workshop = folder / BUILDING
    with writing(folder):
        workshop.mkdir(exist_ok=True)
        lock = FileLock(workshop / "lock")
    try:
        with lock.acquire(blocking=False):
            while (task := _next(folder, exact_up_to)) is not None and _make(folder, workshop, task):
                made += 1
            shutil.rmtree(workshop, ignore_errors=True)
    except Timeout:
        pass
    return made


def leftovers(folder: Path) -> list[Path]:
    """What a process that died has left behind."""
    workshop = folder / BUILDING
    return [workshop] if workshop.is_dir() and not _is_at_work(folder) else []


def _is_at_work(folder: Path) -> bool:
    lock = folder / BUILDING / "lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock).acquire(blocking=False):
            return False
    except (Timeout, OSError):
        return True


def _next(folder: Path, exact_up_to: int) -> Task | None:
    if not exists(folder):
        return None
    with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
        return due(connection, exact_up_to)


def _make(folder: Path, workshop: Path, task: Task) -> bool:
    """Make a part and put it in its place; False if there is no place for it any more."""
    with (
        contextlib.closing(connect(folder, ARTICLES_FILE)) as connection,
        contextlib.closing(connect(folder, VECTORS_FILE)) as stored,
    ):
        encoder = meta(connection, "encoder") or ""
        index = _trained(connection, stored, encoder, task)
        if index is None:
            return False
        for numbers, values in _stored_vectors(connection, stored, encoder, task):
            vectors.add(index, values, numbers)
        with writing(folder):
            name = f"vectors-{os.urandom(8).hex()}.faiss"
            part = vectors.Part(index, task.last)
            record = vectors.write(workshop, name, part, task.first, is_approximate=True)
        held = approximate.held(index)
        connection.execute("BEGIN")  # what is compared is one state
        state = _state(connection)
        gone = vectors.gone_from(connection, record, held)
    with _writer(folder) as writer:
        if _state(writer.connection) != state:
            gone = vectors.gone_from(writer.connection, record, held)
        if gone is None or writer.meta("encoder") != encoder:
            return False
        with writing(folder):
            (workshop / record.file).replace(folder / record.file)
            sync_folder(folder)
        if not vectors.replace(writer, record, gone):
            return False
        writer.commit_meta()
        vectors.sweep(writer)
    return True


def _trained(connection: sqlite3.Connection, stored: sqlite3.Connection, encoder: str, task: Task) -> Any:
    """An empty index, trained on passages picked at random; None if there are none."""
    random = np.random.default_rng(task.last)
    wanted = approximate.sample_size(task.vectors)
    picked: dict[int, bytes] = {}
    for number in random.integers(task.first, task.last, size=2 * wanted):
        row = connection.execute("SELECT id, hash FROM passages WHERE id > ? ORDER BY id LIMIT 1", (int(number),))
        picked.update(row.fetchall())
        if len(picked) >= wanted:
            break
    sample = vectors.present(stored, encoder, picked)
    return approximate.train(np.stack(list(sample.values())), task.vectors) if sample else None


def _stored_vectors(
    connection: sqlite3.Connection, stored: sqlite3.Connection, encoder: str, task: Task
) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Numbers and vectors of all passages, a bounded number at a time; those that are removed meanwhile may lack."""
    last = task.first
    while rows := connection.execute(
        "SELECT id, hash FROM passages WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (last, task.last, _CHUNK)
    ).fetchall():
        last = rows[-1][0]
        found = vectors.present(stored, encoder, dict(rows))
        if found:
            yield np.fromiter(found, dtype=np.int64), np.stack(list(found.values()))


def _writer(folder: Path) -> Writer:
    """The writer, as soon as no run holds it."""
    while True:
        try:
            return Writer(folder)
        except BusyError:
            time.sleep(_SECONDS)


def _state(connection: sqlite3.Connection) -> str | None:
    return meta(connection, "generation")


def main() -> None:
    """``python -m index.background FOLDER EXACT_UP_TO``, as ``start`` runs it."""
    if hasattr(os, "nice"):
        os.nice(_POLITE)
    with contextlib.suppress(KabarError):  # nobody listens; the index is as it was
        work(Path(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
