"""Write the tables of README.md and docs/capacity.md from benchmarks/results/*.json, between their markers.

    python benchmarks/tables.py            write them
    python benchmarks/tables.py --check    say which are stale, and fail

A table stands between ``<!-- table: NAME -->`` and ``<!-- end of table -->``, and is made from results/NAME.json; that
of ``upkeep`` from the results of several benchmarks, as far as they are there, and those of ``capacity`` from theirs.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import capacity
from machine import described

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "capacity.md")
RESULTS = Path(__file__).resolve().parent / "results"
Rows = Iterator[tuple[str, str, str]]
"""What was measured, the figure, and the limit that it is held to."""
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def small_things(result: dict[str, Any]) -> list[list[str]]:
    """What is measured, the figure, and the limit that it is held to."""
    rows = [["", "measured", "limit"]]
    for row in result["rows"]:
        limit = "" if row["limit"] is None else f"{row['limit']:g} {row['unit']}"
        rows.append([row["what"], f"{row['value']:g} {row['unit']}", limit])
    return rows


def dates(result: dict[str, Any]) -> list[list[str]]:
    """Right dates of ours and of the rival."""
    total = result["sentences"]
    rows = [["sentences whose date is found", "right", "of"], ["kabar", str(result["right"]), str(total)]]
    if "dateparser_right" in result:
        rows.append(
            ["dateparser, right if one of the dates it finds fits", str(result["dateparser_right"]), str(total)]
        )
    return rows


def writer(result: dict[str, Any]) -> list[list[str]]:
    """Quality of translations by pair, beside that of the sentence left as it is, and how many pass the check."""
    rows = [["from, to", "chrF", "chrF of the sentence itself", "pass the check", "seconds"]]
    for pair in result["pairs"]:
        figures = [pair["chrf"], pair["copy_chrf"], f"{pair['accepted']:.0%}", pair["seconds"]]
        rows.append([f"{pair['source']}, {pair['target']}", *map(str, figures)])
    return rows


def search(result: dict[str, Any]) -> list[list[str]]:
    """What a search costs by the size of the index, beside the limit at the largest and what rivals take."""
    limits = result["limits"]
    names = {
        "p50": "vectors alone, median, ms",
        "p99": "vectors alone, 99 of 100, ms",
        "recall_at_10": "of the ten nearest, found",
        "words_p50": "words alone, median, ms",
        "hybrid_p50": "both, median, ms",
        "a month_p50": "both, in a month, median, ms",
        "two years_p50": "both, in two years of five, median, ms",
        "a source_p50": "both, of one source in twenty, median, ms",
        "a language_p50": "both, in a language, median, ms",
        "opening": "opening, s",
        "memory_gb": "memory without the encoder, GB",
        "disk_gb": "files of the index, GB",
    }
    filtered = {"a month_p50", "two years_p50", "a source_p50", "a language_p50"}
    rows = [["passages", *(f"{row['passages']:,}" for row in result["rows"]), "limit at a million"]]
    for name, label in names.items():
        limit = limits.get("hybrid_p50" if name in filtered else name, "")
        rows.append([label, *(shown(row[name]) for row in result["rows"]), shown(limit)])
    for rival in dict.fromkeys(row["rival"] for row in result["rivals"]):
        figures = {row["passages"]: shown(row["p50"]) for row in result["rivals"] if row["rival"] == rival}
        rows.append([f"{rival}, median, ms", *(figures.get(row["passages"], "") for row in result["rows"]), ""])
    return rows


def plain(result: dict[str, Any]) -> list[list[str]]:
    """The rows as they are: the names of their values are the columns."""
    columns = list(dict.fromkeys(name for row in result["rows"] for name in row))
    rows = [[shown(row.get(name, "")) for name in columns] for row in result["rows"]]
    return [[name.replace("_", " ") for name in columns], *rows]


def shown(value: Any) -> str:
    """A number to three digits, anything else as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def of_sync(result: dict[str, Any]) -> Rows:
    """What one new article costs, and a run in which nothing changed."""
    limits = result["limits"]
    for row in result["rows"]:
        what = f"one new article into an index of {row['passages']:,} passages, median"
        yield what, f"{row['median']:g} s", f"{limits['one_article']:g} s"
    seen = max(row["seen_after"] for row in result["rows"])
    yield "until a running reader answers from it, slowest", f"{seen:g} s", f"{limits['seen_after']:g} s"
    same = result["unchanged"]
    what = f"a run over {same['articles']:,} unchanged articles, which encodes {same['encoded']} passages"
    yield what, f"{same['later']:g} s", f"{limits['unchanged']:g} s"


def of_readers(result: dict[str, Any]) -> Rows:
    """Questions beside a rebuild."""
    (row,) = result["rows"]
    what = f"{row['readers']} readers beside a rebuild: 99th percentile of a question, as a multiple of the quiet one"
    yield what, f"{row['ratio_of_p99']:.2g}", f"{row['limit']:g}"
    yield f"failed questions of {row['questions_during_the_rebuild']:,} meanwhile", str(len(row["errors"])), "0"


def of_scale(result: dict[str, Any]) -> Rows:
    """A large first run."""
    row = result["with_a_stand_in_for_the_encoder"]
    few, most = (list(row["peak_megabytes_by_articles_done"].items())[place] for place in (0, -1))
    yield f"peak memory of a run after {int(few[0]):,} articles, without the encoder", f"{few[1]} MB", ""
    yield f"the same after {int(most[0]):,}", f"{most[1]} MB", ""
    yield "passages encoded twice because the run was killed", str(row["encoded_twice"]), "0"
    yield "median error of the time that the bar shows as left", f"{row['median_error_of_the_time_left']:.0%}", "20%"


def of_faults(result: dict[str, Any]) -> Rows:
    """Kills."""
    yield f"promises broken by {result['kills']} kills at random moments", str(len(result["broken_promises"])), "0"


def of_fuzz(result: dict[str, Any]) -> Rows:
    """Mutated files."""
    what = f"of {result['executions']:,} mutated files, those that a reader did not survive"
    yield what, str(len(result["findings"])), "0"


UPKEEP: dict[str, Callable[[dict[str, Any]], Rows]] = {
    "sync": of_sync,
    "readers": of_readers,
    "scale": of_scale,
    "faults": of_faults,
    "fuzz": of_fuzz,
}


def upkeep() -> str:
    """What holds while articles come and go, in one table."""
    lines = ["|  | measured | limit | by |", "| --- | ---: | ---: | --- |"]
    machines = []
    for name, rows in UPKEEP.items():
        file = RESULTS / f"{name}.json"
        if file.is_file():
            result = json.loads(file.read_text(encoding="utf-8"))
            script = result["command"].split()[1]
            lines += [f"| {what} | {value} | {limit} | `{script}` |" for what, value, limit in rows(result)]
            machines.append(described(result["machine"]))
    text = "\n".join(lines)
    return f"\n{text}\n\nOn {'; on '.join(dict.fromkeys(machines))}.\n\n"


def load(result: dict[str, Any]) -> list[list[str]]:
    """What many users at once cost, and the limits."""
    together, watched = result["together"], result.get("memory")
    alone = [result[phase]["answers_per_second"] for phase in ("alone", "alone_again")]
    users = f"{together['users']} users at once for {together['seconds']:g} s"
    rows = [
        ["", "measured", "limit"],
        ["one user in sequence, before and after: answers a second", " and ".join(f"{one:g}" for one in alone), ""],
        [f"{users}: answers a second", f"{together['answers_per_second']:g}", f"{mean(alone):g}"],
        [f"{users}: errors in {together['answers'] + together['errors']:,} questions", f"{together['errors']}", "0"],
        [f"{users}: mean wait", f"{together['mean_seconds']:g} s", ""],
        [f"{users}: the longest mean wait of a user, by the mean", f"{together['longest_mean_by_mean']:g}", "1.5"],
        [f"{users}: questions whose place in the queue was told", f"{together['told_their_place']:,}", ""],
    ]
    if watched:
        told = f"{watched['questions']:,} questions: memory, by that after a tenth of them, at its farthest"
        rows.append([told, f"{watched['farthest']:+.1%}", "± 5%"])
    return rows


def page(result: dict[str, Any]) -> list[list[str]]:
    """Seconds until a question can be typed."""
    times = len(result["seconds"])
    what = f"from the address that `kabar serve` prints to a page with a question in it, slowest of {times}"
    return [["", "measured", "limit"], [what, f"{result['slowest']:g} s", f"{result['limit']:g} s"]]


def suggestions(result: dict[str, Any]) -> list[list[str]]:
    """Of the questions that are suggested after an answer, how many are answered."""
    return [
        ["", "measured"],
        [f"questions suggested after {result['answers']} answers", f"{result['suggested']}"],
        ["of these answered", f"{result['answered']:.0%}"],
        ["answered of those that would be suggested without trying them out", f"{result['answered_untried']:.0%}"],
        ["trying them out, after an answer: median", f"{result['median_seconds']:g} s"],
    ]


def ray_indexing(result: dict[str, Any]) -> list[list[str]]:
    """What workers of a cluster encode, and what the cluster costs."""
    scaling, overhead = result["scaling"], result["overhead"]
    passages = f"{overhead['passages']:,} passages"
    return [
        ["", "measured", "limit"],
        ["passages a second, one worker on one core", f"{scaling['one']:g}", ""],
        ["passages a second, two workers on a core each", f"{scaling['two']:g}", ""],
        ["two workers, times one", f"{scaling['speed_up']:g}", f"{scaling['required']:g}"],
        [f"{passages} without Ray, on both cores", f"{overhead['plain']:g} s", ""],
        [f"{passages} with `--ray local`", f"{overhead['ray']:g} s", ""],
        ["what Ray adds", f"{overhead['overhead']:+.1%}", f"{overhead['allowed']:.0%}"],
    ]


def sharded(result: dict[str, Any]) -> list[list[str]]:
    """The same hits from shards, and what they cost."""
    one, other = result["one folder"], result["shards on Ray Serve"]
    return [
        ["", "one folder", f"{result['shards']} shards, {result['replicas']} copies of each"],
        [f"questions of {result['questions']} with equal hits and scores", "", str(result["equal"])],
        ["a search, median", f"{one['median_ms']:g} ms", f"{other['median_ms']:g} ms"],
        ["a search, 95 of 100", f"{one['p95_ms']:g} ms", f"{other['p95_ms']:g} ms"],
    ]


TABLES: dict[str, Callable[[dict[str, Any]], list[list[str]]]] = {
    "dates": dates,
    "load": load,
    "page": page,
    "ray_indexing": ray_indexing,
    "reader": small_things,
    "search": search,
    "sharded": sharded,
    "small_things": small_things,
    "suggestions": suggestions,
    "writer": writer,
}


def table(name: str) -> str:
    """The table in Markdown, with the command and the machine it was measured on."""
    if name == "upkeep":
        return upkeep()
    if name in capacity.TABLES:
        return f"\n{markdown(capacity.TABLES[name]())}\n\n"
    file = RESULTS / f"{name}.json"
    if not file.is_file():
        sys.exit(f"there is to be a table of {file.relative_to(ROOT)}, which is not there; benchmarks/ makes it")
    result = json.loads(file.read_text(encoding="utf-8"))
    text = markdown(TABLES.get(name, plain)(result))
    return f"\n{text}\n\n`{result['command']}`, on {described(result['machine'])}.\n\n"


def markdown(rows: list[list[str]]) -> str:
    """The rows as a table, the first as its head."""
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def filled(text: str) -> str:
    """The text with every table in it made anew."""
    return TABLE.sub(lambda found: found[1] + table(found[2]) + found[3], text)


def main() -> None:
    """Write them, or check them."""
    stale = []
    for document in DOCUMENTS:
        before = document.read_text(encoding="utf-8")
        after = filled(before)
        if before != after:
            stale.append(document.name)
            if "--check" not in sys.argv[1:]:
                document.write_text(after, encoding="utf-8")
    if "--check" in sys.argv[1:] and stale:
        sys.exit(f"{', '.join(stale)}: tables do not show benchmarks/results; python benchmarks/tables.py writes them")


if __name__ == "__main__":
    main()
