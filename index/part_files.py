"""Part files: parts (see ``index.parts``) in a folder, as Parquet files that are whole or not there."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from index import passage_dates
from index.config import IndexSettings
from index.errors import DamagedError, EncoderMismatchError, StoreError
from index.lexical import TOKENIZER
from index.parts import FORMAT
from index.store import sync_folder, writing

_LARGEST = 256_000_000
"""Bytes of rows, unpacked, after which a file ends with the item that is being written."""


class Origin(NamedTuple):
    """What decides the content of parts; two machines' parts go into one index only if it is the same.

    Attributes:
        encoder: fingerprint of the encoder.
        reading: how articles are read and split, as JSON.
        version: of kabar.
    """

    encoder: str
    reading: str
    version: str

    @classmethod
    def of(cls, settings: IndexSettings, encoder: str) -> "Origin":
        """This machine's."""
        reading = {
            "sources": settings.sources.model_dump(mode="json"),
            "passage_characters": settings.index.passage_characters,
            "dates": passage_dates.VERSION,
            "words": TOKENIZER,
        }
        try:
            number = version("kabar")
        except PackageNotFoundError:
            number = "unknown"
        return cls(encoder, json.dumps(reading, sort_keys=True), number)

    @property
    def metadata(self) -> dict[str, str]:
        """Of the schema."""
        return {"kabar.parts": str(FORMAT), **{f"kabar.{name}": value for name, value in self._asdict().items()}}


class PartsWriter:
    """Writes tables to ``part-00000.parquet`` ... in a folder; a file that has its name is whole, and so are its items.

    Goes on after the parts that are there. Raises StoreError if those are of another origin, and WriteError.
    """

    def __init__(self, folder: Path, origin: Origin) -> None:
        self.folder = folder
        self._metadata = origin.metadata
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for file in part_files(folder):
            check_origin(file, origin)
        self._number = len(part_files(folder))
        self._size = 0
        self._file: pq.ParquetWriter | None = None

    def stamps(self) -> dict[str, str]:
        """The stamps of the items that are whole in the parts."""
        found = {}
        for file in part_files(self.folder):
            table = pq.read_table(file, columns=["item", "kind", "stamp"])
            for row in table.filter(pa.compute.equal(table["kind"], "end")).to_pylist():
                found[row["item"]] = row["stamp"]
        return found

    def write(self, table: pa.Table) -> None:
        """Add rows that follow those before."""
        with writing(self.folder):
            ends = [number for number, kind in enumerate(table["kind"].to_pylist()) if kind in ("end", "broken")]
            self._size += table.nbytes
            if self._size >= _LARGEST and ends:
                self._put(table.slice(0, ends[-1] + 1))
                self.close()
                table = table.slice(ends[-1] + 1)
            self._put(table)

    def _put(self, table: pa.Table) -> None:
        if not table.num_rows:
            return
        if self._file is None:
            schema = table.schema.with_metadata(self._metadata)
            self._file = pq.ParquetWriter(
                self._part,
                schema,
                compression="zstd",
                write_page_checksum=True,
                use_dictionary=["item", "place", "kind"],
            )
        self._file.write_table(table.replace_schema_metadata(self._metadata))

    @property
    def _part(self) -> Path:
        return self.folder / f".part-{self._number:05}.parquet"

    def close(self) -> None:
        """End the file that is being written, and give it its name."""
        with writing(self.folder):
            if self._file is not None:
                self._file.close()
                with self._part.open("rb") as file:
                    os.fsync(file.fileno())
                self._part.rename(self.folder / self._part.name[1:])
                sync_folder(self.folder)
                self._number += 1
        self._file, self._size = None, 0

    def abandon(self) -> None:
        """Remove the file that is being written."""
        if self._file is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)
            self._file = None


def part_files(folder: Path) -> list[Path]:
    """The parts in a folder, in their order."""
    return sorted(folder.glob("part-*.parquet")) if folder.is_dir() else []


def origin_of(file: Path) -> Origin:
    """What a part is made with. Raises StoreError if it is none, or of another format, DamagedError."""
    with _reading(file):
        found = {key.decode(): value.decode() for key, value in (pq.read_schema(file).metadata or {}).items()}
    if "kabar.parts" not in found:
        raise StoreError(f"{file}: not a part that kabar made")
    if found["kabar.parts"] != str(FORMAT):
        raise StoreError(
            f"{file}: parts of format {found['kabar.parts']}, this kabar has format {FORMAT}; make them again"
        )
    return Origin(*(found.get(f"kabar.{name}", "unknown") for name in Origin._fields))


def check_origin(file: Path, origin: Origin) -> None:
    """Raises StoreError (EncoderMismatchError, DamagedError) if a part cannot go with what is of this origin."""
    theirs = origin_of(file)
    if theirs.version != origin.version:
        raise StoreError(f"{file}: made by kabar {theirs.version}, this is {origin.version}; make the parts again")
    if theirs.encoder != origin.encoder:
        raise EncoderMismatchError(
            f"{file}: encoded by {theirs.encoder}, here it is {origin.encoder}; use one encoder for all parts"
        )
    if theirs.reading != origin.reading:
        raise StoreError(
            f"{file}: read with other settings ({theirs.reading}) than these ({origin.reading}); "
            "use the same configuration for all parts"
        )


def read_parts(files: Iterable[Path]) -> Iterator[pa.Table]:
    """The tables of part files. Raises DamagedError."""
    for file in files:
        with _reading(file), pq.ParquetFile(file, page_checksum_verification=True) as part:
            for number in range(part.num_row_groups):
                yield part.read_row_group(number)


def count_items(files: Iterable[Path]) -> int:
    """How many items the files hold. Raises DamagedError."""
    total = 0
    for file in files:
        with _reading(file):
            total += pq.read_table(file, columns=["kind"])["kind"].to_pylist().count("item")
    return total


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DamagedError(f"{file}: this part cannot be read ({reason}); make it again") from None
