"""Find the article files in a folder, and read one."""

import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError
from index.sources.names import is_passed_over, printable
from index.sources.registry import source_for
from index.sources.source import Origin, Problem
from index.sources.text import Text

_DEFAULTS = SourcesConfig()
# Archives are made reproducible by setting every file's time to 1970 or 1980; no page of the web is so old.
_EARLIEST = datetime(1995, 1, 1, tzinfo=UTC).timestamp()


def find_files(place: Path) -> list[Path]:
    """Every article file below the folder ``place``, or ``place`` itself, sorted; hidden ones left out.

    A file named ``questions.json`` beside articles holds questions about them and is left out. Links to files are
    followed, links to folders are not. A folder that cannot be listed is in the list itself: reading it says why.
    Raises ArticleError if there is no such place, ConfigError if a plug-in is broken.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ArticleError(str(place), "no such file or folder")
    found, folders = [], [str(place)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif _is_article(entry):
                        found.append(Path(entry.path))
        except OSError:
            found.append(Path(folder))
    return sorted(found)


def read_file(
    path: Path,
    *,
    root: Path,
    config: SourcesConfig = _DEFAULTS,
    opened: Callable[[BinaryIO], None] = lambda _: None,
) -> Iterator[Article | Problem]:
    """The articles in one file; their ids are its path below ``root`` unless the file states them.

    Never raises on what a file holds: a Problem stands in the place of what cannot be read. ``opened`` gets the open
    file, whose ``tell()`` says how far the reading is.
    """
    where = printable(str(path))
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode) and not stat.S_ISDIR(info.st_mode):
            yield Problem(where, "not a file but a device or a pipe")
            return
        with path.open("rb") as stream:
            opened(stream)
            name = printable(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name)
            origin = Origin(where, name, _written(info.st_mtime), config)
            yield from (source_for(path.name) or Text()).read(stream, origin)
    except ArticleError as error:
        yield Problem(error.where or where, error.reason)
    except OSError as error:
        yield Problem(where, error.strerror or str(error))


def _is_article(entry: "os.DirEntry[str]") -> bool:
    if is_passed_over(entry.name) or source_for(entry.name) is None:
        return False
    try:
        return entry.is_file() or (entry.is_symlink() and not entry.is_dir())
    except OSError:
        return True  # a link to itself: reading it says so


def _written(modified: float) -> datetime:
    """When the file was written, as far as its time can be believed."""
    now = datetime.now(tz=UTC)
    return datetime.fromtimestamp(modified, tz=UTC) if _EARLIEST <= modified <= now.timestamp() else now
