"""Make shards of an index, and let them follow it: only what is new in it, or changed, is written again."""
# ruff: noqa: S608 -- statements are put together from constants alone; values are parameters

import contextlib
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from index import compaction
from index.errors import DamagedError
from index.faiss_store import FaissStore
from index.migration import bring_up_to_date
from index.sharding.layout import (
    ORIGIN,
    Published,
    folder_of,
    other_half,
    read_published,
    require_published,
    shard_of,
)
from index.store import ARTICLES_FILE, VECTORS_FILE, Writer, check_format, connect, exists, lock, meta, read_vectors

_LOT = 200
_IDS = "(SELECT value FROM json_each(?))"
# What an article has, in an order in which nothing refers to what comes later.
_OF_ARTICLES = {
    "articles": ("*", "id IN {ids}"),
    "passages": ("*", "article_id IN {ids}"),
    "terms": ("rowid, words", "rowid IN (SELECT id FROM passages WHERE article_id IN {ids})"),
    "passage_dates": ("*", "passage_id IN (SELECT id FROM passages WHERE article_id IN {ids})"),
}
Numbers = Mapping[str, int]
"""The number of the first passage of each article: it has another one as soon as anything about it changes."""


def split(folder: Path, root: Path, shards: int, store: FaissStore | None = None) -> Published:
    """Bring the free halves of the shards in ``root`` into line with the index in ``folder``.

    What comes back is to be published; it is what is published already if the index has not changed. Raises
    NoIndexError, BusyError, WriteError, DamagedError, and StoreError if a shard is missing that is being searched.
    """
    bring_up_to_date(folder)
    origin = _origin(folder)
    with lock(root):
        current = read_published(root)
        if current is not None and (current.shards, current.origin) == (shards, origin):
            require_published(root)
        while True:
            with _state(folder) as (articles, vectors):
                generation = int(meta(articles, "generation") or 0)
                if current is not None and current == current.model_copy(
                    update={"shards": shards, "origin": origin, "generation": generation}
                ):
                    return current
                half = other_half(current.half) if current is not None else "a"
                record = Published(shards=shards, generation=generation, half=half, origin=origin)
                try:
                    for shard, wanted in enumerate(_by_shard(articles, shards)):
                        target = folder_of(root, shard, shards, half)
                        _follow(articles, vectors, target, wanted, record, store or FaissStore())
                except DamagedError:
                    # Vectors may be swept away as soon as no article of a newer generation needs them.
                    if _generation(folder) == generation:
                        raise
                else:
                    return record


def remove_others(root: Path, shards: int) -> None:
    """Remove the shards of another number of them, which nobody searches any more."""
    for folder in root.glob("*-of-*"):
        if not folder.name.endswith(f"-of-{shards}"):
            shutil.rmtree(folder, ignore_errors=True)


def _origin(folder: Path) -> str:
    """What identifies an index as long as it is not made anew."""
    with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
        check_format(connection, folder)
        found = meta(connection, ORIGIN)
    if found is None:
        found = secrets.token_hex(8)
        with Writer(folder) as writer:
            writer.set_meta(ORIGIN, found)
            writer.commit_meta()
    return found


@contextlib.contextmanager
def _state(folder: Path) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    with (
        contextlib.closing(connect(folder, ARTICLES_FILE)) as articles,
        contextlib.closing(connect(folder, VECTORS_FILE)) as vectors,
    ):
        try:
            articles.execute("BEGIN")
            yield articles, vectors
        except sqlite3.DatabaseError as error:
            raise DamagedError(f"{folder}: the index cannot be read ({error}); run `kabar doctor --repair`") from error


def _generation(folder: Path) -> int:
    with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
        return int(meta(connection, "generation") or 0)


def _by_shard(connection: sqlite3.Connection, shards: int) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{} for _ in range(shards)]
    for article_id, number in _first_numbers(connection):
        found[shard_of(article_id, shards)][article_id] = number
    return found


def _first_numbers(connection: sqlite3.Connection) -> Iterable[tuple[str, int]]:
    return connection.execute("SELECT article_id, min(id) FROM passages GROUP BY article_id")


def _follow(
    articles: sqlite3.Connection,
    vectors: sqlite3.Connection,
    target: Path,
    wanted: Numbers,
    record: Published,
    store: FaissStore,
) -> None:
    """Make one half of a shard hold just the articles ``wanted``."""
    if target.exists() and not _is_earlier(target, record):
        shutil.rmtree(target)
    with Writer(target) as writer:
        there = dict(_first_numbers(writer.connection))
        for article_id in [one for one, number in there.items() if wanted.get(one) != number]:
            writer.remove(article_id)
        # In the order of their numbers, so that what is new comes after what is there.
        missing = iter(sorted((one for one in wanted if there.get(one) != wanted[one]), key=wanted.__getitem__))
        encoder = meta(articles, "encoder") or ""
        while lot := list(islice(missing, _LOT)):
            _copy_articles(articles, writer, lot)
            chosen = f"SELECT hash FROM passages WHERE article_id IN {_IDS}"
            _copy_vectors(vectors, writer, encoder, writer.connection.execute(chosen, (json.dumps(lot),)))
        if writer.meta("encoder") not in (None, encoder):
            _copy_vectors(vectors, writer, encoder, writer.connection.execute("SELECT DISTINCT hash FROM passages"))
        writer.set_meta("encoder", encoder)
        writer.set_meta("generation", str(record.generation))
        writer.set_meta(ORIGIN, record.origin)
        store.refresh(writer)
        writer.commit_meta()
        store.sweep(writer)
        compaction.tidy(writer, store)
        store.settle(writer)


def _is_earlier(target: Path, record: Published) -> bool:
    """Whether a half holds an earlier state of the same index, and not of one that was there before it."""
    if not exists(target):
        return False
    with contextlib.closing(connect(target, ARTICLES_FILE)) as connection:
        generation = int(meta(connection, "generation") or 0)
        return meta(connection, ORIGIN) == record.origin and generation <= record.generation


def _copy_articles(source: sqlite3.Connection, writer: Writer, article_ids: list[str]) -> None:
    for table, (columns, condition) in _OF_ARTICLES.items():
        if not source.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            continue  # no table of dates in an index that an earlier version has written
        statement = f"SELECT {columns} FROM {table} WHERE {condition.format(ids=_IDS)} ORDER BY 1"
        rows = source.execute(statement, (json.dumps(article_ids),))
        # By name: an index that was brought up to date may have its columns in another order.
        names = [column[0] for column in rows.description]
        copied = writer.connection.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows
        )
        if table == "passages":
            writer.touched += copied.rowcount


def _copy_vectors(source: sqlite3.Connection, writer: Writer, encoder: str, hashes: sqlite3.Cursor) -> None:
    """Those of passages with these hashes that are not there yet."""
    while lot := [row[0] for row in hashes.fetchmany(_LOT)]:
        missing = list(writer.missing_vectors(encoder, lot))
        if missing:
            writer.put_vectors(encoder, missing, read_vectors(source, encoder, missing))
