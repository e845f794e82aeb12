"""A progress bar for long work, on standard error."""

import contextlib
from collections.abc import Callable, Iterator

from index.update import Progress


@contextlib.contextmanager
def bar() -> Iterator[Callable[[Progress], None]]:
    """A bar with a rate and an estimate; call what it yields with each ``Progress``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files, {task.fields[encoded]} passages encoded"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task("Indexing", total=None, encoded=0)

        def show(progress: Progress) -> None:
            display.update(task, completed=progress.files, total=progress.total, encoded=progress.encoded)

        yield show
