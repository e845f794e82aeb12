"""Second step: the passages that may answer."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from index.index import Hit, Index
from qa.turn import Turn

# Places among the passages for those that a second search brings.
_OF_THE_DAYS = 3
_OF_THE_ARTICLES = 4
_LONGEST_CONTEXT = 400


def retrieve(turn: Turn, *, index: Index, count: int | None = None) -> Turn:
    """Search with the question, and in the light of what was said before.

    Days counted from today choose the articles; other days only get some of the places. The articles that the last
    answer quotes are looked through once more for a question that leans on it. ``count`` passages are looked for, by
    default as many as are configured.
    """
    limit = count or index.settings.retriever.passages
    filters: dict[str, Any] = {
        "count": limit,
        "published_after": turn.published_after,
        "published_before": turn.published_before,
        "sources": turn.sources,
        "languages": turn.languages,
    }
    days = turn.days.days if turn.days else None
    if turn.days and turn.days.strict:
        filters["days"] = days
    in_context = f"{turn.query} {turn.context[:_LONGEST_CONTEXT]}" if turn.context else turn.query
    core = turn.core or turn.query
    texts = list(dict.fromkeys([turn.query, in_context, core]))
    vectors = dict(zip(texts, index.encoder.encode_queries(texts), strict=True))
    hits = index.search(in_context, vector=vectors[in_context], **filters)
    cited = _cited(hits, turn.context)
    if turn.leaning == "maybe":
        # It may be about something new: it is searched for by itself, and the articles only add to that.
        hits = index.search(turn.query, vector=vectors[turn.query], **filters)
        if cited:
            same = index.search(turn.query, vector=vectors[turn.query], article_ids=cited, **filters)
            hits = _joined(hits, same[:_OF_THE_ARTICLES])
    elif cited:
        same = index.search(turn.query, vector=vectors[in_context], article_ids=cited, **filters)
        hits = _level(_joined(same[:_OF_THE_ARTICLES], hits)[:limit], cited)
    if turn.days and not turn.days.strict:
        hits = _joined(hits, index.search(turn.query, vector=vectors[turn.query], **filters, days=days)[:_OF_THE_DAYS])
    # Sentences are weighed by both: the topic alone would prefer those that repeat its names.
    vector = vectors[turn.query] + vectors[core]
    vector /= math.sqrt(vector @ vector)
    return replace(turn, vector=vector, hits=tuple(hits), cited=frozenset(cited))


def _cited(hits: Iterable[Hit], said: str) -> list[str]:
    """Articles among the hits that ``said`` quotes; a history holds texts alone."""
    quoted = {
        hit.article.id
        for hit in hits
        for start, end in hit.passage.sentences
        if " ".join(hit.article.text[start:end].split()) in said
    }
    return sorted(quoted)


def _level(hits: Sequence[Hit], articles: Sequence[str]) -> list[Hit]:
    """The hits, those in ``articles`` all as near as the nearest: the next answer may be anywhere in them."""
    nearest = max((hit.similarity for hit in hits if hit.similarity is not None), default=None)
    return [hit._replace(similarity=nearest) if hit.article.id in articles else hit for hit in hits]


def _joined(first: Sequence[Hit], second: Sequence[Hit]) -> list[Hit]:
    """The hits of both searches, each passage once."""
    found = {(hit.article.id, hit.passage.ordinal): hit for hit in first}
    for hit in second:
        found.setdefault((hit.article.id, hit.passage.ordinal), hit)
    return list(found.values())
