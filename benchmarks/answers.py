"""Measure whole answers to the sample questions and to open ones about the same articles, without a writer.

    python benchmarks/answers.py

The sample questions are those that kabar is tuned on: development figures. So are questions in twelve languages about
one article alone, the one in Indonesian. Open questions (why, how, what happened ...) are a file that it is tuned on
and one that it is not. About three minutes.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machine import machine

from qa.answer_evaluation import evaluate_answers, indexed
from qa.chain import Assistant
from qa.config import Settings, WriterConfig

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "answers.json"
QUESTIONS = ROOT / "articles" / "questions.json"
ARTICLE = ROOT / "articles" / "blinken-korea-selatan.txt"
ABOUT_ONE = ROOT / "benchmarks" / "questions" / "one_article.json"
OPEN = ROOT / "benchmarks" / "questions" / "open.json"
OPEN_HELD_BACK = ROOT / "benchmarks" / "questions" / "open_held_back.json"
NAMES = {
    "right": "answerable questions answered right",
    "cited": "answerable questions with the right sentence cited",
    "dated": "questions that ask for a date, with the right one",
    "refused": "unanswerable questions refused",
    "language": "answers in the language of the question",
}
ABOUT_ONE_NAMES = {
    "right": "answerable questions in 12 languages about one article answered right",
    "refused": "unanswerable questions about it refused",
}
OPEN_NAMES = {
    "gold": "sentences that open questions need, cited",
    "refused": "unanswerable open questions refused",
}


def shares(figures: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """How many, of how many."""
    answerable = figures["answerable"]
    unanswerable = figures["questions"] - answerable
    return {
        "right": (answerable - figures["wrong"] - figures["refused"], answerable),
        "cited": (figures["cited"], figures["citable"]),
        "dated": (figures["dated"], figures["datable"]),
        "gold": (figures["gold_cited"], figures["gold"]),
        "refused": (unanswerable - figures["invented"], unanswerable),
        "language": (figures["language_right"], figures["questions"]),
    }


def rows_of(figures: dict[str, Any], names: dict[str, str], note: str = "") -> list[dict[str, str]]:
    """A row for each name."""
    parts = shares(figures)
    return [
        {"what": what + note, "share": f"{100 * parts[name][0] / parts[name][1]:.0f}%"} for name, what in names.items()
    ]


def asked(articles: Path, questions: Sequence[Path]) -> list[dict[str, Any]]:
    """The figures of each file of questions, asked of an index of these articles."""
    settings = Settings(writer=WriterConfig(model="none"))
    with indexed(settings, articles) as made, Assistant.open(made) as assistant:
        return evaluate_answers(assistant, questions)


def main() -> None:
    """Measure, print, and write the result."""
    single, open_, held_back = asked(ROOT / "articles", [QUESTIONS, OPEN, OPEN_HELD_BACK])
    with tempfile.TemporaryDirectory() as alone:
        shutil.copy(ARTICLE, alone)
        [about_one] = asked(Path(alone), [ABOUT_ONE])
    rows = [
        *rows_of(single, NAMES),
        *rows_of(about_one, ABOUT_ONE_NAMES),
        *rows_of(open_, OPEN_NAMES),
        *rows_of(held_back, OPEN_NAMES, " (questions it was not tuned on)"),
    ]
    print(*rows, sep="\n")
    result = {"command": "python benchmarks/answers.py", "machine": machine(), "rows": rows}
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
