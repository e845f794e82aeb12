"""Refuses every network connection of the Python that imports it; put it on PYTHONPATH as sitecustomize.py."""

import errno
import socket
from typing import NoReturn


def refuse(_connection: socket.socket, address: object) -> NoReturn:
    """Stand-in for ``socket.connect``."""
    raise OSError(errno.ENETUNREACH, f"unplugged: no connection to {address}")


socket.socket.connect = refuse  # type: ignore[assignment, method-assign]
socket.socket.connect_ex = refuse  # type: ignore[assignment, method-assign]
