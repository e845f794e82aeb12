"""Unpack gzip and deflate no further than is asked for, whatever a bomb of a few bytes would become."""

import zlib
from collections.abc import Iterable, Iterator

GZIP_MAGIC = b"\x1f\x8b"

_PIECE = 65_536
_GZIP, _ZLIB, _BARE = 31, 15, -15  # what zlib calls wbits


def unpack(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes behind ``pieces``, in pieces of at most 64 KiB; ``encoding`` is gzip or deflate.

    Raises zlib.error for damaged data; what ends too early gives what there was. Who stops reading stops the work.
    """
    unpacker = None
    rest = b""
    for piece in pieces:
        rest += piece
        while len(rest) > 1 or (rest and unpacker is not None):
            if unpacker is None:
                unpacker = zlib.decompressobj(_GZIP if encoding == "gzip" else _window(rest))
            yield unpacker.decompress(rest, _PIECE)
            rest = unpacker.unconsumed_tail
            if unpacker.eof:
                rest = unpacker.unused_data
                if encoding != "gzip" or not GZIP_MAGIC.startswith(rest[:2]):
                    return  # what follows the last member is padding
                unpacker = None
    if unpacker is not None:
        yield unpacker.flush()


def _window(start: bytes) -> int:
    """By deflate HTTP means zlib's format (RFC 9110, 8.4.1.2); some servers send the bare stream inside it instead."""
    return _ZLIB if start[0] & 15 == 8 and int.from_bytes(start[:2], "big") % 31 == 0 else _BARE


def gunzip(content: bytes, limit: int) -> tuple[bytes, bool]:
    """What is in a gzip file, up to ``limit`` bytes, and whether that is all of it. Raises zlib.error."""
    unpacked = bytearray()
    for piece in unpack([content], "gzip"):
        unpacked += piece
        if len(unpacked) > limit:
            return bytes(unpacked[:limit]), False
    return bytes(unpacked), True
