"""What the reader learns from."""

import json
from pathlib import Path

from training.reader_data import AROUND, answer_of, read_timeqa


def test_a_paragraph_of_timeqa_comes_with_those_around_it(tmp_path: Path) -> None:
    paragraphs = ["A house .", "x " * AROUND, "In 1796 , John Laird lived ( alone ) in the house .", "It stands ."]
    answer = {"para": 2, "from": 10, "end": 20, "answer": "John Laird"}
    nothing = {"para": 0, "from": 0, "end": 0, "answer": ""}
    page = {"paras": paragraphs, "questions": [["Who lived there in 1796?", [answer]], ["And in 1999?", [nothing]]]}
    (tmp_path / "timeqa.json").write_text(json.dumps([page]), encoding="utf-8")
    (example,) = read_timeqa(tmp_path / "timeqa.json")
    assert example.question == "Who lived there in 1796?"
    assert answer_of(example) == "John Laird"
    assert example.context.endswith(" In 1796, John Laird lived (alone) in the house. It stands.")
    assert "A house" not in example.context
    assert len(example.context) < AROUND + 70
