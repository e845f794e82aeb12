"""Whether a search in Milvus finds what a search in FAISS files finds.

    python benchmarks/stores.py xquad.en.json xquad.de.json ...

The files hold the same passages in the same order, one language each. `kabar eval retrieval --parallel` measures them
over both stores, with the same vectors. Milvus is Milvus Lite in a temporary file, or the server that ``--milvus``
names. Writes results/stores.json; fails if a figure differs by more than 0.005.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from index.config import EncoderConfig, IndexConfig, IndexSettings, MilvusConfig
from index.encoder import Encoder
from index.evaluation import evaluate_retrieval
from index.stores import open_store

HERE = Path(__file__).parent
LIMIT = 0.005
FIGURES = {
    "r1": "R@1",
    "r10": "R@10",
    "mrr10": "MRR@10",
    "parallel_in_top": "translations of the passage in as many hits as languages",
    "same_language_r1": "R@1 in the question's language",
    "cross_language_r1": "R@1 in another language",
    "same_language_top1": "first hits in the question's language",
}


class Remembering:
    """An encoder that encodes each list of texts once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, ...], np.ndarray] = {}

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors [n, dimension] of passages."""
        return self._remember(("passage", *texts), lambda: self._encoder.encode_passages(texts))

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors [n, dimension] of questions."""
        return self._remember(("query", *texts), lambda: self._encoder.encode_queries(texts))

    def _remember(self, key: tuple[str, ...], encode: Any) -> np.ndarray:
        if key not in self._known:
            self._known[key] = encode()
        return self._known[key]


def main() -> None:
    """Measure and write the report."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("files", nargs="+", type=Path, help="parallel files, one a language")
    arguments.add_argument("--milvus", help="address of a server; by default Milvus Lite in a temporary file")
    arguments.add_argument("--out", type=Path, default=HERE / "results" / "stores.json")
    chosen = arguments.parse_args()
    report = compare(chosen.files, Remembering(Encoder.open(EncoderConfig())), chosen.milvus)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if any(row["difference"] > LIMIT for row in report["rows"]):
        sys.exit(f"the stores differ by more than {LIMIT}")


def compare(files: Sequence[Path], encoder: Any, address: str | None) -> dict[str, Any]:
    """The figures over both stores, beside each other; ``address`` None: Milvus Lite."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        milvus = MilvusConfig(uri=address or f"{folder}/milvus.db")
        for name in ("faiss", "milvus"):
            store = open_store(IndexSettings(index=IndexConfig(path=Path(folder), store=name), milvus=milvus))
            found[name] = evaluate_retrieval(files, encoder, parallel=True, store=store)
            print(name, json.dumps(found[name]), flush=True)
    rows = [
        {
            "figure": label,
            **{name: round(figures[key], 4) for name, figures in found.items()},
            "difference": round(abs(found["faiss"][key] - found["milvus"][key]), 4),
        }
        for key, label in FIGURES.items()
    ]
    return {
        "command": f"python benchmarks/stores.py {' '.join(file.name for file in files)}",
        "machine": machine(),
        "questions": found["faiss"]["questions"],
        "milvus": "server" if address else "Milvus Lite",
        "limit": LIMIT,
        "rows": rows,
    }


if __name__ == "__main__":
    main()
