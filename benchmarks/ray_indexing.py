"""Measure indexing on Ray: two workers against one, a core each, and what the cluster costs on one machine.

    python benchmarks/ray_indexing.py [--part scaling] [--part overhead] [--passages 20000]

Articles are made up of the sample articles' sentences; the encoder is the real one. ``scaling``: one worker process,
two, two, and one, each pinned to a core of its own, read and encode, and so on; counted is what they encode while all
of them work. They take many short turns since the speed of a core that others share changes within minutes.
``overhead``: ``kabar index`` by itself and with ``--ray local``, both from start to end with every core, loading
included; each into an index of its own. Writes results/ray_indexing.json, in which a part that is not asked for stays.
At 100 passages a second on two cores, and half of that on one, the default takes about 15 minutes: 10 for ``scaling``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from machine import machine
from sync import made_up, samples

from index.config import EncoderConfig, IndexSettings
from index.encoder import Encoder
from index.folder import File
from index.passage import split_article
from index.place import open_place
from index.ray_indexing import read_on_ray, task_of
from index.ray_session import connect
from ui.indexing import let_others_go_first

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "ray_indexing.json"
NOTES = "KABAR_BENCHMARK_NOTES"
LEAST_SPEED_UP, MOST_OVERHEAD = 1.8, 0.1
TURNS = (1, 2, 2, 1) * 3
"""How many workers work, one time after the other."""


class Noting:
    """The real encoder, on one core; notes when it has encoded how many texts."""

    def __init__(self, config: EncoderConfig) -> None:
        self.notes = Path(os.environ[NOTES])
        core = next(core for core in sorted(os.sched_getaffinity(0)) if self._take(core))
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
        self.encoder = Encoder.open(config)
        self.fingerprint, self.dimension = self.encoder.fingerprint, self.encoder.dimension
        self.encode_passages(["warm up"])

    def _take(self, core: int) -> bool:
        try:
            (self.notes / f"core {core}").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Vectors [texts, dimension]."""
        started = time.time()
        vectors = self.encoder.encode_passages(texts)
        with (self.notes / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([started, time.time(), len(texts)]) + "\n")
        return vectors


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--part", action="append", choices=("scaling", "overhead"))
    parser.add_argument("--passages", type=int, default=20_000)
    asked = parser.parse_args()
    let_others_go_first()  # as `kabar index` does
    result = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    result |= {"command": "python benchmarks/ray_indexing.py", "machine": machine()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        passages = write_articles(folder / "news", asked.passages)
        for part in asked.part or ("scaling", "overhead"):
            result[part] = {"passages": passages, **(scaling if part == "scaling" else overhead)(folder)}
            print(part, json.dumps(result[part], indent=1))
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def write_articles(folder: Path, passages: int) -> int:
    """Made-up articles of at least so many passages; how many they are."""
    folder.mkdir()
    count = 0
    for number, article in enumerate(islice(made_up(samples(), 1), passages)):
        (folder / f"{number:06}.txt").write_text(f"{article.title}\n\n{article.text}\n", encoding="utf-8")
        count += len(split_article(article))
        if count >= passages:
            break
    return count


def scaling(folder: Path) -> dict[str, Any]:
    """Passages a second of one worker and of two, and how many times the one's the two's is."""
    settings = IndexSettings()
    files = [item for item in open_place(folder / "news", settings).items(lambda _: None) if isinstance(item, File)]
    tasks = [task_of(file) for file in files]
    fingerprint = Encoder.open(settings.encoder).fingerprint
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn, workers in enumerate(TURNS):
        notes = folder / f"notes-{turn}"
        notes.mkdir()
        os.environ[NOTES] = str(notes)
        share = tasks[: len(tasks) * workers // len(TURNS)]  # so that all take as long
        with connect("local"):
            for _ in read_on_ray(share, settings, fingerprint, open_encoder=Noting, workers=workers):  # type: ignore[arg-type]
                pass
        rates[workers].append(rate(notes))
        print(f"{workers} at work: {rates[workers][-1]:.1f} passages a second", file=sys.stderr, flush=True)
    one, two = mean(rates[1]), mean(rates[2])
    speed_up = two / one
    return {"one": round(one, 1), "two": round(two, 1), "speed_up": round(speed_up, 2)} | {
        "turns": {workers: [round(value, 1) for value in values] for workers, values in rates.items()},
        "required": LEAST_SPEED_UP,
        "met": speed_up >= LEAST_SPEED_UP,
    }


def rate(notes: Path) -> float:
    """Texts a second, in the time in which every worker was at work; the first call of each warms it up."""
    logs = [[json.loads(line) for line in file.read_text().splitlines()][1:] for file in notes.glob("*.jsonl")]
    if not all(logs):
        raise SystemExit("a worker had nothing to do before it was over: ask for more --passages")
    begin = max(log[0][0] for log in logs)
    end = min(log[-1][1] for log in logs)
    done = sum(
        count * max(0.0, min(stop, end) - max(start, begin)) / (stop - start)
        for log in logs
        for start, stop, count in log
    )
    return float(done / (end - begin))


def overhead(folder: Path) -> dict[str, Any]:
    """Seconds of ``kabar index`` by itself and on Ray, and by what share more the latter takes."""
    seconds = {}
    for name, options in (("plain", []), ("ray", ["--ray", "local"])):
        environment = {**os.environ, "KABAR_INDEX__PATH": str(folder / name), "PYTHONPATH": str(ROOT)}
        started = time.perf_counter()
        command = [sys.executable, "-m", "ui.cli", "index", str(folder / "news"), *options]
        subprocess.run(command, env=environment, cwd=folder, check=True)
        seconds[name] = time.perf_counter() - started
    share = seconds["ray"] / seconds["plain"] - 1
    return {"plain": round(seconds["plain"], 1), "ray": round(seconds["ray"], 1), "overhead": round(share, 3)} | {
        "allowed": MOST_OVERHEAD,
        "met": share <= MOST_OVERHEAD,
    }


if __name__ == "__main__":
    main()
