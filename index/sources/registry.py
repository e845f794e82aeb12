"""Which source reads a file: those that come with kabar, and plug-ins."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import BinaryIO

from index.article import Article
from index.errors import ArticleError, ConfigError
from index.sources.html import Html
from index.sources.news_xml import NewsXml
from index.sources.packed import Gzip, Zip
from index.sources.records import Json, JsonLines
from index.sources.source import Origin, Problem, Source
from index.sources.text import Markdown, Text
from index.sources.warc import Warc

GROUP = "kabar.sources"
"""Entry points of this group name classes that are Sources; they come before kabar's own."""

_OWN: tuple[Source, ...] = (Text(), Markdown(), Json(), JsonLines(), Html(), Warc(), NewsXml())

SUFFIXES: tuple[str, ...] = (*(suffix for source in _OWN for suffix in source.suffixes), *Gzip.suffixes, *Zip.suffixes)
"""What kabar itself reads."""


def source_for(name: str) -> Source | None:
    """The source that reads files of this name, or None. Raises ConfigError if a plug-in is broken."""
    if (source := _unpacked(name)) is not None:
        return source
    name = name.lower()
    if name.endswith(Gzip.suffixes) and (source := _unpacked(name.removesuffix(".gz"))) is not None:
        return Gzip(source)
    return Zip(_unpacked) if name.endswith(Zip.suffixes) else None


def _unpacked(name: str) -> Source | None:
    name = name.lower()
    return next((source for source in (*_plug_ins(), *_OWN) if name.endswith(source.suffixes)), None)


@cache
def _plug_ins() -> tuple[Source, ...]:
    return tuple(_load(point) for point in entry_points(group=GROUP))


class _PlugIn:
    """Another's source: whatever goes wrong in it, the run goes on."""

    def __init__(self, source: Source, name: str) -> None:
        self.source = source
        self.name = name
        self.suffixes = tuple(str(suffix).lower() for suffix in source.suffixes)

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        try:
            yield from self.source.read(stream, origin)
        except ArticleError:
            raise
        except Exception as error:  # noqa: BLE001 -- another's code
            reason = " ".join(str(error).split())
            raise ArticleError(
                origin.where, f"the plug-in '{self.name}' failed: {reason or type(error).__name__}"
            ) from None


def _load(point: EntryPoint) -> Source:
    try:
        return _PlugIn(point.load()(), point.name)
    except Exception as error:  # noqa: BLE001 -- another's code
        raise ConfigError(
            f"the plug-in '{point.name}' ({point.value}) cannot be loaded: {' '.join(str(error).split())}; "
            "uninstall it, or ask its makers"
        ) from None
