"""Conversations on the server: each owner has their own, and what is deleted is gone."""

import json
import stat
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import scripted_answer

from index.errors import DamagedError, StoreError
from ui.config import Settings
from ui.history import History
from ui.turn import Turn

INJECTIONS = [
    "'; DROP TABLE turns; --",
    '" OR 1=1 --',
    "' UNION SELECT id, owner, title, share FROM conversations --",
    "%",
    "_",
    "\\",
    "x'); DELETE FROM conversations; --",
    "\0",
    "\ud800",
]


@pytest.fixture
def history(tmp_path):
    opened = History(tmp_path / "history.sqlite")
    yield opened
    opened.close()


def turn(question: str, number: int = 1, **changes) -> Turn:
    return Turn(number=number, question=question, answer=scripted_answer(question), **changes)


def test_a_conversation_comes_back_with_its_evidence(history):
    turns = (turn("when will Blinken arrive?"), Turn(number=2, question="and?", error="It failed"))
    assert history.put("ann", "c1", turns)
    kept = history.get("ann", "c1")
    assert kept.turns == turns
    assert kept.turns[0].answer.citations[0].quote == turns[0].answer.citations[0].quote
    assert kept.summary.title == "when will Blinken arrive?"


def test_it_survives_the_server(tmp_path):
    first = History(tmp_path / "history.sqlite")
    first.put("ann", "c1", [turn("kept?")])
    first.close()
    again = History(tmp_path / "history.sqlite")
    assert again.get("ann", "c1").turns[0].question == "kept?"
    again.close()


def test_turns_are_those_that_were_put_last(history):
    history.put("ann", "c1", [turn("one"), turn("two", 2)])
    history.put("ann", "c1", [turn("one, better")])
    assert [kept.question for kept in history.get("ann", "c1").turns] == ["one, better"]
    assert history.find("ann")[0].title == "one", "the title stays"


def test_what_is_deleted_is_not_made_again_by_what_is_not_new(history):
    history.put("ann", "c1", [turn("one")])
    history.delete("ann", "c1")
    assert not history.put("ann", "c1", [turn("one"), turn("two", 2)], new=False)
    assert history.find("ann") == []


def test_a_question_that_is_being_answered_is_not_kept(history):
    history.put("ann", "c1", [turn("one"), Turn(number=2, question="two")])
    assert len(history.get("ann", "c1").turns) == 1


def test_nobody_reaches_anothers_conversation(history):
    history.put("ann", "c1", [turn("secret plan", id="t1")])
    history.judge("ann", "c1", "t1", "right")
    assert history.get("bob", "c1") is None
    assert history.find("bob") == []
    assert history.find("bob", "secret") == []
    assert not history.put("bob", "c1", [turn("mine now")])
    assert not history.rename("bob", "c1", "mine")
    assert history.share("bob", "c1") is None
    assert not history.unshare("bob", "c1")
    assert not history.judge("bob", "c1", "t1", "wrong")
    assert not history.delete("bob", "c1")
    assert history.delete_all("bob") == 0
    assert history.get("ann", "c1").turns[0].question == "secret plan"
    assert history.feedback()[0].verdict == "right"


def test_list_is_newest_first_and_searched_in_any_case(history):
    for number, question in enumerate(["Siapa presiden?", "STRASSE gesperrt?", "когда выборы?"]):
        history.put("ann", f"c{number}", [turn(question)])
    assert [found.id for found in history.find("ann")] == ["c2", "c1", "c0"]
    assert [found.id for found in history.find("ann", "straße")] == ["c1"]
    assert [found.id for found in history.find("ann", " КОГДА ")] == ["c2"]
    assert len(history.find("ann", "blinken WILL arrive")) == 3, "answers are searched too"
    history.rename("ann", "c0", "  Pilpres\n2024 ")
    assert history.find("ann", "pilpres 2024")[0].title == "Pilpres 2024"
    assert not history.rename("ann", "c0", " \n ")
    assert not history.rename("ann", "unknown", "x")


@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_every_field_is_text(history, text):
    history.put("ann", "c1", [turn("harmless", id="t1")])
    assert history.find("ann", text) == []
    assert history.find(text.replace("\ud800", "?")) == []
    for call in (history.get, history.share, history.unshare, history.delete):
        assert not call("ann", text)
    assert history.shared(text) is None
    assert history.rename("ann", "c1", text)
    assert history.judge("ann", "c1", "t1", "wrong", text)
    assert not history.judge("ann", "c1", text, "wrong", text)
    assert [found.id for found in history.find("ann", text)] == ["c1"]
    assert history.get("ann", "c1").turns[0].question == "harmless"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_any_title_is_kept_in_one_line(history, title):
    history.put("ann", "c1", [turn("q")])
    if history.rename("ann", "c1", title):
        assert history.find("ann")[0].title == " ".join(title.encode("utf-8", "replace").decode().split())


def test_a_link_shows_it_until_it_is_taken_back(history):
    history.put("ann", "c1", [turn("shared?")])
    token = history.share("ann", "c1")
    assert len(token) >= 32
    assert history.share("ann", "c1") == token
    assert history.shared(token).turns[0].question == "shared?"
    assert history.find("ann")[0].share == token
    assert history.unshare("ann", "c1")
    assert history.shared(token) is None
    assert history.share("ann", "c1") != token


def test_what_is_deleted_is_in_no_file_any_more(tmp_path):
    history = History(tmp_path / "history.sqlite")
    secret = "the plumber's purple umbrella"
    for number in range(30):
        history.put("ann", f"c{number}", [turn(f"{secret} {number}", id=f"t{number}")])
        history.judge("ann", f"c{number}", f"t{number}", "wrong", secret)
    history.put("bob", "other", [turn("stays")])
    assert history.delete("ann", "c0")
    assert history.delete_all("ann") == 29
    # While it is open, too: nothing waits for the server's end.
    for file in tmp_path.iterdir():
        assert secret.encode() not in file.read_bytes(), file.name
    assert history.feedback() == []
    assert history.get("bob", "other").turns[0].question == "stays"
    assert (tmp_path / "history.sqlite").stat().st_size < 100_000
    history.close()


def test_feedback_keeps_question_answer_and_evidence_even_if_it_is_asked_again(history):
    judged = turn("when?", id="t1")
    history.put("ann", "c1", [judged])
    assert history.judge("ann", "c1", "t1", "wrong", " a day late ")
    assert history.get("ann", "c1").turns[0].verdict == "wrong"
    history.put("ann", "c1", [turn("when?", id="t2")])
    (given_feedback,) = history.feedback()
    assert (given_feedback.verdict, given_feedback.remark) == ("wrong", "a day late")
    assert given_feedback.turn.answer == judged.answer
    assert history.get("ann", "c1").turns[0].verdict is None


def test_feedback_can_be_changed_and_taken_back(history):
    history.put("ann", "c1", [turn("when?", id="t1"), Turn(number=2, question="x", error="failed", id="t2")])
    for verdict in ("right", "wrong"):
        history.judge("ann", "c1", "t1", verdict)
    assert [one.verdict for one in history.feedback()] == ["wrong"]
    history.judge("ann", "c1", "t1", None)
    assert history.feedback() == []
    assert not history.judge("ann", "c1", "t2", "right"), "an error is no answer"


def test_many_threads_write_at_once(history):
    def keep(name: str) -> None:
        for number in range(10):
            assert history.put(name, f"{name}-{number}", [turn(name)])

    threads = [threading.Thread(target=keep, args=(f"owner{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(history.find(f"owner{number}")) for number in range(4)] == [10] * 4


def test_the_file_is_its_users_alone(history):
    assert stat.S_IMODE(history.path.stat().st_mode) == 0o600


def test_another_kind_of_file_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no database, but long enough to be looked at" * 50)
    with pytest.raises(DamagedError, match=r"notes\.txt: no usable file of conversations .*move it away"):
        History(tmp_path / "notes.txt")
    with pytest.raises(StoreError, match=r"server\.history"):
        History(tmp_path)


def test_a_kept_answer_that_cannot_be_read_is_an_error(history):
    history.put("ann", "c1", [turn("q")])
    history._connection.execute("UPDATE turns SET content = '{}'")
    with pytest.raises(DamagedError, match="delete the conversation"):
        history.get("ann", "c1")
    assert history.delete("ann", "c1")


def test_file_is_beside_the_index_unless_the_configuration_says_otherwise(tmp_path, monkeypatch):
    assert Settings().history_file == Settings().index.path.parent / "index-history.sqlite"
    config = tmp_path / "config.yaml"
    for value, expected in (("none", None), ("notes/h.db", tmp_path / "notes/h.db")):
        config.write_text(json.dumps({"server": {"history": value}}), encoding="utf-8")
        assert Settings.load(config).history_file == expected
    monkeypatch.setenv("KABAR_SERVER__HISTORY", "none")
    assert Settings.load(config).history_file is None
