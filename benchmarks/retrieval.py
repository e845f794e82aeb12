"""How well questions find their passages: the encoder as it comes, made fair, and with words.

    python benchmarks/retrieval.py --parallel xquad.en.json xquad.de.json ... --facqa train.json valid.json

``--parallel`` takes one file a language with the same paragraphs; ``--facqa`` (or any files in SQuAD JSON) are put
into one index, and the questions of all of them are asked.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from machine import machine

from index.config import EncoderConfig
from index.encoder import Encoder
from index.evaluation import evaluate_retrieval

HERE = Path(__file__).parent
WAYS = {
    "vectors, encoder as it comes": (False, False),
    "vectors, language-fair": (True, False),
    "vectors and words, language-fair": (True, True),
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
    report: dict[str, Any] = {"machine": machine(), "parallel": {}, "facqa": {}}
    for name, (fair, hybrid) in WAYS.items():
        encoder = Encoder.open(EncoderConfig(language_fair=fair))
        for collection, files in (("parallel", chosen.parallel), ("facqa", chosen.facqa)):
            if files:
                found = evaluate_retrieval(files, encoder, parallel=collection == "parallel", hybrid=hybrid)
                report[collection][name] = found
                print(collection, name, json.dumps(found), flush=True)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
