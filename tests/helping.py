"""Assistants for tests of processes that help to answer; those import them from here."""

import os
import signal
import time
from pathlib import Path

from scripted import Scripted

from index.errors import ModelError
from qa.answer import Step
from qa.errors import QuestionError


class Signed(Scripted):
    """Says in which process it answers; waits while a file is there; makes the errors that are asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def stream(self, question, *, history, **filters):
        (self.folder / f"at-work-{os.getpid()}").touch()
        yield Step(name="understand", count=os.getpid())
        while (self.folder / "wait").exists():
            time.sleep(0.01)
        if "die" in question and os.getpid() != int((self.folder / "own").read_text()):
            os.kill(os.getpid(), signal.SIGKILL)
        if "empty" in question:
            raise QuestionError("The question is empty", "empty_question")
        if "odd" in question:
            raise OddError("a", "b")
        yield from super().stream(question, history=history, **filters)
        (self.folder / "finished").touch()


class OddError(Exception):
    """Cannot be sent to another process: it is made of two things and kept as one."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def broken() -> Scripted:
    """An assistant that cannot be made."""
    raise ModelError("the weights are damaged")
