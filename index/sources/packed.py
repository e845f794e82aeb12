"""Articles in gzip and zip files, which are unpacked while they are read and no further than is reasonable."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO, ClassVar

from index.article import Article
from index.errors import ArticleError
from index.sources.names import is_passed_over, printable
from index.sources.source import Origin, Problem, Source

# Text shrinks to a tenth, pages that repeat each other to a fiftieth; the most that deflate can do is 1032.
_MOST_RATIO = 250
# Both count from here, so that a small file of one repeated line is no bomb.
_ALLOWANCE = 65_536
_PIECE = 65_536
_ENCRYPTED = 1  # the lowest of a zip member's flag bits
# All that these two raise on what is damaged; OSError is also gzip's own BadGzipFile.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError)


class _Meter:
    """Counts what is unpacked, against the size it is unpacked from; ``total`` counts for the whole archive."""

    def __init__(self, packed: Callable[[], int], total: "_Meter | None" = None) -> None:
        self._packed = packed
        self._unpacked = 0
        self._total = total

    def add(self, count: int) -> None:
        self._unpacked += count
        if self._total is not None:
            self._total.add(count)
        if self.is_over():
            raise ArticleError("", f"unpacks to more than {_MOST_RATIO} times its size; not read further")

    def is_over(self) -> bool:
        return self._unpacked > _MOST_RATIO * (self._packed() + _ALLOWANCE)


class _Unpacked(io.RawIOBase):
    """A stream that is unpacked; damage in it is an ArticleError."""

    def __init__(self, packed: IO[bytes] | gzip.GzipFile, meter: _Meter) -> None:
        self._stream = packed
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        try:
            piece = self._stream.read(min(len(view), _PIECE))
        except _DAMAGED as error:
            raise ArticleError("", f"damaged: {_reason(error)}") from None
        self._meter.add(len(piece))
        view[: len(piece)] = piece
        return len(piece)


class Gzip:
    """One file of another format, packed."""

    suffixes: ClassVar[tuple[str, ...]] = (".gz",)

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles of the file inside. Raises ArticleError."""
        with gzip.GzipFile(fileobj=stream) as unpacked:
            inner = io.BufferedReader(_Unpacked(unpacked, _Meter(stream.tell)))
            yield from self._source.read(inner, origin)


class Zip:
    """A folder of files of other formats, packed. Archives in it are not followed."""

    suffixes: ClassVar[tuple[str, ...]] = (".zip",)

    def __init__(self, choose: Callable[[str], Source | None]) -> None:
        self._choose = choose

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles of its members. Raises ArticleError if it is no zip file or a bomb."""
        size = stream.seek(0, io.SEEK_END)
        total = _Meter(lambda: size)
        try:
            archive = zipfile.ZipFile(stream)
        except _DAMAGED as error:
            raise ArticleError(origin.where, f"not a zip file, or damaged: {_reason(error)}") from None
        # Of members of the same name the last is the one that counts.
        for member in {member.filename: member for member in archive.infolist()}.values():
            if not member.filename or member.is_dir() or is_passed_over(member.filename):
                continue
            place = origin.at(f"!{printable(member.filename)}")
            if member.filename.lower().endswith((".gz", ".zip")):
                yield Problem(place.where, "an archive inside an archive is not read; unpack it")
            elif (source := self._choose(member.filename)) is not None:
                try:
                    yield from self._read_member(archive, member, source, place, total)
                except ArticleError as error:
                    if total.is_over():  # members that share their bytes
                        raise ArticleError(origin.where, error.reason) from None
                    yield Problem(error.where or place.where, error.reason)

    def _read_member(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source, place: Origin, total: _Meter
    ) -> Iterator[Article | Problem]:
        if member.flag_bits & _ENCRYPTED:
            raise ArticleError(place.where, "encrypted; unpack it")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others give all that a piece holds at once, however much it is.
            raise ArticleError(place.where, "packed in another way than deflate; unpack it")
        try:
            unpacked = archive.open(member)
        except _DAMAGED as error:
            raise ArticleError(place.where, f"damaged: {_reason(error)}") from None
        meter = _Meter(lambda: member.compress_size, total)
        with unpacked:
            yield from source.read(io.BufferedReader(_Unpacked(unpacked, meter)), place)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
