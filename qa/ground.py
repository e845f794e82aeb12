"""Third step: what the words that were read mean: calendar dates, and the fact in the asker's language."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from qa.answer import DateMention
from qa.dates import resolve
from qa.localise import date_text
from qa.phrases import localise_phrase
from qa.turn import Evidence, Turn

# Below this the publication date is too uncertain to count "next Wednesday" from it.
_CERTAIN_ENOUGH = 0.5
# A "when" is answered by a sentence that holds a date, if one is at least this near to the best in probability.
_NEAR = 0.25
_MOST_CITATIONS = 3
# Another article that says the same is cited too, if its reading is at least this probable by itself.
_AGREES = 0.5
# Share of the answering words that a date must cover to be what they say.
_COVERS = 0.5


def ground(turn: Turn, *, threshold: float) -> Turn:
    """Give dates their values, order the evidence by what was asked, and keep what is sure enough and agrees."""
    found = [_with_dates(evidence, turn) for evidence in turn.evidence]
    if turn.wants_time:
        found.sort(key=lambda evidence: -(evidence.probability + (_NEAR if evidence.date else 0)))
    sure = [evidence for evidence in found if evidence.probability >= threshold]
    if not sure:
        return replace(turn, evidence=())
    best = sure[0]
    agreeing = [other for other in found if other.reader_probability >= _AGREES and _says_the_same(best, other)]
    return replace(turn, evidence=(best, *_one_an_article(best, agreeing)[: _MOST_CITATIONS - 1]))


def _with_dates(evidence: Evidence, turn: Turn) -> Evidence:
    article = evidence.hit.article
    published = article.published if article.published_certainty >= _CERTAIN_ENOUGH else None
    dates = tuple(resolve(evidence.quote, published, article.language))
    date = _answering_date(evidence, dates, wants_time=turn.wants_time)
    if date is not None:
        fact = date_text(date.value, turn.language)
    elif not evidence.words:
        fact = ""
    elif article.language == turn.language:
        fact = evidence.words
    else:
        fact = localise_phrase(evidence.words, article.language, turn.language) or evidence.words
    return replace(evidence, dates=dates, date=date, fact=fact)


def _answering_date(evidence: Evidence, dates: Sequence[DateMention], *, wants_time: bool) -> DateMention | None:
    """The date that the answering words name; for a "when" without exact words, the sentence's own."""
    if evidence.words:
        start = evidence.quote.find(evidence.words)
        end = start + len(evidence.words)
        touching = [date for date in dates if date.start < end and start < date.end]
        # "the talks on Wednesday in Seoul" holds a date but is not one.
        named = next((date for date in touching if date.end - date.start >= _COVERS * (end - start)), None)
        if not wants_time or (named is not None and not named.reporting):
            return named
    # "... will visit next week, the ministry said on Wednesday": a "when" asks for the visit.
    return next((date for date in dates if not date.reporting), None) if wants_time else None


def _says_the_same(one: Evidence, other: Evidence) -> bool:
    if one.date and other.date:
        return one.date.value == other.date.value
    return bool(one.fact) and _folded(one.fact) == _folded(other.fact)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _one_an_article(best: Evidence, others: Sequence[Evidence]) -> list[Evidence]:
    seen = {best.hit.article.id}
    kept = []
    for evidence in others:
        if evidence.hit.article.id not in seen:
            seen.add(evidence.hit.article.id)
            kept.append(evidence)
    return kept
