"""Measure how fast the reader reads: a question over eight passages of 160 tokens, and the memory that it adds.

    python benchmarks/reader.py

The passages are made of the sample articles' sentences, joined in their order until they are long enough; the questions
are those of articles/questions.json, each over eight passages drawn for it. Every precision that this processor has
instructions for takes its turn in each round, and so does float32, the precision of processors without them. Memory is
that of another process, before and after its reader is opened and reads. Writes results/reader.json.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from machine import machine

from index.config import EncoderConfig, Precision
from index.encoder import Encoder
from index.language import identify
from index.precision import available
from index.sentences import sentences
from qa.reader import SpanReader

ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ROOT / "articles"
RESULT = Path(__file__).resolve().parent / "results" / "reader.json"
PASSAGES, TOKENS = 8, 160
MS, MS_IN_FLOAT32, MEGABYTES = 120, 400, 120
"""The limits that the reader is held to."""


def passages(encoder: Encoder) -> list[str]:
    """Stretches of whole sentences of the sample articles, of ``TOKENS`` tokens or a little more."""
    count = encoder.pipeline.tokenizer  # type: ignore[attr-defined] # the embedded one
    found, words, tokens = [], "", 0
    for file in sorted(ARTICLES.glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        for start, end in sentences(text, identify(text)):
            words = f"{words} {text[start:end]}"
            tokens += len(count.encode(text[start:end], add_special_tokens=False).ids)
            if tokens >= TOKENS:
                found.append(words.strip())
                words, tokens = "", 0
    return found


def tasks(encoder: Encoder, rounds: int) -> list[tuple[str, list[str]]]:
    """Questions and what each is asked of, the same ones each time."""
    questions = [one["question"] for one in json.loads((ARTICLES / "questions.json").read_text(encoding="utf-8"))]
    chance, texts = random.Random(0), passages(encoder)
    return [(chance.choice(questions), chance.sample(texts, PASSAGES)) for _ in range(rounds)]


def memory() -> float:
    """MB that opening the reader and reading add, in this process."""
    encoder = Encoder.open()
    work = tasks(encoder, 20)
    encoder.encode_passages([text for _, texts in work for text in texts])
    process = psutil.Process()
    before = process.memory_full_info().uss
    reader = SpanReader.open(encoder)
    for question, texts in work:
        reader.read(question, texts)
    return float(process.memory_full_info().uss - before) / 1e6


def main() -> None:
    """Measure, print, and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=40)
    arguments.add_argument("--out", type=Path, default=RESULT)
    arguments.add_argument("--memory", action="store_true", help="measure memory alone, in this process")
    chosen = arguments.parse_args()
    if chosen.memory:
        print(memory())
        return
    names: list[Precision] = [*available(), "float32"]
    encoders = {name: Encoder.open(EncoderConfig(precision=name)) for name in names}
    readers = {name: SpanReader.open(encoder) for name, encoder in encoders.items()}
    auto = Encoder.open().pipeline.precision  # type: ignore[attr-defined] # the embedded one
    taken: dict[str, list[float]] = {name: [] for name in readers}
    for number, (question, texts) in enumerate(tasks(encoders["float32"], chosen.rounds + 1)):
        for name, reader in readers.items():
            start = time.perf_counter()
            reader.read(question, texts)
            if number:  # the first round warms up
                taken[name].append(time.perf_counter() - start)
    rows: list[dict[str, Any]] = []
    for way, seconds in taken.items():
        limit = MS_IN_FLOAT32 if way == "float32" else MS
        label = f"a question over {PASSAGES} passages of {TOKENS} tokens, {way}{', chosen here' * (way == auto)}"
        rows.append({"what": label, "value": round(1000 * statistics.median(seconds)), "unit": "ms", "limit": limit})
    done = subprocess.run([sys.executable, __file__, "--memory"], capture_output=True, text=True, check=True)
    added = {"what": "memory that the reader adds to the encoder's", "value": round(float(done.stdout)), "unit": "MB"}
    rows.append({**added, "limit": MEGABYTES})
    for row in rows:
        print(json.dumps(row), flush=True)
    result = {"command": "python benchmarks/reader.py", "machine": machine(), "rows": rows}
    chosen.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
