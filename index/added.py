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
from typing import Any, BinaryIO

import yaml

from index.addresses import parse_address
from index.config import IndexSettings
from index.errors import ArticleError, WriteError
from index.folder import Folder, readable
from index.listing import open_listing
from index.place import Place
from index.sources import SUFFIXES, Problem
from index.sources.names import is_passed_over, printable
from index.sources.registry import source_for
from index.store import Writer, sync_folder
from index.update import SyncReport, remove, sync

ADDRESSES = "addresses.list"
"""One address a line; the name is none of an article file."""
_LONGEST_STEM = 120
"""Bytes; file systems take names of 255."""
_NOT_IN_NAMES = set('/\\:*?"<>|')


class Added:
    """The folder that ``index.added`` names; it is made when something is added."""

    def __init__(self, settings: IndexSettings) -> None:
        self.folder = settings.index.added.absolute()
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
        addresses = self.addresses()
        if not names.isdisjoint(addresses):
            self._set_addresses([address for address in addresses if address not in names])
        for path in self.files():
            if readable(path) in names:
                with self._writing():
                    path.unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """The files in the folder."""
        return sorted(path for path in self.folder.iterdir() if path.is_file()) if self.folder.is_dir() else []

    def place(self, *files: Path) -> Folder:
        """These files, or the whole folder, as a place to index; it may be empty."""
        return Folder(self.folder, self._settings, files or (self.folder,))

    def places(self) -> list[str | Path | Place]:
        """All that was added, to index it again."""
        return [self.place(), *self.addresses()] if self.folder.is_dir() else []

    def holds_articles(self) -> bool:
        """Whether there is a file of articles in the folder."""
        return any(source_for(path.name) and not is_passed_over(path.name) for path in self.files())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise WriteError(f"{self.folder}: could not keep what was added ({reason}); nothing was changed") from None


def add_files(files: Sequence[Path], settings: IndexSettings, **run: Any) -> SyncReport:
    """Index files of the folder; one that gives no article is deleted. ``run`` goes to ``sync``, which see."""
    added = Added(settings)
    names = [readable(path) for path in files]
    _forget_items(settings, names)
    report = sync(added.place(*files), config=settings, **run)
    _forget_empty(added, settings, names)
    return report


def add_address(address: str, settings: IndexSettings, **run: Any) -> SyncReport:
    """Index what stands at an address that was noted; it is forgotten if that is no article. See ``sync``."""
    _forget_items(settings, [address])
    report = sync(address, config=settings, **run)
    if not report.added + report.changed + report.unchanged:
        Added(settings).forget([address])
        _forget_items(settings, [address])
    return report


def remove_articles(ids: Sequence[str], settings: IndexSettings) -> SyncReport:
    """Remove articles, and of what was added by hand that which gives no article any more. See ``Index.remove``."""
    with open_listing(settings.index.path) as listing:
        names = {name for article_id in ids for name in listing.places(article_id)}
    report = remove(ids, folder=settings.index.path)
    added = Added(settings)
    entries = {address for address in added.addresses() if any(name.startswith(f"{address}#") for name in names)}
    _forget_empty(added, settings, [*names, *entries])
    return report


def read_again(settings: IndexSettings, **run: Any) -> SyncReport:
    """Index the configured places and what was added by hand; a place that is not there is reported. See ``sync``."""
    missing = [place for place in settings.index.articles if isinstance(place, Path) and not place.exists()]
    there = [place for place in settings.index.articles if place not in missing]
    places = [*there, *Added(settings).places()]
    problems = tuple(Problem(readable(place), "no such file or folder") for place in missing)
    if not places:
        raise ArticleError(", ".join(problem.where for problem in problems), "no such file or folder")
    report = sync(*places, config=settings, **run)
    return report.model_copy(update={"problems": (*problems, *report.problems)})


def _forget_empty(added: Added, settings: IndexSettings, names: Sequence[str]) -> None:
    with open_listing(settings.index.path) as listing:
        empty = [name for name in names if not listing.gives(name)]
    known = {*map(readable, added.files()), *added.addresses()}
    added.forget(empty)
    _forget_items(settings, [name for name in empty if name in known])


def _forget_items(settings: IndexSettings, names: Iterable[str]) -> None:
    """Let what gives no article be read again, however well it is known: a reader has asked for it."""
    with Writer(settings.index.path) as writer:
        for name in names:
            if not writer.catalog.count_links(name):
                writer.catalog.forget_item(name)
        writer.commit_meta()


def default_places(settings: IndexSettings) -> list[str | Path]:
    """The configured places, and those of what was added by hand."""
    added = Added(settings)
    return [*settings.index.articles, *([added.folder] if added.holds_articles() else []), *added.addresses()]


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
