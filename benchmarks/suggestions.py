"""Of the questions that the chat page suggests after an answer, how many the articles answer; and what that costs.

Every answerable question about the sample articles is asked, without the writer; then each question that is suggested
is asked as a reader would who clicks it. Beside them are those that would be suggested if nothing were tried out first.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from machine import machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "suggestions.json"
History = Sequence[tuple[str, str]]


def measure(most: int) -> dict[str, Any]:
    """All figures, over so many questions at most."""
    from index import sync
    from index.config import IndexConfig
    from qa import Assistant
    from qa.config import Settings, WriterConfig
    from qa.turn import Turn
    from ui.fair_queue import FairQueue
    from ui.loader import Loader
    from ui.suggestions import MOST, explore
    from ui.words import languages

    listed = json.loads((ROOT / "articles" / "questions.json").read_text(encoding="utf-8"))
    asked = [entry["question"] for entry in listed if entry["answerable"] and entry["language"] in languages()][:most]
    untried: list[bool] = []
    tried: list[bool] = []
    seconds: list[float] = []
    with_some = 0
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(index=IndexConfig(path=Path(folder) / "index"), writer=WriterConfig(model="none"))
        sync(ROOT / "articles", config=settings)
        with Assistant.open(settings) as assistant:
            loader = Loader(lambda: assistant, queue=FairQueue())
            loader.start()

            for question in asked:
                answer = assistant.answer(question)
                history = (("user", question), ("assistant", answer.text))

                def tried_out(found: Iterable[str], most: int, said: History = history) -> list[str]:
                    return loader.answered((Turn(one, said) for one in found), most=most)

                if answer.answerable:
                    *_, plain = explore(answer, assistant.index, lambda found, most: list(found)[:most])
                    began = time.perf_counter()
                    *_, around = explore(answer, assistant.index, tried_out)
                    seconds.append(time.perf_counter() - began)
                    with_some += bool(around.questions)
                    answered = {
                        one: assistant.answer(one, history).answerable
                        for one in dict.fromkeys((*plain.questions, *around.questions))
                    }
                    untried += [answered[one] for one in plain.questions]
                    tried += [answered[one] for one in around.questions]
    return {
        "answers": len(seconds),
        "answers_with_a_suggestion": with_some,
        "most_suggestions": MOST,
        "suggested": len(tried),
        "answered": round(mean(tried), 4) if tried else None,
        "suggested_untried": len(untried),
        "answered_untried": round(mean(untried), 4) if untried else None,
        "median_seconds": round(median(seconds), 3),
        "longest_seconds": round(max(seconds), 3),
    }


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=1000, help="at most so many are asked")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    result = {"command": "python benchmarks/suggestions.py", "machine": machine(), **measure(options.questions)}
    text = json.dumps(result, indent=2) + "\n"
    print(text)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
