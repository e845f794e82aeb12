"""How well the writer renders sentences, how fast, and how many of its renderings the check lets through.

    python benchmarks/writer.py [--pairs id-en,en-ko] [--model embedded] [--out benchmarks/results/writer.json]

Renders the parallel sentences of benchmarks/data/writer.json and compares them with their references by chrF
(sacrebleu); copying the sentence unchanged is the floor. The check's own rates come from tests/qa/data/check.json.
Times are of this process alone on the machine at hand: on a busy one, look at processor seconds.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path
from typing import Any

from machine import machine
from sacrebleu.metrics import CHRF

from qa.check import check
from qa.config import WriterConfig
from qa.errors import WriterError
from qa.writer import Writer, open_writer

HERE = Path(__file__).parent
OTHERS = ("ko", "ja", "zh", "ar", "es", "de", "fr", "ru")
PAIRS = ["id-en", *(f"id-{other}" for other in OTHERS), "en-id", *(f"en-{other}" for other in OTHERS)]
PAIRS += [f"{other}-en" for other in OTHERS]


def main() -> None:
    """Measure and write the report."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", default=",".join(PAIRS), help="languages, joined by hyphens and commas")
    arguments.add_argument("--model", default="embedded", help="as writer.model in config.yaml")
    arguments.add_argument("--base-url", help="as writer.base_url in config.yaml")
    arguments.add_argument("--out", type=Path, default=HERE / "results" / "writer.json")
    chosen = arguments.parse_args()
    writer = open_writer(WriterConfig(model=chosen.model, base_url=chosen.base_url, timeout=120))
    if writer is None:
        arguments.error("the model is 'none'; there is nothing to measure")
    report: dict[str, Any] = {"machine": machine(), "model": chosen.model, "load": _timed(writer.load)}
    sentences = json.loads((HERE / "data" / "writer.json").read_text(encoding="utf-8"))["sentences"]
    report["pairs"] = [_pair(writer, sentences, *pair.split("-")) for pair in chosen.pairs.split(",")]
    for name in ("chrf", "copy_chrf", "accepted", "seconds", "processor_seconds", "first_seconds"):
        report[f"mean_{name}"] = round(statistics.fmean(row[name] for row in report["pairs"]), 3)
    report["peak_megabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    report["check"] = _check_rates()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in report.items() if key not in ("pairs", "machine")}, indent=1))


def _pair(writer: Writer, sentences: dict[str, list[str]], source: str, target: str) -> dict[str, Any]:
    metric = CHRF()
    renderings, seconds, processor = [], [], []
    accepted = 0
    for sentence in sentences[source]:
        begun, used = time.perf_counter(), time.process_time()
        try:
            rendering = "".join(writer.translate(sentence, source, target))
        except WriterError:
            rendering = ""
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
        renderings.append(rendering)
        accepted += check(rendering, sentence, source=source, target=target).supported
    row = {
        "source": source,
        "target": target,
        "chrf": round(metric.corpus_score(renderings, [sentences[target]]).score, 1),
        "copy_chrf": round(metric.corpus_score(sentences[source], [sentences[target]]).score, 1),
        "accepted": round(accepted / len(renderings), 3),
        "first_seconds": round(seconds[0], 3),  # the examples of the pair are read, too
        "seconds": round(statistics.median(seconds[1:]), 3),
        "processor_seconds": round(statistics.median(processor[1:]), 3),
        "renderings": renderings,
    }
    print({key: value for key, value in row.items() if key != "renderings"}, flush=True)
    return row


def _check_rates() -> dict[str, float]:
    data = json.loads((HERE.parent / "tests" / "qa" / "data" / "check.json").read_text(encoding="utf-8"))
    begun = time.process_time()
    supported = {
        kind: [
            check(row["phrase"], row["evidence"], source=row["source"], target=row["target"]).supported
            for row in data[kind]
        ]
        for kind in ("good", "spoilt")
    }
    checks = len(data["good"]) + len(data["spoilt"])
    return {
        "good": len(data["good"]),
        "spoilt": len(data["spoilt"]),
        "good_dropped": round(1 - statistics.fmean(supported["good"]), 4),
        "spoilt_caught": round(1 - statistics.fmean(supported["spoilt"]), 4),
        "milliseconds": round(1000 * (time.process_time() - begun) / checks, 2),
    }


def _timed(call: Any) -> float:
    begun = time.perf_counter()
    call()
    return round(time.perf_counter() - begun, 3)


if __name__ == "__main__":
    main()
