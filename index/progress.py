"""A progress bar for long work, on standard error, with an estimate of the time it will take."""

import contextlib
import time
from collections.abc import Callable, Iterator

from index.update import Progress

# Seconds. The estimate follows the speed of about so long, or of a fifth of the work so far if that is longer: the
# start, when models are loaded and what an earlier run had encoded is passed over, is soon forgotten.
_SHORTEST_MEMORY = 20.0
_SHARE_REMEMBERED = 0.2


class Estimate:
    """How long the rest takes, from bytes done: files differ in length, and time goes with length."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._marks: list[tuple[float, int]] = []

    def update(self, now: float, done: int) -> None:
        """Note that ``done`` bytes were done at ``now`` (seconds of any clock)."""
        if self._started is None:
            self._started = now
        if not self._marks or done > self._marks[-1][1]:
            self._marks.append((now, done))
        memory = max(_SHORTEST_MEMORY, _SHARE_REMEMBERED * (now - self._started))
        while len(self._marks) > 2 and self._marks[1][0] < now - memory:
            self._marks.pop(0)

    def seconds_left(self, left: int) -> float | None:
        """Seconds for ``left`` more bytes at the present speed; None while it is not known."""
        if not self._marks:
            return None
        (first, done_first), (last, done_last) = self._marks[0], self._marks[-1]
        return left * (last - first) / (done_last - done_first) if done_last > done_first else None


@contextlib.contextmanager
def bar() -> Iterator[Callable[[Progress], None]]:
    """A bar with a rate and the time left; call what it yields with each ``Progress``."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("Indexing"),
        BarColumn(),
        TextColumn("{task.fields[files]} of {task.fields[count]} files, {task.fields[encoded]} passages encoded"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("", total=None, files=0, count=0, encoded=0, left="")
        estimate = Estimate()

        def show(progress: Progress) -> None:
            now = time.perf_counter()
            estimate.update(now, progress.done)
            display.update(
                task,
                completed=progress.done,
                total=progress.size,
                files=progress.files,
                count=progress.total,
                encoded=progress.encoded,
                left=_words(estimate.seconds_left(progress.size - progress.done), progress, display.tasks[0].elapsed),
            )

        yield show


def _words(left: float | None, progress: Progress, elapsed: float | None) -> str:
    rate = f"{progress.encoded / elapsed:.0f} a second" if elapsed and progress.encoded else ""
    if left is None:
        return rate
    minutes, seconds = divmod(round(left), 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{rate}, {clock} left" if rate else f"{clock} left"
