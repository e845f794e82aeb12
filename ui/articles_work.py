"""Adding, removing and reading again: one job after the other, in a thread of its own, behind the page's back."""

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from index import added
from index.config import IndexSettings
from index.errors import BusyError, KabarError
from index.progress import Estimate
from index.update import Progress, SyncReport
from index.watch import StoppedError
from ui.logs import request_id

if TYPE_CHECKING:
    from index.encoder import Encoder

Kind = Literal["add", "remove", "rebuild"]
State = Literal["waiting", "running", "done", "failed", "stopped"]

log = logging.getLogger("kabar.ui")

MOST_WAITING = 50
_REMEMBERED = 3
"""Finished jobs that are shown."""
_PATIENCE = 2.0
"""Seconds of reading after which something would have been encoded if that were needed."""
_AGAIN = 1.0
"""Seconds until a job is tried again that found another process writing."""


_NOTHING = Progress(0, 0, 0, 0, 0)


@dataclass
class Job:
    """One thing to do, and what became of it.

    ``names`` are what it is about, for people; ``request`` is the number of the request that asked for it, ``problem``
    says why it failed.
    """

    number: int
    kind: Kind
    names: tuple[str, ...]
    run: Callable[["Job"], SyncReport]
    request: str = ""
    state: State = "waiting"
    busy: bool = False
    stopping: bool = False
    progress: Progress = _NOTHING
    report: SyncReport | None = None
    problem: str = ""
    # Texts are read ahead and encoded a lot at a time, which takes nearly all the time: what is read is done when its
    # lot is.
    _done: int = 0
    _part: float = 0.0
    _encoding: int = 0
    _since: float | None = None
    _moved: float = 0.0
    _estimate: Estimate = field(default_factory=Estimate)

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None if that is not known."""
        if not self.progress.size:
            return None
        return min(1.0, (self._done + (self.progress.done - self._done) * self._part) / self.progress.size)

    @property
    def encoded(self) -> int:
        """Passages encoded."""
        return self.progress.encoded + self._encoding

    @property
    def rate(self) -> float | None:
        """Passages encoded in a second."""
        seconds = time.monotonic() - self._since if self._since is not None else 0.0
        return self.encoded / seconds if self.encoded and seconds else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes, as far as that is known."""
        return None if self.share is None else self._estimate.seconds_left(round(self.progress.size * (1 - self.share)))

    def note(self, progress: Progress) -> None:
        """Note how far the reading is."""
        now = time.monotonic()
        if progress.encoded != self.progress.encoded:
            self._encoding = 0
        self.progress = progress
        if now - self._moved > _PATIENCE:  # nothing of what is read has to be encoded
            self._done, self._moved = progress.done, now
        self._update(now)

    def note_encoded(self, count: int, of: int) -> None:
        """Note how much of a lot is encoded."""
        now = self._moved = time.monotonic()
        if self._since is None:
            self._since = now
        self._encoding, self._part = count, count / of
        if count == of:
            self._done, self._part = self.progress.done, 0.0
        self._update(now)

    def _update(self, now: float) -> None:
        if self.share is not None:
            self._estimate.update(now, round(self.share * self.progress.size))


class Work:
    """The jobs. ``settings`` say where the index is and which places it is made from."""

    def __init__(
        self,
        settings: IndexSettings,
        encoder: "Callable[[], Encoder] | None" = None,
        finished: Callable[[], None] = lambda: None,
    ) -> None:
        """``encoder`` gives the one that is loaded already, and is asked when it is needed (None: one is loaded then).

        ``finished`` is called after each job.
        """
        self.settings = settings
        self.added = added.Added(settings)
        self._load_encoder = encoder or self._open_encoder
        self._finished = finished
        self._jobs: deque[Job] = deque()
        self._past: deque[Job] = deque(maxlen=_REMEMBERED)
        self._change = threading.Condition()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._number = 0

    def add_files(self, files: Sequence[Path]) -> Job:
        """Index files that ``added`` has saved. Raises BusyError, as all of these, if too much waits already."""
        return self._take("add", [path.name for path in files], lambda job: self._sync(job, added.add_files, files))

    def add_address(self, address: str) -> Job:
        """Index what stands at an address that ``added`` has noted."""
        return self._take("add", [address], lambda job: self._sync(job, added.add_address, address))

    def remove(self, titles: dict[str, str]) -> Job:
        """Remove articles, given by id with their titles."""
        return self._take("remove", list(titles.values()), lambda _: added.remove_articles(list(titles), self.settings))

    def rebuild(self) -> Job:
        """Read the configured places again, and what was added by hand."""
        return self._take("rebuild", [], lambda job: self._sync(job, added.read_again))

    def jobs(self) -> list[Job]:
        """What is being done, what waits, and what was done last."""
        with self._change:
            return [*self._jobs, *reversed(self._past)]

    def stop(self, number: int) -> None:
        """Do not do a job, or do not go on with it."""
        with self._change:
            for job in self._jobs:
                job.stopping = job.stopping or job.number == number

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is left to do; whether that is so."""
        with self._change:
            return self._change.wait_for(lambda: not self._jobs, seconds)

    def close(self) -> None:
        """Stop working, soon: what was begun is as safe as after a crash, and the next run goes on with it."""
        self._closing.set()
        with self._change:
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(5)

    def _take(self, kind: Kind, names: Sequence[str], run: Callable[[Job], SyncReport]) -> Job:
        with self._change:
            if len(self._jobs) >= MOST_WAITING:
                raise BusyError(f"{MOST_WAITING} jobs are waiting already; come back when some are done")
            self._number += 1
            job = Job(self._number, kind, tuple(names), run, request_id.get())
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="kabar-articles", daemon=True)
                self._thread.start()
            self._change.notify_all()
        return job

    def _work(self) -> None:
        with contextlib.suppress(AttributeError, OSError):  # where threads have priorities: questions go first
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while not self._closing.is_set():
            with self._change:
                self._change.wait_for(lambda: self._jobs or self._closing.is_set())
                if self._closing.is_set():
                    return
                job = self._jobs[0]
            self._do(job)
            with self._change:
                self._past.append(self._jobs.popleft())
                self._change.notify_all()

    def _do(self, job: Job) -> None:
        job.state = "running"
        request_id.set(job.request)
        try:
            job.report = self._shown(self._try_again_while_busy(job))
            job.state = "done"
        except StoppedError:
            job.state = "stopped"
        except KabarError as error:
            job.state, job.problem = "failed", str(error)
        except Exception:
            log.exception("Request %s failed", job.request)
            job.state = "failed"
        self._finished()

    def _try_again_while_busy(self, job: Job) -> SyncReport:
        while True:
            self._go_on(job)
            try:
                report = job.run(job)
            except BusyError:
                job.busy = True
                self._closing.wait(_AGAIN)
            else:
                return report

    def _shown(self, report: SyncReport) -> SyncReport:
        """The report with files named as people know them."""
        folder = f"{self.added.folder}/"
        problems = (problem._replace(where=problem.where.removeprefix(folder)) for problem in report.problems)
        return report.model_copy(update={"problems": tuple(problems)})

    def _go_on(self, job: Job) -> None:
        if job.stopping or self._closing.is_set():
            raise StoppedError

    def _sync(self, job: Job, run: Callable[..., SyncReport], *what: Any) -> SyncReport:
        def show(progress: Progress) -> None:
            self._go_on(job)
            job.busy = False
            job.note(progress)

        def encoded(count: int, of: int) -> None:
            self._go_on(job)
            job.note_encoded(count, of)

        encoder = cast("Encoder", _Yielding(self._load_encoder, encoded))
        return run(*what, settings=self.settings, encoder=encoder, progress=show)

    def _open_encoder(self) -> "Encoder":
        from index.encoder import Encoder

        return Encoder.open(self.settings.encoder)


class _Yielding:
    """An encoder, loaded when it is needed, that lets a question in after every few passages."""

    def __init__(self, load: "Callable[[], Encoder]", tell: Callable[[int, int], None]) -> None:
        """``tell`` hears how many passages of how many are encoded."""
        self._load = load
        self._tell = tell

    @cached_property
    def _encoder(self) -> "Encoder":
        return self._load()

    @property
    def fingerprint(self) -> str:
        """The encoder's."""
        return self._encoder.fingerprint

    def encode_passages(self, texts: Sequence[str]) -> "np.ndarray[Any, Any]":
        """Vectors [texts, dimension]; texts of like length are encoded together."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        lot = getattr(self._encoder, "batch_size", 8)
        rows = []
        for start in range(0, len(order), lot):
            self._tell(start, len(order))
            rows.append(self._encoder.encode_passages([texts[place] for place in order[start : start + lot]]))
            time.sleep(0.001)  # whoever waits for the encoder takes it now
        self._tell(len(order), len(order))
        return np.concatenate(rows)[np.argsort(order)]
