"""The chain with a chat model as its reader: quotations and claim go on if it answers, else all goes on as usual."""

import logging
from collections.abc import Callable
from dataclasses import replace

from qa.check import check
from qa.errors import ReaderError
from qa.llm_reader import LlmReader
from qa.phrase import dated_quote
from qa.turn import Steps, Turn

logger = logging.getLogger("kabar")


def with_llm(steps: Steps, reader: LlmReader) -> dict[str, Callable[[Turn], Turn]]:
    """``steps`` with ``reader`` before the trained one, which answers if the chat model fails.

    All quotations are cited, in the model's order. What the model claims is shown if they support it; otherwise the
    evidence is phrased as usual, that of an open question sentence by sentence.
    """

    def read(turn: Turn) -> Turn:
        if not turn.hits:
            return turn
        try:
            return reader.read(turn)
        except ReaderError as error:
            note = f"{error}; the trained reader answered"
            logger.warning(note)
        return steps["read"](replace(turn, notes=(*turn.notes, note)))

    def ground(turn: Turn) -> Turn:
        if turn.claim is None:
            return steps["ground"](turn)
        # Each by itself and without the copies of its passage: the model chose which sentences to cite.
        alone = [replace(one, hit=one.hit._replace(copies=())) for one in turn.evidence]
        grounded = [steps["ground"](replace(turn, evidence=(one,))) for one in alone]
        return replace(turn, evidence=tuple(one for each in grounded for one in each.evidence))

    def phrase(turn: Turn) -> Turn:
        if turn.claim and supports_claim(turn):
            return replace(turn, phrase=turn.claim, rendered=True, open_question=None)
        return steps["phrase"](turn)

    def checked(turn: Turn) -> Turn:
        return turn if turn.rendered else steps["check"](turn)

    return {**steps, "read": read, "ground": ground, "phrase": phrase, "check": checked}


def supports_claim(turn: Turn) -> bool:
    """Whether all names, numbers and dates of ``turn.claim`` stand in the quotations or are counted from them."""
    if not turn.claim or not turn.evidence:
        return False
    source = turn.evidence[0].hit.article.language
    quotes = [(dated_quote(one, one.hit.article.language), one.hit.article.language) for one in turn.evidence]
    verdict = check(
        turn.claim,
        " ".join(quote for quote, language in quotes if language == source),
        source=source,
        target=turn.language,
        allowed=[
            *(quote for quote, language in quotes if language != source),
            *(one.fact for one in turn.evidence if one.fact),
            *(one.hit.article.title for one in turn.evidence),
        ],
        whole=False,
    )
    return verdict.supported
