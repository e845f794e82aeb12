"""The index on disk: SQLite is the truth, everything else can be made from it.

Layout of the folder (format 2)::

    articles.sqlite      articles, passages, lexical index, what each file gave: one transaction a generation
    vectors.sqlite       encoder + passage hash -> vector, so that no passage is encoded twice
    vectors-N.faiss      FAISS index of some passages (see index.vectors); derived
    lock                 held by the one process that writes
    building/            a part in the making (see index.background); there while a process is at it

``articles.sqlite`` only ever refers to vectors that are already safe in ``vectors.sqlite``: a crash between the two
leaves vectors that nobody refers to yet, and the next run finds them there. Vectors that no passage needs any more are
taken out by ``index.compaction``.
"""

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from filelock import FileLock, Timeout

from index import passage_dates
from index.article import Article
from index.catalog import ARTICLE_KEYS, Catalog, Keys
from index.catalog import SCHEMA as CATALOG_SCHEMA
from index.errors import BusyError, DamagedError, NoIndexError, StoreError, WriteError
from index.lexical import TOKENIZER
from index.passage import titled
from index.preparation import Prepared

FORMAT = 2
ARTICLES_FILE = "articles.sqlite"
VECTORS_FILE = "vectors.sqlite"
BUILDING = "building"
"""Where ``index.background`` makes parts of the FAISS side."""

_AT_ONCE = 500  # vectors that one statement asks for
_PATIENCE = 10.0

# It holds all that listings, counts and pictures of the collection ask for: no article's text is read for them.
_LISTED = (
    "CREATE INDEX IF NOT EXISTS articles_listed ON articles (published DESC, id, published_from, language, source)"
)
# The same for what every question asks of a hundred passages; an index of an earlier kabar lacks it until it changes.
_LANGUAGES = "CREATE INDEX IF NOT EXISTS articles_languages ON articles (id, language)"
_ARTICLES_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    {ARTICLE_KEYS}, title TEXT NOT NULL, url TEXT, source TEXT, language TEXT NOT NULL, published TEXT,
    published_from TEXT NOT NULL, published_certainty REAL NOT NULL, published_reason TEXT,
    text TEXT NOT NULL -- last, so that the rest can be read without it
) WITHOUT ROWID;
{_LISTED};
{_LANGUAGES};
CREATE INDEX articles_by_language ON articles (language);
-- AUTOINCREMENT: a number is never used again, so that an older FAISS file can never mean another passage.
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article_id TEXT NOT NULL REFERENCES articles (id), ordinal INTEGER NOT NULL,
    sentences TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL, UNIQUE (article_id, ordinal)
);
CREATE INDEX passages_by_hash ON passages (hash);
CREATE VIRTUAL TABLE terms USING fts5 (
    words, tokenize = "{TOKENIZER}"
);
-- Numbers of passages that a FAISS file may still hold but that are gone, and the hashes of their texts.
CREATE TABLE removed (passage_id INTEGER PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE unused_vectors (hash BLOB PRIMARY KEY) WITHOUT ROWID;
{CATALOG_SCHEMA}"""
VECTORS_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    id INTEGER PRIMARY KEY, encoder TEXT NOT NULL, hash BLOB NOT NULL, vector BLOB NOT NULL, checksum INTEGER NOT NULL,
    UNIQUE (hash, encoder)
);
"""


def connect(folder: Path, file: str, *, write: bool = False) -> sqlite3.Connection:
    """Open one of the databases, to read it or to write it too. Raises NoIndexError, DamagedError or WriteError."""
    path = folder / file
    if not write and not path.is_file():
        raise NoIndexError(f"{folder}: there is no index here yet; make one with `kabar index FOLDER`")
    # Whoever reads cannot write, not even the checkpoint that the last one to leave would make: it would take away
    # the files beside the database that the next reader needs and, on a full disk, could not make again.
    address = f"{path.absolute().as_uri()}?mode={'rwc' if write else 'ro'}"
    try:
        with writing(folder):
            connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA schema_version").fetchone()  # is it a database at all?
            if write:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for a new database only
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
                # Every commit reaches the disk before it returns: with NORMAL a power cut could take back vectors that
                # committed articles refer to.
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
                connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        raise DamagedError(f"{path}: not a usable index ({error}); run `kabar doctor`") from None
    return connection


def lock(folder: Path) -> FileLock:
    """The lock of the one process that writes, taken; it dies with the process. Raises BusyError or WriteError.

    A process in the background that puts in its place what it has made is waited for.
    """
    taken = FileLock(folder / "lock")
    with writing(folder):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)
        try:
            taken.acquire(timeout=_PATIENCE if (folder / BUILDING).is_dir() else 0)
        except Timeout:
            raise BusyError(f"{folder}: another process is writing this index; wait until it is done") from None
    return taken


def sync_folder(folder: Path) -> None:
    """Make sure that the names of new and renamed files in ``folder`` survive a power cut."""
    if os.name == "nt":
        return  # there a folder cannot be opened, and its journal keeps names safe
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def exists(folder: Path) -> bool:
    """Whether ``folder`` holds an index with a finished generation (a first run that was cut off has none)."""
    if not (folder / ARTICLES_FILE).is_file():
        return False
    connection = connect(folder, ARTICLES_FILE)
    try:
        if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]:
            return False
        return int(meta(connection, "generation") or 0) > 0
    except sqlite3.DatabaseError:
        return True  # there is one, and it is damaged: opening it says so
    finally:
        connection.close()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn SQLite's and the system's refusals to write into one clear error."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        refusal = _refusal(folder, error)
        if refusal is None:
            raise
        raise refusal from error


def _refusal(folder: Path, error: BaseException | None) -> WriteError | None:
    """What to say if ``error`` means that the disk does not take what is written."""
    signs = ("full", "readonly", "unable to open", "I/O", "locked")
    if not isinstance(error, OSError) and not (
        isinstance(error, sqlite3.OperationalError) and any(sign in str(error) for sign in signs)
    ):
        return None
    return WriteError(
        f"{folder}: could not write the index ({error}); it is as it was. Free some space or check the folder"
    )


class Writer:
    """The one process that may change an index; everything between ``with`` is one generation or nothing.

    Raises BusyError if another process is writing, WriteError if the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = lock(folder)
        self._open: list[sqlite3.Connection] = []
        self.touched = 0  # passages put or removed since the FAISS files were in line with them
        try:
            self.connection, self.vectors = (self._connect(file) for file in (ARTICLES_FILE, VECTORS_FILE))
            self.catalog = Catalog(self.connection)
            with writing(folder):
                self.connection.execute("BEGIN IMMEDIATE")
                self._prepare()
                self.vectors.execute(VECTORS_SCHEMA)
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        finally:
            self._close()
        if isinstance(error, sqlite3.Error) and (refusal := _refusal(self.folder, error)) is not None:
            raise refusal from error

    def _connect(self, file: str) -> sqlite3.Connection:
        connection = connect(self.folder, file, write=True)
        self._open.append(connection)
        # The last to leave, and a reader: so SQLite leaves its files beside the database for the readers to come.
        reader = connect(self.folder, file)
        self._open.append(reader)
        with writing(self.folder):
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return connection

    def _close(self) -> None:
        for connection in self._open:
            with contextlib.suppress(sqlite3.Error):
                checkpoint(connection)
            connection.close()
        self._lock.release()

    def _prepare(self) -> None:
        tables = self.connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]
        if not tables:
            create_tables(self.connection)
        else:
            from index import migration  # it needs this module

            if migration.is_outdated(self.connection):
                migration.migrate(self)
        check_format(self.connection, self.folder)
        passage_dates.prepare(self.connection)
        self.connection.execute(_LISTED)
        self.connection.execute(_LANGUAGES)
        self.connection.execute("DROP INDEX IF EXISTS articles_by_date")  # what earlier versions made in its place

    # What is there

    def meta(self, key: str) -> str | None:
        """A value of the index as a whole, or None."""
        return meta(self.connection, key)

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the index as a whole."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def title_of(self, article_id: str) -> str | None:
        """Title of an article, if it is there."""
        row = self.connection.execute("SELECT title FROM articles WHERE id = ?", (article_id,)).fetchone()
        return row[0] if row else None

    # Changes

    def put(self, article: Article, passages: Sequence[Prepared], keys: Keys) -> None:
        """Add an article with its passages, or replace the one of the same id."""
        self._drop_passages(article.id)
        self.touched += len(passages)
        values = {**article.model_dump(mode="json"), **keys._asdict(), "id": article.id}
        self.connection.execute(
            f"INSERT INTO articles ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
            f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in values)}",
            tuple(values.values()),
        )
        for passage, digest, analysis, _ in passages:
            cursor = self.connection.execute(
                "INSERT INTO passages (article_id, ordinal, sentences, text, hash) VALUES (?, ?, ?, ?, ?)",
                (article.id, passage.ordinal, json.dumps(passage.sentences), passage.text, digest),
            )
            number = int(cursor.lastrowid or 0)
            self.connection.execute("INSERT INTO terms (rowid, words) VALUES (?, ?)", (number, analysis.words))
            passage_dates.put(self.connection, number, analysis.days)

    def encoded_texts(self, count: int) -> Iterator[dict[bytes, str]]:
        """What is encoded for each passage, by its hash, ``count`` passages at a time."""
        rows = self.connection.execute(
            "SELECT hash, title, passages.text FROM passages JOIN articles ON articles.id = article_id"
        )
        while lot := rows.fetchmany(count):
            yield {digest: titled(title, text) for digest, title, text in lot}

    def remove(self, article_id: str) -> bool:
        """Remove an article and all that belongs to it; False if it was not there."""
        self._drop_passages(article_id)
        self.connection.execute("DELETE FROM item_articles WHERE article_id = ?", (article_id,))
        return self.connection.execute("DELETE FROM articles WHERE id = ?", (article_id,)).rowcount > 0

    def _drop_passages(self, article_id: str) -> None:
        chosen = "SELECT id FROM passages WHERE article_id = ?"
        self.connection.execute(f"INSERT INTO removed {chosen}", (article_id,))
        self.connection.execute(
            "INSERT OR IGNORE INTO unused_vectors SELECT hash FROM passages WHERE article_id = ?", (article_id,)
        )
        self.connection.execute(f"DELETE FROM terms WHERE rowid IN ({chosen})", (article_id,))
        self.touched += self.connection.execute("DELETE FROM passages WHERE article_id = ?", (article_id,)).rowcount

    # Vectors

    def missing_vectors(self, encoder: str, hashes: Sequence[bytes]) -> set[bytes]:
        """Those of ``hashes`` for which ``encoder`` has made no vector yet."""
        wanted = set(hashes)
        for digest in list(wanted):
            if self.vectors.execute(
                "SELECT 1 FROM vectors WHERE encoder = ? AND hash = ?", (encoder, digest)
            ).fetchone():
                wanted.discard(digest)
        return wanted

    def put_vectors(self, encoder: str, hashes: Sequence[bytes], vectors: np.ndarray | Sequence[np.ndarray]) -> None:
        """Keep vectors [n, dimension] safely, before anything refers to them; stored as 16-bit floats."""
        with writing(self.folder):
            self.vectors.execute("BEGIN IMMEDIATE")
            try:
                self.vectors.executemany(
                    "INSERT OR REPLACE INTO vectors (encoder, hash, vector, checksum) VALUES (?, ?, ?, ?)",
                    [
                        (encoder, digest, content, checksum(encoder, digest, content))
                        for digest, vector in zip(hashes, vectors, strict=True)
                        for content in [vector.astype("<f2").tobytes()]
                    ],
                )
                self.vectors.execute("COMMIT")
            except BaseException:
                if self.vectors.in_transaction:
                    self.vectors.execute("ROLLBACK")
                raise

    def commit(self) -> int:
        """Make the changes the next generation, all at once; its number."""
        number = int(self.meta("generation") or 0) + 1
        with writing(self.folder):
            self.set_meta("generation", str(number))
            self.connection.execute("COMMIT")
            self.connection.execute("BEGIN IMMEDIATE")
        return number

    def commit_meta(self) -> None:
        """Commit changes that readers need not notice."""
        with writing(self.folder):
            self.connection.execute("COMMIT")
            self.connection.execute("BEGIN IMMEDIATE")


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of an index without articles, in the connection's transaction."""
    for statement in _statements(_ARTICLES_SCHEMA):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('format', ?), ('generation', '0')", (str(FORMAT),))


def checkpoint(connection: sqlite3.Connection, *, patience: float = 0.1) -> bool:
    """Move what was committed from the log beside the database into it, and empty the log.

    False if somebody still reads an older state after ``patience`` seconds; a later checkpoint does it then.
    """
    connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
    busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 30000")
    return not busy


def checksum(encoder: str, digest: bytes, vector: bytes) -> int:
    """CRC-32 over a stored vector and what it belongs to."""
    return zlib.crc32(vector, zlib.crc32(digest, zlib.crc32(encoder.encode())))


def meta(connection: sqlite3.Connection, key: str) -> str | None:
    """A value of the index as a whole, or None."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def check_format(connection: sqlite3.Connection, folder: Path) -> None:
    """Raise StoreError if the index is of another format than this version reads."""
    try:
        found = meta(connection, "format")
    except sqlite3.DatabaseError as error:
        raise DamagedError(f"{folder / ARTICLES_FILE}: {error}; run `kabar doctor`") from None
    if found == "1":
        raise StoreError(
            f"{folder}: made by an earlier kabar; `kabar index` brings it up to date, and encodes nothing again"
        )
    if found != str(FORMAT):
        raise StoreError(
            f"{folder}: index format {found}, this kabar reads format {FORMAT}; remove the folder and index again"
        )


def read_vectors(vectors: sqlite3.Connection, encoder: str, hashes: Sequence[bytes]) -> np.ndarray:
    """Vectors [n, dimension] float32 in the order of ``hashes``. Raises DamagedError if one is missing or damaged."""
    found = find_vectors(vectors, encoder, hashes)
    for digest in hashes:
        if found.get(digest) is None:
            state = "damaged" if digest in found else "missing"
            raise DamagedError(f"{VECTORS_FILE}: a passage's vector is {state}; `kabar doctor --repair` makes it again")
    return np.asarray([found[digest] for digest in hashes], dtype=np.float32).reshape(len(hashes), -1)


def find_vectors(vectors: sqlite3.Connection, encoder: str, hashes: Sequence[bytes]) -> dict[bytes, np.ndarray | None]:
    """Vectors [dimension] float16 by hash; those that are damaged are None, those that are missing are left out."""
    found: dict[bytes, np.ndarray | None] = {}
    for begin in range(0, len(hashes), _AT_ONCE):
        some = hashes[begin : begin + _AT_ONCE]
        rows = vectors.execute(
            f"SELECT hash, vector, checksum FROM vectors WHERE encoder = ? AND hash IN ({', '.join('?' * len(some))})",
            (encoder, *some),
        )
        for digest, vector, check in rows:
            whole = checksum(encoder, digest, vector) == check
            found[digest] = np.frombuffer(vector, dtype="<f2") if whole else None
    return found


def _statements(script: str) -> Iterator[str]:
    """The statements of an SQL script (executescript would commit the transaction first)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
