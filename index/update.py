"""Bring the index into line with the articles: add what is new, re-read what changed, drop what is gone."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from index import compaction
from index.article import Article
from index.catalog import Keys
from index.config import IndexSettings
from index.errors import ArticleError, ModelError
from index.folder import Folder
from index.passage import titled
from index.place import Item, Place, each_place, open_place
from index.preparation import prepare
from index.reconcile import Listings, Reconciler, reconcile
from index.sources import Problem
from index.store import Writer
from index.stores import open_store

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.documents import Document

    from index.encoder import Encoder
    from index.read_ahead import ReadAhead

# Passages are encoded in lots of this many: enough to sort by length, few enough to lose little at a crash.
_LOT = 256
# What a long run has done is made searchable so often, and need not be done again if the run is stopped.
_SECONDS = 60.0


class SyncReport(BaseModel):
    """What a run did. Counts are articles, but ``passages`` (of the added and changed) and ``encoded`` (of these)."""

    model_config = ConfigDict(frozen=True)

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    passages: int = 0
    encoded: int = 0
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    generation: int = 0


class Progress(NamedTuple):
    """How far a run is: items (files) done of all that need it, passages encoded, and bytes done of all."""

    files: int
    total: int
    encoded: int
    done: int
    size: int


class Change(NamedTuple):
    """What became of an article; ``item`` is the file or address that it came from, "" if it is removed."""

    kind: Literal["added", "changed", "removed"]
    article_id: str
    title: str
    item: str


def _ignore(_: object) -> None:
    pass


class Run:
    """One run's changes, published whenever it has lasted a while and at its end.

    ``ahead``: what other processes have read and encoded already.
    """

    def __init__(
        self,
        writer: Writer,
        settings: IndexSettings,
        encoder: "Callable[[], Encoder]",
        show: Callable[[Progress], None] = _ignore,
        tell: Callable[[Change], None] = _ignore,
        ahead: "ReadAhead | None" = None,
    ) -> None:
        self.writer = writer
        self.settings = settings
        self.store = open_store(settings)
        self.reconciler = Reconciler(writer.catalog, self)
        self._load_encoder = encoder
        self._show = show
        self._tell = tell
        self._loaded: Encoder | None = None
        self._ahead = ahead
        self._waiting: dict[bytes, str] = {}
        self._made: dict[bytes, np.ndarray] = {}
        self._untold: list[Change] = []
        self._started = self._published = time.perf_counter()
        self._dirty = False
        self._item: Item | None = None
        self.counts = {"added": 0, "changed": 0, "removed": 0}
        self.passages = self.encoded = 0
        self.files = self.total = self.done = self.size = 0

    @property
    def encoder(self) -> "Encoder":
        """The encoder, loaded when it is first needed."""
        if self._loaded is None:
            self._loaded = self._load_encoder()
        return self._loaded

    # What the reconciler asks for

    def put(self, article: Article, keys: Keys, item: str, *, known: bool) -> bool:
        """Add or replace an article; its passages wait to be encoded."""
        if time.perf_counter() - self._published > _SECONDS:
            self._publish()
        passages = self._ahead.prepared(keys.content_hash) if self._ahead else None
        if passages is None:
            passages = prepare(article, characters=self.settings.index.passage_characters)
        if not passages:
            return False
        for passage, digest, _, vector in passages:
            if vector is None:
                self._waiting[digest] = titled(article.title, passage.text)
            else:
                self._made[digest] = vector
        self.writer.put(article, passages, keys)
        self.passages += len(passages)
        self._note("changed" if known else "added", article.id, article.title, item)
        if len(self._waiting) + len(self._made) >= _LOT:
            self._encode()
        return True

    def drop(self, article_id: str) -> None:
        """Remove an article."""
        title = self.writer.title_of(article_id)
        if title is not None:
            self.writer.remove(article_id)
            self._note("removed", article_id, title, "")

    def _note(self, kind: Literal["added", "changed", "removed"], article_id: str, title: str, item: str) -> None:
        self.counts[kind] += 1
        self._untold.append(Change(kind, article_id, title, item))
        self._dirty = True

    # The parts of a run

    def read(self, listings: Listings) -> None:
        """Bring the index into line with places."""
        self.reconciler.follow(self.settings.sources)
        self.follow_encoder()
        for place, item in reconcile(self.reconciler, listings, self._announce):
            self._item = item
            problems = len(self.reconciler.problems)
            self.reconciler.read(self._ahead.item(item) if self._ahead else item, place)
            if len(self.reconciler.problems) > problems and isinstance(place, Folder) and not place.root.exists():
                raise ArticleError(place.name, "it went away while it was read; run `kabar index` when it is back")
            self._item = None
            self.files += 1
            self.done += item.size
            self._say()

    def take(self, item: Item, place: Place) -> None:
        """Bring the index into line with one item."""
        self.reconciler.read(item, place)
        self.files += 1
        self._say()

    def _announce(self, items: Sequence[Item]) -> None:
        self.total = len(items)
        self.size = sum(item.size for item in items)
        self._say()
        if self._ahead:
            self._ahead.begin(items, self.writer)

    def follow_encoder(self) -> None:
        """If the configured encoder may not be the index's, load it and see."""
        setting = _encoder_setting(self.settings)
        if self.writer.meta("encoder_setting") != setting:
            self._adopt(self.encoder)
            self.writer.set_meta("encoder_setting", setting)

    def _adopt(self, encoder: "Encoder") -> None:
        """If the index was made by another encoder, encode every passage with this one."""
        former = self.writer.meta("encoder")
        if former == encoder.fingerprint:
            return
        if former is not None:
            for lot in self.writer.encoded_texts(_LOT):
                self._make_vectors(encoder, lot)
            self._dirty = True
        self.writer.set_meta("encoder", encoder.fingerprint)

    def finish(self) -> SyncReport:
        """Publish what is left, and say what was done."""
        self._publish()
        compaction.tidy(self.writer, self.store)
        self.store.settle(self.writer)
        return SyncReport(
            **self.counts,
            unchanged=self.reconciler.same,
            passages=self.passages,
            encoded=self.encoded,
            problems=tuple(self.reconciler.problems),
            seconds=time.perf_counter() - self._started,
            generation=int(self.writer.meta("generation") or 0),
        )

    def _publish(self) -> None:
        """Make everything so far the next generation; every article in it is whole."""
        self._encode()
        self.store.refresh(self.writer)
        if self._dirty:
            self.writer.commit()
        else:
            self.writer.commit_meta()
        self.store.sweep(self.writer)
        for change in self._untold:
            self._tell(change)
        self._untold.clear()
        self._dirty = False
        self._published = time.perf_counter()

    def _encode(self) -> None:
        """Encode the passages that wait, and keep the vectors that came with others."""
        if self._made:
            fingerprint = self.writer.meta("encoder") or ""
            made, self._made = self._made, {}
            missing = self.writer.missing_vectors(fingerprint, list(made))
            lot = {digest: vector for digest, vector in made.items() if digest in missing}
            self.writer.put_vectors(fingerprint, list(lot), list(lot.values()))
            self.encoded += len(lot)
            self._say()
        if self._waiting:
            self._adopt(self.encoder)
            waiting, self._waiting = list(self._waiting.items()), {}
            for start in range(0, len(waiting), _LOT):
                self._make_vectors(self.encoder, dict(waiting[start : start + _LOT]))

    def _make_vectors(self, encoder: "Encoder", texts: dict[bytes, str]) -> None:
        """Encode texts, by their hashes, unless an earlier run has already."""
        missing = self.writer.missing_vectors(encoder.fingerprint, list(texts))
        lot = {digest: text for digest, text in texts.items() if digest in missing}
        if lot:
            self.writer.put_vectors(encoder.fingerprint, list(lot), encoder.encode_passages(list(lot.values())))
            self.encoded += len(lot)
            self._say()

    def _say(self) -> None:
        within = min(self._item.position(), self._item.size) if self._item else 0
        self._show(Progress(self.files, self.total, self.encoded, self.done + within, self.size))


def sync(
    *places: str | Path | Place | Sequence[str | Path | Place],
    config: str | Path | IndexSettings | None = None,
    progress: bool | Callable[[Progress], None] = False,
    changes: Callable[[Change], None] = _ignore,
    encoder: "Encoder | None" = None,
    ahead: "ReadAhead | None" = None,
) -> SyncReport:
    """Index the articles in ``places``: files, folders, addresses on the web, lists of them; by default the configured.

    Only what is new or has changed is encoded. Files that were indexed from the same place before and are gone from it
    are dropped, with the articles that no other file gave. An article that cannot be read is in the report's
    ``problems`` and stops nothing. A run of more than a minute makes its work searchable as it goes, article by whole
    article; one that is stopped is continued by the next.

    ``progress``: True draws a bar. ``changes`` is told of every article that changed, once it can be found. ``ahead``
    has other processes read and encode what has changed (see ``index.ray_indexing``).
    Raises ArticleError if a place does not exist or holds no articles, BusyError, WriteError, ModelError.
    """
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)
    if progress is True:
        from index.progress import bar

        with bar() as show:
            return sync(*places, config=settings, progress=show, changes=changes, encoder=encoder, ahead=ahead)
    opened = [open_place(place, settings) for place in each_place(places) or settings.index.articles]
    # Asked before the index is opened: a mistyped path leaves no empty index behind.
    listings = [(place, place.items(lambda name: writer.catalog.known(name))) for place in opened]  # noqa: PLW0108
    with Writer(settings.index.path) as writer:
        run = Run(writer, settings, lambda: encoder or _open_encoder(settings), progress or _ignore, changes, ahead)
        run.read(listings)
        return run.finish()


def add(
    articles: "Iterable[Article | Document]", *, folder: Path, settings: IndexSettings, encoder: "Encoder"
) -> SyncReport:
    """Add articles and LangChain documents that come from no file, or replace those of the same id."""
    from index.documents import to_articles

    with Writer(folder) as writer:
        run = Run(writer, settings, lambda: encoder)
        run.follow_encoder()
        seen: set[str] = set()
        for article, named in to_articles(articles, settings.sources):
            if isinstance(article, Problem):
                run.reconciler.problems.append(article)
            else:
                run.reconciler.add(article, named=named, seen=seen)
        return run.finish()


def remove(ids: Iterable[str], *, folder: Path, settings: IndexSettings | None = None) -> SyncReport:
    """Remove articles by id. The files they came from are left alone and give them again when they change."""

    def no_encoder() -> "Encoder":
        raise ModelError("removing articles needs no encoder")

    with Writer(folder) as writer:
        run = Run(writer, settings or IndexSettings(), no_encoder)
        for article_id in ids:
            if writer.catalog.article(article_id) is None:
                run.reconciler.problems.append(Problem(article_id, "no article of this id"))
            run.drop(article_id)
        return run.finish()


def _open_encoder(settings: IndexSettings) -> "Encoder":
    from index.encoder import Encoder

    return Encoder.open(settings.encoder)


def _encoder_setting(settings: IndexSettings) -> str:
    """What decides the vectors, as far as it can be known without loading the encoder."""
    projection = files("index").joinpath("data/fairness.safetensors")
    digest = hashlib.sha256(projection.read_bytes()).hexdigest() if projection.is_file() else "none"
    return f"{settings.encoder.model}|{settings.encoder.language_fair}|{digest}"
