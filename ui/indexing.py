"""What ``kabar index`` prints besides its report: the plan of a run, and the lines of ``--watch``."""

import sys
from collections.abc import Sequence
from pathlib import Path

from index.config import IndexSettings


def print_plan(places: Sequence[str | Path], settings: IndexSettings, *, as_json: bool) -> None:
    """Say what a run would do: a line for every article that it would add, replace or remove."""
    from index.planning import plan

    planned = plan(*places, config=settings)
    if as_json:
        sys.stdout.write(planned.model_dump_json(indent=2) + "\n")
        return
    for problem in planned.problems:
        sys.stderr.write(
            f"{'cannot be read' if problem.lost else 'read with loss'}: {problem.where}: {problem.reason}\n"
        )
    for name in ("new", "changed", "gone"):
        for article in getattr(planned, name):
            sys.stdout.write(f"{name:<7}  {article.id}  {article.title}\n")
    counts = (
        f"{len(planned.new)} new, {len(planned.changed)} changed, {len(planned.gone)} gone, {planned.same} the same"
    )
    sys.stdout.write(f"{counts}; nothing was done\n")


def follow(places: Sequence[str | Path], settings: IndexSettings) -> None:
    """Keep the index in line with folders, a line for every change, until SIGINT or SIGTERM."""
    from index.watch import stopped_by_signals, watch

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def warn(line: str) -> None:
        sys.stderr.write(line + "\n")

    with stopped_by_signals() as stop:
        watch(*places, config=settings, tell=tell, warn=warn, stop=stop)
