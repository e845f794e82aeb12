"""What a reader of one format is, and what it is told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError

MEGABYTE = 1_000_000


class Problem(NamedTuple):
    """What went wrong with one article; ``lost`` is False if it could be read all the same."""

    where: str
    reason: str
    lost: bool = True

    @property
    def line(self) -> str:
        """The whole of it in one line."""
        return f"{'not read' if self.lost else 'read with loss'}: {self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream of bytes comes from.

    Attributes:
        where: how a Problem names the place: the path, with ``!member`` in a zip and ``:line`` in JSON lines.
        name: the path below the folder that is read, in the same way; the id of an article that states none.
        fetched: when the bytes were written or fetched; no article in them is younger.
        config: the ``sources`` section of config.yaml.
    """

    where: str
    name: str
    fetched: datetime
    config: SourcesConfig

    def at(self, where: str, name: str | None = None) -> "Origin":
        """A place inside this one."""
        return replace(self, where=self.where + where, name=self.name + (where if name is None else name))

    @property
    def limit(self) -> int:
        """Bytes that one article may have."""
        return self.config.megabytes * MEGABYTE

    def too_large(self) -> ArticleError:
        """The error for more bytes than that."""
        return ArticleError(self.where, f"larger than {self.config.megabytes} MB; sources.megabytes raises the limit")


class Source(Protocol):
    """Reads the articles out of one format. A plug-in names such a class in the entry point group ``kabar.sources``."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """File names that it reads end like this; lower case, with the dot. May be a class attribute."""

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles in ``stream``, and a Problem in the place of each that cannot be read.

        Raises ArticleError where nothing (more) can be read, and lets through the stream's own ArticleErrors.
        """


def read_whole(stream: BinaryIO, origin: Origin) -> bytes:
    """All of a stream that is one article. Raises ArticleError, before it has all been read, if it is too large."""
    content = stream.read(origin.limit + 1)
    if len(content) > origin.limit:
        raise origin.too_large()
    return content
