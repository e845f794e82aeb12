"""The chain for open questions: several sentences, each cited and phrased by itself; other questions go on as usual."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from index.index import Index
from qa.dates import resolve
from qa.explain import MOST, explain, newest
from qa.language import name, sentence
from qa.open_question import open_question
from qa.phrase import rendered, supported
from qa.question import clean_question
from qa.turn import Evidence, Steps, Turn

if TYPE_CHECKING:
    from qa.writer import Writer

# Newest articles that are looked at for the news in general; some may hold no sentence.
_NEWEST = 2 * MOST


def with_open_questions(
    steps: Steps, index: Index, *, writer: "Writer | None", threshold: float
) -> dict[str, Callable[[Turn], Turn]]:
    """``steps``, and for open questions others in their places; ``threshold`` is the least probability of the best."""

    def understand(turn: Turn) -> Turn:
        turn = steps["understand"](turn)
        asked = open_question(clean_question(turn.question), turn.language)
        if asked is None or turn.small_talk is not None:
            return turn
        if not asked.subject and (asked.kind != "event" or turn.leaning in ("leans", "replaces")):
            asked = asked._replace(subject=turn.query)  # "Why?"
        return replace(turn, open_question=asked, wants_time=False)

    def retrieve(turn: Turn) -> Turn:
        if turn.open_question is None or turn.open_question.subject:
            return steps["retrieve"](turn)
        hits = index.newest(
            _NEWEST,
            published_after=turn.published_after,
            published_before=turn.published_before,
            sources=turn.sources,
            languages=turn.languages,
            days=turn.days.days if turn.days else None,
        )
        return replace(turn, hits=tuple(hits))

    def read(turn: Turn) -> Turn:
        if turn.open_question is None:
            return steps["read"](turn)
        if not turn.open_question.subject:
            return replace(turn, evidence=newest(turn.hits))
        return replace(turn, evidence=explain(turn.open_question, turn.vector, turn.hits, index.encoder))

    def ground(turn: Turn) -> Turn:
        if turn.open_question is None:
            return steps["ground"](turn)
        sure = any(one.probability >= threshold for one in turn.evidence)
        return replace(turn, evidence=tuple(map(_with_dates, turn.evidence)) if sure else ())

    def phrase(turn: Turn) -> Turn:
        if turn.open_question is None:
            return steps["phrase"](turn)
        return replace(
            turn, evidence=tuple(replace(one, phrase=rendered(one, turn.language, writer)) for one in turn.evidence)
        )

    def checked(turn: Turn) -> Turn:
        if turn.open_question is None:
            return steps["check"](turn)
        return replace(turn, evidence=tuple(_checked(one, turn.language) for one in turn.evidence))

    own = {"understand": understand, "retrieve": retrieve, "read": read, "ground": ground}
    return {**steps, **own, "phrase": phrase, "check": checked}


def open_text(turn: Turn) -> str:
    """What to show for an open question: each sentence, phrased or quoted, with its number."""
    parts = [f"{_said(one, turn.language)} [{number}]" for number, one in enumerate(turn.evidence, start=1)]
    return " ".join(parts) or sentence("not_said", turn.language)


def _with_dates(one: Evidence) -> Evidence:
    return replace(one, dates=tuple(resolve(one.quote, one.hit.article.certain_date, one.hit.article.language)))


def _checked(one: Evidence, language: str) -> Evidence:
    return one if supported(one.phrase, one, language) else replace(one, phrase="")


def _said(one: Evidence, language: str) -> str:
    source = one.hit.article.language
    if one.phrase:
        return one.phrase
    quote = " ".join(one.quote.split())
    if source == language:
        return quote
    return sentence("quotation_in", language, language=name(source, language), quote=quote)
