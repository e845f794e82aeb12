"""Conversations, kept on the server in an SQLite file of their own.

Every statement names the owner: whoever asks for another's conversation gets what an unknown one gives, nothing. What
is deleted is overwritten, and its space given back.
"""

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from index.errors import DamagedError, StoreError, WriteError
from ui.kept import changing, make_tables
from ui.turn import Turn, Verdict

MOST_LISTED = 200
_LONGEST_TITLE = 120
_LONGEST_REMARK = 2000
_FORMAT = 1
_SCHEMA = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, changed TEXT NOT NULL, share TEXT UNIQUE
) WITHOUT ROWID;
CREATE INDEX conversations_by_owner ON conversations (owner, changed DESC);
-- words: what a search looks through. content: the turn as JSON, evidence and all.
CREATE TABLE turns (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    id TEXT NOT NULL, words TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (conversation, number)
) WITHOUT ROWID;
-- Outlives its turn, which may be asked again because it was wrong, but not its conversation.
CREATE TABLE feedback (
    turn TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    given TEXT NOT NULL, verdict TEXT NOT NULL, remark TEXT NOT NULL, content TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX feedback_by_conversation ON feedback (conversation);
"""


class Summary(NamedTuple):
    """A conversation in a list; ``changed`` is ISO 8601, ``share`` the token of its link if it is shared."""

    id: str
    title: str
    changed: str
    share: str | None


class Kept(NamedTuple):
    """A whole conversation."""

    summary: Summary
    turns: tuple[Turn, ...]


class Feedback(NamedTuple):
    """What a reader said of an answer; ``given`` is when, ISO 8601, ``before`` what was asked before it."""

    given: str
    verdict: Verdict
    remark: str
    turn: Turn
    before: tuple[str, ...] = ()


class History:
    """The conversations of all owners. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it, readable by its user alone. Raises DamagedError, WriteError, StoreError."""
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        except (OSError, sqlite3.Error) as error:
            raise WriteError(f"{path}: cannot keep conversations ({error}); set server.history") from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise DamagedError(f"{path}: no usable file of conversations ({error}); move it away") from None
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts for a new file only
        self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.create_function("folded", 1, _folded, deterministic=True)
        with self._changing() as connection:
            if not make_tables(connection, _SCHEMA, _FORMAT):
                raise StoreError(f"{self.path}: of another version of kabar; set server.history to another file")

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction. Raises WriteError if the disk refuses it."""
        try:
            with changing(self._connection, self._lock) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise WriteError(f"{self.path}: could not keep the conversation ({error})") from error

    # What is there

    def find(self, owner: str, search: str = "") -> list[Summary]:
        """The newest conversations of an owner; ``search`` has to be in a title, a question or an answer."""
        statement = "SELECT id, title, changed, share FROM conversations WHERE owner = ?"
        values: list[str | int] = [owner]
        if wanted := _folded(search.strip()):
            statement += (
                " AND (instr(folded(title), ?) OR EXISTS"
                " (SELECT 1 FROM turns WHERE conversation = conversations.id AND instr(folded(words), ?)))"
            )
            values += [wanted, wanted]
        with self._lock:
            rows = self._connection.execute(f"{statement} ORDER BY changed DESC, id LIMIT ?", (*values, MOST_LISTED))
            return [Summary(*row) for row in rows]

    def get(self, owner: str, conversation: str) -> Kept | None:
        """A conversation of an owner; None if there is none."""
        return self._kept("id = ? AND owner = ?", (conversation, owner))

    def shared(self, token: str) -> Kept | None:
        """The conversation that a link shows; None if there is none, or no more."""
        return self._kept("share = ?", (token,))

    def _kept(self, condition: str, values: Sequence[str]) -> Kept | None:
        with self._lock:
            row = self._connection.execute(
                f"SELECT id, title, changed, share FROM conversations WHERE {condition}",  # noqa: S608 -- a constant
                [_plain(value) for value in values],
            ).fetchone()
            if row is None:
                return None
            rows = self._connection.execute(
                "SELECT turns.content, verdict FROM turns LEFT JOIN feedback ON turn = turns.id"
                " WHERE turns.conversation = ? ORDER BY number",
                (row[0],),
            ).fetchall()
        return Kept(Summary(*row), tuple(_turn(content, verdict) for content, verdict in rows))

    # Changes

    def put(self, owner: str, conversation: str, turns: Sequence[Turn], *, new: bool = True) -> bool:
        """Make the finished ``turns`` those of a conversation; its title is the first question that it ever had.

        False, and nothing done, if it is another's, or if it is not ``new`` and is there no more: what has been deleted
        stays so.
        """
        finished = [turn for turn in turns if turn.answer or turn.error]
        with self._changing() as connection:
            if new:
                connection.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?, NULL) ON CONFLICT (id) DO NOTHING",
                    (conversation, owner, _title(turns[0].question if turns else ""), _now()),
                )
            statement = "UPDATE conversations SET changed = ? WHERE id = ? AND owner = ?"
            if not connection.execute(statement, (_now(), conversation, owner)).rowcount:
                return False
            connection.execute("DELETE FROM turns WHERE conversation = ?", (conversation,))
            connection.executemany(
                "INSERT INTO turns VALUES (?, ?, ?, ?, ?)",
                [(conversation, turn.number, turn.id, _words(turn), turn.model_dump_json()) for turn in finished],
            )
        return True

    def rename(self, owner: str, conversation: str, title: str) -> bool:
        """Give a conversation another title; False if the owner has no such conversation, or the title is empty."""
        named = _title(title)
        return bool(named) and self._update("title = ?", named, owner, conversation)

    def share(self, owner: str, conversation: str) -> str | None:
        """The token of the link that shows a conversation to others; None if the owner has no such conversation."""
        kept = self.get(owner, conversation)
        if kept is None or kept.summary.share:
            return kept and kept.summary.share
        token = secrets.token_urlsafe(24)
        return token if self._update("share = ?", token, owner, conversation) else None

    def unshare(self, owner: str, conversation: str) -> bool:
        """Make the link show nothing any more; False if the owner has no such conversation."""
        return self._update("share = ?", None, owner, conversation)

    def _update(self, change: str, value: str | None, owner: str, conversation: str) -> bool:
        statement = f"UPDATE conversations SET {change} WHERE id = ? AND owner = ?"  # noqa: S608 -- a constant
        with self._changing() as connection:
            return connection.execute(statement, (value, _plain(conversation), owner)).rowcount > 0

    def delete(self, owner: str, conversation: str) -> bool:
        """Delete a conversation with its feedback, beyond recovery; False if the owner has no such conversation."""
        with self._changing() as connection:
            statement = "DELETE FROM conversations WHERE id = ? AND owner = ?"
            found = connection.execute(statement, (_plain(conversation), owner)).rowcount > 0
        self._tidy_up()
        return found

    def delete_all(self, owner: str) -> int:
        """Delete all conversations of an owner; how many there were."""
        with self._changing() as connection:
            found = connection.execute("DELETE FROM conversations WHERE owner = ?", (owner,)).rowcount
        self._tidy_up()
        return found

    def _tidy_up(self) -> None:
        """Give free space back, and empty the log, where what was deleted would stand for a while yet."""
        with self._lock, contextlib.suppress(sqlite3.OperationalError):  # another process reads: the next deletion does
            self._connection.executescript("PRAGMA incremental_vacuum")  # execute() would stop after the first page
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # Feedback

    def judge(self, owner: str, conversation: str, turn: str, verdict: Verdict | None, remark: str = "") -> bool:
        """Keep what a reader says of an answer, with question and evidence; None takes it back.

        False if the owner has no such answer.
        """
        kept = self.get(owner, conversation)
        judged = next((one for one in kept.turns if one.id == turn and one.answer), None) if kept else None
        if judged is None:
            return False
        with self._changing() as connection:
            if verdict is None:
                connection.execute("DELETE FROM feedback WHERE turn = ?", (turn,))
            else:
                content = judged.model_copy(update={"verdict": None}).model_dump_json()
                connection.execute(
                    "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?)",
                    (turn, conversation, _now(), verdict, _plain(remark.strip()[:_LONGEST_REMARK]), content),
                )
        return True

    def feedback(self) -> list[Feedback]:
        """All feedback of all owners, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT given, verdict, remark, content, conversation FROM feedback ORDER BY given, turn"
            ).fetchall()
            said = {row[4]: self._contents(row[4]) for row in rows}
        return [
            _feedback(given, verdict, remark, _turn(content, verdict), said[conversation])
            for given, verdict, remark, content, conversation in rows
        ]

    def _contents(self, conversation: str) -> list[str]:
        statement = "SELECT content FROM turns WHERE conversation = ? ORDER BY number"
        return [row[0] for row in self._connection.execute(statement, (conversation,))]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _feedback(given: str, verdict: Verdict, remark: str, turn: Turn, contents: Sequence[str]) -> Feedback:
    before = (_turn(content, None) for content in contents[: turn.number - 1])
    return Feedback(given, verdict, remark, turn, tuple(one.question for one in before if one.answer))


def _turn(content: str, verdict: Verdict | None) -> Turn:
    try:
        return Turn.model_validate_json(content).model_copy(update={"verdict": verdict})
    except ValidationError:
        raise DamagedError("a kept answer cannot be read; delete the conversation") from None


def _words(turn: Turn) -> str:
    return _plain("\n".join((turn.question, turn.answer.text if turn.answer else "")))


def _title(text: str) -> str:
    """One line of limited length."""
    line = " ".join(_plain(text).split())
    return line if len(line) <= _LONGEST_TITLE else line[: _LONGEST_TITLE - 1] + "…"


def _plain(text: str) -> str:
    """Text that SQLite can hold: no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _folded(text: str) -> str:
    return _plain(text).casefold()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
