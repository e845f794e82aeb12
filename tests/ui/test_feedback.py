"""Feedback becomes a file that the measurement of answers reads, and never more than readers have said."""

import json

import pytest
from scripted import refusal, scripted_answer
from typer.testing import CliRunner

from index.errors import KabarError
from qa.answer_evaluation import judge
from qa.question_file import read_questions
from ui.cli import app
from ui.feedback import evaluation, to_be_answered, write
from ui.history import History
from ui.turn import Turn


@pytest.fixture
def history(tmp_path):
    kept = History(tmp_path / "history.sqlite")
    turns = [
        Turn(number=1, id="right", question="when will Blinken arrive?", answer=scripted_answer("when?")),
        Turn(number=2, id="wrong", question="and where?", answer=scripted_answer("and where?")),
        Turn(number=3, id="refused", question="Who won the World Cup?", answer=refusal("Who won the World Cup?")),
        Turn(number=4, id="follow", question="and then?", answer=scripted_answer("and then?")),
    ]
    kept.put("ann", "c1", turns)
    for turn, verdict in (("right", "right"), ("wrong", "wrong"), ("refused", "right"), ("follow", "right")):
        assert kept.judge("ann", "c1", turn, verdict, "a day late" if verdict == "wrong" else "")
    yield kept
    kept.close()


def test_what_was_called_right_is_measured_as_right(history, tmp_path):
    write(evaluation(history.feedback()), tmp_path / "questions.json")
    conversations = read_questions(tmp_path / "questions.json")
    assert [len(said.turns) for said in conversations] == [1, 3, 4], "a question comes with those before it"
    first, refused = conversations[0].turns[-1], conversations[1].turns[-1]
    assert (first.language, first.date, first.article) == ("en", "2023-11-08", "blinken")
    assert judge(scripted_answer("when?"), first).outcome == "right"
    assert judge(scripted_answer("when?"), first).cited
    assert judge(scripted_answer("when?", short="Thursday", text="Thursday.", dates=()), first).outcome == "wrong"
    assert judge(refusal("x"), refused).outcome == "right"
    assert judge(scripted_answer("x"), refused).outcome == "invented"


def test_what_was_called_wrong_is_not_measured_before_somebody_says_what_is_right(history, tmp_path):
    (item,) = to_be_answered(history.feedback())
    assert item["turns"][0] == "when will Blinken arrive?"
    assert item["turns"][1]["remark"] == "a day late"
    assert item["turns"][1]["wrong"] == "Wednesday, 8 November 2023"
    write([item], tmp_path / "wrong.json")
    with pytest.raises(KabarError, match="'answerable' is missing"):
        read_questions(tmp_path / "wrong.json")
    item["turns"][1] |= {"answerable": True, "any_of": ["Seoul"]}
    write([item], tmp_path / "wrong.json")
    assert read_questions(tmp_path / "wrong.json")[0].turns[-1].any_of == ("Seoul",)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(KabarError, match="name another file"):
        write([], tmp_path / "no" / "folder.json")


def test_the_command_writes_both_files(history, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("server: {history: history.sqlite}\n", encoding="utf-8")
    run = CliRunner().invoke(app, ["feedback", "export", "--config", str(config)])
    assert run.exit_code == 0
    assert len(json.loads(run.stdout)) == 3
    assert "1 answers were called wrong" in run.stderr
    files = [str(tmp_path / "right.json"), "--wrong", str(tmp_path / "wrong.json")]
    assert CliRunner().invoke(app, ["feedback", "export", *files, "--config", str(config)]).exit_code == 0
    assert len(json.loads((tmp_path / "wrong.json").read_text(encoding="utf-8"))) == 1


@pytest.mark.parametrize("setting", ["none", "missing.sqlite"])
def test_without_conversations_there_is_no_feedback(tmp_path, setting):
    config = tmp_path / "config.yaml"
    config.write_text(f"server: {{history: {setting}}}\n", encoding="utf-8")
    run = CliRunner().invoke(app, ["feedback", "export", "--config", str(config)])
    assert "no conversations are kept" in str(run.exception)
    assert not (tmp_path / "missing.sqlite").exists()
