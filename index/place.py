"""Where articles come from: a place lists items (files, pages, entries of a feed), and an item gives articles.

``sync`` compares each item with what it was in the last run, in two steps, so that what has not changed costs little:
its stamp (free, known from the listing), then its digest (a look at the content). Only what differs in both is read.
A folder is one such place (``index.folder``); what else ``sync`` takes is made into one by ``open_place``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from index.article import Article

if TYPE_CHECKING:
    from index.config import IndexSettings
    from index.sources import Problem


class Known(NamedTuple):
    """What an item was when all its articles were last read."""

    stamp: str
    digest: str


class Item(Protocol):
    """One file, page or entry."""

    @property
    def name(self) -> str:
        """Absolute path or URL; the same in every run, and no other item's."""

    @property
    def stamp(self) -> str:
        """Changes whenever the content may have (size and times of a file); "": only a look at the content can tell."""

    @property
    def size(self) -> int:
        """Bytes, or a guess at them: the item's share of the work, for the estimate of the time it takes."""

    def digest(self) -> str:
        """SHA-256 of the content, equal to the one that ``Known`` holds if nothing has changed; "" if not known.

        Raises ArticleError if the item cannot be had now; what it gave before then stays.
        """

    def lasting_stamp(self) -> str:
        """The stamp to remember, asked for after the reading; "" if the item may have changed meanwhile."""

    def read(self) -> "Iterator[Article | Problem]":
        """The articles, with the ids that they have at this place. After a lost one, what the item gave before stays.

        Raises ArticleError if nothing more can be read.
        """

    def position(self) -> int:
        """Bytes of ``size`` that have been read so far; 0 if that cannot be told."""


class Place(Protocol):
    """A folder, a file, a feed, a page."""

    @property
    def name(self) -> str:
        """Absolute path or URL; what was indexed from this place is known by it."""

    @property
    def scope(self) -> tuple[str, ...]:
        """What was looked at: an item of this place that has, or lies below, one of these names is gone if not listed.

        A folder's is its own name; a feed's is empty: what has left it is not gone.
        """

    def items(self, known: Callable[[str], Known | None]) -> "Iterator[Item | Problem]":
        """Every item, in the order to read them.

        ``known`` says what an item was in the last run (None: it is new), for a conditional request; it can be asked
        from when the first item is asked for. A lost Problem means that the list is not complete: then nothing is gone.
        Raises ArticleError if there is no such place or nothing in it, ConfigError, FetchError.
        """


def is_address(place: str) -> bool:
    """Whether a place is meant as an address on the web ("https://..."), not as a path."""
    return re.match(r"\s*[a-zA-Z][a-zA-Z0-9+.-]+://", place) is not None


def each_place(places: "Iterable[str | Path | Place | Sequence[str | Path | Place]]") -> "list[str | Path | Place]":
    """Places, out of the lists that some of them are."""
    found: list[str | Path | Place] = []
    for place in places:
        if isinstance(place, Sequence) and not isinstance(place, str):
            found += place
        else:
            found.append(place)
    return found


def open_place(place: "str | Path | Place", settings: "IndexSettings") -> Place:
    """The place that a user names: an address on the web, a path, or a Place as it is. Raises FetchError."""
    from index.folder import Folder

    if isinstance(place, str) and is_address(place):
        from index.web import Web

        return Web(place, settings)
    return Folder(_absolute(Path(place).expanduser()), settings) if isinstance(place, str | Path) else place


def _absolute(path: Path) -> Path:
    """One name for one place: ``a/../b`` is ``b``, unless ``a`` is a link that leads elsewhere."""
    return path.resolve() if ".." in path.parts else path.absolute()
