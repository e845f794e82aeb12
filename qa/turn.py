"""What is known about one question while it goes through the chain."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from index.index import Hit
from qa.answer import DateMention
from qa.follow_up import Leaning
from qa.open_question import OpenQuestion
from qa.question_dates import AskedDays


@dataclass(frozen=True)
class Evidence:
    """A sentence that answers, and the words in it that do.

    ``start`` and ``end`` are the sentence's characters in the article; ``words`` the answering words, "" if the reader
    names none; ``probability`` (0..1) is that of being right, all told, and ``reader_probability`` the reader's own;
    ``dates`` what the sentence's date expressions mean, with offsets in the sentence; ``fact`` the answer
    in the question's language, "" if it cannot be said exactly; ``phrase`` the sentence in the question's language, if
    it is one of several; ``date`` the mention that answers a "when"; ``vector`` [dimension] the sentence's, if it is at
    hand. Where articles contradict each other, ``fact_number`` says which of several facts it holds: 0 is the answer, 1
    what others say instead.
    """

    hit: Hit
    start: int
    end: int
    words: str
    probability: float
    reader_probability: float = 0.0
    dates: tuple[DateMention, ...] = ()
    date: DateMention | None = None
    fact: str = ""
    phrase: str = ""
    fact_number: int = 0
    vector: Any = field(default=None, compare=False, repr=False)

    @property
    def quote(self) -> str:
        """The sentence, exactly as the article has it."""
        return self.hit.article.text[self.start : self.end]


@dataclass(frozen=True)
class Turn:
    """One question on its way; each step of the chain returns a new one with more in it.

    ``today`` is the day that "yesterday" counts from; without it dates in the question are not looked at. ``query`` is
    the question made to stand alone, ``vector`` [dimension] its vector; ``core`` is the part of it that was asked now,
    ``context`` what was said that it leans on (see ``qa.follow_up``), to search with as well, and ``cited`` the
    articles that it quotes; ``days`` those it asks about; ``open_question`` what it asks for,
    if that is no single fact. ``claim`` is what a chat model that read answers ("" if nothing, None if the trained
    reader read); ``notes`` say what did not go as configured.
    """

    question: str
    history: Sequence[tuple[str, str]] = ()
    published_after: datetime.date | None = None
    published_before: datetime.date | None = None
    sources: Sequence[str] | None = None
    languages: Sequence[str] | None = None
    today: datetime.date | None = None

    language: str = "und"
    query: str = ""
    core: str = ""
    context: str = ""
    leaning: Leaning = "alone"
    days: AskedDays | None = None
    wants_time: bool = False
    wants_amount: bool = False
    open_question: OpenQuestion | None = None
    small_talk: str | None = None
    vector: Any = None
    hits: Sequence[Hit] = ()
    cited: frozenset[str] = frozenset()
    evidence: tuple[Evidence, ...] = ()
    claim: str | None = None
    notes: tuple[str, ...] = ()
    phrase: str = ""
    rendered: bool = False

    @property
    def answerable(self) -> bool:
        """Whether the articles hold the answer."""
        return bool(self.evidence)

    @property
    def best(self) -> Evidence | None:
        """The evidence that answers best: the first, but the most probable where several sentences tell a story."""
        if self.open_question is not None and self.claim is None:
            return max(self.evidence, key=lambda one: one.probability, default=None)
        return self.evidence[0] if self.evidence else None


Steps = Mapping[str, Callable[[Turn], Turn]]
"""The steps of the chain by name, in their order."""
