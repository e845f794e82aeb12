"""Who may use kabar: users with passwords, their sessions in browsers, and tokens for programs.

All in one SQLite file of its own. Passwords are hashed with Argon2id (RFC 9106). Sessions and tokens are 256 random
bits, of which the file holds a SHA-256 alone: whoever reads it can use none of them.
"""

import hashlib
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ui.errors import AccountError
from ui.kept import changing, make_tables

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1000
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_PREFIX = "kabar_"
_DAY = 86_400
_FORMAT = 1
_SCHEMA = """
CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE, expires REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE tokens (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    label TEXT NOT NULL, created TEXT NOT NULL
) WITHOUT ROWID;
"""


class User(NamedTuple):
    """Somebody who may sign in; ``created`` is ISO 8601."""

    name: str
    created: str


class Token(NamedTuple):
    """What is known of a token; its secret is shown once, when it is made."""

    id: str
    user: str
    label: str
    created: str


class Users:
    """The users of one server. Safe to use from several threads and processes."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open the file, or make it, readable by its user alone. Raises AccountError."""
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._checking = threading.Lock()  # a check takes 64 MiB: one at a time, whoever tries
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise AccountError(
                f"{path}: cannot keep users there ({error}); name another file as server.users"
            ) from None

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA secure_delete = ON")
        with self._changing() as connection:
            if not make_tables(connection, _SCHEMA, _FORMAT):
                raise sqlite3.DatabaseError("it is of another version of kabar")

    def _changing(self) -> AbstractContextManager[sqlite3.Connection]:
        return changing(self._connection, self._lock)

    def _one(self, statement: str, *values: object) -> tuple[str, ...] | None:
        with self._lock:
            row: tuple[str, ...] | None = self._connection.execute(statement, values).fetchone()
            return row

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # Users

    def add(self, name: str, password: str) -> None:
        """Add a user. Raises AccountError for a name or a password that cannot be."""
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"{name!r} cannot be a user's name; take up to 64 of a-z, 0-9, '.', '_', '@' and '-', a letter or a "
                "digit first"
            )
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise AccountError(
                f"the password has {len(password)} characters; take {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}"
            )
        hashed = _hasher().hash(password)
        try:
            with self._changing() as connection:
                connection.execute("INSERT INTO users VALUES (?, ?, ?)", (name, hashed, self._now()))
        except sqlite3.IntegrityError:
            raise AccountError(f"there is a user '{name}' already; `kabar user remove {name}` first") from None

    def remove(self, name: str) -> None:
        """Remove a user with all sessions and tokens. Raises AccountError if there is none of that name."""
        with self._changing() as connection:
            if not connection.execute("DELETE FROM users WHERE name = ?", (name,)).rowcount:
                raise AccountError(f"there is no user '{name}'; `kabar user list` names them")

    def all(self) -> list[User]:
        """All users, by name."""
        with self._lock:
            return [User(*row) for row in self._connection.execute("SELECT name, created FROM users ORDER BY name")]

    def check(self, name: str, password: str) -> bool:
        """Whether this is the user's password; it takes as long where there is no such user."""
        from argon2.exceptions import VerificationError

        row = self._one("SELECT password FROM users WHERE name = ?", name)
        hasher = _hasher()
        with self._checking:
            try:
                hasher.verify(row[0] if row else _nobodys_hash(), password[: LONGEST_PASSWORD + 1])
            except VerificationError:
                return False
        if row and hasher.check_needs_rehash(row[0]):
            with self._changing() as connection:
                values = (hasher.hash(password), name, row[0])
                connection.execute("UPDATE users SET password = ? WHERE name = ? AND password = ?", values)
        return row is not None

    # Sessions

    def open_session(self, user: str, days: float) -> str:
        """The secret of a new session, which ends by itself after so many days."""
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        with self._changing() as connection:
            connection.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_hash(secret), user, now + days * _DAY))
        return secret

    def of_session(self, secret: str) -> str | None:
        """Whose session it is, if it has not ended."""
        row = self._one("SELECT user FROM sessions WHERE hash = ? AND expires > ?", _hash(secret), self._clock())
        return row[0] if row else None

    def close_session(self, secret: str) -> None:
        """End a session."""
        with self._changing() as connection:
            connection.execute("DELETE FROM sessions WHERE hash = ?", (_hash(secret),))

    # Tokens

    def add_token(self, user: str, label: str = "") -> tuple[Token, str]:
        """A new token and its secret. Raises AccountError if there is no such user."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        token = Token(secrets.token_hex(4), user, label[:100], self._now())
        try:
            with self._changing() as connection:
                connection.execute(
                    "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)",
                    (token.id, _hash(secret), user, token.label, token.created),
                )
        except sqlite3.IntegrityError:
            raise AccountError(f"there is no user '{user}'; add one with `kabar user add {user}`") from None
        return token, secret

    def of_token(self, secret: str) -> str | None:
        """Whose token it is, if it is one."""
        if not secret.startswith(_PREFIX):
            return None
        row = self._one("SELECT user FROM tokens WHERE hash = ?", _hash(secret))
        return row[0] if row else None

    def tokens(self) -> list[Token]:
        """All tokens, by user and age."""
        with self._lock:
            rows = self._connection.execute("SELECT id, user, label, created FROM tokens ORDER BY user, created")
            return [Token(*row) for row in rows]

    def revoke(self, token_id: str) -> None:
        """Take a token back. Raises AccountError if there is none with that id."""
        with self._changing() as connection:
            if not connection.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount:
                raise AccountError(f"there is no token '{token_id}'; `kabar token list` names them")

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _hasher() -> "PasswordHasher":
    """With the parameters that RFC 9106 recommends where memory is limited: 64 MiB, 3 passes."""
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """The hash of a password that nobody has."""
    return _hasher().hash(secrets.token_urlsafe(32))
