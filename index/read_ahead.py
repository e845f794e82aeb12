"""A run's items, read and encoded by others: what they found takes the place of reading, and nothing else changes.

The run decides, article by article, as if it had read the items itself, so that the index is the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.article import Article
from index.errors import ArticleError
from index.folder import File
from index.parts import Row, rows_of
from index.place import Item, Known
from index.preparation import Prepared
from index.sources import Problem
from index.store import Writer

if TYPE_CHECKING:
    import pyarrow as pa

Read = Callable[[Sequence[File], Writer], "Iterable[pa.Table]"]
"""Reads files for a run, whose index is behind the writer: tables with vectors (see ``index.parts``), in their order.

Vectors are of the encoder that the index's ``meta`` names.
"""


class ReadAhead:
    """Files are read by ``read``; other items (pages of the web, which are asked for politely) by the run itself."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._ahead: set[str] = set()
        self._rows: Iterator[Row] = iter(())
        self._last: Row | None = None

    def begin(self, items: Sequence[Item], writer: Writer) -> None:
        """These items will be asked for, in this order."""
        files = [item for item in items if isinstance(item, File)]
        self._ahead = {file.name for file in files}
        if files:
            self._rows = each_row(self._read(files, writer))

    def item(self, item: Item) -> Item:
        """What gives the item's articles: those that have been read, once; after that the item itself."""
        if item.name not in self._ahead:
            return item
        self._ahead.discard(item.name)
        while (row := self._next()) is not None and (row.item, row.kind) != (item.name, "item"):
            pass  # the end of an item that the run had no need to read
        return ReadItem(item.name, row, self._next, size=item.size)

    def items(self, tables: "Iterable[pa.Table]") -> "Iterator[tuple[ReadItem, Elsewhere]]":
        """What gives the articles of each item in tables, with its place; to be used one after the other."""
        self._rows = each_row(tables)
        while (row := self._next()) is not None:
            if row.kind == "item":
                yield ReadItem(row.item, row, self._next), Elsewhere(row.place)

    def prepared(self, content_hash: str) -> list[Prepared] | None:
        """The passages of the article that was given last, if it has this hash and they have been prepared."""
        last = self._last
        known = last and isinstance(last.found, Article) and last.found.content_hash == content_hash
        return last.prepared if last and known else None

    def _next(self) -> Row | None:
        self._last = next(self._rows, None)
        return self._last


class ReadItem:
    """An item that has been read, as an ``Item``: ``first`` is its first row, ``following`` gives those after it."""

    def __init__(self, name: str, first: Row | None, following: Callable[[], Row | None], *, size: int = 0) -> None:
        self.name = name
        self.stamp = ""
        self.size = size
        self._first = first
        self._following = following
        self._ended = first is None or isinstance(first.found, Problem)

    def digest(self) -> str:
        """As it was when it was read."""
        if self._first is None:
            raise ArticleError(self.name, "it is not in the parts; make them again")
        if isinstance(self._first.found, Problem):
            raise ArticleError(self._first.found.where, self._first.found.reason)
        return self._first.digest or ""

    def read(self) -> Iterator[Article | Problem]:
        """What was found in it."""
        while not self._ended:
            row = self._following()
            self._ended = row is None or row.item != self.name or row.kind in ("end", "broken")
            if row is None or row.item != self.name:
                raise ArticleError(self.name, "its end is not in the parts; make them again")
            if row.kind == "end":
                self.stamp = row.stamp or ""
            elif row.kind == "broken" and isinstance(row.found, Problem):
                raise ArticleError(row.found.where, row.found.reason)
            elif row.found is not None:
                yield row.found

    def lasting_stamp(self) -> str:
        """As its reader told it."""
        with suppress(ArticleError):
            for _ in self.read():
                pass  # the run had no need to read it
        return self.stamp

    def position(self) -> int:
        """Not known."""
        return 0


@dataclass(frozen=True)
class Elsewhere:
    """The place that an item was read from, which need not be on this machine: nothing is looked for there."""

    name: str
    scope: tuple[str, ...] = ()

    def items(self, known: Callable[[str], Known | None]) -> Iterator[Item | Problem]:  # noqa: ARG002
        """None."""
        return iter(())


def each_row(tables: "Iterable[pa.Table]") -> Iterator[Row]:
    """The rows of tables, one after the other."""
    for table in tables:
        yield from rows_of(table)
