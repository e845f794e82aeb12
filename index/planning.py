"""What ``sync`` would do, without doing it: everything that may have changed is read, nothing is encoded or written."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from index.article import Article
from index.catalog import ARTICLE_KEYS, SCHEMA, Catalog, Keys
from index.config import IndexSettings
from index.migration import bring_up_to_date
from index.passage import split_article
from index.place import Place, each_place, open_place
from index.reconcile import Reconciler, reconcile
from index.sources import Problem
from index.store import ARTICLES_FILE, exists


class Planned(NamedTuple):
    """An article that is new, changed or gone; ``item`` is the file or address that says so, "" if it is gone."""

    id: str
    title: str
    item: str


class SyncPlan(BaseModel):
    """What a run would do, article by article; ``same`` counts those that would stay, copies among them."""

    model_config = ConfigDict(frozen=True)

    new: tuple[Planned, ...] = ()
    changed: tuple[Planned, ...] = ()
    gone: tuple[Planned, ...] = ()
    same: int = 0
    problems: tuple[Problem, ...] = ()


def plan(
    *places: str | Path | Place | Sequence[str | Path | Place], config: str | Path | IndexSettings | None = None
) -> SyncPlan:
    """What ``sync`` with the same arguments would do now. It can be asked while another process writes.

    Raises ArticleError if a place does not exist or holds no articles, ConfigError, DamagedError.
    """
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)
    opened = [open_place(place, settings) for place in each_place(places) or settings.index.articles]
    with closing(_catalog_of(settings.index.path)) as connection:
        notes = _Notes(connection)
        reconciler = Reconciler(Catalog(connection), notes)
        reconciler.follow(settings.sources)
        for place, item in reconcile(reconciler, [(place, place.items(reconciler.catalog.known)) for place in opened]):
            reconciler.read(item, place)
        return SyncPlan(
            new=tuple(notes.new.values()),
            changed=tuple(notes.changed.values()),
            gone=tuple(notes.gone.values()),
            same=reconciler.same,
            problems=tuple(reconciler.problems),
        )


class _Notes:
    """Notes changes in a catalog that is thrown away."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.new: dict[str, Planned] = {}
        self.changed: dict[str, Planned] = {}
        self.gone: dict[str, Planned] = {}

    def put(self, article: Article, keys: Keys, item: str, *, known: bool) -> bool:
        """Note a new or changed article."""
        if not split_article(article):
            return False
        self.connection.execute(
            "INSERT OR REPLACE INTO articles (title, id, content_hash, copy_key, address, fetched)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (article.title, *keys),
        )
        notes = self.changed if known and article.id not in self.new else self.new
        notes[article.id] = Planned(article.id, article.title, item)
        return True

    def drop(self, article_id: str) -> None:
        """Note an article that is gone."""
        row = self.connection.execute("DELETE FROM articles WHERE id = ? RETURNING title", (article_id,)).fetchone()
        if row and self.new.pop(article_id, None) is None:
            self.changed.pop(article_id, None)
            self.gone[article_id] = Planned(article_id, row[0], "")


def _catalog_of(folder: Path) -> sqlite3.Connection:
    """A copy of the index's catalog in a temporary file, which vanishes with its connection."""
    connection = sqlite3.connect("", uri=True, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute(f"CREATE TABLE articles ({ARTICLE_KEYS}, title TEXT NOT NULL) WITHOUT ROWID")
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    connection.execute("COMMIT")
    connection.executescript(SCHEMA)
    if exists(folder):
        bring_up_to_date(folder)
        address = f"{(folder / ARTICLES_FILE).absolute().as_uri()}?mode=ro"
        connection.execute("ATTACH ? AS disk", (address,))
        connection.execute("BEGIN")
        for table, columns in (
            ("meta", "key, value"),
            ("articles", "id, content_hash, copy_key, address, fetched, title"),
            ("items", "name, place, stamp, digest"),
            ("item_articles", "item, given, article_id, content_hash"),
        ):
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM disk.{table}")
        connection.execute("COMMIT")
        connection.execute("DETACH disk")
    return connection
