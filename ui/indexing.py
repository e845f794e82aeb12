"""What ``kabar index`` prints: its report, the plan of a run, and the lines of ``--watch`` and ``--every``."""

import os
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from index.config import IndexSettings
from index.errors import KabarError

if TYPE_CHECKING:
    from index.merge import PartsReport
    from index.update import SyncReport


def let_others_go_first() -> None:
    """Let questions that are asked meanwhile not wait for this process and what it starts.

    On an idle machine this costs nothing. Under Linux it does not interrupt what runs either: where a Ray worker has
    every core, Ray's own processes would, hundreds of times a second.
    """
    if hasattr(os, "nice"):
        os.nice(5)
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def print_plan(places: Sequence[str | Path], settings: IndexSettings, *, as_json: bool) -> None:
    """Say what a run would do: a line for every article that it would add, replace or remove."""
    from index.planning import plan

    planned = plan(*places, config=settings)
    if as_json:
        sys.stdout.write(planned.model_dump_json(indent=2) + "\n")
        return
    for problem in planned.problems:
        sys.stderr.write(problem.line + "\n")
    for name in ("new", "changed", "gone"):
        for article in getattr(planned, name):
            sys.stdout.write(f"{name:<7}  {article.id}  {article.title}\n")
    counts = (
        f"{len(planned.new)} new, {len(planned.changed)} changed, {len(planned.gone)} gone, {planned.same} the same"
    )
    sys.stdout.write(f"{counts}; nothing was done\n")


def check_options(
    *,
    ray: str | None,
    to_parts: Path | None,
    from_parts: Sequence[Path] | None,
    places: Sequence[str] | None,
    once: bool,
) -> None:
    """Raises KabarError if options do not go together, or if what they need is not installed."""
    if not once and (ray or to_parts or from_parts):
        raise KabarError("--ray, --to-parts and --from-parts do one run; leave out --dry-run, --watch and --every")
    if from_parts and (ray or to_parts or places):
        raise KabarError("--from-parts takes parts that are made; leave out places, --ray and --to-parts")
    if (to_parts or from_parts or ray) and find_spec("pyarrow") is None:
        raise KabarError('parts need Apache Arrow, which is not installed; install it with `pip install "kabar[ray]"`')


def run(
    places: Sequence[str | Path], settings: IndexSettings, *, ray: str | None, from_parts: Sequence[Path]
) -> "SyncReport":
    """Index places, on a Ray cluster or here, or take in parts."""
    from index.progress import bar

    with ExitStack() as stack:
        show = stack.enter_context(bar()) if sys.stderr.isatty() else lambda _: None
        if from_parts:
            from index.merge import merge_parts

            return merge_parts(from_parts, config=settings, progress=show)
        from index.update import sync

        if ray is None:
            return sync(*places, config=settings, progress=show)
        from index.ray_session import connect

        stack.enter_context(connect(ray))
        from index.ray_indexing import ahead_on_ray

        return sync(*places, config=settings, progress=show, ahead=ahead_on_ray(settings))


def make_parts(
    places: Sequence[str | Path], settings: IndexSettings, folder: Path, *, ray: str | None
) -> "PartsReport":
    """Make parts of places in ``folder``, on a Ray cluster or here; problems go to standard error."""
    from index import merge

    with ExitStack() as stack:
        read_files = None
        if ray is not None:
            from index.ray_session import connect

            stack.enter_context(connect(ray))
            from index.ray_indexing import parts_on_ray

            read_files = parts_on_ray(settings)
        report = merge.make_parts(*places, folder=folder, config=settings, read_files=read_files)
    for problem in report.problems:
        _warn(problem.line)
    return report


def parts_line(report: "PartsReport") -> str:
    """What was made, in one line."""
    return (
        f"{report.articles} articles of {report.items} files in parts, {report.unchanged} files there already; "
        f"{report.passages} passages encoded in {report.seconds:.1f} s"
    )


def follow(places: Sequence[str | Path], settings: IndexSettings, *, watch: bool, every: str | None) -> None:
    """Keep the index in line with places until SIGINT or SIGTERM: a line for every change, or for every round."""
    from index.watch import stopped_by_signals
    from index.watch import watch as follow_folders

    seconds = None if every is None else seconds_of(every)
    with stopped_by_signals() as stop:
        if watch:
            follow_folders(*places, every=seconds, config=settings, tell=_tell, warn=_warn, stop=stop)
        elif seconds is not None:
            from index.repeat import repeat

            repeat(*places, every=seconds, config=settings, tell=_tell_report, warn=_warn, stop=stop)


def seconds_of(duration: str) -> float:
    """Seconds of "90", "90s", "10m", "2h" or "1d". Raises KabarError if it is none of these, or shorter than one."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)\s*", duration, re.IGNORECASE)
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2].lower()] if match else 0.0
    if not 1 <= seconds <= 31 * 86400:
        raise KabarError(f"--every {duration!r}: write a time between 1s and 31d, as 90s, 10m, 2h or 1d")
    return seconds


def report_line(report: "SyncReport") -> str:
    """What a run did, in one line."""
    lost = sum(problem.lost for problem in report.problems)
    return (
        f"{report.added} added, {report.changed} changed, {report.removed} removed, {report.unchanged} unchanged, "
        f"{lost} not read; {report.encoded} of {report.passages} passages encoded in {report.seconds:.1f} s"
    )


def _tell_report(report: "SyncReport") -> None:
    for problem in report.problems:
        _warn(problem.line)
    _tell(report_line(report))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _warn(line: str) -> None:
    sys.stderr.write(line + "\n")
