"""Index many articles in one run that is killed once: memory, how right the time left is, what is encoded twice.

    python benchmarks/scale.py [--articles 100000] [--really 2000] [--result FILE]

The articles are files of one passage each, of sentences of the sample articles. Encoding 100,000 passages takes hours,
so a stand-in encodes them, with vectors of the same length made from hashes; everything else is what it always is:
reading, languages, terms, dates, the database, FAISS files. The run is killed at a fifth, and the next one goes on. The
time left is what the progress bar shows. A smaller run (``--really``) has the real encoder. Ten minutes of one core.
"""

import argparse
import hashlib
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
from machine import machine
from sync import made_up, samples

from index.config import IndexConfig, IndexSettings
from index.encoder import Encoder
from index.progress import Estimate
from index.update import Progress, sync

RESULT = Path(__file__).resolve().parent / "results" / "scale.json"
KILLED_AT = 0.2
CHARACTERS = 400
LIMIT = 0.2
"""Of the true time that is left, so much may the time that is shown be wrong."""


class StandIn:
    """Vectors from hashes; writes down what it encodes."""

    fingerprint = "stand-in/1"

    def __init__(self, log: Path) -> None:
        self.log = log

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Vectors [texts, 384] of unit length."""
        digests = [hashlib.sha256(text.encode()).digest() for text in texts]
        rows = np.stack([np.random.default_rng(np.frombuffer(one, np.uint32)).normal(size=384) for one in digests])
        with self.log.open("a", encoding="utf-8") as file:
            file.write("".join(f"{one.hex()}\n" for one in digests))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class Watched:
    """What the bar would show, and the memory, over a run; written to a file as it goes."""

    def __init__(self, file: Path) -> None:
        self.file = file.open("a", encoding="utf-8")
        self.estimate = Estimate()
        self.started = self.last = time.perf_counter()

    def __call__(self, progress: Progress) -> None:
        """Note how things stand, twice a second."""
        now = time.perf_counter()
        self.estimate.update(now, progress.done)
        if now < self.last + 0.5 and progress.files < progress.total:
            return
        self.last = now
        left = self.estimate.seconds_left(progress.size - progress.done) or 0.0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.file.write(json.dumps([now - self.started, left, progress.files, progress.total, peak]) + "\n")
        self.file.flush()


def write_articles(folder: Path, count: int) -> None:
    """``count`` files of one passage each, a thousand to a folder."""
    for number, article in enumerate(islice(made_up(samples(), 0), count)):
        place = folder / f"{number // 1000:03}"
        place.mkdir(parents=True, exist_ok=True)
        fields = {
            "title": article.title,
            "text": article.text[:CHARACTERS],
            "language": article.language,
            "published": "2024-05-01",
        }
        (place / f"{number % 1000:03}.json").write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")


def work(home: Path, *, real: bool) -> None:
    """One run, in a process of its own."""
    settings = IndexSettings(index=IndexConfig(path=home / "index"))
    encoder = Encoder.open() if real else cast("Encoder", StandIn(home / "encoded"))
    report = sync(home / "news", config=settings, encoder=encoder, progress=Watched(home / "seen"))
    print(report.model_dump_json())


def run(home: Path, *, real: bool, kill_at: float | None = None) -> tuple[dict[str, Any], list[list[float]]]:
    """Its report, empty if it was killed, and what was seen of it."""
    seen = home / "seen"
    seen.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--home", str(home), *(["--real"] if real else [])]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "2"})
    while kill_at is not None and child.poll() is None:
        time.sleep(0.2)
        last = rows_of(seen)[-1:]
        if last and last[0][2] >= kill_at * last[0][3]:
            child.send_signal(signal.SIGKILL)
    output = child.communicate()[0]
    if child.returncode and kill_at is None:
        sys.exit("the run failed")
    return json.loads(output or "{}"), rows_of(seen)


def rows_of(seen: Path) -> list[list[float]]:
    """What has been written down, but for a last line that is not whole."""
    if not seen.exists():
        return []
    return [json.loads(line) for line in seen.read_text(encoding="utf-8").split("\n")[:-1]]


def errors(rows: list[list[float]]) -> dict[str, float]:
    """How wrong the time left was, and the whole time that follows from it, from a tenth to nine tenths of the run."""
    end = rows[-1][0]
    shown = [(at, left) for at, left, *_ in rows if 0.1 <= at / end <= 0.9]
    if not shown:
        sys.exit("the run was too short to judge the time left by; take more articles")
    of_the_rest = [abs(left - (end - at)) / (end - at) for at, left in shown]
    of_the_whole = [abs(at + left - end) / end for at, left in shown]
    return {
        "median_error_of_the_time_left": round(statistics.median(of_the_rest), 3),
        "share_of_the_run_with_it_within_20_percent": round(sum(one <= LIMIT for one in of_the_rest) / len(shown), 3),
        "median_error_of_the_whole_time": round(statistics.median(of_the_whole), 3),
        "worst_error_of_the_whole_time": round(max(of_the_whole), 3),
    }


def memory(rows: list[list[float]], steps: int = 10) -> dict[str, int]:
    """Peak memory in MB by the number of articles done."""
    found: dict[str, int] = {}
    for step in range(1, steps + 1):
        done = [row for row in rows if row[2] <= rows[-1][3] * step / steps]
        if done:
            found[str(int(rows[-1][3] * step / steps))] = round(done[-1][4])
    return found


def measure(articles: int, really: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_articles(home / "news", articles)
        _, first = run(home, real=False, kill_at=KILLED_AT)
        (home / "encoded").touch()  # it may have been killed before the first lot
        before = (home / "encoded").read_text(encoding="utf-8").split()
        report, second = run(home, real=False)
        encoded = (home / "encoded").read_text(encoding="utf-8").split()
        figures: dict[str, Any] = {
            "articles": articles,
            "killed_after_articles": int(first[-1][2]),
            "encoded_before_the_kill": len(before),
            "encoded_after_it": len(encoded) - len(before),
            "encoded_twice": len(encoded) - len(set(encoded)),
            "articles_after_it": report["added"] + report["unchanged"],
            "seconds": round(first[-1][0] + second[-1][0]),
            "articles_per_second": round((report["added"] + report["changed"]) / report["seconds"]),
            "peak_megabytes": max(round(rows[-1][4]) for rows in (first, second)),
            "peak_megabytes_by_articles_done": memory(second),
            **errors(second),
        }
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_articles(home / "news", really)
        report, rows = run(home, real=True)
        real = {
            "articles": really,
            "seconds": round(report["seconds"]),
            "passages_per_second": round(report["encoded"] / report["seconds"], 1),
            "peak_megabytes": round(rows[-1][4]),
            **errors(rows),
        }
    return {"with_a_stand_in_for_the_encoder": figures, "with_the_real_encoder": real}


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--really", type=int, default=2000, help="articles for the run with the real encoder")
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--real", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.home:
        work(options.home, real=options.real)
        return
    figures = measure(options.articles, options.really)
    print(json.dumps(figures, indent=2))
    command = f"python benchmarks/scale.py --articles {options.articles} --really {options.really}"
    result = {"command": command, "machine": machine(), **figures}
    options.result.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
