"""Articles that were added by hand: files in a folder of their own, and a list of addresses beside them.

The folder stands beside the index and not in it: an index that is removed can be made again from it, and a run over
other places never finds these articles gone.
"""

import filecmp
import itertools
import os
import re
import shutil
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import yaml

from index.addresses import parse_address
from index.config import IndexSettings
from index.errors import ArticleError, WriteError
from index.folder import Folder, readable
from index.place import Place
from index.sources import SUFFIXES
from index.sources.names import is_passed_over, printable
from index.sources.registry import source_for
from index.store import sync_folder

ADDRESSES = "addresses.list"
"""One address a line; the name is none of an article file."""
_LONGEST_STEM = 120
"""Bytes; file systems take names of 255."""
_NOT_IN_NAMES = set('/\\:*?"<>|')


class Added:
    """The folder that ``index.added`` names; it is made when something is added."""

    def __init__(self, settings: IndexSettings) -> None:
        self.folder = settings.index.added
        self._settings = settings

    def save(self, name: str, content: BinaryIO) -> Path:
        """Keep a file under its name, or one like it if another file has that; the same file is kept once.

        Raises ArticleError if it is of no kind that is read, WriteError if the disk refuses.
        """
        stem, ending = _file_name(name)
        with self._writing():
            part = self.folder / f".{uuid.uuid4().hex}"
            try:
                with part.open("xb") as file:
                    shutil.copyfileobj(content, file)
                    file.flush()
                    os.fsync(file.fileno())
                return self._name(part, stem, ending)
            finally:
                part.unlink(missing_ok=True)

    def _name(self, part: Path, stem: str, ending: str) -> Path:
        """Give a finished file its name, and never another's."""
        for number in itertools.count(1):
            path = self.folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
            try:
                os.link(part, path)
            except FileExistsError:
                if not path.is_file() or not filecmp.cmp(part, path, shallow=False):
                    continue
            except OSError:  # a file system without links
                if path.exists():
                    continue
                part.rename(path)
            sync_folder(self.folder)
            return path
        raise AssertionError

    def write(
        self, text: str, *, title: str | None = None, source: str | None = None, published: date | None = None
    ) -> Path:
        """Keep an article's text, with what is known about it in front. Raises ArticleError if there is none."""
        if not any(character.isalnum() for character in text):
            raise ArticleError(title or "article", "no text")
        text = text.encode("utf-8", "replace").decode()
        fields = {"title": title, "source": source, "published": published}
        stated = {name: value for name, value in fields.items() if value}
        head = f"---\n{yaml.safe_dump(stated, allow_unicode=True, sort_keys=False)}---\n" if stated else ""
        first = next(line for line in (title or text).splitlines() if line.strip())
        stem = re.sub(r"\W+", "-", first.strip()[:60]).strip("-_").lower() or "article"
        return self.save(f"{stem}.txt", BytesIO((head + text).encode()))

    def note(self, address: str) -> str:
        """Remember an address; how it is written. Raises FetchError if it is none that can be fetched from."""
        name = str(parse_address(address.strip()))
        self._set_addresses([*self.addresses(), name])
        return name

    def addresses(self) -> list[str]:
        """The addresses that were added."""
        with suppress(OSError):
            lines = (self.folder / ADDRESSES).read_text(encoding="utf-8", errors="replace").splitlines()
            return [line.strip() for line in lines if line.strip()]
        return []

    def _set_addresses(self, addresses: Sequence[str]) -> None:
        with self._writing():
            part = self.folder / f".{uuid.uuid4().hex}"
            try:
                with part.open("x", encoding="utf-8") as file:
                    file.writelines(f"{address}\n" for address in dict.fromkeys(addresses))
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.folder / ADDRESSES)
                sync_folder(self.folder)
            finally:
                part.unlink(missing_ok=True)

    def forget(self, items: Iterable[str]) -> None:
        """Delete files and addresses, named as in the index; what is none of this folder's is left alone."""
        names = set(items)
        if left := [address for address in self.addresses() if address not in names]:
            if len(left) < len(self.addresses()):
                self._set_addresses(left)
        elif self.addresses():
            (self.folder / ADDRESSES).unlink(missing_ok=True)
        for path in self.files():
            if readable(path) in names:
                with self._writing():
                    path.unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """The files in the folder."""
        return sorted(path for path in self.folder.iterdir() if path.is_file()) if self.folder.is_dir() else []

    def place(self, *files: Path) -> Folder:
        """These files, or the whole folder, as a place to index; it may be empty."""
        root = self.folder.absolute()
        return Folder(root, self._settings, tuple(path.absolute() for path in files) or (root,))

    def places(self) -> list[str | Path | Place]:
        """All that was added, to index it again."""
        return [self.place(), *self.addresses()] if self.folder.is_dir() else []

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise WriteError(f"{self.folder}: could not keep what was added ({reason}); nothing was changed") from None


def default_places(settings: IndexSettings) -> list[str | Path | Place]:
    """The configured places, and what was added by hand."""
    return [*settings.index.articles, *Added(settings).places()]


def _file_name(name: str) -> tuple[str, str]:
    """A safe file name like ``name``: its stem, and its ending. Raises ArticleError."""
    shown = printable(name)[:200]
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    base = "".join(sign if sign.isprintable() and sign not in _NOT_IN_NAMES else "-" for sign in base).strip(" .")
    if source_for(base) is None:
        raise ArticleError(shown or "file", f"no kind of file that is read ({', '.join(SUFFIXES)})")
    if is_passed_over(base):
        base = f"added-{base}"
    path = Path(base)
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() in (".gz", ".zip") else path.suffix
    stem = base.removesuffix(ending).encode()[:_LONGEST_STEM].decode("utf-8", "ignore").strip(" .")
    return stem or "article", ending
