"""Bring an index of the first format up to date: nothing is lost, and nothing is encoded again.

Format 1 had no checksums of vectors, knew an article by its file alone, and could not be found by its words or its
address on the web. Its vectors are taken over first and its articles then, in a transaction each: a process that dies
between the two leaves an index that the next one goes on with. Terms and dates are made anew, as the articles are put
into the new tables, and FAISS files from the vectors; the next run reads the files again, since how they are read has
changed too, and encodes only what reads differently.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from index import passage_dates, vectors
from index.article import Article
from index.catalog import ADDED
from index.errors import DamagedError
from index.passage import Passage
from index.preparation import Prepared, analyse
from index.reconcile import keys_of
from index.store import ARTICLES_FILE, VECTORS_SCHEMA, Writer, checksum, connect, create_tables, writing

_LOT = 1_000


def is_outdated(connection: sqlite3.Connection) -> bool:
    """Whether these are the articles of an index of the first format."""
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return "file_articles" in names and "item_articles" not in names


def bring_up_to_date(folder: Path) -> None:
    """Migrate the index in ``folder`` if that is needed. Raises BusyError, WriteError, DamagedError, NoIndexError."""
    with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
        try:
            outdated = is_outdated(connection)
        except sqlite3.DatabaseError:
            return  # damaged: opening it says so
    if outdated:
        with Writer(folder):
            pass  # it migrates whatever it opens


def migrate(writer: Writer) -> None:
    """Migrate and commit; ``writer`` is in a transaction. Raises DamagedError, WriteError."""
    try:
        _take_vectors(writer)
        _take_articles(writer)
        with contextlib.suppress(DamagedError):  # a vector is missing: a repair finds it and makes it
            vectors.refresh(writer)
        writer.commit()
        vectors.sweep(writer)
    except sqlite3.OperationalError:
        raise  # the disk, and no damage
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        raise DamagedError(
            f"{writer.folder}: made by an earlier kabar and damaged ({' '.join(str(error).split())[:200]}); remove the "
            "folder and index again"
        ) from error


def _take_vectors(writer: Writer) -> None:
    """Give every vector its checksum."""
    columns = {row[1] for row in writer.vectors.execute("PRAGMA table_info(vectors)")}
    if not columns or "checksum" in columns:
        writer.vectors.execute(VECTORS_SCHEMA)
        return
    with writing(writer.folder):
        writer.vectors.execute("BEGIN IMMEDIATE")
        try:
            writer.vectors.execute("ALTER TABLE vectors RENAME TO former_vectors")
            writer.vectors.execute(VECTORS_SCHEMA)
            rows = writer.vectors.execute("SELECT encoder, hash, vector FROM former_vectors")
            while lot := rows.fetchmany(_LOT):
                writer.vectors.executemany(
                    "INSERT INTO vectors (encoder, hash, vector, checksum) VALUES (?, ?, ?, ?)",
                    [(*row, checksum(*row)) for row in lot],
                )
            writer.vectors.execute("DROP TABLE former_vectors")
            writer.vectors.execute("COMMIT")
        except BaseException:
            if writer.vectors.in_transaction:
                writer.vectors.execute("ROLLBACK")
            raise


def _take_articles(writer: Writer) -> None:
    """Put every article with its passages into new tables, and what is known of its files."""
    connection = writer.connection
    used = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    former = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql <> ''").fetchall():
        connection.execute(f'DROP INDEX "{name}"')
    for table in ("meta", "terms", "removed", "unused_vectors", "passage_dates"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    for table in ("articles", "passages", "files", "file_articles"):
        connection.execute(f"ALTER TABLE {table} RENAME TO former_{table}")
    create_tables(connection)
    passage_dates.prepare(connection)
    for key in former.keys() - {"faiss", "passage_dates", "format"}:
        writer.set_meta(key, former[key])
    # A number of a passage is never used again.
    connection.execute("INSERT INTO sqlite_sequence VALUES ('passages', ?)", used or (0,))
    columns = list(Article.model_fields)
    for row in connection.execute(f"SELECT {', '.join(columns)} FROM former_articles"):  # noqa: S608 -- the names of the fields
        article = Article.model_validate(dict(zip(columns, row, strict=True)))
        passages = [
            Prepared(passage, digest, analyse(article, passage.text))
            for passage, digest in _passages(connection, article.id)
        ]
        writer.put(article, passages, keys_of(article, article.id))
    connection.execute("INSERT INTO items SELECT path, root, '', sha256 FROM former_files")
    connection.execute(
        "INSERT INTO item_articles SELECT path, article_id, article_id, content_hash"
        " FROM former_file_articles JOIN articles ON id = article_id"
    )
    writer.catalog.set_item(ADDED, ADDED)
    connection.execute(
        "INSERT INTO item_articles SELECT ?, id, id, content_hash FROM articles"
        " WHERE id NOT IN (SELECT article_id FROM item_articles)",
        (ADDED,),
    )
    # In this order: none is dropped while another refers to it.
    for table in ("file_articles", "files", "passages", "articles"):
        connection.execute(f"DROP TABLE former_{table}")


def _passages(connection: sqlite3.Connection, article_id: str) -> Iterator[tuple[Passage, bytes]]:
    rows = connection.execute(
        "SELECT ordinal, sentences, text, hash FROM former_passages WHERE article_id = ? ORDER BY ordinal",
        (article_id,),
    )
    for ordinal, sentences, text, digest in rows.fetchall():
        spans = tuple((start, end) for start, end in json.loads(sentences))
        yield Passage(article_id=article_id, ordinal=ordinal, sentences=spans, text=text), digest
