"""Compare what places give with what the index holds, article by article, and have the difference carried out.

An article is known again by the item that gave it and the id it has there, by its address on the web, and by its
words: so it stays itself when it is edited or its file is renamed, and copies of it in other places are places of it
and no articles of their own. An article is gone when the last of its places is.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Protocol

from index.article import Article
from index.catalog import ADDED, Catalog, Keys, Link
from index.config import SourcesConfig
from index.errors import ArticleError
from index.identity import canonical_address, copy_key
from index.place import Item, Place
from index.sources import Problem

# Under this and its id, an item keeps an article that has lost its place in it until the item is read to its end.
_FORMERLY = "\x1fformerly "

Listings = Sequence[tuple[Place, Iterable[Item | Problem]]]
"""Places with their items, as far as they have been listed."""


class Changes(Protocol):
    """What carries out a difference, or only notes it."""

    def put(self, article: Article, keys: Keys, item: str, *, known: bool) -> bool:
        """Add the article, or (``known``) replace the one of its id; False if there is nothing to index in it."""

    def drop(self, article_id: str) -> None:
        """Remove an article."""


class Reconciler:
    """Walks through items; see the module.

    Attributes:
        same: articles that were met and needed no change, copies among them.
        problems: what could not be read.
        upset: items that have to be read again, because an article that they gave has become another one.
    """

    def __init__(self, catalog: Catalog, changes: Changes) -> None:
        self.catalog = catalog
        self.changes = changes
        self.same = 0
        self.problems: list[Problem] = []
        self.upset: set[str] = set()

    def follow(self, sources: SourcesConfig) -> None:
        """Let everything be read again if articles were read in another way before."""
        reading = sources.model_dump_json()
        if self.catalog.reading != reading:
            self.catalog.forget_readings(reading)

    def look(self, place: Place, listing: Iterable[Item | Problem]) -> tuple[list[Item], bool]:
        """Those of a place's items that have to be read, and whether all could be listed."""
        items = []
        complete = True
        for item in listing:
            if isinstance(item, Problem):
                self.problems.append(item)
                complete = complete and not item.lost
            elif self.catalog.list_item(item.name, place.name):
                known = self.catalog.known(item.name)
                if known and item.stamp and known.stamp == item.stamp:
                    self.same += self.catalog.count_links(item.name)
                else:
                    items.append(item)
        return items, complete

    def read(self, item: Item, place: Place) -> None:
        """Take an item's articles into the index, and drop those that it gave before and gives no more."""
        known = self.catalog.known(item.name)
        try:
            digest = item.digest()
        except ArticleError as error:
            self.problems.append(Problem(error.where, error.reason))
            return
        if digest and known and known.digest == digest:
            self.same += self.catalog.count_links(item.name)
        elif digest and not self.catalog.count_links(item.name) and (other := self.catalog.like(digest, item.name)):
            self.catalog.set_item(item.name, place.name)
            self.same += self.catalog.copy_links(item.name, other)
        elif not self._read(item, place):
            return  # without a stamp and a digest: the next run reads it again
        self.catalog.set_item(item.name, place.name, item.lasting_stamp(), digest)

    def _read(self, item: Item, place: Place) -> bool:
        """Whether the item could be read to its end and nothing in it was lost."""
        self.catalog.set_item(item.name, place.name)
        seen: set[str] = set()
        whole = True
        try:
            for found in item.read():
                if isinstance(found, Problem):
                    self.problems.append(found)
                    whole = whole and not found.lost
                else:
                    whole = self._take(item.name, found, seen, place.name) and whole
        except ArticleError as error:
            self.problems.append(Problem(error.where, error.reason))
            return False
        if whole:
            # What could not be read today may be a slip of the editor's: then what was there stays.
            self._unlink(link for link in self.catalog.links(item.name) if link.given not in seen)
        return whole

    def drop_gone(self, place: Place) -> None:
        """Forget the items that have gone from a place, and the articles that no other item gave."""
        for scope in place.scope:
            for name in self.catalog.unlisted(place.name, scope):
                self._unlink(self.catalog.links(name))
                self.catalog.forget_item(name)

    def add(self, article: Article, *, named: bool, seen: set[str]) -> None:
        """Add an article that comes from no place; ``seen`` are the ids given in the same run.

        One that has its own id (``named``) is the article of that id; another is known again like those of places.
        """
        if self.catalog.known(ADDED) is None:
            self.catalog.set_item(ADDED, ADDED)
        if named:
            self._set(ADDED, article.id, article, keys_of(article, article.id), self.catalog.article(article.id))
        else:
            self._take(ADDED, article, seen, ADDED)

    def _take(self, item: str, article: Article, seen: set[str], place: str) -> bool:
        given = article.id
        if given in seen:  # an item that states the same id twice means two articles all the same
            given = f"{given} ({_short_hash(copy_key(article))})"
        seen.add(given)
        keys = keys_of(article, given)
        link = self.catalog.link(item, given) or self._renamed(item, given)
        former = self.catalog.article(link.article_id) if link else None
        if link and former and link.content_hash == keys.content_hash == former.content_hash:
            self.same += 1
            self.catalog.set_link(link._replace(given=given))
            return True
        twin = self._twin(item, keys, former, seen)
        if twin is None and former is not None and self._may_become(former, link, given, seen):
            twin = former
        elif twin is not None and not self._is_newer(keys, twin, link):
            self.same += 1
            self.catalog.set_link(Link(item, given, twin.id, keys.content_hash))
            self._move_on(link, twin.id)
            return True
        article_id = twin.id if twin else self._free_id(given, item, place)
        if not self._set(item, given, article.model_copy(update={"id": article_id}), keys, twin):
            return False
        self._move_on(link, article_id)
        return True

    def _renamed(self, item: str, given: str) -> Link | None:
        """The only article of a file that was read from a folder around the present one, or inside it."""
        links = self.catalog.links(item)
        is_one_file = len(links) == 1 and item.endswith(given) and item.endswith(links[0].given)
        return links[0] if is_one_file else None

    def _twin(self, item: str, keys: Keys, former: Keys | None, seen: set[str]) -> Keys | None:
        """The article in the index that has the same address or the same words."""
        if former is not None and keys.address and former.address == keys.address:
            return former
        twin = self.catalog.by_address(keys.address)
        if (
            twin is not None
            and twin.copy_key != keys.copy_key
            and _moment(twin.fetched) == _moment(keys.fetched)
            and any(link.given in seen for link in self.catalog.links_to(twin.id) if link.item == item)
        ):
            twin = None  # other words at the same moment: the address is not the article's alone
        if twin is None and former is not None and former.copy_key == keys.copy_key:
            return former
        return twin or self.catalog.by_copy_key(keys.copy_key)

    def _may_become(self, former: Keys, link: Link | None, given: str, seen: set[str]) -> bool:
        """Whether an article that has been edited at one of its places stays the same article.

        It does at the place that it is named after, and the other places are read again; elsewhere it is a new one.
        One that an earlier entry of the same item has given is that entry's: the two have changed places.
        """
        if former.id != given:
            return all(other[:2] == (link and link[:2]) for other in self.catalog.links_to(former.id, most=2))
        others = [other for other in self.catalog.links_to(former.id) if other[:2] != (link and link[:2])]
        if link and any(other.item == link.item and other.given in seen for other in others):
            return False
        self._upset({other.item for other in others})
        return True

    def _is_newer(self, keys: Keys, twin: Keys, link: Link | None) -> bool:
        """Whether what was read shall take the place of the article that it was found to be."""
        if keys.content_hash == twin.content_hash:
            return False
        if not twin.content_hash or (link and link.article_id == twin.id and link.content_hash == twin.content_hash):
            return True
        if keys.copy_key == twin.copy_key:
            return keys.id == twin.id
        return _moment(keys.fetched) >= _moment(twin.fetched)

    def _set(self, item: str, given: str, article: Article, keys: Keys, former: Keys | None) -> bool:
        if former is not None and former.content_hash == keys.content_hash:
            self.same += 1
        elif not self.changes.put(article, keys._replace(id=article.id), item, known=former is not None):
            self.problems.append(Problem(item if item != ADDED else article.id, "no sentence in it"))
            return False
        self.catalog.set_link(Link(item, given, article.id, keys.content_hash))
        return True

    def _unlink(self, links: Iterable[Link]) -> None:
        for link in links:
            self.catalog.drop_link(link.item, link.given)
            self._leave(link, "")

    def _move_on(self, link: Link | None, now: str) -> None:
        """An item gives the article ``now`` where it gave that of ``link``, which its later entries may give."""
        if link is None or link.article_id == now:
            return
        if link.item == ADDED:
            self._leave(link, now)
        else:
            self.catalog.set_link(link._replace(given=f"{_FORMERLY}{link.article_id}"))

    def _leave(self, link: Link | None, now: str) -> None:
        """An item gives the article ``now`` where it gave that of ``link``, which is gone if no other item gives it."""
        if link is None or link.article_id == now:
            return
        others = self.catalog.links_to(link.article_id, most=2)
        article = self.catalog.article(link.article_id)
        if not others:
            self.changes.drop(link.article_id)
        elif (
            article
            and article.content_hash in ("", link.content_hash)
            and not self.catalog.is_given(article.id, article.content_hash)
            and (places := [other.item for other in others if other.item != ADDED])
        ):
            self.catalog.mark_stale(link.article_id)
            self._upset(places[:1])

    def _upset(self, items: Iterable[str]) -> None:
        for name in items:
            self.catalog.let_reread(name)
            self.upset.add(name)

    def _free_id(self, given: str, item: str, place: str) -> str:
        """The id itself, or one made of it if another article has it."""
        names = [given]
        if item.endswith(given.partition("#")[0].partition("!")[0]):
            names.append(f"{PurePath(place).name}/{given}")  # the same file name below another folder
        names.append(f"{given} ({_short_hash(item + given)})")
        return next((name for name in names if self.catalog.article(name) is None), names[-1])


def reconcile(
    reconciler: Reconciler, listings: Listings, announce: Callable[[list[Item]], None] = lambda _: None
) -> Iterator[tuple[Place, Item]]:
    """Every item that has to be read, for the caller to read; what is gone is dropped after them.

    ``announce`` gets all items of the first round before they are read. A second round, of what the first has made
    necessary to read again, is short and rare. Raises what a place raises that cannot be listed.
    """
    reconciler.catalog.clear_listed()
    work = [(place, *reconciler.look(place, listing)) for place, listing in listings]
    announce([item for _, items, _ in work for item in items])
    for place, items, _ in work:
        yield from ((place, item) for item in items)
    for place, _, complete in work:
        if complete:
            reconciler.drop_gone(place)
    names = frozenset(reconciler.upset)
    for place in (place for place, _ in listings if names and place.scope):
        for item in place.items(reconciler.catalog.known):
            if not isinstance(item, Problem) and item.name in names:
                reconciler.same -= reconciler.catalog.count_links(item.name)
                yield place, item


def keys_of(article: Article, given: str) -> Keys:
    """What the article is known again by; ``given`` is its id."""
    fetched = article.fetched.isoformat() if article.fetched else None
    return Keys(given, article.content_hash, copy_key(article), canonical_address(article.url), fetched)


def _moment(fetched: str | None) -> datetime:
    moment = datetime.fromisoformat(fetched) if fetched else datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
