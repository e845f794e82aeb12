"""Errors that ``ui`` adds to those of ``qa`` and ``index``.

KabarError             (index.errors)
├── LimitError         asked too often, or too much at once
└── AccountError       users and tokens: no such name, a password that is too short, a file that cannot be used
"""

from index.errors import KabarError


class LimitError(KabarError):
    """Too many questions; ``seconds`` from now on it is worth asking again."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class AccountError(KabarError):
    """A user or token cannot be made, found or used."""
