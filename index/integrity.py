"""Find damage: every part of the index is compared with what it must agree with, down to the bytes."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from index import background, passage_dates, vectors
from index.article import Article
from index.compaction import REPAIR_FOLDER
from index.errors import DamagedError, WriteError
from index.faiss_store import FaissStore
from index.lexical import terms
from index.passage import hash_of, titled
from index.rows import read_articles, read_passages
from index.store import ARTICLES_FILE, VECTORS_FILE, check_format, checksum, connect, meta
from index.stores import Store, StoreName

_SHOWN = 5


class Damage(NamedTuple):
    """Something that is wrong: in which part of the index, what, and of which article if it is one."""

    part: Literal["articles", "vectors"] | StoreName
    what: str
    article_id: str = ""


def find_damage(folder: Path, store: Store | None = None) -> list[Damage]:
    """Read the whole index and check it, with what ``store`` (default: FAISS files) has of it; empty if all is well.

    Any number of questions may be asked meanwhile. If a run changes the index meanwhile, it is looked at again.
    Raises NoIndexError, and StoreError if the index is of another format.
    """
    for _ in range(3):
        try:
            connection = connect(folder, ARTICLES_FILE)
        except DamagedError as error:
            return [Damage("articles", str(error))]
        try:
            before = _version(connection)
            found = list(dict.fromkeys([*_structure(folder), *_content(folder, connection, store or FaissStore())]))
        finally:
            connection.close()
        if not found or before is None:
            return found
        with contextlib.closing(connect(folder, ARTICLES_FILE)) as again:
            if _generation(again) == before:
                return found
    return found


def leftovers(folder: Path) -> list[Path]:
    """What a process that died has left behind. It harms nothing, and the next run removes it."""
    found = list(folder.glob(REPAIR_FOLDER))
    with contextlib.suppress(DamagedError, sqlite3.DatabaseError):  # then nothing can be told from what is needed
        with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
            named = {record.file for record in vectors.records(connection)}
        found += vectors.leftovers(folder, named)
    found += background.leftovers(folder)
    return found


def _version(connection: sqlite3.Connection) -> str | None:
    """Hold one state of the articles and name it; None if that cannot be read."""
    connection.execute("BEGIN")
    return _generation(connection)


def _generation(connection: sqlite3.Connection) -> str | None:
    try:
        return " ".join(str(meta(connection, key)) for key in ("generation", *get_args(StoreName)))
    except sqlite3.DatabaseError:
        return None


def _structure(folder: Path) -> Iterator[Damage]:
    """SQLite's own checks."""
    files: dict[Literal["articles", "vectors"], str] = {"articles": ARTICLES_FILE, "vectors": VECTORS_FILE}
    for part, file in files.items():
        try:
            with contextlib.closing(connect(folder, file)) as connection:
                rows = connection.execute(f"PRAGMA integrity_check({_SHOWN})").fetchall()
                rows += connection.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN)
            problems = [f"{folder / file}: {' '.join(map(str, row))}" for row in rows if row != ("ok",)]
        except DamagedError as error:
            problems = [str(error)]
        except sqlite3.DatabaseError as error:
            problems = [f"{folder / file}: {error}"]
        yield from (Damage(part, problem) for problem in problems)


def _content(folder: Path, connection: sqlite3.Connection, store: Store) -> Iterator[Damage]:
    """What the rows say, compared with each other."""
    try:
        check_format(connection, folder)
    except DamagedError as error:
        yield Damage("articles", str(error))
        return
    try:
        for row in connection.execute("SELECT id FROM articles ORDER BY id"):
            yield from _article(connection, row[0])
        yield from _totals(connection)
    except sqlite3.DatabaseError as error:
        yield Damage("articles", f"{folder / ARTICLES_FILE}: {error}")
        return
    yield from _lexical_index(folder)
    try:
        with contextlib.closing(connect(folder, VECTORS_FILE)) as stored:
            yield from (damaged := list(_vectors(connection, stored)))
            if not damaged:
                yield from (Damage(store.name, problem) for problem in store.damage(folder, connection, stored))
    except DamagedError as error:
        yield Damage("vectors", str(error))
    except sqlite3.DatabaseError as error:
        yield Damage("vectors", f"{folder / VECTORS_FILE}: {error}")


def _article(connection: sqlite3.Connection, article_id: str) -> Iterator[Damage]:
    """One article against its checksum, and its passages, terms and dates against its text."""
    try:
        article = next(iter(read_articles(connection, [article_id])))
        numbers = [
            row[0]
            for row in connection.execute("SELECT id FROM passages WHERE article_id = ? ORDER BY ordinal", [article_id])
        ]
        hashes = dict(connection.execute("SELECT id, hash FROM passages WHERE article_id = ?", [article_id]).fetchall())
        passages = read_passages(connection, numbers)
        content_hash = connection.execute("SELECT content_hash FROM articles WHERE id = ?", [article_id]).fetchone()[0]
    except (sqlite3.DatabaseError, ValueError, TypeError, StopIteration) as error:
        yield Damage("articles", f"article {article_id}: it cannot be read ({_one_line(error)})", article_id)
        return
    # An article that no source gives as it is any more has no hash: its next version takes its place.
    if content_hash not in ("", article.content_hash):
        yield Damage("articles", f"article {article_id}: its checksum is wrong", article_id)
        return
    if not numbers:
        yield Damage("articles", f"article {article_id}: it has no passages", article_id)
    for ordinal, number in enumerate(numbers):
        passage = passages[number]
        where = f"article {article_id}, passage {passage.ordinal}"
        quoted = [article.text[start:end] for start, end in passage.sentences]
        if passage.ordinal != ordinal or not quoted or not all(quoted) or passage.text != " ".join(quoted):
            yield Damage("articles", f"{where}: it is not what stands in the article", article_id)
        elif hashes[number] != hash_of(titled(article.title, passage.text)):
            yield Damage("articles", f"{where}: its checksum is wrong", article_id)
        else:
            yield from _derived(connection, article, number, passage.text, where)


def _derived(connection: sqlite3.Connection, article: Article, number: int, text: str, where: str) -> Iterator[Damage]:
    words = connection.execute("SELECT words FROM terms WHERE rowid = ?", (number,)).fetchone()
    if words is None or words[0] != " ".join(terms(titled(article.title, text), article.language)):
        yield Damage("articles", f"{where}: its words in the lexical index are wrong", article.id)
    if meta(connection, "passage_dates") != passage_dates.VERSION:
        return  # the next run brings them up to date
    rows = connection.execute("SELECT first, last FROM passage_dates WHERE passage_id = ?", (number,))
    days = passage_dates.days_in(text, article.certain_date, article.language)
    if set(rows) != {(span.first.isoformat(), span.last.isoformat()) for span in days}:
        yield Damage("articles", f"{where}: its dates are wrong", article.id)


def _totals(connection: sqlite3.Connection) -> Iterator[Damage]:
    count = "SELECT count(*) FROM"
    passages = connection.execute(f"{count} passages NOT INDEXED").fetchone()[0]
    words = connection.execute(f"{count} terms").fetchone()[0]
    if passages != words:
        yield Damage("articles", f"{ARTICLES_FILE}: {passages} passages, but the lexical index has {words}")


def _lexical_index(folder: Path) -> Iterator[Damage]:
    """FTS5's own check. It needs to write, and so to wait until a run that changes the index is done."""
    try:
        with contextlib.closing(connect(folder, ARTICLES_FILE, write=True)) as connection:
            connection.execute("PRAGMA busy_timeout = 1000")
            connection.execute("BEGIN")
            try:
                connection.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
    except (sqlite3.OperationalError, WriteError):
        return  # another process is writing, or the folder is read-only: what it holds was compared above
    except (sqlite3.DatabaseError, DamagedError) as error:
        yield Damage("articles", f"{ARTICLES_FILE}: the lexical index is damaged ({error})")


def _vectors(connection: sqlite3.Connection, stored: sqlite3.Connection) -> Iterator[Damage]:
    """Every vector against its checksum, and one for every passage."""
    bad = 0
    sizes: dict[str, set[int]] = {}
    for made_by, digest, vector, check in stored.execute("SELECT encoder, hash, vector, checksum FROM vectors"):
        sizes.setdefault(made_by, set()).add(len(vector))
        bad += checksum(made_by, digest, vector) != check
    if bad:
        yield Damage("vectors", f"{VECTORS_FILE}: {bad} vectors have a wrong checksum")
    if any(len(found) > 1 for found in sizes.values()):
        yield Damage("vectors", f"{VECTORS_FILE}: vectors of one encoder differ in length")
    encoder = meta(connection, "encoder") or ""
    known = "SELECT 1 FROM vectors WHERE hash = ? AND encoder = ?"
    missing = sum(
        stored.execute(known, (row[0], encoder)).fetchone() is None
        for row in connection.execute("SELECT hash FROM passages")
    )
    if missing:
        yield Damage("vectors", f"{VECTORS_FILE}: {missing} passages have no vector")


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())[:200]
