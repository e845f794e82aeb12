"""How well articles that agree are cited together, and those that contradict each other are told apart.

    python benchmarks/agreement.py

Each question of questions/contradictions.json is asked with the sample articles around its own. ``relation`` says what
its two articles have to do with each other: they agree, contradict each other, or speak of different things. The
thresholds were chosen on them: development figures. About a minute.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from machine import machine

from index.config import IndexConfig
from qa.chain import Assistant
from qa.config import Settings, WriterConfig
from qa.first_index import ensure_index
from qa.turn import Evidence, Turn

HERE = Path(__file__).resolve().parent
ARTICLES = (HERE.parent / "articles", HERE / "questions" / "contradictions-articles.jsonl")
QUESTIONS = HERE / "questions" / "contradictions.json"
RESULT = HERE / "results" / "agreement.json"
NAMES = {
    "agree": "articles that agree, cited together",
    "contradict": "articles that contradict each other, both shown",
}


def main() -> None:
    """Measure, print, and write the result."""
    items = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            index=IndexConfig(path=Path(folder) / "index", articles=ARTICLES), writer=WriterConfig(model="none")
        )
        ensure_index(settings)
        with Assistant.open(settings) as assistant:
            counts = sum((judged(item, evidence(assistant, item["question"])) for item in items), Counter())
    rows = [row(counts, relation) for relation in NAMES]
    rows.append(
        {"what": "contradictions with the newest article first", "share": share(counts, "newest", "contradict")}
    )
    print(*rows, sep="\n")
    result = {"command": "python benchmarks/agreement.py", "machine": machine(), "questions": len(items), "rows": rows}
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def evidence(assistant: Assistant, question: str) -> tuple[Evidence, ...]:
    """What the answer to a question rests on."""
    turn = Turn(question)
    for name in ("understand", "retrieve", "read", "ground"):
        turn = assistant.steps[name](turn)
    return turn.evidence


def judged(item: dict[str, Any], found: tuple[Evidence, ...]) -> Counter[str]:
    """What was right and wrong: "true agree", "false contradict", "missed agree", "newest"."""
    facts = {one.hit.article.id: one.fact_number for one in found}
    pair = [item["article"], item["other"]]
    counts: Counter[str] = Counter()
    said = None
    if all(name in facts for name in pair):
        said = "agree" if facts[pair[0]] == facts[pair[1]] else "contradict"
        counts["true " + said if said == item["relation"] else "false " + said] += 1
        counts["newest"] += said == item["relation"] == "contradict" and facts[pair[0]] == 0
    if item["relation"] != said and item["relation"] != "different":
        counts["missed " + item["relation"]] += 1
    # An article on another thing that is cited beside the answer, whatever for, is wrong.
    for name, number in facts.items():
        if len(facts) > 1 and story(name) not in map(story, pair):
            counts["false contradict" if number else "false agree"] += 1
    return counts


def story(article: str) -> str:
    """What an article is about, by its name: "maravu-zh" is about "maravu"."""
    return article.rpartition("-")[0]


def row(counts: Counter[str], relation: str) -> dict[str, str]:
    """Precision and recall of one relation."""
    true = counts[f"true {relation}"]
    return {
        "what": NAMES[relation],
        "precision": f"{100 * true / max(true + counts[f'false {relation}'], 1):.0f}%",
        "recall": f"{100 * true / max(true + counts[f'missed {relation}'], 1):.0f}%",
    }


def share(counts: Counter[str], part: str, relation: str) -> str:
    """How many of the right ones of a relation are also ``part``."""
    return f"{100 * counts[part] / max(counts[f'true {relation}'], 1):.0f}%"


if __name__ == "__main__":
    main()
