"""``kabar user`` and ``kabar token``: who may use a server that others can reach."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ui.users import Users

user_app = typer.Typer(help="Add, list or remove those who may sign in.", no_args_is_help=True)
token_app = typer.Typer(help="Add, list or revoke the tokens that programs sign in with.", no_args_is_help=True)

_ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Configuration file (default: $KABAR_CONFIG, else ./config.yaml).")
]
_NameArgument = Annotated[str, typer.Argument(help="Name of the user.")]


@user_app.command("add")
def add_user(name: _NameArgument, *, config: _ConfigOption = None) -> None:
    """Add a user; the password is asked for, or read from standard input, one line."""
    with _users(config) as users:
        users.add(name, _password())
    sys.stdout.write(f"{name} may sign in\n")


@user_app.command("list")
def list_users(*, config: _ConfigOption = None) -> None:
    """List the users."""
    with _users(config) as users:
        sys.stdout.writelines(f"{user.name}  since {user.created}\n" for user in users.all())


@user_app.command("remove")
def remove_user(name: _NameArgument, *, config: _ConfigOption = None) -> None:
    """Remove a user, with all sessions and tokens."""
    with _users(config) as users:
        users.remove(name)
    sys.stdout.write(f"{name} removed\n")


@token_app.command("add")
def add_token(
    name: _NameArgument,
    *,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "",
    config: _ConfigOption = None,
) -> None:
    """Make a token for a user, and print its secret: it is shown this once."""
    with _users(config) as users:
        _, secret = users.add_token(name, label)
    sys.stdout.write(secret + "\n")


@token_app.command("list")
def list_tokens(*, config: _ConfigOption = None) -> None:
    """List the tokens, without their secrets."""
    with _users(config) as users:
        for token in users.tokens():
            sys.stdout.write(f"{token.id}  {token.user}  since {token.created}  {token.label}".rstrip() + "\n")


@token_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="Id of the token, as `kabar token list` prints it.")],
    *,
    config: _ConfigOption = None,
) -> None:
    """Take a token back."""
    with _users(config) as users:
        users.revoke(token_id)
    sys.stdout.write(f"{token_id} revoked\n")


@contextlib.contextmanager
def _users(config: Path | None) -> "Iterator[Users]":
    from ui.config import Settings
    from ui.users import Users

    with contextlib.closing(Users(Settings.load(config).users_file)) as users:
        yield users


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
