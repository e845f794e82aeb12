"""From articles to a searchable index."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.article import Article
    from index.encoder import Encoder
    from index.index import Hit, Index
    from index.passage import Passage
    from index.planning import SyncPlan, plan
    from index.update import SyncReport, sync

__all__ = ["Article", "Encoder", "Hit", "Index", "Passage", "SyncPlan", "SyncReport", "open_index", "plan", "sync"]

_HOMES = {
    "Article": "index.article",
    "Encoder": "index.encoder",
    "Hit": "index.index",
    "Index": "index.index",
    "Passage": "index.passage",
    "SyncPlan": "index.planning",
    "SyncReport": "index.update",
    "plan": "index.planning",
    "sync": "index.update",
}


def open_index(path: str | Path | None = None, *, config: str | Path | None = None) -> "Index":
    """Open the index in the folder ``path``, or the one that the configuration names.

    Raises ConfigError, NoIndexError, DamagedError, StoreError.
    """
    from index.config import IndexSettings
    from index.index import Index

    settings = IndexSettings.load(config)
    return Index(Path(path) if path is not None else settings.index.path, settings)


def __getattr__(name: str) -> Any:
    # Loaded when first used: `import index` must not cost the time of the libraries behind it.
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'index' has no attribute '{name}'")
