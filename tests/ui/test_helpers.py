"""Processes that help to answer: when they start and end, what they say, and what becomes of it when they die."""

import contextlib
import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from helping import Signed, broken

import ui.helpers
from index.errors import KabarError, ModelError
from index.update import sync
from qa.answer import Answer, Step, TextPiece
from qa.errors import QuestionError
from ui.answering import open_answering
from ui.config import Settings
from ui.fair_queue import FairQueue
from ui.helpers import Helper, Helpers, _sendable, open_helping
from ui.loader import Loader

QUESTION = "when will Blinken arrive?"


def until(holds, seconds: float = 30) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def own(tmp_path: Path) -> Signed:
    (tmp_path / "own").write_text(str(os.getpid()))
    return Signed(tmp_path)


@pytest.fixture
def queue() -> FairQueue:
    return FairQueue()


@pytest.fixture
def helpers(own: Signed, queue: FairQueue) -> Iterator[Helpers]:
    found = Helpers(partial(Signed, own.folder), 1, queue)
    with contextlib.closing(found):
        found.wanted()
        until(lambda: queue.at_once == 2)
        yield found
    until(lambda: queue.at_once == 1)
    gc.collect()  # what is left open is told now


def process_of(events) -> int:
    """The one that the first event counts."""
    return next(events).count


def test_a_helper_answers_what_is_asked_while_this_process_is_at_work(helpers, own):
    first, second = (helpers.stream(own, QUESTION, history=[("user", "hi")]) for _ in range(2))
    assert process_of(first) == os.getpid()
    other = process_of(second)
    assert other != os.getpid()
    mine, theirs = list(first), list(second)
    assert mine == theirs
    assert isinstance(theirs[-1], Answer)
    assert own.asked == [(QUESTION, [("user", "hi")])]
    again = helpers.stream(own, QUESTION, history=[])
    assert process_of(again) == os.getpid()
    again.close()


def test_who_reads_slowly_keeps_no_process_from_others(helpers, own):
    readers = [helpers.stream(own, QUESTION, history=[]) for _ in range(2)]
    for reader in readers:
        while not isinstance(next(reader), TextPiece):
            pass
    others = [helpers.stream(own, QUESTION, history=[]) for _ in range(2)]
    assert len({process_of(events) for events in others}) == 2
    for events in (*readers, *others):
        events.close()


def test_what_nobody_wants_to_hear_any_more_is_given_up(helpers, own):
    with contextlib.closing(helpers.stream(own, QUESTION, history=[])) as first:
        next(first)
        second = helpers.stream(own, QUESTION, history=[])
        helper = process_of(second)
        second.close()
        assert not (own.folder / "finished").exists()
        third = helpers.stream(own, QUESTION, history=[])
        assert process_of(third) == helper
        assert isinstance(list(third)[-1], Answer)


def test_errors_are_those_of_the_assistant(helpers, own):
    with contextlib.closing(helpers.stream(own, QUESTION, history=[])) as first:
        next(first)
        with pytest.raises(QuestionError, match="The question is empty") as raised:
            list(helpers.stream(own, "empty", history=[]))
        assert raised.value.key == "empty_question"
        with pytest.raises(RuntimeError, match="a secret of the server") as secret:
            list(helpers.stream(own, "broken", history=[]))
        assert "scripted.py" in secret.value.__notes__[0]
        with pytest.raises(RuntimeError, match="OddError: ab"):
            list(helpers.stream(own, "odd", history=[]))
        assert isinstance(list(helpers.stream(own, QUESTION, history=[]))[-1], Answer)


def test_if_a_helper_dies_this_process_answers_and_nothing_is_said_twice(helpers, own, queue, caplog):
    with contextlib.closing(helpers.stream(own, QUESTION, history=[])) as first:
        next(first)
        said = list(helpers.stream(own, "die, and when will Blinken arrive?", history=[]))
    assert [type(event) for event in said].count(Step) == 3
    assert isinstance(said[-1], Answer)
    until(lambda: queue.at_once == 1)
    until(lambda: caplog.messages)
    assert "failed: it ended with exit code -9" in caplog.messages[0]
    helpers.wanted()  # too soon after a failure
    assert not helpers._started


def test_one_that_nobody_needs_ends(own, queue, caplog):
    with contextlib.closing(Helpers(partial(Signed, own.folder), 1, queue, idle=0.2)) as helpers:
        for _ in range(2):
            helpers.wanted()
            until(lambda: queue.at_once == 2)
            until(lambda: queue.at_once == 1)
            until(lambda: not helpers._started)
    assert not caplog.messages


def test_no_more_are_started_than_are_allowed(own, queue):
    with contextlib.closing(Helpers(partial(Signed, own.folder), 2, queue)) as helpers:
        for _ in range(5):
            helpers.wanted()
        until(lambda: queue.at_once == 2)
        for _ in range(5):
            helpers.wanted()
        until(lambda: queue.at_once == 3)
        helpers.wanted()
        assert len(helpers._started) == 2
    until(lambda: queue.at_once == 1)


def test_one_that_cannot_start_is_told_and_tried_again_later(queue, own, caplog):
    with contextlib.closing(Helpers(broken, 1, queue, pause=0.3)) as helpers:
        for count in (1, 2):
            until(lambda: helpers.wanted() or helpers._started)
            until(lambda count=count: len(caplog.messages) == count)
            assert isinstance(list(helpers.stream(own, QUESTION, history=[]))[-1], Answer)
    assert set(caplog.messages) == {"A process that helps to answer failed: the weights are damaged"}
    assert queue.at_once == 1


def test_one_for_which_there_is_no_room_is_told_and_tried_again_later(queue, own, caplog, monkeypatch):
    class Full(Helper):
        def __init__(self, *_: object) -> None:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    with contextlib.closing(Helpers(partial(Signed, own.folder), 1, queue, pause=0)) as helpers:
        with monkeypatch.context() as patched:
            patched.setattr(ui.helpers, "Helper", Full)
            helpers.wanted()
            until(lambda: caplog.messages)
        assert caplog.messages == ["A process that helps to answer failed: Cannot allocate memory"]
        helpers.wanted()
        until(lambda: queue.at_once == 2)
    until(lambda: queue.at_once == 1)


def test_a_server_starts_one_when_somebody_has_waited_and_asks_it(own):
    queue = FairQueue()
    loader = Loader(lambda: own, queue=queue, helpers=Helpers(partial(Signed, own.folder), 1, queue))
    loader.start()
    (own.folder / "wait").touch()
    answers: list[Answer] = []

    def ask(user: str) -> None:
        *_, last = loader.stream(QUESTION, history=[], user=user)
        answers.append(last)

    askers = [threading.Thread(target=ask, args=(f"user {number}",)) for number in range(3)]
    with contextlib.closing(loader):
        for asker in askers:
            asker.start()
        until(lambda: len(list(own.folder.glob("at-work-*"))) == 2)
        assert (len(queue), queue.serving) == (1, 2)
        (own.folder / "wait").unlink()
        for asker in askers:
            asker.join(30)
    assert len(answers) == 3
    assert all(answer.answerable for answer in answers)


def test_it_ends_with_the_process_that_started_it_however_that_ends(tmp_path):
    code = """
import os, sys
from functools import partial
from pathlib import Path
from ui.fair_queue import FairQueue
from ui.helpers import Helper
from scripted import Scripted
if __name__ == "__main__":
    helper = Helper(Scripted)
    helper.until_ready()
    print(helper.process.pid, flush=True)
    sys.stdin.read()
"""
    script = tmp_path / "start.py"
    script.write_text(code, encoding="utf-8")
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "tests")])},
    ) as process:
        helper = psutil.Process(int(process.stdout.readline()))
        helper.send_signal(signal.SIGTERM)  # as systemd sends it to all processes of a service
        helper.send_signal(signal.SIGINT)  # as a terminal does
        time.sleep(0.3)
        assert helper.is_running()
        process.kill()
    helper.wait(30)


def test_an_error_that_kabar_makes_can_be_sent():
    for error in (KabarError("a"), QuestionError("b", "too_long"), ModelError("c")):
        found = _sendable(error)
        assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))


@pytest.mark.models
def test_helpers_with_the_real_models_give_the_same_answers(tmp_path):
    root = Path(__file__).parents[2]
    settings = Settings(index={"path": tmp_path / "index", "articles": [root / "articles"]}, writer={"model": "none"})
    sync(config=settings)
    own, queue = open_answering(settings), FairQueue()
    with contextlib.closing(Helpers(partial(open_helping, settings), 1, queue)) as helpers:
        helpers.wanted()
        until(lambda: queue.at_once == 2)
        with contextlib.closing(helpers.stream(own, QUESTION, history=[])) as first:
            next(first)
            *_, theirs = helpers.stream(own, QUESTION, history=[])
            *_, mine = first
    own.close()
    assert theirs.answerable
    assert theirs.confidence == pytest.approx(mine.confidence, abs=0.01)  # other cores add up in another order
    same = {"timings": {}, "confidence": 0}
    assert theirs.model_copy(update=same) == mine.model_copy(update=same)
