"""Users, sessions and tokens: what is kept of them, what lets somebody in, and what does no more."""

import contextlib
import sqlite3
import stat

import pytest
from typer.testing import CliRunner

from ui.accounts import token_app, user_app
from ui.config import Settings
from ui.errors import AccountError
from ui.users import Users

PASSWORD = "a long enough password"


@pytest.fixture
def now():
    return [1_700_000_000.0]


@pytest.fixture
def users(tmp_path, now):
    with contextlib.closing(Users(tmp_path / "users.sqlite", clock=lambda: now[0])) as opened:
        opened.add("ana", PASSWORD)
        yield opened


def test_a_password_lets_its_user_in_alone(users):
    users.add("budi", "another long password")
    assert users.check("ana", PASSWORD)
    assert not users.check("ana", "another long password")
    assert not users.check("ana", "")
    assert not users.check("nobody", PASSWORD)
    assert not users.check("ana' OR 1=1 --", PASSWORD)


def test_nothing_in_the_file_lets_anybody_in(users):
    session = users.open_session("ana", 7)
    _, token = users.add_token("ana")
    kept = users.path.read_bytes()
    for secret in (PASSWORD, session, token):
        assert secret.encode() not in kept
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in kept
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600


def test_a_session_ends(users, now):
    first, second = users.open_session("ana", 7), users.open_session("ana", 7)
    assert first != second
    assert users.of_session(first) == "ana"
    users.close_session(first)
    assert users.of_session(first) is None
    now[0] += 7 * 86_400 - 1
    assert users.of_session(second) == "ana"
    now[0] += 1
    assert users.of_session(second) is None
    users.open_session("ana", 7)
    assert users._one("SELECT count(*) FROM sessions") == (1,), "those that have ended are swept away"


def test_a_token_is_revoked(users):
    token, secret = users.add_token("ana", "for the newsroom")
    assert users.of_token(secret) == "ana"
    assert users.of_token(secret[:-1]) is None
    assert users.of_session(secret) is None
    assert users.tokens() == [token]
    users.revoke(token.id)
    assert users.of_token(secret) is None
    with pytest.raises(AccountError, match="`kabar token list`"):
        users.revoke(token.id)


def test_who_is_removed_is_out_at_once(users):
    session, (_, token) = users.open_session("ana", 7), users.add_token("ana")
    users.remove("ana")
    assert users.of_session(session) is None
    assert users.of_token(token) is None
    assert not users.check("ana", PASSWORD)
    assert users.all() == users.tokens() == []
    with pytest.raises(AccountError, match="no user 'ana'"):
        users.remove("ana")


@pytest.mark.parametrize("name", ["", "Ana", "a b", "-ana", "../ana", "ana\n", "a" * 65, "<b>"])
def test_names_that_cannot_be(users, name):
    with pytest.raises(AccountError, match="cannot be a user's name"):
        users.add(name, PASSWORD)


@pytest.mark.parametrize("password", ["", "too short", "x" * 1001])
def test_passwords_that_cannot_be(users, password):
    with pytest.raises(AccountError, match="take 10 to 1000"):
        users.add("budi", password)


def test_a_name_is_taken_once(users):
    with pytest.raises(AccountError, match="a user 'ana' already"):
        users.add("ana", PASSWORD)
    with pytest.raises(AccountError, match="`kabar user add budi`"):
        users.add_token("budi")


def test_a_weaker_hash_is_replaced_at_the_next_sign_in(users):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    users._connection.execute("UPDATE users SET password = ?", (weak,))
    assert users.check("ana", PASSWORD)
    assert "m=65536" in users._one("SELECT password FROM users")[0]
    assert users.check("ana", PASSWORD)


@pytest.mark.parametrize("content", [b"no database, but long enough to be looked at" * 9, None])
def test_a_file_that_cannot_be_used_is_named(tmp_path, content):
    path = tmp_path / "users.sqlite"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(AccountError, match=r"users\.sqlite: cannot keep users there .*server\.users"):
        Users(path)


def test_a_file_of_another_version_is_refused(tmp_path):
    path = tmp_path / "users.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(AccountError, match="another version of kabar"):
        Users(path)


# The command line


def run(app, *arguments: str, typed: str | None = None):
    return CliRunner().invoke(app, arguments, input=typed)


def test_users_and_tokens_by_command(tmp_path):
    assert run(user_app, "add", "ana", typed=PASSWORD + "\n").stdout == "ana may sign in\n"
    assert run(user_app, "list").stdout.startswith("ana  since 20")
    secret = run(token_app, "add", "ana", "--label", "newsroom").stdout.strip()
    listed = run(token_app, "list").stdout
    assert "ana" in listed
    assert "newsroom" in listed
    assert secret not in listed
    with contextlib.closing(Users(Settings.load().users_file)) as users:
        assert users.check("ana", PASSWORD)
        assert users.of_token(secret) == "ana"
    assert run(token_app, "revoke", listed.split()[0]).exit_code == 0
    assert run(user_app, "remove", "ana").stdout == "ana removed\n"
    assert run(user_app, "list").stdout == ""


def test_a_password_is_never_an_argument():
    assert run(user_app, "add", "ana", PASSWORD).exit_code == 2
    assert isinstance(run(user_app, "add", "ana", typed="\n").exception, AccountError)


def test_users_may_be_kept_elsewhere(tmp_path):
    (tmp_path / "config.yaml").write_text("server: {users: people.sqlite}", encoding="utf-8")
    assert Settings.load(tmp_path / "config.yaml").users_file == tmp_path / "people.sqlite"
