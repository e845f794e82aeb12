"""What lies where: folders of shards, and the record of the generation that is searched."""

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from index.errors import DamagedError, NoIndexError, StoreError
from index.store import ARTICLES_FILE, sync_folder, writing

Half = Literal["a", "b"]
_RECORD = "published.json"


ORIGIN = "origin"
"""Under which an index and its shards keep what identifies the index as long as it is not made anew."""


class At(NamedTuple):
    """A generation of an index, and the half of each shard that holds it."""

    generation: int
    half: Half
    origin: str


class Published(BaseModel):
    """What is searched: so many shards of a generation of the index that ``origin`` identifies."""

    model_config = ConfigDict(frozen=True)

    shards: int
    generation: int
    half: Half
    origin: str

    @property
    def at(self) -> At:
        """Where in the shards."""
        return At(self.generation, self.half, self.origin)


def shard_of(article_id: str, shards: int) -> int:
    """The shard of an article, from 0 on, everywhere and for ever the same."""
    return int.from_bytes(hashlib.blake2b(article_id.encode(), digest_size=8).digest()) % shards


def folder_of(root: Path, shard: int, shards: int, half: Half) -> Path:
    """The index folder of one half of a shard."""
    return root / f"{shard + 1}-of-{shards}" / half


def name_of(shard: int, shards: int) -> str:
    """What a shard is called in messages."""
    return f"shard {shard + 1} of {shards}"


def other_half(half: Half) -> Half:
    """The half that is free while the other is searched."""
    first, second = get_args(Half)
    found: Half = second if half == first else first
    return found


def read_published(root: Path) -> Published | None:
    """What is searched; None if nothing has been published yet. Raises DamagedError."""
    try:
        info = (root / _RECORD).stat()
    except OSError:
        return None
    return _read(root / _RECORD, info.st_mtime_ns, info.st_ino)


@cache
def _read(path: Path, changed: int, file: int) -> Published:  # noqa: ARG001 -- a record that is replaced is another file
    try:
        return Published.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise DamagedError(f"{path}: damaged; remove it, and the shards are made again") from None


def require_published(root: Path) -> Published:
    """What is searched, if all of it is there. Raises NoIndexError, DamagedError, StoreError naming what is missing."""
    record = read_published(root)
    if record is None:
        raise NoIndexError(f"{root}: there are no shards here yet; `kabar serve --ray` makes them")
    for shard in range(record.shards):
        require(root, shard, record)
    return record


def require(root: Path, shard: int, record: Published) -> None:
    """Raise StoreError if a shard is missing."""
    folder = folder_of(root, shard, record.shards, record.half)
    if not (folder / ARTICLES_FILE).is_file():
        raise StoreError(
            f"{name_of(shard, record.shards)} is missing: no index in {folder}; bring it back, or remove "
            f"{root / _RECORD} and start again to have all shards made anew"
        )


def publish(root: Path, record: Published) -> None:
    """Let searches that begin from now on read this generation. Raises WriteError."""
    temporary = root / f"{_RECORD}.tmp"
    with writing(root):
        with temporary.open("w", encoding="utf-8") as file:
            file.write(record.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(root / _RECORD)
        sync_folder(root)
