"""Fourth and fifth step: say the evidence in the asker's language, and only if it still says the same."""

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from qa.check import check
from qa.corrections import corrects
from qa.errors import WriterError
from qa.language import name, sentence
from qa.localise import date_text
from qa.turn import Evidence, Turn

if TYPE_CHECKING:
    from qa.writer import Writer


def phrase(turn: Turn, *, writer: "Writer | None") -> Turn:
    """Have the writer translate the evidence, dates already counted; "" if there is no need or no writer."""
    if not turn.evidence:
        return turn
    best = turn.evidence[0]
    return replace(turn, phrase=rendered(best, turn.language, writer, focus=best.fact))


def checked(turn: Turn) -> Turn:
    """Drop the phrasing unless the evidence supports every name, number and date in it."""
    if not turn.phrase:
        return turn
    best = turn.evidence[0]
    said = supported(turn.phrase, best, turn.language, allowed=best.fact)
    return replace(turn, phrase=turn.phrase if said else "", rendered=said)


def rendered(evidence: Evidence, language: str, writer: "Writer | None", *, focus: str = "") -> str:
    """The sentence in ``language`` as the writer says it; "" if there is no need, no writer, or it fails.

    Of several ways to say it the first that the evidence supports is taken. ``focus`` is the answer in ``language``, if
    it is known.
    """
    source = evidence.hit.article.language
    text = ""
    if writer is None or source == language:
        return text
    quote = dated_quote(evidence, source, weekday=False)
    try:
        for said in writer.translations(quote, source, language, focus=focus or None):
            text = " ".join(said.split())
            if supported(text, evidence, language, allowed=focus):
                break
    except WriterError:
        return ""  # the quotation that is shown instead is worth more than no answer
    return text


def supported(phrase: str, evidence: Evidence, language: str, *, allowed: str = "") -> bool:
    """Whether the sentence supports every name, number and date of ``phrase``; ``allowed`` may stand in it, too."""
    source = evidence.hit.article.language
    also = (dated_quote(evidence, source), allowed) if allowed else (dated_quote(evidence, source),)
    quote = dated_quote(evidence, source, weekday=False)  # the weekday may be said; who says the day need not
    return check(phrase, quote, source=source, target=language, allowed=also).supported


def answer_text(turn: Turn) -> str:
    """What to show: the fact, then the evidence phrased or quoted, with its number."""
    if turn.small_talk is not None:
        return turn.phrase
    if not turn.evidence:
        return sentence("not_said", turn.language)
    best = turn.evidence[0]
    language = best.hit.article.language
    if turn.phrase:
        said = turn.phrase
    elif language == turn.language:
        said = best.quote
    else:
        said = sentence("quotation_in", turn.language, language=name(language, turn.language), quote=best.quote)
    fact = f"{_closed(best.fact, turn.language)} " if best.fact else ""
    numbered = groupby(enumerate(turn.evidence, start=1), key=lambda pair: pair[1].fact_number)
    facts = [list(pairs) for _, pairs in numbered]
    days = [max(filter(None, (one.hit.article.certain_date for _, one in pairs)), default=None) for pairs in facts]
    parts: list[str] = []
    for pairs, day in zip(facts, days, strict=True):
        numbers = "".join(f"[{number}]" for number, _ in pairs)
        parts.append(f"{_otherwise(best, pairs[0][1], turn.language) if parts else fact + said} {numbers}")
        if day and len(facts) > 1 and None not in days:
            parts[-1] += f" ({date_text(day.isoformat(), turn.language, weekday=False)})"
    return " ".join(parts)


def _otherwise(best: Evidence, other: Evidence, language: str) -> str:
    """What another article says that contradicts the answer."""
    now, then = best.hit.article.certain_date, other.hit.article.certain_date
    if now is None or then is None or then >= now:
        kind = "other_article"
    else:
        kind = "corrected_article" if corrects(best) else "earlier_article"
    return sentence(kind, language, fact=_closed(other.fact or other.quote, language))


def dated_quote(evidence: Evidence, language: str, *, weekday: bool = True) -> str:
    """The quotation on one line, relative dates replaced by calendar dates in the quotation's own language."""
    text = evidence.quote
    for mention in sorted(evidence.dates, key=lambda mention: -mention.start):
        if mention.kind in ("relative", "partial") and not mention.reporting and mention.conflict is None:
            text = text[: mention.start] + date_text(mention.value, language, weekday=weekday) + text[mention.end :]
    return " ".join(text.split())


def _closed(fact: str, language: str) -> str:
    stop = {"zh": "。", "ja": "。", "hi": "।", "th": ""}.get(language, ".")
    return fact if fact.endswith((".", "!", "?", "。", "।", "؟")) else fact + stop
