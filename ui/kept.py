"""What the page's own SQLite files have in common: whole transactions, and tables of one version."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def changing(connection: sqlite3.Connection, lock: threading.Lock) -> Iterator[sqlite3.Connection]:
    """One transaction, with nobody else's between: all of it is kept, or after an error nothing."""
    with lock:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def make_tables(connection: sqlite3.Connection, schema: str, version: int) -> bool:
    """Make the tables of a new file, in a transaction; False if the file has those of another version."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        for statement in schema.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
    return found in (0, version)
