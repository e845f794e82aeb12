"""Parts of sentences in another language, and the measurement of how well they are rendered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index.errors import ArticleError
from qa.errors import WriterError
from qa.render import render
from qa.render_evaluation import evaluate_rendering, language_of, read_parts
from qa.writer import Writer

GERMAN = "Der Minister traf Anna Weber in Wien. Er blieb zwei Tage und sprach mit 12 Gästen über Holz."
ENGLISH = "The minister met Anna Weber in Vienna. He stayed for two days and spoke with 12 guests about timber."


class Dictionary(Writer):
    """Knows some parts by heart, fails at others, and keeps what it was asked."""

    def __init__(self, known: dict[str, str | list[str]]) -> None:
        self.known = known
        self.asked: list[tuple[str, str]] = []

    def renderings(self, part: str, sentence: str, source: str, target: str) -> Iterator[str]:
        self.asked.append((part, sentence))
        if part not in self.known:
            raise WriterError("it wrote nothing")
        said = self.known[part]
        yield from [said] if isinstance(said, str) else said


def question_set(file: Path, context: str, answers: dict[str, str]) -> Path:
    questions: list[dict[str, Any]] = [
        {"id": name, "question": "?", "answers": [{"text": text, "answer_start": context.index(text)}]}
        for name, text in answers.items()
    ]
    file.write_text(json.dumps({"data": [{"paragraphs": [{"context": context, "qas": questions}]}]}))
    return file


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    return (
        question_set(
            tmp_path / "xquad.de.json", GERMAN, {"a": "Anna Weber", "b": "zwei Tage", "c": "Holz", "d": "12 Gästen"}
        ),
        question_set(
            tmp_path / "xquad.en.json", ENGLISH, {"c": "timber", "d": "12 guests", "a": "Anna Weber", "b": "two days"}
        ),
    )


def test_what_can_be_said_exactly_needs_no_writer() -> None:
    writer = Dictionary({})
    assert render("zwei Tage", GERMAN, "de", "en", writer) == ("two days", True)
    assert writer.asked == []


def test_the_writer_says_the_rest_and_the_check_decides() -> None:
    writer = Dictionary({"12 Gästen": "12 guests", "mit 12 Gästen": "with 15 guests"})
    assert render("12 Gästen", GERMAN, "de", "en", writer) == ("12 guests", True)
    assert render("mit 12 Gästen", GERMAN, "de", "en", writer) == ("with 15 guests", False)
    assert writer.asked == [("12 Gästen", GERMAN), ("mit 12 Gästen", GERMAN)]


def test_of_several_renderings_the_one_most_like_the_others_is_taken() -> None:
    said: list[str] = ["the lumber", "timber of wood", "timber wood", "timber"]
    assert render("Holz", GERMAN, "de", "en", Dictionary({"Holz": list(said)})) == ("timber wood", True)


def test_the_check_judges_what_was_taken() -> None:
    said: list[str] = ["12 people", "15 guests", "15 guest"]
    assert render("12 Gästen", GERMAN, "de", "en", Dictionary({"12 Gästen": list(said)})) == ("15 guests", False)


def test_two_that_agree_are_enough() -> None:
    writer = Dictionary({"Holz": ["wood", "wood", "timber", "timber", "timber"]})
    assert render("Holz", GERMAN, "de", "en", writer) == ("wood", True)


def test_a_part_that_the_writer_fails_at_is_left_as_it_is() -> None:
    assert render("Holz", GERMAN, "de", "en", Dictionary({})) == ("Holz", False)


def test_figures_of_a_pair(sets: tuple[Path, Path]) -> None:
    writer = Dictionary({"Anna Weber": "Anna Weber", "12 Gästen": "15 guests", "Holz": "timber"})
    figures = evaluate_rendering(writer, *sets)
    assert list(figures) == ["source", "target", "questions", "chrf", "copy_chrf", "accepted"]
    assert (figures["source"], figures["target"], figures["questions"]) == ("de", "en", 4)
    assert figures["accepted"] == 3
    assert 100 > float(figures["chrf"]) > float(figures["copy_chrf"]) > 0
    assert writer.asked[0] == ("Anna Weber", "Der Minister traf Anna Weber in Wien.")


def test_only_so_many_questions(sets: tuple[Path, Path]) -> None:
    writer = Dictionary({"Anna Weber": "Anna Weber"})
    figures = evaluate_rendering(writer, *sets, limit=2)
    assert (figures["questions"], figures["chrf"], len(writer.asked)) == (2, 100.0, 1)


def test_a_part_is_rendered_once(tmp_path: Path) -> None:
    source = question_set(tmp_path / "x.de.json", GERMAN, {"a": "Holz", "b": "Holz"})
    target = question_set(tmp_path / "x.en.json", ENGLISH, {"a": "timber", "b": "timber"})
    writer = Dictionary({"Holz": "timber"})
    assert evaluate_rendering(writer, source, target)["chrf"] == 100
    assert len(writer.asked) == 1


def test_a_part_across_sentences_gets_both(tmp_path: Path) -> None:
    file = question_set(tmp_path / "x.de.json", GERMAN, {"a": "in Wien. Er blieb"})
    assert read_parts(file, "de")["a"].sentence == GERMAN


def test_an_answer_whose_place_is_wrong_is_looked_for(tmp_path: Path) -> None:
    file = question_set(tmp_path / "x.de.json", GERMAN, {"a": "Holz"})
    file.write_text(file.read_text().replace(f'"answer_start": {GERMAN.index("Holz")}', '"answer_start": 1'))
    assert read_parts(file, "de")["a"].text == "Holz"


def test_the_language_comes_from_the_name_or_from_the_text(tmp_path: Path) -> None:
    assert language_of(tmp_path / "xquad.zh.json") == "zh"
    assert language_of(question_set(tmp_path / "questions.json", GERMAN, {"a": "Holz"})) == "de"


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"data": [{"paragraphs": 3}]}', '{"data": [{"paragraphs": [{}]}]}']
)
def test_what_is_no_question_set(tmp_path: Path, sets: tuple[Path, Path], content: str) -> None:
    file = tmp_path / "broken.en.json"
    file.write_text(content)
    with pytest.raises(ArticleError, match=r"broken\.en\.json: not a question set"):
        evaluate_rendering(Dictionary({}), sets[0], file)
    with pytest.raises(ArticleError, match=r"missing\.en\.json"):
        evaluate_rendering(Dictionary({}), sets[0], tmp_path / "missing.en.json")


def test_a_question_that_the_other_file_lacks(tmp_path: Path, sets: tuple[Path, Path]) -> None:
    other = question_set(tmp_path / "other.en.json", ENGLISH, {"a": "Anna Weber"})
    with pytest.raises(ArticleError, match="no question 'b', which xquad"):
        evaluate_rendering(Dictionary({"Anna Weber": "Anna Weber"}), sets[0], other)
