"""How well questions find their passages: the encoder as it comes, made fair, and with words.

    python benchmarks/retrieval.py --parallel xquad.en.json xquad.de.json ... --facqa train.json valid.json

``--parallel`` takes one file a language with the same passages; ``--facqa`` (or any files in SQuAD JSON) are put into
one index, and the questions of all of them are asked. The language-fair projection was made from XQuAD's articles that
are open for development: for those, look at training/results/fairness.json, which has articles that it was not made
from. Writes results/retrieval.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from machine import machine

from index.config import EncoderConfig, IndexConfig
from index.encoder import Encoder
from index.evaluation import figures, read_pool
from index.fairness import load_projection

HERE = Path(__file__).parent
WAYS = {
    "vectors, encoder as it comes": (False, False),
    "vectors, language-fair": (True, False),
    "vectors and words, language-fair": (True, True),
}
COLUMNS = {
    "r1": "R@1",
    "mrr10": "MRR@10",
    "parallel_in_top": "translations of the passage in as many hits as languages",
    "same_language_r1": "R@1 in the question's language",
    "cross_language_r1": "R@1 in another language",
    "same_language_top1": "first hits in the question's language",
}


def main() -> None:
    """Measure and write the report."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--parallel", nargs="+", type=Path, default=[], help="parallel files, one a language")
    arguments.add_argument("--facqa", nargs="+", type=Path, default=[], help="files of one collection")
    arguments.add_argument("--out", type=Path, default=HERE / "results" / "retrieval.json")
    chosen = arguments.parse_args()
    if not chosen.parallel and not chosen.facqa:
        arguments.error("name the files to measure on with --parallel or --facqa")
    encoder = Encoder.open(EncoderConfig(language_fair=False))
    rows = []
    if chosen.facqa:
        rows += measure("one language", chosen.facqa, encoder, parallel=False)
    if chosen.parallel:
        rows += measure(f"{len(chosen.parallel)} languages", chosen.parallel, encoder, parallel=True)
    report = {
        "command": "python benchmarks/retrieval.py --parallel xquad.*.json --facqa train.json valid.json",
        "machine": machine(),
        "passage_characters": IndexConfig().passage_characters,
        "rows": rows,
    }
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def measure(name: str, files: list[Path], encoder: Encoder, *, parallel: bool) -> list[dict[str, Any]]:
    """A row of figures for each way to search; ``encoder`` is the one as it comes."""
    pool = read_pool(files, parallel=parallel)
    passages, questions = encoder.encode_passages(pool.passages), encoder.encode_queries(pool.questions)
    matrix = load_projection().matrix.numpy()
    rows = []
    for way, (fair, hybrid) in WAYS.items():
        vectors = (projected(passages, matrix), projected(questions, matrix)) if fair else (passages, questions)
        found = figures(pool, *vectors, parallel=parallel, hybrid=hybrid)
        shown = {column: round(found[key], 3) for key, column in COLUMNS.items() if found.get(key) is not None}
        counts = f"{name}: {found['questions']} questions, {found['passages']} passages"
        rows.append({"collection": counts, "search": way, **shown})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def projected(vectors: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What the language-fair encoder gives for the texts of ``vectors``."""
    product = vectors @ matrix.T
    unit: npt.NDArray[np.float32] = product / np.linalg.norm(product, axis=1, keepdims=True)
    return unit


if __name__ == "__main__":
    main()
