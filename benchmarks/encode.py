"""Measure how fast texts are encoded: every precision of ours, beside sentence-transformers as it comes.

    python benchmarks/encode.py

The passages (about 160 tokens) are cut from the articles and texts of this repository, the weights are the same, and
every way takes its turn in each round, so that what else the machine does falls on all alike. The figures are medians.
The same is measured once more in a process that is kept from bfloat16 and AVX-512, as older processors are. Memory is
the peak of a process of its own for each way.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine, peak_memory

from index.config import EncoderConfig
from index.encoder import Encoder
from index.precision import available

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "encode.json"
QUESTION = "when will Blinken arrive?"
RIVAL = "sentence-transformers as it comes (float32, batches of 32)"
OLDER = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""What keeps torch and oneDNN from newer instructions."""


def passages(count: int) -> list[str]:
    """Stretches of this repository's texts, the same ones each time."""
    files = [*sorted((ROOT / "articles").glob("*.txt")), ROOT / "README.md", ROOT / "training" / "README.md"]
    words = " ".join(file.read_text(encoding="utf-8") for file in files).split()
    chance = random.Random(0)
    lengths = [chance.randint(60, 115) for _ in range(count)]
    starts = [chance.randrange(len(words) - length) for length in lengths]
    return [" ".join(words[start : start + length]) for start, length in zip(starts, lengths, strict=True)]


def seconds(action: Callable[[], Any]) -> float:
    """By the clock."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def encoders() -> dict[str, Encoder]:
    """One in each precision that this process can compute in."""
    return {name: Encoder.open(EncoderConfig(precision=name)) for name in (*available(), "float32")}


def measure(texts: list[str], rounds: int) -> list[dict[str, Any]]:
    """A row for each way."""
    ours = encoders()
    plain = ours["float32"]
    auto = Encoder.open().pipeline.precision  # type: ignore[attr-defined] # the embedded one
    model = plain.model
    passage: dict[str, Callable[[], Any]] = {RIVAL: lambda: model.encode_document(texts, batch_size=32)}
    question: dict[str, Callable[[], Any]] = {RIVAL: lambda: model.encode_query(QUESTION)}
    for precision, encoder in ours.items():
        passage[precision] = lambda encoder=encoder: encoder.encode_passages(texts)  # type: ignore[misc]
        question[precision] = lambda encoder=encoder: encoder.encode_queries([QUESTION])  # type: ignore[misc]
        encoder.encode_passages(texts[:16])
        encoder.encode_queries([QUESTION])
    model.encode_document(texts[:8])
    wanted = plain.encode_passages(texts)
    cosines = {name: (encoder.encode_passages(texts) * wanted).sum(axis=1) for name, encoder in ours.items()}
    taken: dict[str, list[float]] = {name: [] for name in passage}
    asked: dict[str, list[float]] = {name: [] for name in passage}
    for _ in range(rounds):
        for name, encode in passage.items():
            taken[name].append(seconds(encode))
            asked[name] += [seconds(question[name]) for _ in range(10)]
    rows = []
    for name in passage:
        ratios = [rival / own for rival, own in zip(taken[RIVAL], taken[name], strict=True)]
        row: dict[str, Any] = {
            "way": name + ", chosen here" * (name == auto),
            "passages_a_second": len(texts) / statistics.median(taken[name]),
            "times_the_rival": statistics.median(ratios),
            "ms_a_question": 1000 * statistics.median(asked[name]),
            "cosine_with_float32": f"{np.mean(cosines[name]):.5f}" if name in cosines else "",
            "peak_memory,_GB": float(run("--peak", name)),
        }
        print(json.dumps(row), file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def peak(way: str, texts: list[str]) -> float:
    """GB of this process, which encodes in one way alone."""
    if way == RIVAL:
        Encoder.open(EncoderConfig(precision="float32")).model.encode_document(texts, batch_size=32)
    else:
        Encoder.open(EncoderConfig(precision=way)).encode_passages(texts)
    return peak_memory() / 1e9


def run(*arguments: str, **environment: str) -> str:
    """What this script prints in a process of its own."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def main() -> None:
    """Measure, print, and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--passages", type=int, default=128)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--out", type=Path, default=RESULT)
    arguments.add_argument("--print", action="store_true", help="print the rows of this process alone, as JSON")
    arguments.add_argument("--peak", metavar="WAY", help="print the peak memory of one way alone")
    chosen = arguments.parse_args()
    texts = passages(chosen.passages)
    if chosen.peak:
        print(peak(chosen.peak, texts))
        return
    rows = measure(texts, chosen.rounds)
    if chosen.print:
        print(json.dumps(rows))
        return
    sizes = ("--passages", str(chosen.passages), "--rounds", str(chosen.rounds))
    older = json.loads(run("--print", *sizes, **OLDER))
    rows += [{**row, "way": f"{row['way']}, without bfloat16 and AVX-512"} for row in older]
    result = {"command": "python benchmarks/encode.py", "machine": machine(), "rows": rows}
    chosen.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
