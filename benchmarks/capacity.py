"""What many passages need, worked out from what was measured: the tables of docs/capacity.md.

Search is measured at four sizes (search.py). The two largest are both searched approximately, and from them growth is
followed: sizes along a straight line, times as a constant and a part that grows with the number of passages to the
power of 0.75, as the number of vectors does that a search compares. Encoding is measured on one machine (encode.py),
and what a cluster adds by ray_indexing.py and sharded.py. ``tables.py`` writes the tables.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
MILLION = 1_000_000
PLANNED = (10 * MILLION, 100 * MILLION, 1000 * MILLION)
POWER = 0.75
"""Of the number of passages: see index.approximate."""
SHARD = 5 * MILLION
"""Passages of a shard: its search stays below a tenth of a second on one core."""
COPIES = 2  # of each shard that answer
HALVES = 2  # of each shard on the disk: what is searched, and what takes its place
CORES = 16  # of a machine of the plan
HOURS = 8  # in which the first run has to be done
TIMES = {"vectors": "p50", "words": "words_p50", "both": "hybrid_p50", "both, in a month": "a month_p50"}
SIZES = {"memory of a process that searches": "memory_gb", "files of the index": "disk_gb"}
Rows = list[list[str]]


def result(name: str) -> dict[str, Any]:
    """What a benchmark wrote."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


class Slopes:
    """How what a search needs grows, from the two largest indexes that were measured."""

    def __init__(self) -> None:
        self.small, self.large = result("search")["rows"][-2:]

    def growing(self, name: str) -> float:
        """Milliseconds that are to be multiplied by the millions of passages to the power of ``POWER``."""
        small, large = ((row["passages"] / MILLION) ** POWER for row in (self.small, self.large))
        return float(max(0.0, (self.large[name] - self.small[name]) / (large - small)))

    def time(self, name: str, passages: int) -> float:
        """Milliseconds in an index of so many passages."""
        more = (passages / MILLION) ** POWER - (self.large["passages"] / MILLION) ** POWER
        return float(self.large[name] + self.growing(name) * more)

    def a_million(self, name: str) -> float:
        """GB that a million passages more take."""
        return float(
            (self.large[name] - self.small[name]) / (self.large["passages"] - self.small["passages"]) * MILLION
        )

    def size(self, name: str, passages: int) -> float:
        """GB of an index of so many passages."""
        return float(self.large[name] + self.a_million(name) * (passages - self.large["passages"]) / MILLION)


def encoded_a_second() -> tuple[float, int]:
    """Passages a second in the way that is chosen on the measured machine, and its cores."""
    measured = result("encode")
    (chosen,) = (row for row in measured["rows"] if "chosen here" in row["way"])
    return float(chosen["passages_a_second"]), int(measured["machine"]["cores"])


def three(value: float) -> str:
    """To three digits, large numbers whole, with commas."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def growth() -> Rows:
    """What was measured at the two largest sizes, and how it grows."""
    slopes = Slopes()
    small, large = slopes.small, slopes.large
    rows = [["", f"{small['passages']:,} passages", f"{large['passages']:,} passages", "grows"]]
    for label, name in TIMES.items():
        grows = f"by {three(slopes.growing(name))} ms × (millions of passages)^{POWER}"
        rows.append([f"search, {label}, median", f"{three(small[name])} ms", f"{three(large[name])} ms", grows])
    for label, name in SIZES.items():
        grows = f"by {three(slopes.a_million(name))} GB a million passages"
        rows.append([label, f"{three(small[name])} GB", f"{three(large[name])} GB", grows])
    return rows


def a_million_articles() -> Rows:
    """What a million articles cost on the machine that was measured."""
    slopes, each = Slopes(), int(result("search")["passages_an_article"])
    passages = each * MILLION
    rate, cores = encoded_a_second()
    reading = result("scale")["with_a_stand_in_for_the_encoder"]["articles_per_second"]
    hours = passages / rate / 3600
    return [
        ["", "a million articles", "arithmetic"],
        ["passages", f"{passages:,}", f"{each} an article, as in `search.py`"],
        ["encoding", f"{three(hours)} hours on {cores} cores", f"{passages:,} / {three(rate)} a second / 3600"],
        [
            "reading, dates, words, writing",
            f"{three(MILLION / reading / 3600)} hours on one core",
            f"1,000,000 / {reading} a second / 3600 (`scale.py`, articles of a passage each)",
        ],
        [
            "disk",
            f"{three(slopes.a_million('disk_gb') * each)} GB",
            f"{each} × {three(slopes.a_million('disk_gb'))} GB a million passages",
        ],
        [
            "memory of each process that searches",
            f"{three(slopes.size('memory_gb', passages))} GB",
            f"{three(slopes.large['memory_gb'])} + {each - 1} × {three(slopes.a_million('memory_gb'))} GB",
        ],
        [
            "a search, median",
            f"{three(slopes.time('hybrid_p50', passages))} ms on one core",
            f"{three(slopes.large['hybrid_p50'])} + {three(slopes.growing('hybrid_p50'))} × ({each}^{POWER} - 1) ms",
        ],
    ]


def plan() -> Rows:
    """Machines and shards for the planned numbers of passages."""
    slopes = Slopes()
    rate, cores = encoded_a_second()
    speed_up = result("ray_indexing")["scaling"]["speed_up"] / 2
    sharded = result("sharded")
    added = sharded["shards on Ray Serve"]["median_ms"] - sharded["one folder"]["median_ms"]
    of_a_machine = rate / cores * CORES * speed_up
    in_shard = slopes.time("hybrid_p50", SHARD)
    memory = slopes.size("memory_gb", SHARD)

    def column(passages: int) -> list[str]:
        hours = passages / of_a_machine / 3600
        shards = math.ceil(passages / SHARD)
        disk = slopes.size("disk_gb", passages)
        return [
            three(hours),
            three(math.ceil(hours / HOURS)),
            f"{shards:,}",
            f"{COPIES * shards:,}",
            f"{math.ceil(COPIES * shards / CORES):,}",
            three(min(CORES, COPIES * shards) * memory),
            three(disk),
            three(HALVES * disk),
            three(in_shard + added),
            three(COPIES * 1000 / in_shard),
        ]

    lines = {
        "encoding, hours of a machine": (
            f"passages / ({three(rate)} / {cores} × {CORES} × {speed_up:.2f} a second) / 3600"
        ),
        f"machines that encode it in {HOURS} hours": f"the same / {HOURS}",
        "shards": f"passages / {SHARD:,}",
        "copies of shards, a core each": f"{COPIES} × shards",
        "machines that search": f"copies / {CORES} cores",
        "memory of such a machine for it, GB": f"copies on it × {three(memory)} GB",
        "disk of the writer, GB": f"{three(slopes.a_million('disk_gb'))} GB a million passages",
        "disk of the shards, GB": f"{HALVES} × the same: what is searched, and what takes its place",
        "a search, median, ms": f"{three(in_shard)} in a shard + {three(added)} for Ray Serve (`sharded.py`)",
        "searches a second": f"{COPIES} copies × 1000 / {three(in_shard)} ms: every question asks every shard",
    }
    head = ["", *(f"{passages:,} passages" for passages in PLANNED), "arithmetic"]
    figures = zip(*map(column, PLANNED), strict=True)
    rows = zip(lines.items(), figures, strict=True)
    return [head, *([label, *values, how] for (label, how), values in rows)]


TABLES: dict[str, Callable[[], Rows]] = {
    "growth": growth,
    "a_million_articles": a_million_articles,
    "plan": plan,
}
