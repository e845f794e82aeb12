"""``kabar serve`` in a process of its own, with an index and users of its own."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
_PASSWORD = "a password for a benchmark"  # noqa: S105 -- of users who exist for minutes
_KABAR = (sys.executable, "-m", "ui.cli")


class Server:
    """Listens on a free port of this machine; KABAR_... variables reach it, but for those of its folder and port."""

    def __init__(self, folder: Path, users: int = 0, **settings: str) -> None:
        """Start it, and wait for the ``address`` that it prints at the moment ``printed``.

        ``folder`` is for its index; each of the ``users`` gets one of the ``tokens``; ``settings`` are variables.
        """
        self._environment = {
            **settings,
            **os.environ,
            "KABAR_INDEX__PATH": str(folder / "index"),
            "KABAR_SERVER__PORT": "0",
            "KABAR_CONFIG": str(ROOT / "config.yaml"),
            "PYTHONPATH": str(ROOT),
        }
        self.tokens = _add_users(folder / "index-users.sqlite", users) if users else []
        self._process = subprocess.Popen(
            [*_KABAR, "serve"], env=self._environment, cwd=ROOT, text=True, stderr=subprocess.PIPE
        )
        try:
            self.address = self._said()
            self.printed = time.perf_counter()
        except BaseException:
            self.stop()
            raise

    def _said(self) -> str:
        assert self._process.stderr
        said = next((line for line in self._process.stderr if "http://" in line), "")
        found = re.search(r"http://\S+", said)
        assert found, "kabar serve did not say its address"
        # What it says from now on is passed on: a pipe that nobody empties would stop it.
        threading.Thread(target=sys.stderr.writelines, args=(self._process.stderr,), daemon=True).start()
        return found[0]

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def megabytes(self) -> float:
        """Memory that it holds, with the processes that help it."""
        server = psutil.Process(self._process.pid)
        held = [process.memory_info().rss for process in (server, *server.children(recursive=True))]
        return float(round(sum(held) / 1e6, 1))

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(60)


def _add_users(file: Path, count: int) -> list[str]:
    """Tokens of so many users."""
    from ui.users import Users

    users = Users(file)
    names = [f"user{number}" for number in range(count)]
    users.add(names[0], _PASSWORD)
    hashed = users._connection.execute("SELECT password FROM users").fetchone()[0]  # noqa: SLF001 -- 50 are slow
    users._connection.executemany(  # noqa: SLF001
        "INSERT INTO users VALUES (?, ?, '')", [(name, hashed) for name in names[1:]]
    )
    tokens = [users.add_token(name)[1] for name in names]
    users.close()
    return tokens
