"""Shards on Ray Serve against the same index in one folder: whether hits are the same, and what a search takes.

    python benchmarks/sharded.py --files xquad.en.json xquad.de.json ...

The paragraphs of files in SQuAD JSON are articles of one index, made with the configured encoder; their questions are
drawn, the same number from each file, some with filters. Each is searched in the folder and in the shards of a cluster
that is started on this machine; with ``--address``, of one that runs. Writes results/sharded.json.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from machine import machine

from index.article import Article
from index.config import IndexConfig, IndexSettings, RayConfig, Scale
from index.encoder import Encoder
from index.evaluation import read_squad
from index.index import Hit, Index
from index.ray_session import connect
from index.sharding.deployment import follow, run_shards, stop_shards
from index.sharding.index import ShardedIndex
from index.update import add

RESULT = Path(__file__).parent / "results" / "sharded.json"
FILTERS: list[dict[str, Any]] = [{}, {}, {"sources": ["odd"]}, {"languages": ["en", "de", "ar"]}]
"""In turn: half of the questions are asked without any."""


def articles(file: Path) -> Iterator[Article]:
    """The paragraphs of a file."""
    questions = read_squad(file)
    for number, text in enumerate(questions.passages):
        yield Article(
            id=f"{file.stem}/{number}",
            title=file.stem,
            text=text,
            language=questions.language,
            source=("even", "odd")[number % 2],
        )


def drawn(files: list[Path], count: int) -> list[str]:
    """So many questions, the same number from each file."""
    chance = random.Random(8)
    each = [read_squad(file).questions for file in files]
    some = [chance.sample(questions, min(len(questions), -(-count // len(files)))) for questions in each]
    return [question for row in zip(*some, strict=False) for question in row][:count]


def timed(search: Callable[..., list[Hit]], questions: list[str], encoder: Encoder) -> tuple[list[Any], list[float]]:
    """Hits of each question, and seconds; questions are encoded beforehand."""
    vectors = encoder.encode_queries(questions)
    hits, seconds = [], []
    for place, (question, vector) in enumerate(zip(questions, vectors, strict=True)):
        started = time.perf_counter()
        hits.append(search(question, vector=vector, **FILTERS[place % len(FILTERS)]))
        seconds.append(time.perf_counter() - started)
    return hits, seconds


def milliseconds(seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {
        "median_ms": round(1000 * statistics.median(seconds), 2),
        "p95_ms": round(1000 * statistics.quantiles(seconds, n=20)[-1], 2),
    }


def main() -> None:
    """Measure and write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--files", nargs="+", type=Path, required=True, help="files in SQuAD JSON")
    arguments.add_argument("--questions", type=int, default=500)
    arguments.add_argument("--shards", type=int, default=3)
    arguments.add_argument("--replicas", type=int, default=2)
    arguments.add_argument("--address", default="local", help="of a Ray cluster")
    arguments.add_argument("--out", type=Path, default=RESULT)
    chosen = arguments.parse_args()
    encoder = Encoder.open()
    with tempfile.TemporaryDirectory() as folder:
        settings = IndexSettings(
            index=IndexConfig(path=Path(folder) / "index"),
            ray=RayConfig(shards=chosen.shards, search=Scale(replicas=chosen.replicas, cpus=0.1)),
        )
        add(chain(*map(articles, chosen.files)), folder=settings.index.path, settings=settings, encoder=encoder)
        questions = drawn(chosen.files, chosen.questions)
        with connect(chosen.address), Index(settings.index.path, settings, encoder) as whole:
            follow(settings, None)
            sharded = ShardedIndex(settings.shards_folder, run_shards(settings), settings, encoder)
            with whole.snapshot() as snapshot:
                passages = snapshot.count("passages")
            for index in (whole, sharded):
                timed(index.search, questions[:20], encoder)  # both have then opened what they need
            expected, alone = timed(whole.search, questions, encoder)
            found, together = timed(sharded.search, questions, encoder)
            stop_shards(settings)
    one, other = milliseconds(alone), milliseconds(together)
    report = {
        "command": "python benchmarks/sharded.py --files xquad.*.json",
        "machine": machine(),
        "passages": passages,
        "shards": chosen.shards,
        "replicas": chosen.replicas,
        "questions": len(questions),
        "equal": sum(a == b for a, b in zip(found, expected, strict=True)),
        "one folder": one,
        "shards on Ray Serve": other,
        "times the median": round(other["median_ms"] / one["median_ms"], 2),
    }
    chosen.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
