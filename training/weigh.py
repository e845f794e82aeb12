"""Learn how reader, passage and sentence are weighed in ``qa/weigh.py``: ``python -m training.weigh --data FOLDER``.

Passages that the reader was not trained on go into one index, each of XQuAD's in one language, drawn at random; their
questions are asked in any of its languages, together with questions whose passage is not there. The weights are those
under which the right readings, or "none of them", are most probable (a conditional logit with an option for none).
"""

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.article import Article
from index.encoder import Encoder
from index.index import Index
from index.update import add
from qa.chain import Assistant
from qa.config import Settings
from qa.metrics import f1
from qa.reader import SpanReader
from qa.turn import Evidence, Turn
from qa.weigh import Signs, Weights, features, weigh
from training.reader_data import XQUAD_LANGUAGES, answer_of, flat, read_squad, read_xquad
from training.reader_export import calibration_error


@dataclass(frozen=True)
class Asked:
    """A question, where its answer is, and what it is."""

    group: str
    question: str
    articles: frozenset[str]
    answers: tuple[str, ...]


def pool(data: Path, limit: int) -> tuple[list[Article], list[Asked]]:
    """The articles of the index and the questions asked of it."""
    chance = random.Random(11)
    articles: dict[str, Article] = {}
    names: dict[str, str] = {}
    asked: list[Asked] = []

    def put(context: str, language: str) -> str:
        name = names.setdefault(context, f"{language}-{len(names)}")
        articles[name] = Article(id=name, title="", text=context, language=language)
        return name

    for group in ("facqa", "idk-mrc"):
        examples = flat(read_squad(data / group / "valid.json", "id"))
        chance.shuffle(examples)
        for example in examples[: limit * (2 if group == "idk-mrc" else 1)]:
            name = put(example.context, "id")
            answers = (answer_of(example),) if example.answerable else ()
            kind = group if example.answerable else f"{group} unanswerable"
            asked.append(Asked(kind, example.question, frozenset([name] if answers else []), answers))
    _, groups = read_xquad(data / "xquad-dev", held_back=True)
    contexts = sorted({group[0].context for group in groups})
    left_out = set(chance.sample(contexts, len(contexts) // 5))
    language_of = {context: chance.randrange(len(XQUAD_LANGUAGES)) for context in contexts}
    for group in groups:
        read = language_of[group[0].context]
        there = group[0].context not in left_out
        for number in {read, *chance.sample(range(len(XQUAD_LANGUAGES)), 2)}:
            example = group[read]
            name = put(example.context, example.language) if there else ""
            kind = ("xquad" if number == read else "xquad crossed") if there else "xquad absent"
            answers = (answer_of(example),) if there else ()
            asked.append(Asked(kind, group[number].question, frozenset([name] if there else []), answers))
    return list(articles.values()), asked


class Unweighed(Assistant):
    """The assistant, up to where readings are weighed."""

    def _weighed(self, turn: Turn, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:  # noqa: ARG002
        return self.with_vectors(evidence)


@dataclass(frozen=True)
class Weighed:
    """What speaks for the readings of one question, and which of them are right."""

    group: str
    wants_time: bool
    signs: list[Signs]
    right: list[bool]


def collect(assistant: Unweighed, asked: Sequence[Asked]) -> Iterator[Weighed]:
    """Ask, up to the readings."""
    for item in asked:
        turn = Turn(item.question)
        for step in ("understand", "retrieve", "read"):
            turn = assistant.steps[step](turn)
        if turn.small_talk or turn.open_question or not turn.evidence:
            continue
        right = [
            one.hit.article.id in item.articles and f1(one.words, list(item.answers)) >= 0.5 for one in turn.evidence
        ]
        yield Weighed(item.group, turn.wants_time, assistant.signs(turn, turn.evidence), right)


def fit(questions: Sequence[Weighed], ridge: float = 0.05) -> Weights:
    """The weights under which what is right is most probable; ``ridge`` holds the first three near zero."""
    from scipy.optimize import minimize

    table = [(features(item.signs), np.array(item.right), 4 if item.wants_time else 3) for item in questions]

    def loss(weights: np.ndarray) -> float:
        total = ridge * float(weights[0] ** 2 + (weights[1:3] / 10) ** 2 @ np.ones(2))
        for found, right, none in table:
            scores = np.append(found @ weights[:3], weights[none])
            good = np.append(right, not right.any())
            total += float(np.logaddexp.reduce(scores) - np.logaddexp.reduce(scores[good]))
        return total

    # Cosines differ by a tenth where logits differ by one: the search wants steps of one size.
    units = np.array([1.0, 10.0, 10.0, 1.0, 1.0])
    found = minimize(lambda scaled: loss(scaled * units), np.array([0.5, 0.5, 0.5, 0.0, 0.0]), method="L-BFGS-B")
    return Weights(*map(float, found.x * units))


def cross_validated(questions: Sequence[Weighed], parts: int = 5) -> dict[str, Any]:
    """Of each group, by weights learned from the other parts: shares of the best reading being right, and sure."""
    rows = []
    for part in range(parts):
        weights = fit([item for number, item in enumerate(questions) if number % parts != part])
        for item in questions[part::parts]:
            ordered = weigh(item.signs, wants_time=item.wants_time, weights=weights)
            best = ordered[0][0]
            # Readings of other passages that are right too say the same.
            share = sum(p for number, p in ordered if item.right[number]) if item.right[best] else ordered[0][1]
            rows.append((item.group, item.right[best], share))
    groups = {}
    for group in sorted({group for group, *_ in rows}):
        own = [(right, share) for name, right, share in rows if name == group]
        groups[group] = {
            "questions": len(own),
            "best_right": _percent([right for right, _ in own]),
            **{f"answered_at_{limit}": _percent([share >= limit for _, share in own]) for limit in (0.3, 0.4, 0.5)},
        }
    right, shares = [right for _, right, _ in rows], [share for *_, share in rows]
    sure = [r for r, share in zip(right, shares, strict=True) if share >= 0.8]
    return {
        "groups": groups,
        "calibration_error": round(calibration_error(shares, right), 4),
        "sure": len(sure),
        "right_when_sure": _percent(sure),
    }


def _percent(values: Sequence[bool]) -> float:
    return round(100 * sum(values) / max(1, len(values)), 1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("qa/data/weigh.json"))
    parser.add_argument("--results", type=Path, default=Path("training/results/weigh.json"))
    parser.add_argument("--limit", type=int, default=150, help="questions of a set")
    arguments = parser.parse_args()
    articles, asked = pool(arguments.data, arguments.limit)
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        settings = settings.model_copy(update={"index": settings.index.model_copy(update={"path": Path(folder)})})
        encoder = Encoder.open(settings.encoder)
        add(articles, folder=Path(folder), settings=settings, encoder=encoder)
        index = Index(Path(folder), settings, encoder)
        with Unweighed(index, settings, reader=SpanReader.open(encoder), writer=None) as assistant:
            questions = list(collect(assistant, asked))
    random.Random(3).shuffle(questions)
    weights = fit(questions)
    result = {"weights": weights._asdict(), "cross_validated": cross_validated(questions)}
    arguments.results.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    arguments.weights.write_text(json.dumps({"weights": weights._asdict()}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
