"""An index that is open: search it, read its articles, add and remove some."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from index.article import Article
from index.config import IndexSettings
from index.duplicates import originals
from index.errors import DamagedError, EncoderMismatchError
from index.fusion import fuse
from index.listing import open_listing
from index.migration import bring_up_to_date
from index.passage import Passage
from index.passage_dates import Days
from index.rerank import DEPTH, NO_MODEL, Reranker
from index.snapshot import Snapshot
from index.store import ARTICLES_FILE, connect
from index.stores import open_store
from index.surroundings import choose_wider, joined
from index.view import View, whole

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.documents import Document

    from index.encoder import Encoder
    from index.retriever import HybridRetriever
    from index.update import SyncReport


class Hit(NamedTuple):
    """A passage that was found. ``similarity`` is the cosine to the question, None if only its words matched.

    ``copies`` are near duplicates of it in other articles, as an agency's story in several newspapers.
    """

    passage: Passage
    article: Article
    score: float
    similarity: float | None
    copies: "tuple[Hit, ...]" = ()


class Index:
    """An open index. Every search sees one whole generation, and the newest: no reopening is needed.

    Safe to use from several threads. The encoder is loaded when it is first needed.
    """

    def __init__(self, folder: Path, settings: IndexSettings, encoder: "Encoder | None" = None) -> None:
        """Open the index in ``folder``, and bring it up to date if an earlier kabar made it.

        Raises NoIndexError, DamagedError, StoreError; BusyError or WriteError if it cannot be brought up to date.
        """
        bring_up_to_date(folder)
        self.folder = folder
        self.settings = settings
        self._store = open_store(settings)
        self._encoder = encoder
        self._reranker: Reranker | None = None
        self._lock = threading.Lock()
        self._watch = connect(folder, ARTICLES_FILE)
        try:
            self._snapshot = self._take()
            self._snapshot.rest()
        except BaseException:
            self._watch.close()
            raise
        self._users = {id(self._snapshot): 0}

    @property
    def encoder(self) -> "Encoder":
        """The configured encoder, loaded at the first use."""
        with self._lock:
            if self._encoder is None:
                from index.encoder import Encoder

                self._encoder = Encoder.open(self.settings.encoder)
        return self._encoder

    @property
    def reranker(self) -> "Reranker | None":
        """The configured CrossEncoder, loaded at the first use; None if none is configured. Raises ModelError."""
        name = self.settings.retriever.rerank
        with self._lock:
            if self._reranker is None and name not in NO_MODEL:
                self._reranker = Reranker.open(name, self.settings.encoder.device)
        return self._reranker

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[View]:
        """The newest generation, unchanged for as long as the context lasts."""
        with self._lock:
            current = self._newest()
            self._users[id(current)] += 1
        try:
            yield current
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        finally:
            with self._lock:
                self._users[id(current)] -= 1
                self._let_go(current)
                if self._users.get(id(current)) == 0:
                    current.rest()

    def _newest(self) -> Snapshot:
        if self._version() != self._seen or not self._snapshot.wake():
            earlier = self._snapshot
            self._snapshot = self._take(earlier)
            self._users[id(self._snapshot)] = 0
            self._let_go(earlier)
        return self._snapshot

    def _take(self, earlier: Snapshot | None = None) -> Snapshot:
        while True:
            self._seen = self._version()
            try:
                return Snapshot(self.folder, earlier, store=self._store)
            except DamagedError:
                # What a generation needs may be swept away as soon as there is a newer one.
                if self._version() == self._seen:
                    raise
            except sqlite3.DatabaseError as error:
                raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.Error) -> DamagedError:
        return DamagedError(f"{self.folder}: the index cannot be read ({error}); run `kabar doctor --repair`")

    def _let_go(self, snapshot: Snapshot) -> None:
        if snapshot is not self._snapshot and self._users.get(id(snapshot)) == 0:
            del self._users[id(snapshot)]
            snapshot.close()

    def _version(self) -> int:
        # Changes whenever another connection has committed; costs microseconds.
        return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    @whole
    def search(  # noqa: PLR0913 -- each filter is one
        self,
        question: str,
        *,
        count: int | None = None,
        published_after: date | None = None,
        published_before: date | None = None,
        sources: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        days: Sequence[Days] | None = None,
        article_ids: Sequence[str] | None = None,
        vector: "np.ndarray[Any, Any] | None" = None,
    ) -> list[Hit]:
        """The passages most likely to answer, best first: nearest in meaning and in words, fused; copies are one hit.

        Filters are exact, dates inclusive; fewer than ``count`` come back when fewer fit. ``days`` chooses articles
        that were published then or speak of then, ``article_ids`` names some. ``vector`` [dimension] is the
        question's, if it is at hand.
        """
        limit = self.settings.retriever.passages if count is None else count
        reranker = self.reranker
        read = limit if reranker is None else DEPTH * limit
        candidates = max(self.settings.retriever.candidates, read)
        if vector is None:
            vector = self.encoder.encode_queries([question])[0]
        with self.snapshot() as snapshot:
            if snapshot.is_empty():
                return []
            if snapshot.encoder != self.encoder.fingerprint:
                raise EncoderMismatchError(
                    f"{self.folder}: the index was made by encoder '{snapshot.encoder}', the configured one is "
                    f"'{self.encoder.fingerprint}'; run `kabar index` to encode it again"
                )
            only = snapshot.choose(published_after, published_before, sources, languages, days, article_ids)
            dense, lexical = snapshot.candidates(question, vector, candidates, only)
            numbers = [number for number, _ in (*dense, *lexical)]
            neighbours = snapshot.neighbours_of(numbers)
            ranked = fuse(
                dense,
                lexical,
                limit=candidates,
                languages=snapshot.languages_of(numbers),
                lexical_weight=self.settings.retriever.lexical_weight,
                likeness=snapshot.likeness,
                neighbours=neighbours,
            )
            passages = snapshot.passages([number for number, _ in ranked])
            stories: dict[int, list[int]] = {}
            for place, original in enumerate(originals([passages[number].text for number, _ in ranked])):
                stories.setdefault(original, []).append(place)
            similarity = dict(dense)
            places = {ranked[each[0]][0]: each for each in stories.values()}
            wider = dict(islice(choose_wider(list(places), neighbours, similarity), read))
            chosen = [places[number] for number in wider]
            wanted = {passages[ranked[place][0]].article_id for places in chosen for place in places}
            beside, found = snapshot.read([other for other in wider.values() if other is not None], list(wanted))
            articles = {article.id: article for article in found}

        def hit(place: int) -> Hit:
            number, score = ranked[place]
            passage = joined(passages[number], beside.get(wider.get(number) or -1))
            return Hit(passage, articles[passage.article_id], score, similarity.get(number))

        hits = [hit(places[0])._replace(copies=_elsewhere(*map(hit, places))) for places in chosen]
        return hits if reranker is None else reranker.order(question, hits)[:limit]

    @whole
    def newest(
        self,
        count: int,
        *,
        published_after: date | None = None,
        published_before: date | None = None,
        sources: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        days: Sequence[Days] | None = None,
    ) -> list[Hit]:
        """The first passages of the newest articles that fit the filters of ``search``, newest first; no similarity."""
        with self.snapshot() as snapshot:
            only = snapshot.choose(published_after, published_before, sources, languages, days)
            numbers = snapshot.openings(count, only)
            passages = snapshot.passages(numbers)
            found = snapshot.articles([passage.article_id for passage in passages.values()])
        articles = {article.id: article for article in found}
        return [Hit(passages[number], articles[passages[number].article_id], 0.0, None) for number in numbers]

    @whole
    def article(self, article_id: str) -> Article | None:
        """One article by its id."""
        with self.snapshot() as snapshot:
            return next(iter(snapshot.articles([article_id])), None)

    get = article

    @whole
    def passages_of(self, article_id: str) -> list[tuple[Passage, set[Days]]]:
        """The passages of an article in their order, each with the days that it speaks of."""
        with self.snapshot() as snapshot:
            return snapshot.passages_of(article_id)

    def places(self, article_id: str) -> list[str]:
        """The files and addresses that gave the article."""
        with open_listing(self.folder) as listing:
            return listing.places(article_id)

    def __iter__(self) -> Iterator[Article]:
        """All articles, newest first, read as they are asked for; what is indexed meanwhile is not among them."""
        with self.snapshot() as snapshot:
            yield from snapshot.each()

    def documents(self) -> "Iterator[Document]":
        """All articles as LangChain documents, newest first."""
        from index.documents import to_document

        return map(to_document, self)

    def __len__(self) -> int:
        """Number of articles."""
        with self.snapshot() as snapshot:
            return snapshot.count("articles")

    @property
    def generation(self) -> int:
        """Number of the newest generation; it grows with every change."""
        with self.snapshot() as snapshot:
            return snapshot.generation

    def add(self, articles: "Iterable[Article | Document]") -> "SyncReport":
        """Add articles, or replace those of the same id; LangChain documents too, as its loaders give them.

        Searched when this returns; what takes longer than a minute is searched bit by bit. Documents that are no
        articles are reported as problems. Raises BusyError, WriteError, ArticleError for what is neither of the two.
        """
        from index.update import add

        return add(articles, folder=self.folder, settings=self.settings, encoder=self.encoder)

    def remove(self, ids: Iterable[str]) -> "SyncReport":
        """Remove articles; unknown ids are reported as problems."""
        from index.update import remove

        return remove(ids, folder=self.folder, settings=self.settings)

    def as_retriever(self, **filters: Any) -> "HybridRetriever":
        """The index as a LangChain retriever; ``filters`` are the keywords of ``search``."""
        from index.retriever import HybridRetriever

        return HybridRetriever(index=self, filters=filters)

    def close(self) -> None:
        """Close the files; the index cannot be used after."""
        with self._lock:
            self._snapshot.close()
            with contextlib.suppress(sqlite3.Error):
                self._watch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _elsewhere(first: Hit, *copies: Hit) -> tuple[Hit, ...]:
    """The copies in other articles, one of each."""
    found = {first.article.id: first}
    for copy in copies:
        found.setdefault(copy.article.id, copy)
    return tuple(found.values())[1:]
