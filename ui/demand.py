"""Whether one has to sign in: from the first user on, though the server may run already."""

import threading

from index.errors import KabarError
from ui.config import Settings
from ui.users import Users


class Demand:
    """Gives those who may sign in, as soon as somebody has to. Safe to use from several threads."""

    def __init__(self, config: Settings) -> None:
        """Raises KabarError if users are asked for and there are none, or if their file cannot be used."""
        self._file = config.users_file
        self._wanted = config.server.auth
        self._lock = threading.Lock()
        self._opened: Users | None = None
        self._demanded = False
        if self() is None and self._wanted == "users":
            self.close()
            raise KabarError("server.auth is 'users', and there are none; add one with `kabar user add NAME`")

    def __call__(self) -> Users | None:
        """Those who may sign in; None as long as nobody has to.

        Once it is demanded, it stays so: where the last user is removed, nobody gets in. Raises AccountError.
        """
        if not self._demanded and self._wanted != "none" and self._file.exists():
            with self._lock:
                self._opened = self._opened or Users(self._file)
                self._demanded = bool(self._opened.all())
        return self._opened if self._demanded else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
