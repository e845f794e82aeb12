"""Measure how fast texts are encoded: every precision of ours, beside sentence-transformers as it comes.

    python benchmarks/encode.py

The passages (about 160 tokens) are cut from the articles and texts of this repository, the weights are the same, and
every way takes its turn in each round, so that what else the machine does falls on all alike. The figures are medians.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from index.config import EncoderConfig
from index.encoder import Encoder
from index.precision import available

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "encode.json"
QUESTION = "when will Blinken arrive?"
RIVAL = "sentence-transformers as it comes (float32, batches of 32)"


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


def main() -> None:
    """Measure, print, and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--passages", type=int, default=128)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--out", type=Path, default=RESULT)
    chosen = arguments.parse_args()
    texts = passages(chosen.passages)
    plain = Encoder.open(EncoderConfig(precision="float32"))
    ours = {name: Encoder.open(EncoderConfig(precision=name)) for name in available()} | {"float32": plain}
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
    for _ in range(chosen.rounds):
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
        }
        print(json.dumps(row), flush=True)
        rows.append(row)
    result = {"command": "python benchmarks/encode.py", "machine": machine(), "rows": rows}
    chosen.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
