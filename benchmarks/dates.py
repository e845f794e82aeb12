"""Measure date resolution: exact values on sentences, and mentions on texts without a date.

    python benchmarks/dates.py SENTENCES.json [--dateless TEXTS.json]

SENTENCES is a list of {"language", "text", "published", "value"}; a sentence is right if exactly one date is found in
it and its value is the one given. TEXTS is a list of {"language", "text"} that hold no date. dateparser's ``search``,
where it is installed, is run on the same sentences: it is right if one of the dates it finds is the day, or a day of
the week, month or year asked for. Writes benchmarks/results/dates.json.
"""

import argparse
import json
import time
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from machine import machine

from index.dates import resolve

RESULT = Path(__file__).resolve().parent / "results" / "dates.json"
Row = dict[str, str]


def exact(row: Row) -> bool:
    """Whether one date is found and it is the right one."""
    mentions = resolve(row["text"], date.fromisoformat(row["published"]), row["language"])
    return [mention.value for mention in mentions] == [row["value"]]


def rival() -> Callable[[Row], bool] | None:
    """The rival, dateparser, on a row; None if it is not installed."""
    try:
        from dateparser.search import search_dates  # type: ignore[import-untyped]
    except ImportError:
        return None

    def right(row: Row) -> bool:
        base = datetime.fromisoformat(row["published"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = search_dates(row["text"], languages=[row["language"]], settings={"RELATIVE_BASE": base}) or []
        return any(_within(moment.date(), row["value"]) for _, moment in found)

    return right


def _within(day: date, value: str) -> bool:
    if "W" in value:
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}" == value
    return day.isoformat().startswith(value)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--dateless", type=Path)
    arguments = parser.parse_args()
    rows: list[Row] = json.loads(arguments.sentences.read_text(encoding="utf-8"))
    total, right = Counter(row["language"] for row in rows), Counter[str]()
    for language in total:  # read the words first
        resolve("", None, language)
    start = time.perf_counter()
    for row in rows:
        right[row["language"]] += exact(row)
    seconds = time.perf_counter() - start
    result: dict[str, Any] = {
        "command": f"python benchmarks/dates.py {arguments.sentences.name}",
        "machine": machine(),
        "sentences": len(rows),
        "right": right.total(),
        "sentences_per_second": round(len(rows) / seconds),
        "by_language": {language: [right[language], total[language]] for language in sorted(total)},
    }
    if (other := rival()) is not None:
        result["dateparser_right"] = sum(other(row) for row in rows)
    if arguments.dateless:
        texts: list[Row] = json.loads(arguments.dateless.read_text(encoding="utf-8"))
        wrong = sum(bool(resolve(row["text"], date(2024, 7, 15), row["language"])) for row in texts)
        result |= {"dateless": len(texts), "dateless_with_a_date": wrong}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))


if __name__ == "__main__":
    main()
