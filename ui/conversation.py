"""One reader's conversation: what was asked, what came of it, and how it grows."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from index.errors import KabarError
from qa.answer import Answer, Step, TextPiece
from qa.language import sentence
from ui import chrome, render
from ui.answering import History as Said
from ui.around import Around
from ui.fair_queue import Waiting
from ui.filters import Filters
from ui.history import History
from ui.loader import Event, Loader
from ui.logs import request_id
from ui.turn import Turn, new_id
from ui.turn_view import turn_view
from ui.visitor import Visitor

log = logging.getLogger("kabar.ui")

Explore = Callable[[Turn], Iterable[Around]]
"""What the page shows around the answer of a turn, as it is found."""


@dataclass
class Conversation:
    """The turns of one page; the last one may be waiting for its answer."""

    id: str = ""
    turns: list[Turn] = field(default_factory=list)
    waiting: list[Turn] = field(default_factory=list)
    """The turn that nobody works on yet, if any: whoever pops it answers it, so that it is answered once."""
    busy: bool = False
    kept: bool = False
    """Whether it is written down; only then can its answers be judged."""
    deleted: bool = False
    """Whether it was written down and is no more: it must not come back."""
    acts: int = 0
    """How often something was done with it: what is still found for an earlier answer then comes too late."""

    @classmethod
    def open(cls, history: History | None, visitor: Visitor, conversation: str) -> "Conversation | None":
        """A conversation that was kept; None if the visitor has no such conversation."""
        kept = history.get(visitor.owner, conversation) if history and conversation else None
        return cls(id=conversation, turns=list(kept.turns), kept=True) if kept else None

    def receive(self, asked: str, language: str, filters: Filters | None = None) -> bool:
        """Take in a question; False, and nothing taken in, while the one before is being answered."""
        if self.busy:
            return False
        asked = asked.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair cannot be kept
        turn = Turn(number=len(self.turns) + 1, question=asked, filters=filters or Filters())
        if asked.strip():
            self.busy = True
            self.waiting.append(turn)
        else:
            turn = turn.model_copy(update={"error": sentence("empty_question", language)})
        self.id = self.id or new_id()
        self.turns.append(turn)
        return True

    def undo(self) -> Turn | None:
        """Take the last turn back; None, and nothing taken back, if there is none or it is being answered."""
        return self.turns.pop() if self.turns and not self.busy else None

    def past(self, language: str) -> str:
        """All turns but the last as HTML."""
        return "".join(self._markup(turn, language) for turn in self.turns[:-1])

    def current(self, language: str) -> str:
        """The last turn as HTML, with what can be done with it."""
        return self._markup(self.turns[-1], language, last=True) if self.turns else ""

    def refuse(self, asked: str, message: str) -> None:
        """Take in a question that cannot be answered."""
        self.turns.append(Turn(number=len(self.turns) + 1, question=asked, error=message))

    def reply(
        self, loader: Loader, visitor: Visitor, history: History | None = None, explore: Explore | None = None
    ) -> Iterator[str]:
        """Answer the question that waits: the last turn as HTML, again and again as it grows.

        It is kept before it is shown whole, and again with what is around it.
        """
        try:
            turn = self.waiting.pop()
        except IndexError:
            return
        acts = self.acts
        try:
            for done in self._growing(loader, turn, visitor):
                if isinstance(done, str):
                    yield done
                else:
                    self.turns[-1] = turn = done
            self.keep(history, visitor)
        finally:
            self.busy = False
        if self.acts == acts:
            yield self.current(visitor.language)
            if explore is not None and turn.answer:
                yield from self._explored(explore, turn, visitor, history)

    def _explored(self, explore: Explore, turn: Turn, visitor: Visitor, history: History | None) -> Iterator[str]:
        """The last turn again with what is around its answer; a failure costs the page that alone."""
        acts = self.acts
        try:
            for around in explore(turn):
                if self.acts != acts:
                    return
                if around != turn.around:
                    self.turns[-1] = turn = turn.model_copy(update={"around": around})
                    self.keep(history, visitor)
                    yield self.current(visitor.language)
        except Exception:
            request_id.set(visitor.request)
            log.exception("Nothing more is shown around answer %s", turn.id)

    def keep(self, history: History | None, visitor: Visitor) -> None:
        """Write the conversation down; without any turns, delete it. An answer is shown even if it cannot be kept."""
        if history is None or not self.id or self.deleted:
            return
        try:
            if self.turns:
                known, self.kept = self.kept, history.put(visitor.owner, self.id, self.turns, new=not self.kept)
                self.deleted = known and not self.kept
            else:
                history.delete(visitor.owner, self.id)
        except KabarError:
            log.exception("A conversation is not kept")

    def said(self) -> Said:
        """What was asked and answered."""
        return [
            message
            for turn in self.turns
            if turn.answer
            for message in (("user", turn.question), ("assistant", turn.answer.text))
        ]

    def _growing(self, loader: Loader, turn: Turn, visitor: Visitor) -> Iterator[str | Turn]:
        """The turn as HTML for every event, and the finished turn last."""
        language, written = visitor.language, ""
        doing = sentence("loading" if loader.loading else "waiting", language)
        yield self._markup(turn, language, [render.progress(doing, language)])
        options = turn.filters.options(datetime.now().astimezone().date())
        try:
            for event in loader.stream(turn.question, history=self.said(), user=visitor.key, **options):
                if isinstance(event, Answer):
                    turn = turn.model_copy(update={"answer": event})
                    break
                if isinstance(event, TextPiece):
                    written += event.text
                else:
                    doing = _doing(event, language)
                parts = [render.partial(written)] if written else [render.progress(doing, language)]
                yield self._markup(turn, language, parts)
            else:
                raise RuntimeError("the assistant ended without an answer")  # noqa: TRY301 -- told as any other failure
        except KabarError as error:
            turn = turn.model_copy(update={"error": str(error)})
        except Exception:
            request_id.set(visitor.request)
            log.exception("Request %s failed", visitor.request)
            turn = turn.model_copy(update={"error": sentence("internal_error", language, id=visitor.request)})
        yield turn

    def _markup(self, turn: Turn, language: str, parts: Sequence[str] = (), *, last: bool = False) -> str:
        """A turn as HTML; ``parts`` stand for an answer that is not there yet."""
        if not parts and not turn.answer and not turn.error:
            parts = [render.progress(sentence("waiting", language), language)]
        return turn_view(
            turn, language, conversation=self.id, parts=parts, last=last and not self.busy, judged=self.kept
        )


def ask(loader: Loader, question: str, history: Said, visitor: Visitor) -> dict[str, Any]:
    """The answer as JSON. Raises KabarError; one that has the request's number for whatever was not foreseen."""
    try:
        *_, last = loader.stream(question, history=history, user=visitor.key)
    except KabarError:
        raise
    except Exception:
        request_id.set(visitor.request)
        log.exception("Request %s failed", visitor.request)
        raise KabarError(sentence("internal_error", "en", id=visitor.request)) from None
    assert isinstance(last, Answer)  # noqa: S101 -- a stream ends with one
    return last.model_dump(mode="json")


def _doing(event: Event, language: str) -> str:
    if isinstance(event, Waiting):
        return chrome.place(event.place, language)
    return chrome.step(event, language) if isinstance(event, Step) else ""
