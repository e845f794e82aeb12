"""Asking, asking again and taking back, in conversations that are kept, by their owners alone."""

import contextlib
import json
import threading
import time

import pytest
from scripted import Scripted

from index.errors import NoIndexError, WriteError
from qa.turn import Turn as Question
from ui.around import Around
from ui.conversation import Conversation
from ui.desk import Desk
from ui.fair_queue import FairQueue
from ui.history import History
from ui.loader import Loader
from ui.visitor import Visitor

ANN, BOB = Visitor("ann", "en", "user ann"), Visitor("bob", "en", "user bob")
QUESTION = "when will Blinken arrive?"


@pytest.fixture
def history(tmp_path):
    opened = History(tmp_path / "history.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def assistant():
    return Scripted()


@pytest.fixture
def loader(assistant):
    made = Loader(lambda: assistant)
    made.start()
    return made


@pytest.fixture
def desk(loader, history):
    return Desk(loader, history)


def context(conversation: str = "", **filters) -> str:
    return json.dumps({"conversation": conversation, "filters": filters})


def ask(desk: Desk, question: str = QUESTION, conversation: str = "", who: Visitor = ANN, **options) -> Conversation:
    shown = desk.act(options.pop("talk", Conversation()), "ask", question, context(conversation), who)
    list(desk.reply(shown.talk, who))
    return shown.talk


def test_an_answer_is_kept_and_opened_again(desk, history):
    talk = ask(desk)
    again = desk.open(talk.id, ANN)
    assert again.talk.turns == talk.turns
    assert "Wednesday, 8 November 2023" in again.current
    assert "data-judge" in again.current
    ask(desk, "and who comes?", talk.id)
    assert len(history.get("ann", talk.id).turns) == 2


def test_anothers_conversation_is_neither_shown_nor_continued(desk, history):
    talk = ask(desk)
    assert "does not exist" in desk.open(talk.id, BOB).current
    assert desk.open(talk.id, BOB).talk.turns == []
    taken = ask(desk, "let me in", talk.id, BOB)
    assert taken.id != talk.id
    assert [turn.question for turn in taken.turns] == ["let me in"]
    for action in ("retry", "undo"):
        assert desk.act(Conversation(), action, "", context(talk.id), BOB).talk.turns == []
    assert [turn.question for turn in history.get("ann", talk.id).turns] == [QUESTION]


def test_two_windows_go_on_with_one_conversation(desk, history):
    here = ask(desk)
    there = desk.open(here.id, ANN).talk
    ask(desk, "from there", here.id, talk=there)
    ask(desk, "from here", here.id, talk=here)
    assert [turn.question for turn in history.get("ann", here.id).turns] == [QUESTION, "from there", "from here"]


def test_asking_again_changing_and_taking_back(desk, history, assistant):
    talk = ask(desk)
    first = talk.turns[0].id
    for value, expected in (("", QUESTION), ("and in Arabic?", "and in Arabic?")):
        talk = desk.act(talk, "retry", value, context(talk.id), ANN).talk
        list(desk.reply(talk, ANN))
        assert [turn.question for turn in talk.turns] == [expected]
        assert assistant.asked[-1] == (expected, [])
    assert talk.turns[0].id != first
    assert desk.act(talk, "undo", "", context(talk.id), ANN).current == ""
    assert history.get("ann", talk.id) is None, "nothing is left of it"
    assert desk.act(Conversation(), "retry", "", context(), ANN).current == ""


def test_nothing_is_done_while_a_question_is_answered(desk):
    talk = desk.act(Conversation(), "ask", QUESTION, context(), ANN).talk
    for action in ("ask", "retry", "undo"):
        assert desk.act(talk, action, "x", context(talk.id), ANN) is None
    list(desk.reply(talk, ANN))
    assert desk.act(talk, "undo", "", context(talk.id), ANN) is not None


def test_filters_go_with_the_question_and_are_kept(desk, assistant, history):
    given = context(after="2023-11-01", language="id")
    talk = desk.act(Conversation(), "ask", QUESTION, given, ANN).talk
    list(desk.reply(talk, ANN))
    assert assistant.filters[-1]["languages"] == ["id"]
    kept = history.get("ann", talk.id).turns[0]
    assert kept.filters.after.isoformat() == "2023-11-01"
    assert "Published from 1 November 2023" in desk.open(talk.id, ANN).current


def test_filters_that_cannot_be_read_are_said(desk, assistant):
    shown = desk.act(Conversation(), "ask", QUESTION, '{"filters": {"after": "tomorrow"}}', ANN)
    assert "The filters cannot be read" in shown.current
    assert assistant.asked == []


def test_without_history_a_conversation_goes_on_in_its_window_alone(loader):
    desk = Desk(loader, None)
    talk = ask(desk)
    talk = desk.act(talk, "ask", "and?", context(talk.id), ANN).talk
    list(desk.reply(talk, ANN))
    assert len(talk.turns) == 2
    assert "data-judge" not in talk.current("en")
    assert desk.open(talk.id, ANN).current == "", "a reload begins again, and says nothing of it"


def test_an_answer_is_shown_even_if_it_cannot_be_kept(desk, history, monkeypatch, caplog):
    def full(*_, **__):
        raise WriteError("the disk is full")

    monkeypatch.setattr(history, "put", full)
    talk = ask(desk)
    assert talk.turns[0].answer is not None
    assert "the disk is full" in caplog.text


def test_the_place_in_the_queue_is_shown(desk, assistant):
    assistant.gate.clear()
    first = desk.act(Conversation(), "ask", QUESTION, context(), ANN).talk
    answering = threading.Thread(target=lambda: list(desk.reply(first, ANN)))
    answering.start()
    while not assistant.asked:
        time.sleep(0.01)
    second = desk.act(Conversation(), "ask", "and?", context(), BOB).talk
    waiting = desk.reply(second, BOB)
    shown = [next(waiting), next(waiting)]
    assert "Place 1 in the queue" in shown[-1]
    assistant.gate.set()
    answering.join(20)
    list(waiting)
    assert second.turns[0].answer is not None


def test_what_is_found_around_an_answer_too_late_is_not_shown(desk, history, monkeypatch):
    """The next question is asked while it is looked for."""
    later = []

    def look(turn):
        yield Around(questions=("one?",))
        later.append(desk.act(talk, "ask", "and then?", context(talk.id), ANN).talk)
        yield Around(questions=("one?", "two?"))

    talk = desk.act(Conversation(), "ask", QUESTION, context(), ANN).talk
    shown = list(talk.reply(desk.loader, ANN, history, look))
    assert "one?" in shown[-1]
    list(desk.reply(later[0], ANN))
    assert [turn.question for turn in history.get("ann", talk.id).turns] == [QUESTION, "and then?"]


def test_questions_are_tried_out_only_while_nobody_asks(assistant):
    loader = Loader(lambda: assistant, queue=FairQueue())
    loader.start()
    turns = [Question(question) for question in ("one?", "Lavrov?", "two?", "three?")]
    assert loader.answered(turns, most=2) == ["one?", "two?"]
    assert assistant.considered == ["one?", "Lavrov?", "two?"]
    with loader.queue.join("somebody"):
        assert loader.answered(turns, most=2, patience=0.01) == []
    asks = assistant.would_answer

    def meanwhile(turn):
        loader.queue.join("somebody")
        return asks(turn)

    assistant.would_answer = meanwhile
    assert loader.answered(turns, most=2) == ["one?"]


def test_the_assistant_is_made_again_only_where_that_may_help(assistant):
    made = []

    def make():
        made.append(len(made))
        if len(made) == 1:
            raise NoIndexError("there is no article yet")
        return assistant

    loader = Loader(make)
    for count in (1, 2, 2):
        loader.start()
        with contextlib.suppress(NoIndexError):
            loader.assistant()
        assert len(made) == count


def test_a_failure_around_an_answer_costs_nothing_else(desk, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("no such index")

    monkeypatch.setattr(desk, "_around", fail)
    talk = ask(desk)
    assert talk.turns[0].answer is not None
    assert "Nothing more is shown around" in caplog.text


def test_what_is_deleted_in_one_window_does_not_come_back_from_another(desk, history, assistant):
    talk = ask(desk, "a secret question")
    history.delete("ann", talk.id)
    later = ask(desk, "and then?", talk.id, talk=talk)
    assert later.id != talk.id
    assert [turn.question for turn in later.turns] == ["and then?"]
    assert history.find("ann", "secret") == []


def test_what_is_deleted_while_it_is_answered_does_not_come_back(desk, history):
    talk = ask(desk, "a secret question")
    talk = desk.act(talk, "ask", QUESTION, context(talk.id), ANN).talk
    growing = desk.reply(talk, ANN)
    next(growing)
    history.delete_all("ann")
    list(growing)
    assert talk.turns[-1].answer is not None
    assert history.find("ann") == []
    talk.keep(history, ANN)
    assert history.find("ann") == []
