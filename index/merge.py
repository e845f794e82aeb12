"""Make parts (see ``index.parts``) of articles, and an index of parts: on this machine, or as many as are at hand."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from index.config import IndexSettings
from index.encoder import Encoder
from index.errors import StoreError
from index.folder import File
from index.part_files import Origin, PartsWriter, check_origin, count_items, origin_of, part_files, read_parts
from index.parts import read_item, table_of, with_vectors
from index.place import Item, Known, Place, each_place, open_place
from index.read_ahead import ReadAhead
from index.sources import Problem
from index.store import Writer
from index.update import Change, Progress, Run, SyncReport

if TYPE_CHECKING:
    import pyarrow as pa

Listed = Sequence[tuple[str, Item]]
"""Items, each with the name of its place."""
ReadFiles = Callable[[Sequence[tuple[str, File]], Encoder], "Iterable[pa.Table]"]

_ROWS = 256


class PartsReport(BaseModel):
    """What was made: ``items`` that were read, ``unchanged`` ones that the parts held already."""

    model_config = ConfigDict(frozen=True)

    items: int = 0
    unchanged: int = 0
    articles: int = 0
    passages: int = 0
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0


def make_parts(
    *places: str | Path | Place | Sequence[str | Path | Place],
    folder: Path,
    config: str | Path | IndexSettings | None = None,
    encoder: Encoder | None = None,
    read_files: ReadFiles | None = None,
) -> PartsReport:
    """Read, split and encode the articles in ``places`` into parts in ``folder``; no index is needed or changed.

    Items that the parts in the folder hold already, and that look the same, are left out: a run that was stopped is
    continued by the next. ``read_files`` reads files elsewhere.

    Raises ArticleError if a place does not exist or holds no articles, StoreError if there are parts of another origin
    in the folder, WriteError, ModelError.
    """
    started = time.perf_counter()
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)
    opened = [open_place(place, settings) for place in each_place(places) or settings.index.articles]
    encoder = encoder or Encoder.open(settings.encoder)
    with _writing(folder, Origin.of(settings, encoder.fingerprint)) as writer:
        stamps = writer.stamps()
        problems: list[Problem] = []
        items: dict[str, tuple[str, Item]] = {}
        unchanged = 0
        for place in opened:
            for item in place.items(_unknown):
                if isinstance(item, Problem):
                    problems.append(item)
                elif item.stamp and stamps.get(item.name) == item.stamp:
                    unchanged += 1
                else:
                    items.setdefault(item.name, (place.name, item))
        files = [(place, item) for place, item in items.values() if isinstance(item, File)]
        others = [(place, item) for place, item in items.values() if not isinstance(item, File)]
        articles = passages = 0
        for tables in (
            (read_files or _reading(settings))(files, encoder) if files else (),
            _reading(settings)(others, encoder),
        ):
            for table in tables:
                writer.write(table)
                articles += sum(kind == "article" for kind in table["kind"].to_pylist())
                passages += len(table["vectors"].combine_chunks().flatten())
                problems += [Problem(**row) for row in table["problem"].to_pylist() if row]
    return PartsReport(
        items=len(items),
        unchanged=unchanged,
        articles=articles,
        passages=passages,
        problems=tuple(problems),
        seconds=time.perf_counter() - started,
    )


def merge_parts(
    folders: Sequence[Path],
    *,
    config: str | Path | IndexSettings | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    changes: Callable[[Change], None] = lambda _: None,
    encoder: Encoder | None = None,
) -> SyncReport:
    """Take the parts in ``folders`` into the index, in this order, as if their items had been read here.

    Nothing is encoded, and nothing is dropped but what an item gave before and gives no more. Raises StoreError
    (EncoderMismatchError, DamagedError) if parts cannot go into this index, BusyError, WriteError.
    """
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)
    files = [file for folder in folders for file in part_files(folder)]
    for folder in folders:
        if not part_files(folder):
            raise StoreError(f"{folder}: no parts here; `kabar index PLACE --to-parts {folder}` makes some")
    for file in files:
        origin_of(file)  # before the index is opened: what are no parts leave no empty index behind
    total = count_items(files)
    ahead = ReadAhead(lambda _files, _writer: ())
    with Writer(settings.index.path) as writer:
        run = Run(writer, settings, lambda: encoder or Encoder.open(settings.encoder), progress, changes, ahead)
        run.reconciler.follow(settings.sources)
        run.follow_encoder()
        origin = Origin.of(settings, writer.meta("encoder") or "")
        for file in files:
            check_origin(file, origin)
        run.total = total
        for item, place in ahead.items(read_parts(files)):
            run.take(item, place)
        return run.finish()


@contextmanager
def _writing(folder: Path, origin: Origin) -> Iterator[PartsWriter]:
    writer = PartsWriter(folder, origin)
    try:
        yield writer
        writer.close()
    finally:
        writer.abandon()


def _unknown(_: str) -> Known | None:
    return None


def _reading(settings: IndexSettings) -> Callable[[Listed, Encoder], "Iterator[pa.Table]"]:
    def read(items: Listed, encoder: Encoder) -> "Iterator[pa.Table]":
        rows = []
        for place, item in items:
            for row in read_item(item, place, characters=settings.index.passage_characters):
                rows.append(row)
                if len(rows) >= _ROWS:
                    yield with_vectors(table_of(rows), encoder)
                    rows = []
        if rows:
            yield with_vectors(table_of(rows), encoder)

    return read
