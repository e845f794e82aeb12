"""One reader's conversation: what was asked, what came of it, and how it grows."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from index.errors import KabarError
from qa.answer import Answer, Step, TextPiece
from qa.language import sentence
from ui import chrome, render
from ui.loader import History, Loader

log = logging.getLogger("kabar.ui")


@dataclass(frozen=True)
class Turn:
    """One question and what came of it: an answer, or an error's message; neither while it is being worked on."""

    number: int
    question: str
    answer: Answer | None = None
    error: str | None = None


@dataclass
class Conversation:
    """The turns of one page; the last one may be waiting for its answer."""

    turns: list[Turn] = field(default_factory=list)
    waiting: list[Turn] = field(default_factory=list)
    """The turn that nobody works on yet, if any: whoever pops it answers it, so that it is answered once."""
    busy: bool = False

    def receive(self, asked: str, language: str) -> bool:
        """Take in a question; False, and nothing taken in, while the one before is being answered."""
        if self.busy:
            return False
        turn = Turn(number=len(self.turns) + 1, question=asked)
        if asked.strip():
            self.busy = True
            self.waiting.append(turn)
        else:
            turn = replace(turn, error=sentence("empty_question", language))
        self.turns.append(turn)
        return True

    def past(self, language: str) -> str:
        """All turns but the last as HTML."""
        return "".join(_markup(turn, language) for turn in self.turns[:-1])

    def current(self, language: str) -> str:
        """The last turn as HTML."""
        return _markup(self.turns[-1], language) if self.turns else ""

    def reply(self, loader: Loader, language: str) -> Iterator[str]:
        """Answer the question that waits: the last turn as HTML, again and again as it grows."""
        try:
            turn = self.waiting.pop()
        except IndexError:
            return
        try:
            for done in _growing(loader, turn, self._history(), language):
                if isinstance(done, str):
                    yield done
                else:
                    self.turns[-1] = done
        finally:
            self.busy = False
        yield self.current(language)

    def _history(self) -> History:
        return [
            message
            for turn in self.turns
            if turn.answer
            for message in (("user", turn.question), ("assistant", turn.answer.text))
        ]


def ask(loader: Loader, question: str, history: History) -> dict[str, Any]:
    """The answer as JSON. Raises KabarError; one that carries a request id for whatever was not foreseen."""
    try:
        *_, last = _events(loader, question, history)
    except KabarError:
        raise
    except Exception:
        request = _request_id()
        log.exception("Request %s failed", request)
        raise KabarError(sentence("internal_error", "en", id=request)) from None
    return last.model_dump(mode="json")


def _growing(loader: Loader, turn: Turn, history: History, language: str) -> Iterator[str | Turn]:
    """The turn as HTML for every event, and the finished turn last."""
    written = ""
    doing = sentence("loading" if loader.loading else "waiting", language)
    yield _markup(turn, language, [render.progress(doing, language)])
    try:
        for event in _events(loader, turn.question, history):
            if isinstance(event, Answer):
                turn = replace(turn, answer=event)
                break
            if isinstance(event, Step):
                doing = chrome.step(event, language)
            else:
                written += event.text
            parts = [render.partial(written)] if written else [render.progress(doing, language)]
            yield _markup(turn, language, parts)
    except KabarError as error:
        turn = replace(turn, error=str(error))
    except Exception:
        request = _request_id()
        log.exception("Request %s failed", request)
        turn = replace(turn, error=sentence("internal_error", language, id=request))
    yield turn


def _events(loader: Loader, question: str, history: History) -> Iterator[Step | TextPiece | Answer]:
    """What the assistant says; an Answer last, or RuntimeError."""
    event: Step | TextPiece | Answer | None = None
    for event in loader.assistant().stream(question, history=history):
        yield event
    answered = isinstance(event, Answer)
    if not answered:
        raise RuntimeError("the assistant ended without an answer")


def _request_id() -> str:
    """What stands both in the log and on the page, so that the one is found from the other."""
    return uuid.uuid4().hex[:12]


def _markup(turn: Turn, language: str, parts: Sequence[str] = ()) -> str:
    """A turn as HTML; ``parts`` stand for an answer that is not there yet."""
    asked = render.question(turn.question, turn.answer.language if turn.answer else None)
    if turn.answer:
        parts = [render.answer(turn.answer, turn.number)]
    elif turn.error:
        parts = [render.error(turn.error, language)]
    elif not parts:
        parts = [render.progress(sentence("waiting", language), language)]
    return render.turn(turn.number, [asked, *parts], language)
