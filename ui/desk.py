"""What the chat page does with what its visitors do: open a conversation, ask, ask again, take back."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple

from index.errors import KabarError
from index.listing import open_listing
from qa.turn import Turn as Question
from ui import chrome, conversation
from ui.answering import History as Said
from ui.around import Around
from ui.conversation import Conversation
from ui.filters import Context
from ui.history import History
from ui.loader import Loader
from ui.suggestions import explore
from ui.turn import Turn
from ui.visitor import Visitor

Action = Literal["ask", "retry", "undo"]

_MOST_SOURCES = 200


class Shown(NamedTuple):
    """A conversation and its two parts as HTML: all turns but the last, and the last."""

    talk: Conversation
    past: str
    current: str


class Desk:
    """Answers from ``loader``; keeps conversations in ``history``, if there is one."""

    def __init__(self, loader: Loader, history: History | None) -> None:
        self.loader = loader
        self.history = history

    def open(self, wanted: str, who: Visitor) -> Shown:
        """A conversation by its id, a new one for ""; a message where there is none of the visitor's."""
        opened = Conversation.open(self.history, who, wanted)
        if opened is None:
            missing = bool(wanted) and self.history is not None
            return Shown(Conversation(), "", chrome.gone(who.language) if missing else "")
        return _shown(opened, who)

    def act(self, talk: Conversation, action: Action, value: str, given: object, who: Visitor) -> Shown | None:
        """Ask ``value``; ask the last question again, or ``value`` in its place; or take the last question back.

        ``given`` is the page's ``Context``. None, and nothing done, while the question before is being answered.
        """
        if talk.busy:
            return None
        try:
            context = Context.read(given, who.language)
        except KabarError as error:
            talk.refuse(value, str(error))
            return _shown(talk, who)
        talk.acts += 1
        talk = self._up_to_date(talk, context, who)
        undone = None if action == "ask" else talk.undo()
        if action == "ask" or (action == "retry" and undone):
            asked = value or (undone.question if undone else "")
            talk.receive(asked, who.language, context.filters)
        talk.keep(self.history, who)
        return _shown(talk, who)

    def _up_to_date(self, talk: Conversation, context: Context, who: Visitor) -> Conversation:
        """The conversation that the page shows, as it is kept: another window may have gone on with it."""
        kept = Conversation.open(self.history, who, context.conversation)
        if kept is not None:
            return kept
        own = talk.id == context.conversation and not (talk.kept or talk.deleted)
        return talk if own else Conversation()

    def reply(self, talk: Conversation, who: Visitor) -> Iterator[str]:
        """The last turn as HTML while it is answered."""
        return talk.reply(self.loader, who, self.history, lambda turn: self._around(turn, talk.said(), who))

    def _around(self, turn: Turn, said: Said, who: Visitor) -> Iterator[Around]:
        index, today = self.loader.index(), datetime.now().astimezone().date()
        options: dict[str, Any] = {"history": tuple(said), "today": today} | turn.filters.options(today)

        def answered(questions: Iterable[str], most: int) -> list[str]:
            asked = (Question(question, **options) for question in questions)
            return self.loader.answered(asked, most=most, user=who.key)

        if index is not None and turn.answer is not None:
            yield from explore(turn.answer, index, answered)

    def ask(self, question: str, said: list[tuple[str, str]], who: Visitor) -> dict[str, Any]:
        """The answer as JSON. Raises KabarError."""
        return conversation.ask(self.loader, question, said, who)

    def choices(self) -> tuple[list[str], list[str]]:
        """Sources and languages of the articles, most first; it waits for the index."""
        index = None if self.loader.error else self.loader.index()
        if index is None:
            return [], []
        with open_listing(index.folder) as listing:
            return listing.sources(_MOST_SOURCES), listing.languages()


def _shown(talk: Conversation, who: Visitor) -> Shown:
    return Shown(talk, talk.past(who.language), talk.current(who.language))
