"""Bring the index into line with the articles: add what is new, re-read what changed, drop what is gone."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from index import vectors
from index.article import Article
from index.config import IndexSettings
from index.errors import ArticleError, ModelError
from index.passage import split_article
from index.sources import SUFFIXES, Problem, find_files, read_file
from index.store import Writer

if TYPE_CHECKING:
    from index.encoder import Encoder

# Passages are encoded in lots of this many: enough to sort by length, few enough to lose little at a crash.
_LOT = 256


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
    """How far a run is: files read of all that need it, passages encoded."""

    files: int
    total: int
    encoded: int


class _Run:
    """The changes of one run, in the writer's transaction."""

    def __init__(
        self,
        writer: Writer,
        settings: IndexSettings,
        encoder: "Callable[[], Encoder]",
        show: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.writer = writer
        self.settings = settings
        self._load_encoder = encoder
        self._show = show
        self._loaded: Encoder | None = None
        self._waiting: dict[bytes, str] = {}
        self.added = self.changed = self.removed = self.unchanged = self.passages = self.encoded = 0
        self.problems: list[Problem] = []
        self.files = self.total = 0

    def tell(self) -> None:
        """Say how far the run is."""
        self._show(Progress(self.files, self.total, self.encoded))

    @property
    def encoder(self) -> "Encoder":
        """The encoder, loaded when it is first needed."""
        if self._loaded is None:
            self._loaded = self._load_encoder()
        return self._loaded

    def put(self, article: Article) -> None:
        """Add or replace an article."""
        known = self.writer.content_of(article.id)
        if known == article.content_hash:
            self.unchanged += 1
            return
        passages = split_article(article, characters=self.settings.index.passage_characters)
        if not passages:
            self.problems.append(Problem(article.id, "no sentence in it"))
            return
        hashed = []
        for passage in passages:
            text = f"{article.title}\n{passage.text}"
            digest = hashlib.sha256(text.encode()).digest()
            hashed.append((passage, digest))
            self._waiting[digest] = text
        self.writer.put(article, hashed)
        self.passages += len(passages)
        if known is None:
            self.added += 1
        else:
            self.changed += 1
        if len(self._waiting) >= _LOT:
            self.encode()

    def drop(self, article_id: str) -> bool:
        """Remove an article; False if there is none of this id."""
        was_there = self.writer.remove(article_id)
        self.removed += was_there
        return was_there

    def encode(self) -> None:
        """Encode the passages that wait, unless an earlier run has already."""
        name = self.encoder.fingerprint
        missing = self.writer.missing_vectors(name, list(self._waiting))
        texts = {digest: text for digest, text in self._waiting.items() if digest in missing}
        self._waiting.clear()
        if texts:
            self.writer.put_vectors(name, list(texts), self.encoder.encode_passages(list(texts.values())))
            self.encoded += len(texts)
            self.tell()

    def follow_encoder(self) -> None:
        """If the encoder is not the one that the index was made by, encode every passage with it."""
        setting = _encoder_setting(self.settings)
        if self.writer.meta("encoder_setting") == setting:
            return
        self.writer.set_meta("encoder_setting", setting)
        former = self.writer.meta("encoder")
        if former == self.encoder.fingerprint:
            return
        self.writer.set_meta("encoder", self.encoder.fingerprint)
        if former is None:
            return  # nothing was encoded before this run
        rows = self.writer.connection.execute(
            "SELECT hash, title || char(10) || passages.text FROM passages JOIN articles ON articles.id = article_id"
        )
        for digest, text in rows:
            self._waiting[digest] = text
            if len(self._waiting) >= _LOT:
                self.encode()

    def finish(self, started: float) -> SyncReport:
        """Commit, if anything changed, and say what was done."""
        if self._waiting:
            self.encode()
        if self.added + self.changed + self.removed:
            generation = self.writer.commit()
        else:
            generation = int(self.writer.meta("generation") or 0)
            self.writer.commit_meta()
        vectors.refresh(self.writer)
        return SyncReport(
            added=self.added,
            changed=self.changed,
            removed=self.removed,
            unchanged=self.unchanged,
            passages=self.passages,
            encoded=self.encoded,
            problems=tuple(self.problems),
            seconds=time.perf_counter() - started,
            generation=generation,
        )


def sync(
    *places: str | Path,
    config: str | Path | IndexSettings | None = None,
    progress: bool | Callable[[Progress], None] = False,
    encoder: "Encoder | None" = None,
) -> SyncReport:
    """Index the articles in ``places`` (files or folders; default: those of the configuration).

    Files that were indexed from the same place before and are gone from it are dropped with their articles. An article
    that cannot be read is in the report's ``problems`` and stops nothing. ``progress``: True draws a bar.
    Raises ArticleError if a place does not exist or holds no articles, BusyError, WriteError, ModelError.
    """
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)
    if progress is True:
        from index.progress import bar

        with bar() as show:
            return sync(*places, config=settings, progress=show, encoder=encoder)
    started = time.perf_counter()
    roots = [Path(place).expanduser().absolute() for place in places] or list(settings.index.articles)
    plan = [(root, path) for root in roots for path in _files(root)]
    with Writer(settings.index.path) as writer:
        run = _Run(writer, settings, lambda: encoder or _open_encoder(settings), progress or (lambda _: None))
        run.total = len(plan)
        for root, path in plan:
            _sync_file(run, path, root)
            run.files += 1
            run.tell()
        present = {str(path) for _, path in plan}
        for root in roots:
            for name in sorted(writer.files(str(root)).keys() - present):
                _forget_file(run, name, writer.articles_of(name))
                writer.forget_file(name)
        run.follow_encoder()
        return run.finish(started)


def add(articles: Iterable[Article], *, folder: Path, settings: IndexSettings, encoder: "Encoder") -> SyncReport:
    """Add articles that come from no file."""
    started = time.perf_counter()
    with Writer(folder) as writer:
        run = _Run(writer, settings, lambda: encoder)
        for article in articles:
            run.put(article)
        run.follow_encoder()
        return run.finish(started)


def remove(ids: Iterable[str], *, folder: Path) -> SyncReport:
    """Remove articles by id. The files they came from are left alone and give them again when they change."""
    started = time.perf_counter()

    def no_encoder() -> "Encoder":
        raise ModelError("removing articles needs no encoder")

    with Writer(folder) as writer:
        run = _Run(writer, IndexSettings(), no_encoder)
        for article_id in ids:
            if not run.drop(article_id):
                run.problems.append(Problem(article_id, "no article of this id"))
        return run.finish(started)


def _open_encoder(settings: IndexSettings) -> "Encoder":
    from index.encoder import Encoder

    return Encoder.open(settings.encoder)


def _encoder_setting(settings: IndexSettings) -> str:
    """What decides the vectors, as far as it can be known without loading the encoder."""
    projection = files("index").joinpath("data/fairness.safetensors")
    digest = hashlib.sha256(projection.read_bytes()).hexdigest() if projection.is_file() else "none"
    return f"{settings.encoder.model}|{settings.encoder.language_fair}|{digest}"


def _files(root: Path) -> list[Path]:
    files = find_files(root)
    if not files:
        # An empty folder is more often a disk that is not mounted than a wish to lose all articles.
        raise ArticleError(str(root), f"no articles here ({', '.join(SUFFIXES)}); the index is as it was")
    return files


def _sync_file(run: _Run, path: Path, root: Path) -> None:
    """Read a file if it is new or has changed since it was last read."""
    name = str(path)
    known = run.writer.connection.execute("SELECT size, modified, sha256 FROM files WHERE path = ?", (name,)).fetchone()
    before = run.writer.articles_of(name)
    try:
        stat = path.stat()
        if known and known[:2] == (stat.st_size, stat.st_mtime_ns):
            run.unchanged += len(before)
            return
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        run.problems.append(Problem(name, error.strerror or str(error)))
        return
    state = (stat.st_size, stat.st_mtime_ns, digest)
    if known and known[2] == digest:
        run.unchanged += len(before)
        run.writer.set_file(name, str(root), state, before)
        return
    problems = len(run.problems)
    now = set(_take(run, path, root, before))
    if any(problem.lost for problem in run.problems[problems:]):
        # What could not be read today may be a slip of the editor's: keep what was there, and look again next time.
        now |= before
        state = (-1, 0, "")
    _forget_file(run, name, before - now)
    run.writer.set_file(name, str(root), state, now)


def _take(run: _Run, path: Path, root: Path, before: set[str]) -> Iterator[str]:
    """Put a file's articles into the index; their ids."""
    for item in read_file(path, root=root if root.is_dir() else root.parent):
        if isinstance(item, Problem):
            run.problems.append(item)
            continue
        article = item
        if article.id not in before and (other := run.writer.find_content(article.content_hash)) is not None:
            run.unchanged += 1
            yield other
            continue
        others = run.writer.files_of(article.id) - {str(path)}
        if article.id not in before and others and not article.id.isdigit() and _is_path(article.id, path):
            # The same file name below another folder is another article.
            article = article.model_copy(update={"id": f"{root.name}/{article.id}"})
            if run.writer.files_of(article.id) - {str(path)}:
                article = article.model_copy(update={"id": f"{path}{article.id.partition(path.name)[2]}"})
        run.put(article)
        yield article.id


def _is_path(article_id: str, path: Path) -> bool:
    return path.as_posix().endswith(article_id.partition("#")[0])


def _forget_file(run: _Run, name: str, gone: set[str]) -> None:
    """Drop the articles in ``gone`` that no other file gave as well."""
    for article_id in gone:
        if run.writer.files_of(article_id) <= {name}:
            run.drop(article_id)
