"""An index whose searches are answered by its shards."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from index.config import IndexSettings
from index.index import Index
from index.sharding.layout import read_published, require_published
from index.sharding.snapshot import ShardedSnapshot, Shards, Totals
from index.view import whole

if TYPE_CHECKING:
    from index.encoder import Encoder


class ShardedIndex(Index):
    """Reads the published generation of ``shards`` in ``root``; what is added goes to the index they are made from.

    Raises NoIndexError if nothing has been published, and what the shards raise.
    """

    def __init__(self, root: Path, shards: Shards, settings: IndexSettings, encoder: "Encoder | None" = None) -> None:
        self.folder = settings.index.path
        self.settings = settings
        self._encoder = encoder
        self._reranker = None
        self._lock = threading.Lock()
        self._root = root
        self._shards = shards
        self._totals = self._count()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[ShardedSnapshot]:
        """The published generation; what reads it may raise SupersededError if it takes very long."""
        record = read_published(self._root)
        totals = self._totals
        if record is not None and record.at != totals.at:
            totals = self._totals = self._count()
        yield ShardedSnapshot(self._shards, totals)

    @whole
    def _count(self) -> Totals:
        at = require_published(self._root).at
        return Totals.of(at, self._shards.ask("facts", at))

    def close(self) -> None:
        """Nothing is open."""
