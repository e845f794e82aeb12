"""Measure how long questions wait while the whole index is made anew beside them.

    python benchmarks/readers.py [--seconds 5] [--articles 60] [--readers 8] [--result FILE]

Readers, each a process with the real encoder on one thread, ask without pause while ``kabar index`` reads and encodes
every article, since all have changed. It is stopped every so many ``--seconds`` for as long: so quiet and busy times
take turns, and what else the machine does falls on both. Readers must not fail, must move to the new index when it is
there, and the 99th percentile of a question's time must be at most three times the quiet one.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import machine

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "readers.json"
LIMIT = 3.0
WARM_UP = 2.0

READER = """
import itertools, json, os, sys, time
from pathlib import Path
from index import open_index
questions = [question["question"] for question in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))]
asked, parent = [], os.getppid()
with open_index() as index:
    index.search(questions[0])
    print("ready", flush=True)
    for question in itertools.cycle(questions):
        if Path(sys.argv[2]).exists() or os.getppid() != parent:
            break
        start = time.time()
        try:
            error = "" if index.search(question) else "nothing was found"
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        asked.append((start, time.time() - start, index.generation, error))
print(json.dumps(asked))
"""


def write_articles(folder: Path, count: int, edition: str) -> None:
    """The sample articles again and again, each line with a number and an edition: no passage is like another."""
    samples = sorted(path for path in (ROOT / "articles").rglob("*.txt"))
    for number in range(count):
        text = samples[number % len(samples)].read_text(encoding="utf-8")
        lines = [f"{line} ({number}{edition})" if line.strip() else line for line in text.split("\n")]
        (folder / f"{number}.txt").write_text("\n".join(lines), encoding="utf-8")


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of all processes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KABAR_", "XDG_"))}
    return {
        **kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "KABAR_CONFIG": str(home / "config.yaml"), **more
    }  # fmt: skip


def percentile(seconds: list[float], share: float) -> float:
    """The value below which ``share`` of ``seconds`` lie."""
    return sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)]


def kabar_index(home: Path) -> "subprocess.Popen[bytes]":
    """``kabar index`` over all articles, on the way."""
    command = [sys.executable, "-m", "ui.cli", "index", str(home / "news")]
    return subprocess.Popen(command, cwd=home, env=environment(home), stdout=subprocess.DEVNULL)


def take_turns(worker: "subprocess.Popen[bytes]", seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Let a process work and stop in turn until it has ended; when it did."""
    times: dict[str, list[tuple[float, float]]] = {"busy": [], "quiet": []}
    while worker.poll() is None:
        begun = time.time()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(seconds)
        times["busy"].append((begun, time.time()))
        if worker.poll() is None:
            worker.send_signal(signal.SIGSTOP)
            begun = time.time()
            time.sleep(seconds)
            times["quiet"].append((begun, time.time()))
            worker.send_signal(signal.SIGCONT)
    return times


def measure(home: Path, readers: int, articles: int, seconds: float) -> dict[str, Any]:
    """Ask during a rebuild and its pauses, then on the rebuilt index; what the readers saw."""
    questions, stop = ROOT / "articles" / "questions.json", home / "stop"
    command = [sys.executable, "-c", READER, str(questions), str(stop)]
    alone = environment(home, OMP_NUM_THREADS="1")
    asking = [subprocess.Popen(command, cwd=home, env=alone, stdout=subprocess.PIPE, text=True) for _ in range(readers)]
    for reader in asking:
        if reader.stdout is None or reader.stdout.readline() != "ready\n":
            sys.exit("a reader did not start")
    time.sleep(WARM_UP)
    write_articles(home / "news", articles, "b")
    worker = kabar_index(home)
    times = take_turns(worker, seconds)
    time.sleep(2 * WARM_UP)
    stop.touch()
    asked = [row for reader in asking for row in json.loads(reader.communicate()[0])]
    return {"asked": asked, **times, "code": worker.returncode}


def figures(seen: dict[str, Any], readers: int) -> dict[str, Any]:
    """The table's row: how long questions took, quietly and beside a rebuild, and what went wrong."""
    asked = seen["asked"]
    quiet, busy = (
        [took for start, took, _, _ in asked if any(begun <= start < end for begun, end in seen[name])]
        for name in ("quiet", "busy")
    )
    newest = max(generation for _, _, generation, _ in asked)
    finished = seen["busy"][-1][1]
    late = [start for start, _, generation, _ in asked if generation < newest and start > finished]
    errors = [error for _, _, _, error in asked if error]
    return {
        "readers": readers,
        "questions_quietly": len(quiet),
        "questions_during_the_rebuild": len(busy),
        "median_quietly": statistics.median(quiet),
        "median_during_the_rebuild": statistics.median(busy),
        "p99_quietly": percentile(quiet, 0.99),
        "p99_during_the_rebuild": percentile(busy, 0.99),
        "ratio_of_p99": percentile(busy, 0.99) / percentile(quiet, 0.99),
        "limit": LIMIT,
        "rebuild_seconds": sum(end - begun for begun, end in seen["busy"]),
        "rebuild_finished": seen["code"] == 0,
        "seconds_until_all_moved": max((start - finished for start in late), default=0.0),
        "errors": sorted(set(errors)),
    }


def main() -> None:
    """Measure, print, and write the result; exit code 1 if a question failed or the limit does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the rebuild goes on, and is stopped")
    parser.add_argument("--articles", type=int, default=60)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "news").mkdir()
        (home / "config.yaml").write_text("index:\n  path: index\n", encoding="utf-8")
        write_articles(home / "news", arguments.articles, "a")
        if kabar_index(home).wait():
            sys.exit("the articles could not be indexed")
        seen = measure(home, arguments.readers, arguments.articles, arguments.seconds)
    row = figures(seen, arguments.readers)
    print(json.dumps(row, indent=2))
    result = {"command": "python benchmarks/readers.py", "machine": machine(), "rows": [row]}
    arguments.result.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if row["errors"] or row["ratio_of_p99"] > LIMIT or not row["rebuild_finished"] else 0)


if __name__ == "__main__":
    main()
