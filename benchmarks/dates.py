"""Measure date resolution: exact values on sentences, and mentions on texts without a date.

    python benchmarks/dates.py [SENTENCES.json] [--udhr udhr2.zip]

SENTENCES (by default those of the tests, which the words were written with in view) is a list of {"language", "text",
"published", "value"}; a sentence is right if exactly one date is found in it and its value is the one given. The
paragraphs of the Universal Declaration of Human Rights (NLTK's udhr2) hold no date, those that name 1948 aside: every
date found in them is wrong. dateparser's ``search``,
where it is installed, is run on the same sentences: it is right if one of the dates it finds is the day, or a day of
the week, month or year asked for. Writes benchmarks/results/dates.json.
"""

import argparse
import json
import re
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from machine import machine

from index.dates import resolve

RESULT = Path(__file__).resolve().parent / "results" / "dates.json"
SENTENCES = Path(__file__).resolve().parent.parent / "tests" / "qa" / "data" / "dates_sentences.json"
UDHR = dict(
    pair.split("=")
    for pair in (
        "en=eng id=ind ms=mly_latn ko=kor ja=jpn zh=cmn_hans ar=arb es=spa fr=fra de=deu_1901 it=ita nl=nld pt=por_PT "
        "ru=rus uk=ukr pl=pol tr=tur vi=vie th=tha hi=hin fa=pes_1 sw=swh sv=swe el=ell_monotonic cs=ces "
        "da=dan fi=fin hu=hun he=heb bg=bul hr=hrv sk=slk nb=nob ca=cat af=afr lt=lit et=est"
    ).split()
)
SHORTEST = 15
YEAR = re.compile("1948|१९४८|一九四八|۱۹۴۸|١٩٤٨")
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


def dateless(archive: Path) -> Iterator[tuple[str, str]]:
    """Language and paragraph of the Universal Declaration, without those that name its year."""
    with zipfile.ZipFile(archive) as folder:
        for language, name in UDHR.items():
            for line in folder.read(f"udhr2/{name}.txt").decode("utf-8").splitlines():
                if len(line.strip()) > SHORTEST and not YEAR.search(line):
                    yield language, line.strip()


def _within(day: date, value: str) -> bool:
    if "W" in value:
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}" == value
    return day.isoformat().startswith(value)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("sentences", type=Path, nargs="?", default=SENTENCES)
    parser.add_argument("--udhr", type=Path)
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
        "command": "python benchmarks/dates.py" + (f" --udhr {arguments.udhr.name}" if arguments.udhr else ""),
        "machine": machine(),
        "sentences": len(rows),
        "right": right.total(),
        "sentences_per_second": round(len(rows) / seconds),
        "by_language": {language: [right[language], total[language]] for language in sorted(total)},
    }
    if (other := rival()) is not None:
        result["dateparser_right"] = sum(other(row) for row in rows)
    if arguments.udhr:
        texts = list(dateless(arguments.udhr))
        wrong = sum(bool(resolve(text, date(2024, 7, 15), language)) for language, text in texts)
        result |= {"dateless": len(texts), "dateless_with_a_date": wrong}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in result.items() if key != "machine"}, indent=1))


if __name__ == "__main__":
    main()
