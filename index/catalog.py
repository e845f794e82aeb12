"""Which item gave which article, and what is known of both: the part of the index that tells new from old."""

import sqlite3
from typing import NamedTuple

from index.place import Known

ADDED = "added"
"""The item that stands for articles which came from no place: those of ``Index.add``."""

ARTICLE_KEYS = "id TEXT PRIMARY KEY, content_hash TEXT NOT NULL, copy_key TEXT NOT NULL, address TEXT, fetched TEXT"
SCHEMA = """
CREATE INDEX articles_by_copy_key ON articles (copy_key);
CREATE INDEX articles_by_address ON articles (address) WHERE address IS NOT NULL;
CREATE TABLE items (
    name TEXT PRIMARY KEY, place TEXT NOT NULL, stamp TEXT NOT NULL, digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX items_by_digest ON items (digest) WHERE digest <> '';
-- given: the id that the article has at this item; two items that give the same article may each have another for it.
CREATE TABLE item_articles (
    item TEXT NOT NULL REFERENCES items (name), given TEXT NOT NULL, article_id TEXT NOT NULL REFERENCES articles (id),
    content_hash TEXT NOT NULL, PRIMARY KEY (item, given)
) WITHOUT ROWID;
CREATE INDEX item_articles_by_article ON item_articles (article_id, content_hash);
"""
_LISTED = "CREATE TEMP TABLE IF NOT EXISTS listed (name TEXT PRIMARY KEY) WITHOUT ROWID"


class Keys(NamedTuple):
    """What tells whether an article that is read is this one."""

    id: str
    content_hash: str
    copy_key: str
    address: str | None
    fetched: str | None


class Link(NamedTuple):
    """An article as an item gave it."""

    item: str
    given: str
    article_id: str
    content_hash: str


class Catalog:
    """The tables of ``SCHEMA`` and the keys of the articles, behind a connection that is in a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    # Items

    def known(self, name: str) -> Known | None:
        """What an item was in an earlier run."""
        row = self.connection.execute("SELECT stamp, digest FROM items WHERE name = ?", (name,)).fetchone()
        return Known(*row) if row else None

    def list_item(self, name: str, place: str) -> bool:
        """Note that ``place`` lists the item; False if it is listed already."""
        if not self.connection.execute("INSERT OR IGNORE INTO listed VALUES (?)", (name,)).rowcount:
            return False
        row = self.connection.execute("SELECT place FROM items WHERE name = ?", (name,)).fetchone()
        # Of a folder and one inside it, the outer one: it can tell that the item is gone whenever the inner one can.
        if row and row[0] != place and is_within(row[0], place):
            self.connection.execute("UPDATE items SET place = ? WHERE name = ?", (place, name))
        return True

    def clear_listed(self) -> None:
        """A new run begins: nothing has been listed."""
        self.connection.execute(_LISTED)
        self.connection.execute("DELETE FROM listed")

    def unlisted(self, place: str, within: str) -> list[str]:
        """Items of ``place`` (or of a folder around it) in ``within`` that no place listed."""
        rows = self.connection.execute(
            "SELECT name, place FROM items WHERE (name = ?1 OR (name > ?1 || '/' AND name < ?1 || '0'))"
            " AND name NOT IN (SELECT name FROM listed)",
            (within.rstrip("/"),),
        )
        return [name for name, owner in rows if is_within(place, owner)]

    def set_item(self, name: str, place: str, stamp: str = "", digest: str = "") -> None:
        """Remember what an item is; without a stamp, that it has yet to be read."""
        self.connection.execute(
            "INSERT INTO items VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET stamp = ?3, digest = ?4",
            (name, place, stamp, digest),
        )

    def let_reread(self, name: str) -> None:
        """Let an item be read again whatever it looks like."""
        self.connection.execute("UPDATE items SET stamp = '', digest = '' WHERE name = ?", (name,))

    def forget_item(self, name: str) -> None:
        """Forget an item that gives no article any more."""
        self.connection.execute("DELETE FROM items WHERE name = ?", (name,))

    @property
    def reading(self) -> str | None:
        """The configuration that the items were read with."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = 'reading'").fetchone()
        return row[0] if row else None

    def forget_readings(self, reading: str) -> None:
        """Let every item be read again, with another configuration."""
        self.connection.execute("UPDATE items SET stamp = '', digest = ''")
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES ('reading', ?)", (reading,))

    def like(self, digest: str, name: str) -> str | None:
        """Another item with the same content, of the same kind by its name, that gave articles."""
        ending = name[name.rfind(".") :] if "." in name.rpartition("/")[2] else ""
        row = self.connection.execute(
            "SELECT name FROM items WHERE digest = ?1 AND digest <> '' AND name <> ?2"
            " AND substr(name, -length(?3)) = ?3 AND EXISTS (SELECT 1 FROM item_articles WHERE item = name) LIMIT 1",
            (digest, name, ending),
        ).fetchone()
        return row[0] if row else None

    # What items gave

    def link(self, item: str, given: str) -> Link | None:
        """The article that an item gave under this id."""
        row = self.connection.execute(
            "SELECT item, given, article_id, content_hash FROM item_articles WHERE item = ? AND given = ?",
            (item, given),
        ).fetchone()
        return Link(*row) if row else None

    def links(self, item: str) -> list[Link]:
        """All articles of an item."""
        rows = self.connection.execute(
            "SELECT item, given, article_id, content_hash FROM item_articles WHERE item = ?", (item,)
        )
        return [Link(*row) for row in rows]

    def count_links(self, item: str) -> int:
        """How many articles an item gave."""
        count: int = self.connection.execute("SELECT count(*) FROM item_articles WHERE item = ?", (item,)).fetchone()[0]
        return count

    def places_of(self, article_id: str) -> list[str]:
        """The files and addresses that gave an article."""
        return sorted({link.item for link in self.links_to(article_id)} - {ADDED})

    def links_to(self, article_id: str, *, most: int = -1) -> list[Link]:
        """What gave the article; all of it, or some ``most``."""
        rows = self.connection.execute(
            "SELECT item, given, article_id, content_hash FROM item_articles WHERE article_id = ? LIMIT ?",
            (article_id, most),
        )
        return [Link(*row) for row in rows]

    def is_given(self, article_id: str, content_hash: str) -> bool:
        """Whether an item gave the article with this content."""
        statement = "SELECT 1 FROM item_articles WHERE article_id = ? AND content_hash = ?"
        return self.connection.execute(statement, (article_id, content_hash)).fetchone() is not None

    def set_link(self, link: Link) -> None:
        """Remember what an item gave."""
        self.connection.execute("INSERT OR REPLACE INTO item_articles VALUES (?, ?, ?, ?)", link)

    def copy_links(self, item: str, other: str) -> int:
        """Let ``item`` have given all that ``other`` did; how many articles that are."""
        return self.connection.execute(
            "INSERT INTO item_articles SELECT ?, given, article_id, content_hash FROM item_articles WHERE item = ?",
            (item, other),
        ).rowcount

    def drop_link(self, item: str, given: str) -> None:
        """Forget that an item gave an article."""
        self.connection.execute("DELETE FROM item_articles WHERE item = ? AND given = ?", (item, given))

    # Articles

    def article(self, article_id: str) -> Keys | None:
        """Keys of an article by its id."""
        return self._one("id", article_id)

    def by_address(self, address: str | None) -> Keys | None:
        """The article with this canonical address."""
        return self._one("address", address)

    def by_copy_key(self, key: str) -> Keys | None:
        """The article with these words."""
        return self._one("copy_key", key)

    def mark_stale(self, article_id: str) -> None:
        """Note that no item gives the article as it is any more: whatever version is read next takes its place."""
        self.connection.execute("UPDATE articles SET content_hash = '', fetched = NULL WHERE id = ?", (article_id,))

    def _one(self, column: str, value: str | None) -> Keys | None:
        statement = f"SELECT id, content_hash, copy_key, address, fetched FROM articles WHERE {column} = ? ORDER BY id"
        row = self.connection.execute(statement, (value,)).fetchone()
        return Keys(*row) if row else None


def is_within(name: str, place: str) -> bool:
    """Whether a path is ``place`` or lies below it."""
    return name == place or name.startswith(place.rstrip("/") + "/")
