"""Calibrate a trained reader on development data, measure it, and write the file that is shipped.

``python -m training.reader_export --data FOLDER --checkpoint reader.pt``
"""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.config import EncoderConfig
from index.encoder import Encoder
from qa.config import Settings
from qa.metrics import exact_match, f1
from qa.reader import Calibration, Found, SpanReader
from qa.reader_weights import write_weights
from training.reader_data import XQUAD_LANGUAGES, Example, answer_of, flat, read_squad, read_xquad, words_of
from training.reader_layers import to_network

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


@dataclass(frozen=True)
class Reading:
    """A question, what was read, and the truth."""

    group: str
    answers: list[str]
    text: str
    log_likelihood: float

    @property
    def right(self) -> bool:
        """Whether the words overlap the answer by half or more."""
        return bool(self.answers) and f1(self.text, self.answers) >= 0.5


def averaged(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of the weights of runs that began alike (a "model soup", Wortsman et al. 2022)."""
    return {name: torch.stack([state[name].float() for state in states]).mean(dim=0) for name in states[0]}


def development(data: Path, limit: int) -> Iterator[tuple[str, Example]]:
    """Held-back examples by group: question sets, XQuAD in one and across languages, and foreign passages."""
    chance = random.Random(7)

    def some(examples: Sequence[Any], count: int) -> list[Any]:
        return chance.sample(list(examples), min(count, len(examples)))

    facqa = some(flat(read_squad(data / "facqa" / "valid.json", "id")), limit)
    yield from (("facqa", example) for example in facqa)
    for example in some(flat(read_squad(data / "idk-mrc" / "valid.json", "id")), 2 * limit):
        yield "idk-mrc answerable" if example.answerable else "idk-mrc unanswerable", example
    single, groups = read_xquad(data / "xquad-dev", held_back=True)
    for language in XQUAD_LANGUAGES:
        part = [example for example in single if example.language == language]
        yield from ((f"xquad {language}", example) for example in some(part, max(8, limit // 5)))
    english = XQUAD_LANGUAGES.index("en")
    for language in ("de", "ar", "zh", "ru", "vi"):
        read = XQUAD_LANGUAGES.index(language)
        for group in some(groups, max(8, limit // 5)):
            yield f"english question, {language}", replace(group[read], question=group[english].question)
    contexts = sorted({example.context for example in facqa} | {example.context for example in single})
    bags = [words_of(context) for context in contexts]
    for example in some([*facqa, *single], limit):
        wanted, answer = words_of(example.question), answer_of(example)
        near = max(
            (number for number in range(len(contexts)) if answer not in contexts[number]),
            key=lambda number: len(wanted & bags[number]) - 100 * (contexts[number] == example.context),
        )
        other = contexts[near] if chance.random() < 0.6 else chance.choice(contexts)
        if other != example.context and answer not in other:
            yield "foreign passage", replace(example, context=other, start=0, end=0)


def read_all(reader: SpanReader, examples: Sequence[tuple[str, Example]]) -> list[Reading]:
    """What ``reader`` finds in each example's passage."""
    readings = []
    for group, example in examples:
        answers = [answer_of(example)] if example.answerable else []
        windows = list(reader.search(example.question, [example.context]))
        best = max(windows, key=lambda found: found.margin, default=Found(0, 0, 0, -20, -20))
        text = example.context[best.start : best.end]
        readings.append(Reading(group, answers, text, best.log_likelihood))
    return readings


def fit(readings: Sequence[Reading], steps: int = 2000) -> Calibration:
    """Logistic regression (Newton's method with a little ridge) of being right on the likelihood."""
    features = np.array([[reading.log_likelihood, np.exp(reading.log_likelihood), 1.0] for reading in readings])
    right = np.array([reading.right for reading in readings], dtype=float)
    weights = np.zeros(3)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        gradient = features.T @ (p - right) + 1e-3 * weights
        curvature = (features * (p * (1 - p))[:, None]).T @ features + 1e-3 * np.eye(3)
        change = np.linalg.solve(curvature, gradient)
        weights -= change
        if np.abs(change).max() < 1e-9:
            break
    return Calibration(*map(float, weights))


def calibration_error(probabilities: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over ``bins`` of equal width."""
    p, r = np.array(probabilities), np.array(right, dtype=float)
    places = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[places == b].mean() - r[places == b].mean()) * (places == b).mean() for b in set(places.tolist())]
    return float(sum(gaps))


def figures(readings: Sequence[Reading], calibration: Calibration, threshold: float) -> dict[str, Any]:
    """EM and F1 by group, in percent, with and without abstaining, and how good the probabilities are."""
    probabilities = [calibration.probability(reading.log_likelihood) for reading in readings]
    found: dict[str, Any] = {}
    for group in dict.fromkeys(reading.group for reading in readings):
        part = [(r, p) for r, p in zip(readings, probabilities, strict=True) if r.group == group]
        said = [r.text if p >= threshold else "" for r, p in part]
        found[group] = {
            "questions": len(part),
            "em": _mean(exact_match(text, r.answers) for text, (r, _) in zip(said, part, strict=True)),
            "f1": _mean(f1(text, r.answers) for text, (r, _) in zip(said, part, strict=True)),
        }
        if part[0][0].answers:
            found[group]["em_never_abstaining"] = _mean(exact_match(r.text, r.answers) for r, _ in part)
            found[group]["f1_never_abstaining"] = _mean(f1(r.text, r.answers) for r, _ in part)
    right = [reading.right for reading in readings]
    sure = [r for r, p in zip(right, probabilities, strict=True) if p >= 0.8]
    return {
        "groups": found,
        "threshold": threshold,
        "f1_by_threshold": {f"{value:.2f}": _balance(readings, probabilities, value) for value in THRESHOLDS},
        "calibration_error": round(calibration_error(probabilities, right), 4),
        "right_when_sure": _mean(map(float, sure)),
        "sure": len(sure),
    }


def _balance(readings: Sequence[Reading], probabilities: Sequence[float], threshold: float) -> dict[str, float | None]:
    """F1 over all IDK-MRC, its answerable and unanswerable part, all answerable questions and foreign passages."""
    scores = [
        (r.group, bool(r.answers), f1(r.text if p >= threshold else "", r.answers))
        for r, p in zip(readings, probabilities, strict=True)
    ]
    return {
        "idk-mrc": _mean(score for group, _, score in scores if group.startswith("idk-mrc")),
        "idk-mrc answerable": _mean(score for group, _, score in scores if group == "idk-mrc answerable"),
        "idk-mrc unanswerable": _mean(score for group, _, score in scores if group == "idk-mrc unanswerable"),
        "answerable": _mean(score for _, answerable, score in scores if answerable),
        "foreign passage": _mean(score for group, _, score in scores if group == "foreign passage"),
    }


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return round(100 * sum(numbers) / len(numbers), 1) if numbers else None


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--checkpoint", type=Path, nargs="+", default=[Path("reader.pt")], help="of several the average is taken"
    )
    parser.add_argument("--weights", type=Path, default=Path("qa/data/reader.safetensors"))
    parser.add_argument("--results", type=Path, default=Path("training/results/reader.json"))
    parser.add_argument("--limit", type=int, default=300, help="development questions of a set")
    parser.add_argument("--threshold", type=float, default=Settings().reader.threshold)
    arguments = parser.parse_args()
    checkpoints = [torch.load(file, weights_only=True) for file in arguments.checkpoint]
    state = to_network(averaged([checkpoint["model"] for checkpoint in checkpoints]))
    trained = [
        {"steps": run["step"], "examples": run["seen"], "minutes": round(run["spent"] / 60, 1)} for run in checkpoints
    ]
    metadata = {"trained": json.dumps(trained), "calibration": json.dumps([1, 0, 0])}
    write_weights(arguments.weights, state, metadata)
    encoder = Encoder.open(EncoderConfig(language_fair=False))
    readings = read_all(
        SpanReader.open(encoder, path=arguments.weights), list(development(arguments.data, arguments.limit))
    )
    even, odd = readings[::2], readings[1::2]
    calibration = fit(readings)
    held_out = [figures(test, fit(train), arguments.threshold) for train, test in ((even, odd), (odd, even))]
    result = {
        "training": trained,
        "calibration": calibration._asdict(),
        "calibration_error_cross_validated": round(sum(part["calibration_error"] for part in held_out) / 2, 4),
        **figures(readings, calibration, arguments.threshold),
    }
    metadata["calibration"] = json.dumps(list(calibration))
    write_weights(arguments.weights, state, metadata)
    arguments.results.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
