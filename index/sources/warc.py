"""Web archives (WARC, ISO 28500): an article for each page in one."""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from index.article import Article
from index.errors import ArticleError
from index.sources.html import page
from index.sources.source import Origin, Problem

if TYPE_CHECKING:
    from warcio.recordloader import ArcWarcRecord

_PIECE = 65_536
# Between the contents of two records stand the headers of the next.
_LONGEST_HEADERS = 1_000_000
_PAGES = ("text/html", "application/xhtml+xml")


class _Watched:
    """A stream for warcio, which reads lines of any length: more than headers may have is an ArticleError."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._since = 0

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._since += len(piece)
        if self._since > _LONGEST_HEADERS:
            raise ArticleError("", "no WARC file, or damaged: a record's headers do not end")
        return piece

    def go_on(self) -> None:
        self._since = 0


class Warc:
    """An article for each response or resource that is a page; its id is its address. The file may be of any size."""

    suffixes: ClassVar[tuple[str, ...]] = (".warc",)

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles. Raises ArticleError where the file is damaged so that no next record can be found."""
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
        from warcio.statusandheaders import StatusAndHeadersParserException

        damaged = (
            *(ArchiveLoadFailed, StatusAndHeadersParserException, zlib.error, EOFError),
            *(ValueError, TypeError, AttributeError, LookupError),  # warcio's, on headers that are missing or odd
        )
        watched = _Watched(stream)
        archive = ArchiveIterator(watched)
        archive.INC_RECORD = ""  # what it would print for a record that is not as long as it says
        number = 0
        while True:
            place = origin.at(f"#{number + 1}")
            try:
                if (record := next(archive, None)) is None:
                    break
                found = _page_in(record, watched, place)
            except ArticleError as error:
                raise ArticleError(place.where, error.reason) from None
            except damaged as error:
                reason = " ".join(str(error).split())[:200]
                raise ArticleError(place.where, f"no WARC file, or damaged: {reason}") from None
            number += 1
            if isinstance(found, Problem):
                yield found
            elif found is not None:
                content, address, charset, fetched = found
                try:
                    yield page(content, replace(place, name=address, fetched=fetched), url=address, charset=charset)
                except ArticleError as error:
                    yield Problem(f"{place.where} ({address})", error.reason)
        if number == 0:
            raise ArticleError(origin.where, "no record in it")


def _page_in(
    record: "ArcWarcRecord", watched: _Watched, place: Origin
) -> tuple[bytes, str, str | None, datetime] | Problem | None:
    """The page in a record, its address, charset and time; None if there is none. Reads the record to its end."""
    headers = record.http_headers
    media = (headers.get_header("Content-Type") if headers else record.content_type) or ""
    wanted = record.rec_type in ("response", "resource") and media.partition(";")[0].strip().lower() in _PAGES
    wanted = wanted and (headers is None or headers.get_statuscode() == "200")
    content = bytearray()
    body = record.content_stream()
    while wanted and len(content) <= place.limit and (piece := body.read(_PIECE)):
        content += piece
        watched.go_on()
    while record.raw_stream.read(_PIECE):
        watched.go_on()
    address = record.rec_headers.get_header("WARC-Target-URI") or ""
    if getattr(record.raw_stream, "limit", 0):
        return Problem(place.where, f"damaged: the file ends inside a record ({address})")
    if not wanted:
        return None
    if len(content) > place.limit:
        return Problem(place.where, place.too_large().reason)
    charset = media.lower().partition("charset=")[2].partition(";")[0].strip() or None
    return bytes(content), address, charset, _time(record, place.fetched)


def _time(record: "ArcWarcRecord", otherwise: datetime) -> datetime:
    try:
        time = datetime.fromisoformat(record.rec_headers.get_header("WARC-Date") or "")
    except ValueError:
        return otherwise
    return time if time.tzinfo else time.replace(tzinfo=UTC)
