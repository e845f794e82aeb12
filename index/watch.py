"""Follow folders: a file that is written, changed or removed is so in the index a moment later."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from index.config import IndexSettings
from index.errors import ArticleError, KabarError
from index.folder import Folder
from index.place import Place, open_place
from index.update import Change, Progress, SyncReport, sync

if TYPE_CHECKING:
    from index.encoder import Encoder

# Milliseconds. Files that are written together are taken together, if the next follows within the first of these; but
# nobody waits longer than the second.
_STEP, _DEBOUNCE = 100, 1_000
# What could not be done (another process writes, the folder is away) is tried again so often.
_AGAIN = 500


class StoppedError(Exception):
    """Raised where a run tells of its progress, to end it; the index is as it was last made searchable."""


def watch(
    *places: str | Path,
    every: float | None = None,
    config: str | Path | IndexSettings | None = None,
    tell: Callable[[str], None],
    warn: Callable[[str], None],
    stop: threading.Event,
    encoder: "Encoder | None" = None,
) -> None:
    """Bring the index into line with folders (default: those of the configuration) and keep it so until ``stop``.

    Addresses among ``places`` are indexed at the beginning and then ``every`` so many seconds (None: not again).

    ``tell`` gets a line for every article that has changed, once it can be found, ``warn`` one for whatever goes
    wrong; only what goes wrong with the first run is raised: ArticleError, BusyError, ModelError, WriteError.
    """
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)
    if encoder is None:
        from index.encoder import Encoder

        encoder = Encoder.open(settings.encoder)
    opened = [open_place(place, settings) for place in places or settings.index.articles]
    _Watch(settings, encoder, tell, warn, stop).run(opened, every)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; for the main thread."""
    stop = threading.Event()
    former = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


class _Watch:
    def __init__(
        self,
        settings: IndexSettings,
        encoder: "Encoder",
        tell: Callable[[str], None],
        warn: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.settings = settings
        self.encoder = encoder
        self.tell = tell
        self.warn = warn
        self.stop = stop
        self._told = False
        self._distant: list[Place] = []
        self._every: float | None = None
        self._asked = 0.0
        self._last_warning = ""

    def run(self, places: list[Place], every: float | None) -> None:
        self._distant = [place for place in places if not isinstance(place, Folder)]
        self._every = every if self._distant else None
        folders = [place for place in places if isinstance(place, Folder)]
        try:
            try:
                self._sync(places)
            except ArticleError as error:
                if not all(folder.root.is_dir() for folder in folders):
                    raise
                self.warn(str(error))  # an empty folder is there to be filled
            self._asked = time.monotonic()
            while not self.stop.is_set():
                self._follow(folders)
        except StoppedError:
            return

    def _follow(self, folders: list[Folder]) -> None:
        """Do what changes ask for, as long as all folders are there."""
        from watchfiles import watch as changes

        if not all(folder.root.exists() for folder in folders):
            self._try_again(folders)
            self.stop.wait(_AGAIN / 1000)
            return
        pending: set[Path] = set()
        complete = False
        for batch in changes(
            *(folder.root for folder in folders),
            watch_filter=None,
            stop_event=self.stop,
            step=_STEP,
            debounce=_DEBOUNCE,
            rust_timeout=_AGAIN,
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            pending.update(Path(path) for _, path in batch)
            if not all(folder.root.exists() for folder in folders):
                return  # the system watches a folder, not its name: begin anew when it is back
            if self._every is not None and time.monotonic() >= self._asked + self._every:
                self._try_again(self._distant)
                self._asked = time.monotonic()
            if not complete:
                # What was written before the system began to watch has to be looked for.
                complete = self._try_again([folder for folder in folders if not _is_empty(folder.root)])
                if not self._told:
                    self.tell(f"watching {', '.join(folder.name for folder in folders)}")
                self._told = True
            elif pending and self._try_again([part for folder in folders if (part := _part(folder, pending))]):
                pending.clear()

    def _try_again(self, places: Sequence[Place]) -> bool:
        """Whether a run could be made; otherwise the reason is told, once."""
        try:
            self._sync(places)
        except KabarError as error:
            if str(error) != self._last_warning:
                self.warn(str(error))
            self._last_warning = str(error)
            return False
        self._last_warning = ""
        return True

    def _sync(self, places: Sequence[Place]) -> None:
        if not places:
            return
        report = sync(
            *places, config=self.settings, progress=self._check_stop, changes=self._tell_change, encoder=self.encoder
        )
        self._warn_of_problems(report)

    def _check_stop(self, _: Progress) -> None:
        if self.stop.is_set():
            raise StoppedError

    def _tell_change(self, change: Change) -> None:
        self.tell(f"{change.kind} {change.article_id}: {change.title}")

    def _warn_of_problems(self, report: SyncReport) -> None:
        for problem in report.problems:
            self.warn(problem.line)


def _is_empty(place: Path) -> bool:
    return place.is_dir() and not any(place.iterdir())


def _part(folder: Folder, paths: set[Path]) -> Folder | None:
    """The part of a folder that has changed: what is there of it is read, what is not is gone."""
    within = sorted(path for path in paths if path.is_relative_to(folder.root))
    return Folder(folder.root, folder.settings, tuple(within)) if within else None
