"""Repair an index from what is whole in it.

A new copy of the damaged part is made beside it and takes its place at the end, in one transaction: whoever asks
meanwhile, or is killed meanwhile, still has what was there. Of the articles those are kept that fit their checksum;
what is derived from them (passages, lexical index, dates) is made again. Passages whose vectors are damaged are encoded
again.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict

from index.catalog import ADDED, Keys, Link
from index.compaction import REPAIR_FOLDER
from index.config import IndexSettings
from index.errors import DamagedError, EncoderMismatchError
from index.integrity import Damage, find_damage, leftovers
from index.preparation import prepare
from index.rows import read_articles
from index.store import ARTICLES_FILE, VECTORS_FILE, Writer, checkpoint, checksum, connect, lock, sync_folder, writing
from index.stores import StoreName, open_store

if TYPE_CHECKING:
    from index.encoder import Encoder

_LOT = 256
_NO_DATABASE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Repair(BaseModel):
    """What a repair did: the damage found, the articles that could not be saved, and where they came from."""

    model_config = ConfigDict(frozen=True)

    damage: tuple[Damage, ...] = ()
    encoded: int = 0
    lost: dict[str, tuple[str, ...]] = {}

    @property
    def sources(self) -> list[str]:
        """Files and addresses that hold the lost articles: the next ``kabar index`` reads them again."""
        return sorted({name for names in self.lost.values() for name in names})


def repair(folder: Path, settings: IndexSettings, encoder: "Callable[[], Encoder]") -> Repair:
    """Repair the index in ``folder``; ``encoder`` is asked for only if there is something to encode again.

    Raises NoIndexError, BusyError, WriteError, StoreError if it is of another format, and EncoderMismatchError if
    vectors are damaged that the configured encoder did not make. After an error the index is as it was.
    """
    store = open_store(settings)
    damage = find_damage(folder, store)
    with lock(folder), writing(folder):
        for path in leftovers(folder):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    parts = {found.part for found in damage}
    lost: dict[str, tuple[str, ...]] = {}
    encoded = 0
    if parts & {"articles", "vectors"}:
        copy = folder / REPAIR_FOLDER
        with lock(folder), writing(folder):
            shutil.rmtree(copy, ignore_errors=True)
            with Writer(copy) as made:
                lost = _save_articles(folder, made, settings)
                _save_vectors(folder, made)
                encoded = _make_vectors(made, encoder)
                made.commit()
            # Vectors first: articles only ever refer to vectors that are there.
            _replace(copy, folder, VECTORS_FILE)
            _replace(copy, folder, ARTICLES_FILE)
            shutil.rmtree(copy)
    if damage:
        with Writer(folder) as writer:
            store.forget(writer)
            store.refresh(writer)
            writer.commit()
            store.sweep(writer)
    return Repair(damage=tuple(damage), encoded=encoded, lost=lost)


def _save_articles(folder: Path, made: Writer, settings: IndexSettings) -> dict[str, tuple[str, ...]]:
    """Copy every whole article, and where it came from; ids and origins of those that are not whole."""
    lost: dict[str, tuple[str, ...]] = {}
    with contextlib.closing(_open(folder)) as source:
        values = dict(_rows(source, "meta", "key", "key, value"))
        if not values:
            raise _past_repair(folder)
        for key in values.keys() - {*get_args(StoreName), "passage_dates", "format"}:
            made.set_meta(key, values[key])
        unused = _rows(source, "unused_vectors", "hash", "hash")
        made.connection.executemany("INSERT OR IGNORE INTO unused_vectors VALUES (?)", unused)
        items = list(_rows(source, "items", "name", "name, place, stamp, digest"))
        links = [Link(*row) for row in _rows(source, "item_articles", "item", "item, given, article_id, content_hash")]
        named = {row[0] for row in items}
        for row in items:
            made.catalog.set_item(*row)
        known = _keys_in(source, "articles", "id")
        for article_id in sorted(known | {link.article_id for link in links}):
            if not _save_article(source, made, article_id, settings):
                origins = tuple(sorted({link.item for link in links if link.article_id == article_id} - {ADDED}))
                lost[article_id] = origins
                for name in origins:
                    made.catalog.let_reread(name)
        for link in links:
            if link.article_id not in lost and link.item in named:
                made.catalog.set_link(link)
    return lost


def _open(folder: Path) -> sqlite3.Connection:
    try:
        return connect(folder, ARTICLES_FILE)
    except DamagedError:
        raise _past_repair(folder) from None


def _past_repair(folder: Path) -> DamagedError:
    return DamagedError(
        f"{folder / ARTICLES_FILE}: nothing in it can be read; remove it and run `kabar index`, which does not encode "
        "again what was encoded before"
    )


def _save_article(source: sqlite3.Connection, made: Writer, article_id: str, settings: IndexSettings) -> bool:
    try:
        article = next(iter(read_articles(source, [article_id])))
        row = source.execute(
            "SELECT id, content_hash, copy_key, address, fetched FROM articles WHERE id = ?", (article_id,)
        ).fetchone()
    except (sqlite3.DatabaseError, ValueError, TypeError, StopIteration):
        return False
    keys = Keys(*row)
    if keys.content_hash not in ("", article.content_hash):
        return False
    passages = prepare(article, characters=settings.index.passage_characters)
    if passages:
        made.put(article, passages, keys)
    return bool(passages)


def _save_vectors(folder: Path, made: Writer) -> None:
    """Copy every vector that fits its checksum."""
    with contextlib.suppress(DamagedError), contextlib.closing(connect(folder, VECTORS_FILE)) as source:
        lot = []
        for row in _rows(source, "vectors", "id", "encoder, hash, vector, checksum"):
            with contextlib.suppress(TypeError, AttributeError):  # a column of another type is damage, too
                if checksum(*row[:3]) == row[3]:
                    lot.append(row)
            if len(lot) == _LOT:
                _put_rows(made, lot)
                lot.clear()
        _put_rows(made, lot)


def _put_rows(made: Writer, rows: Iterable[Any]) -> None:
    made.vectors.execute("BEGIN")
    made.vectors.executemany(
        "INSERT OR IGNORE INTO vectors (encoder, hash, vector, checksum) VALUES (?, ?, ?, ?)", rows
    )
    made.vectors.execute("COMMIT")


def _make_vectors(made: Writer, encoder: "Callable[[], Encoder]") -> int:
    """Encode every passage that has no whole vector; how many there were."""
    fingerprint = made.meta("encoder") or _usual_encoder(made) or encoder().fingerprint
    made.set_meta("encoder", fingerprint)
    encoded = 0
    for lot in made.encoded_texts(_LOT):
        missing = made.missing_vectors(fingerprint, list(lot))
        if not missing:
            continue
        loaded = encoder()
        if loaded.fingerprint != fingerprint:
            raise EncoderMismatchError(
                f"{made.folder.parent}: vectors of encoder '{fingerprint}' are damaged, and the configured one is "
                f"'{loaded.fingerprint}'; run `kabar index` to encode everything with it, or configure the former"
            )
        chosen = [digest for digest in lot if digest in missing]
        made.put_vectors(fingerprint, chosen, loaded.encode_passages([lot[digest] for digest in chosen]))
        encoded += len(chosen)
    return encoded


def _usual_encoder(made: Writer) -> str | None:
    """Who made most of the vectors, if nothing is left that says who made the index."""
    row = made.vectors.execute("SELECT encoder FROM vectors GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").fetchone()
    return row[0] if row else None


def _rows(source: sqlite3.Connection, table: str, key: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read, of a table some pages of which may be damaged."""
    for value in sorted(_keys_in(source, table, key)):
        with contextlib.suppress(sqlite3.DatabaseError):
            statement = f"SELECT {columns} FROM {table} WHERE {key} = ?"  # noqa: S608 -- this module's own names
            yield from source.execute(statement, (value,)).fetchall()


def _keys_in(source: sqlite3.Connection, table: str, key: str) -> set[Any]:
    """Keys of a table: from its beginning to the first damaged page, from its end to the last, and from its indexes."""
    found: set[Any] = set()
    for order in (f"NOT INDEXED ORDER BY {key}", f"NOT INDEXED ORDER BY {key} DESC", f"ORDER BY {key}", ""):
        with contextlib.suppress(sqlite3.DatabaseError):
            for row in source.execute(f"SELECT {key} FROM {table} {order}"):  # noqa: S608 -- as above
                found.add(row[0])
    return {value for value in found if value is not None}


def _replace(copy: Path, folder: Path, file: str) -> None:
    """Put a whole database in the place of a damaged one, in one transaction, so that readers move over to it."""
    try:
        with (
            contextlib.closing(connect(copy, file)) as source,
            contextlib.closing(connect(folder, file, write=True)) as target,
        ):
            source.backup(target)
            checkpoint(target)
    except (sqlite3.DatabaseError, DamagedError) as error:
        if isinstance(error, sqlite3.Error) and error.sqlite_errorcode not in _NO_DATABASE:
            raise
        # It is no database at all any more, and so nobody reads it. The copy has nothing in a log beside it.
        for ending in ("-wal", "-shm"):
            (folder / f"{file}{ending}").unlink(missing_ok=True)
        (copy / file).replace(folder / file)
        sync_folder(folder)
