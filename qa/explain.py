"""Evidence for an open question: up to four sentences, chosen for relevance and novelty, in the order of time.

Relevance is how near a sentence, read under its headline, and its passage are to the question, the words they share,
and what the question asks for: a cause for a "why", a quotation for what somebody said, the news itself (an article's
first sentence) for what happened. Novelty is maximal marginal relevance (Carbonell and Goldstein 1998).
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from index.duplicates import originals
from index.index import Hit
from index.lexical import terms
from index.passage import titled
from qa.open_question import OpenKind, OpenQuestion, gives_cause
from qa.turn import Evidence

if TYPE_CHECKING:
    from index.encoder import Encoder

Vectors = npt.NDArray[np.floating]

MOST = 4
"""Sentences of an answer."""

# What a sentence gains, and how far behind the best one it may be, by benchmarks/questions/open.json: a logistic
# regression over all its candidates, rounded, and the margins at which more sentences brought little more of the gold.
_NEAR, _PASSAGE, _SHARED, _ASKED_FOR = 22.0, 8.0, 2.0, 2.0
_LEAD: dict[OpenKind, float] = {"event": 1.0, "list": 2.0}
_MARGIN: dict[OpenKind, float] = {"why": 2.5, "how": 2.0, "said": 2.0, "event": 4.5, "list": 4.5}
# What it loses by likeness to a sentence that is chosen already, and in a list by being of the same article.
_LIKE, _UNLIKE, _SAME_ARTICLE = 2.0, 0.5, 3.0
# Probability that a sentence answers, by its score: logistic regression on the best ones of the same questions, those
# that the articles do not answer counted three times as often as the others.
_SLOPE, _CONSTANT = 1.19, -24.2

_QUOTATION = re.compile('[“”„«»「」『』"]')
_SHORTEST = 25  # letters; less is a dateline or a heading ("VALPARAÍSO, 9 sep.")
_WIDE = re.compile("[\u2e80-\uffdc]")  # of these letters a third is as much


class Candidate(NamedTuple):
    """A sentence that may be chosen. ``start`` and ``end`` are its characters in the article."""

    hit: Hit
    start: int
    end: int
    lead: bool = False

    @property
    def text(self) -> str:
        """The sentence."""
        return self.hit.article.text[self.start : self.end]

    def evidence(self, probability: float) -> Evidence:
        """The sentence as evidence that is right with ``probability``."""
        return Evidence(self.hit, self.start, self.end, "", probability, probability)


def explain(asked: OpenQuestion, vector: Vectors, hits: Sequence[Hit], encoder: "Encoder") -> tuple[Evidence, ...]:
    """The sentences of ``hits`` that answer, in the order in which their articles appeared; () if there are none.

    ``vector`` [dimension] is the question's. The most probable of them is the one that was chosen first.
    """
    found = candidates(hits)
    if not found:
        return ()
    vectors = encoder.encode_passages([titled(one.hit.article.title, one.text) for one in found])
    scores = relevance(asked, found, vectors @ vector)
    shares = 1 / (1 + np.exp(-np.clip(_SLOPE * scores + _CONSTANT, -30, 30)))
    articles = [one.hit.article.id for one in found]
    chosen = choose(scores, vectors @ vectors.T, articles, asked.kind)
    return tuple(sorted((found[number].evidence(float(shares[number])) for number in chosen), key=_time))


def newest(hits: Sequence[Hit]) -> tuple[Evidence, ...]:
    """What the first ``MOST`` articles begin with: the news in general, in their order."""
    leads = [one for one in candidates(hits) if one.lead]
    return tuple(one.evidence(1.0) for one in leads[:MOST])


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """The sentences of passages, without datelines, headings and reprints; the first of an article leads it."""
    found: dict[tuple[str, int], Candidate] = {}
    for hit in hits:
        leads = hit.passage.ordinal == 0
        for start, end in hit.passage.sentences:
            one = Candidate(hit, start, end, leads)
            if _is_sentence(one.text):
                found.setdefault((hit.article.id, start), one)
                leads = False
    distinct = list(found.values())
    first = originals([one.text for one in distinct])
    return [one for number, one in enumerate(distinct) if first[number] == number]


def relevance(asked: OpenQuestion, found: Sequence[Candidate], near: Vectors) -> Vectors:
    """A score for each sentence [sentences]; ``near`` [sentences] are their cosines to the question."""
    known = [one.hit.similarity for one in found if one.hit.similarity is not None]
    least = min(known, default=0.0)
    wanted = set(terms(asked.subject))
    passage = [least if one.hit.similarity is None else one.hit.similarity for one in found]
    shared = [len(wanted & set(terms(one.text))) / max(len(wanted), 1) for one in found]
    fits = [_fits(one, asked.kind) for one in found]
    scores: Vectors = _NEAR * near + _PASSAGE * np.asarray(passage) + _SHARED * np.asarray(shared) + np.asarray(fits)
    return scores


def choose(scores: Vectors, likeness: Vectors, articles: Sequence[str], kind: OpenKind) -> list[int]:
    """Numbers of the sentences to cite, best first.

    ``scores`` are [sentences], ``likeness`` their cosines [sentences, sentences], ``articles`` the article of each.
    """
    chosen: list[int] = []
    left = list(range(len(scores)))
    while left and len(chosen) < MOST:
        gains = {number: float(scores[number]) - _repeats(number, chosen, likeness, articles, kind) for number in left}
        best = max(left, key=lambda number: gains[number])
        if chosen and gains[best] < scores[chosen[0]] - _MARGIN[kind]:
            break
        chosen.append(best)
        left.remove(best)
    return chosen


def _repeats(number: int, chosen: Sequence[int], likeness: Vectors, articles: Sequence[str], kind: OpenKind) -> float:
    """What a sentence loses because of those that are chosen already."""
    if not chosen:
        return 0.0
    loss = _LIKE * max(float(likeness[number, other]) - _UNLIKE for other in chosen)
    if kind == "list":
        loss += _SAME_ARTICLE * sum(articles[number] == articles[other] for other in chosen)
    return loss


def _fits(one: Candidate, kind: OpenKind) -> float:
    """What a sentence gains by being of the kind that is asked for."""
    if kind == "why":
        return _ASKED_FOR * gives_cause(one.text, one.hit.article.language)
    if kind == "said":
        return _ASKED_FOR * bool(_QUOTATION.search(one.text))
    return _LEAD.get(kind, 0.0) * one.lead


def _is_sentence(text: str) -> bool:
    letters = sum(3 if _WIDE.match(character) else 1 for character in text if character.isalpha())
    return letters >= _SHORTEST


def _time(evidence: Evidence) -> tuple[date, str, int]:
    article = evidence.hit.article
    return (article.published or date.max, article.id, evidence.start)
