"""Third step: what the words that were read mean, which articles say the same, and which say otherwise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from index.index import Hit
from index.lexical import terms
from qa.agreement import Relation, near, relation, repeats
from qa.answer import DateMention
from qa.corrections import corrected, corrects
from qa.dates import resolve
from qa.facts import same_fact
from qa.localise import date_text
from qa.phrases import localise_phrase
from qa.turn import Evidence, Turn

# A "when" is answered by a sentence that holds a date, if one is at least this near to the best in probability.
_NEAR = 0.25
# Another article's reading counts if it is at least this probable by itself.
_SURE = 0.3
# Share of the answering words that a date must cover to be what they say.
_COVERS = 0.5
_MOST_CITATIONS = 4
"""Of one fact."""
_MOST_FACTS = 3
_LIKELY = 3
"""So many readings, the most probable ones, can be the answer."""


def ground(turn: Turn, *, threshold: float) -> Turn:
    """Give dates their values, order the evidence by what was asked, and keep what is sure enough.

    Articles that say the same as the best are cited with it; those that contradict it come as further facts, numbered
    in ``Evidence.fact_number``, the newest first.
    """
    found = [_with_dates(_first_printed(evidence), turn) for evidence in turn.evidence]
    found = [_as_corrected(evidence, found, turn) for evidence in found]
    if turn.wants_time:
        found.sort(key=lambda evidence: -(evidence.probability + (_NEAR if evidence.date else 0)))
    if sum(evidence.probability for evidence in found) < threshold:
        return replace(turn, evidence=())
    for evidence in found[:_LIKELY]:
        relations = [_relation(evidence, other) for other in found]
        best = _together(evidence, found, relations)
        if best.probability >= threshold:
            break
    else:
        return replace(turn, evidence=())
    facts = _facts(best, found, relations)
    ordered = (
        sorted(facts, key=_age) if all(one[0].hit.article.certain_date for one in facts) else sorted(facts, key=_doubt)
    )
    first, *rest = (
        replace(evidence, fact_number=number)
        for number, fact in enumerate(ordered[:_MOST_FACTS])
        for evidence in fact[:_MOST_CITATIONS]
    )
    # Both facts are shown, and the best is among them: the answer is no less sure for beginning with the newest.
    return replace(turn, evidence=(replace(first, probability=max(first.probability, best.probability)), *rest))


def _relation(evidence: Evidence, other: Evidence) -> Relation:
    if other.hit.article.id == evidence.hit.article.id:
        return "agrees" if other is evidence or same_fact(evidence, other) else "unrelated"
    return relation(evidence, other)


def _together(evidence: Evidence, found: Sequence[Evidence], relations: Sequence[Relation]) -> Evidence:
    """As sure as all the evidence together that says the same: readings of one question share its probability."""
    agreeing = (other.probability for other, said in zip(found, relations, strict=True) if said == "agrees")
    return replace(evidence, probability=min(1.0, sum(agreeing)))


def _facts(best: Evidence, found: Sequence[Evidence], relations: Sequence[Relation]) -> list[list[Evidence]]:
    """The evidence of one fact after the other, that of ``best`` first; one piece an article, and its copies."""
    facts = [[best]]
    seen = {best.hit.article.id}
    for other, said in zip(found, relations, strict=True):
        if other.hit.article.id in seen:
            continue
        # That another article has the very fact in a sentence like this one speaks for a reading in doubt.
        if other.reader_probability < _SURE and not (near(best, other) and same_fact(best, other)):
            continue
        if said == "agrees":
            facts[0].append(other)
        elif said == "contradicts":
            like = next((fact for fact in facts[1:] if same_fact(fact[0], other)), None)
            if like is None:
                facts.append([other])
            else:
                like.append(other)
        else:
            continue
        seen.add(other.hit.article.id)
    return [
        [*fact, *(copy for one in fact for copy in _copies(one) if copy.hit.article.id not in seen)] for fact in facts
    ]


def _as_corrected(evidence: Evidence, found: Sequence[Evidence], turn: Turn) -> Evidence:
    """What the article says instead, if it repeats an older one to correct it; as sure as what the older one says."""
    day = evidence.hit.article.certain_date
    instead = corrected(evidence) if day else None
    if day is None or instead is None:
        return evidence
    older = [other for other in found if (other_day := other.hit.article.certain_date) and other_day < day]
    repeated = [other for other in older if repeats(evidence, other)]
    if not repeated:
        return evidence
    return replace(
        _with_dates(instead, turn),
        probability=max(other.probability for other in (evidence, *repeated)),
        reader_probability=max(other.reader_probability for other in (evidence, *repeated)),
    )


def _age(fact: Sequence[Evidence]) -> tuple[bool, int, float]:
    """Orders facts by the newest article of each, corrections first."""
    newest = max(day.toordinal() for one in fact if (day := one.hit.article.certain_date))
    return not any(map(corrects, fact)), -newest, -fact[0].probability


def _doubt(fact: Sequence[Evidence]) -> tuple[bool, float]:
    """Orders facts by how sure they are, corrections first."""
    return not any(map(corrects, fact)), -fact[0].probability


def _first_printed(evidence: Evidence) -> Evidence:
    """The same in the copy that was published first: "next Wednesday" is counted from that day."""
    hit = evidence.hit
    copies = [copy for copy in _copies(evidence) if copy.hit.article.certain_date]
    first = min((evidence, *copies), key=lambda copy: copy.hit.article.certain_date or date.max)
    if first is evidence or evidence.hit.article.certain_date is None:
        return evidence
    rest = tuple(copy for copy in hit.copies if copy.article.id != first.hit.article.id)
    return replace(first, hit=first.hit._replace(copies=(hit._replace(copies=()), *rest)))


def _copies(evidence: Evidence) -> list[Evidence]:
    """The evidence as the copies of its passage have it, those that have the answering words."""
    found = (_in_copy(evidence, copy) for copy in evidence.hit.copies)
    return [copy for copy in found if copy is not None]


def _in_copy(evidence: Evidence, copy: Hit) -> Evidence | None:
    text, wanted = copy.article.text, set(terms(evidence.quote))
    having = [(start, end) for start, end in copy.passage.sentences if evidence.words in text[start:end]]
    if not having:
        return None
    start, end = max(having, key=lambda place: len(wanted & set(terms(text[slice(*place)]))))
    return replace(evidence, hit=copy, start=start, end=end)


def _with_dates(evidence: Evidence, turn: Turn) -> Evidence:
    language = evidence.hit.article.language
    dates = tuple(resolve(evidence.quote, evidence.hit.article.certain_date, language))
    named = _answering_date(evidence, dates, wants_time=turn.wants_time)
    if named is not None:
        fact = date_text(named.value, turn.language)
    elif not evidence.words:
        fact = ""
    elif language == turn.language:
        fact = evidence.words
    else:
        fact = localise_phrase(evidence.words, language, turn.language) or evidence.words
    return replace(evidence, dates=dates, date=named, fact=fact)


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
