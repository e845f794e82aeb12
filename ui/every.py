"""What ``kabar index --every`` prints: a line a round."""

import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.config import IndexSettings
    from index.update import SyncReport

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def interval(text: str) -> float:
    """Seconds of an interval like 30s, 10m, 2h or 1d. Raises ValueError."""
    found = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text.strip(), re.ASCII)
    if found is None:
        raise ValueError(f"{text!r} is no interval like 30s, 10m, 2h or 1d")
    return float(found[1]) * _SECONDS[found[2]]


def keep_indexing(
    places: Sequence[str | Path],
    settings: "IndexSettings",
    *,
    every: float,
    as_json: bool,
    summary: "Callable[[SyncReport], str]",
) -> None:
    """Index places every so many seconds until SIGINT or SIGTERM; a problem is named once, not in every round."""
    from index.repeat import repeat
    from index.watch import stopped_by_signals

    last: set[str] = set()

    def tell(report: "SyncReport") -> None:
        problems = {
            f"{'not read' if problem.lost else 'read with loss'}: {problem.where}: {problem.reason}"
            for problem in report.problems
        }
        for line in sorted(problems - last):
            warn(line)
        last.clear()
        last.update(problems)
        now = datetime.now(tz=UTC).astimezone()
        line = report.model_dump_json() if as_json else f"{now:%Y-%m-%d %H:%M:%S}  {summary(report)}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def warn(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    with stopped_by_signals() as stop:
        repeat(*places, every=every, config=settings, tell=tell, warn=warn, stop=stop)
