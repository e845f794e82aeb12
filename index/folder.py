"""A folder of article files, or one file, as a place to index."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from index.article import Article
from index.config import IndexSettings
from index.errors import ArticleError
from index.place import Known
from index.sources import SUFFIXES, Problem, find_files, read_file
from index.sources.names import is_passed_over
from index.sources.registry import source_for

# File systems count time in steps of up to two seconds (FAT): a file that was written so lately can be written again
# without looking any different.
_COARSEST_CLOCK = 2_000_000_000


@dataclass(frozen=True)
class Folder:
    """Article files below ``root``; ``only``: look at these parts of it alone and leave the rest as it is."""

    root: Path
    settings: IndexSettings
    only: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The path."""
        return readable(self.root)

    @property
    def scope(self) -> tuple[str, ...]:
        """What was looked at."""
        return tuple(map(readable, self.only)) or (self.name,)

    def items(self, known: Callable[[str], Known | None]) -> "Iterator[File | Problem]":  # noqa: ARG002
        """Every article file. Raises ArticleError if there is none: a disk that is not mounted must lose nothing."""
        if self.only and not self.root.exists():
            raise ArticleError(str(self.root), "no such file or folder")
        if self.only:
            paths = [path for part in self.only for path in self._part(part)]
        elif not (paths := find_files(self.root)):
            raise ArticleError(str(self.root), f"no articles here ({', '.join(SUFFIXES)}); the index is as it was")
        return self._files(paths)

    def _part(self, path: Path) -> list[Path]:
        if is_passed_over(path.relative_to(self.root).as_posix()):
            return []
        if path.is_dir():
            return find_files(path)
        return [path] if path.is_file() and source_for(path.name) else []

    def _files(self, paths: list[Path]) -> "Iterator[File | Problem]":
        below = self.root if self.root.is_dir() else self.root.parent
        for path in paths:
            try:
                info = path.stat()
            except OSError as error:
                yield Problem(readable(path), error.strerror or str(error))
                continue
            if stat.S_ISDIR(info.st_mode):
                yield from (item for item in read_file(path, root=below) if isinstance(item, Problem))
                continue  # find_files names a folder only if it could not be listed
            yield File(path, below, self.settings, info.st_size, _stamp(info))


class File:
    """A file; its stamp, made of its size, its time of change, and its inode, says how it looked when it was listed."""

    __slots__ = ("_settings", "_stream", "name", "path", "root", "size", "stamp")  # a run may hold a million of them

    def __init__(self, path: Path, root: Path, settings: IndexSettings, size: int, stamp: str) -> None:
        self.path = path
        self.root = root
        self.name = readable(path)
        self.size = size
        self.stamp = stamp
        self._settings = settings
        self._stream: BinaryIO | None = None

    def lasting_stamp(self) -> str:
        """The stamp, or "" if the file was written after it was listed, or so lately that this would not show."""
        try:
            now = self.path.stat()
        except OSError:
            return ""
        fresh = time.time_ns() - now.st_mtime_ns < _COARSEST_CLOCK
        return "" if fresh or _stamp(now) != self.stamp else self.stamp

    def digest(self) -> str:
        """SHA-256 of the file. Raises ArticleError if it cannot be read."""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ArticleError(self.name, error.strerror or str(error)) from None

    def read(self) -> Iterator[Article | Problem]:
        """The articles in it, with ids made from its path below the folder unless it states them."""
        try:
            yield from read_file(self.path, root=self.root, config=self._settings.sources, opened=self._open)
        finally:
            self._stream = None

    def _open(self, stream: BinaryIO) -> None:
        self._stream = stream

    def position(self) -> int:
        """Bytes that have been read so far."""
        return self._stream.tell() if self._stream is not None and not self._stream.closed else 0


def readable(path: Path) -> str:
    """A path as text; bytes of its name that are no UTF-8 are written in hexadecimal."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _stamp(info: os.stat_result) -> str:
    return f"{info.st_size} {info.st_mtime_ns} {info.st_ino}"
