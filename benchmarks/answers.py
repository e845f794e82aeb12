"""Measure whole answers to the sample questions, without a writer.

    python benchmarks/answers.py

The questions are those that kabar is tuned on: development figures. About a minute.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from machine import machine

from index.config import IndexConfig
from qa.answer_evaluation import evaluate_answers
from qa.chain import Assistant
from qa.config import Settings, WriterConfig
from qa.first_index import ensure_index

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "answers.json"
QUESTIONS = ROOT / "articles" / "questions.json"
NAMES = {
    "right": "answerable questions answered right",
    "cited": "answerable questions with the right sentence cited",
    "dated": "questions that ask for a date, with the right one",
    "refused": "unanswerable questions refused",
    "language": "answers in the language of the question",
}


def shares(figures: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """How many, of how many."""
    answerable = figures["answerable"]
    unanswerable = figures["questions"] - answerable
    return {
        "right": (answerable - figures["wrong"] - figures["refused"], answerable),
        "cited": (figures["cited"], figures["citable"]),
        "dated": (figures["dated"], figures["datable"]),
        "refused": (unanswerable - figures["invented"], unanswerable),
        "language": (figures["language_right"], figures["questions"]),
    }


def main() -> None:
    """Measure, print, and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            index=IndexConfig(path=Path(folder) / "index", articles=(ROOT / "articles",)),
            writer=WriterConfig(model="none"),
        )
        ensure_index(settings)
        with Assistant.open(settings) as assistant:
            (figures,) = evaluate_answers(assistant, [QUESTIONS])
    rows = [
        {"what": NAMES[name], "share": f"{100 * part / whole:.0f}%"} for name, (part, whole) in shares(figures).items()
    ]
    print(*rows, sep="\n")
    result = {"command": "python benchmarks/answers.py", "machine": machine(), "rows": rows}
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
