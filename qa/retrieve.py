"""Second step: the passages that may answer."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from index.index import Hit, Index
from qa.turn import Turn

# Places among the passages for those that a second search brings: what was said before, the days asked about.
_SECOND = 3


def retrieve(turn: Turn, *, index: Index) -> Turn:
    """Search with the question, and in the light of what was said before.

    Days counted from today choose the articles; other days only get some of the places. A question that names nothing
    is searched for by itself first: it may be about something new.
    """
    filters: dict[str, Any] = {
        "published_after": turn.published_after,
        "published_before": turn.published_before,
        "sources": turn.sources,
    }
    days = turn.days.days if turn.days else None
    if turn.days and turn.days.strict:
        filters["days"] = days
    leans = turn.leaning in ("leans", "replaces")
    texts = [f"{turn.query} {turn.context}" if leans else turn.query]
    if turn.leaning == "maybe":
        texts.append(f"{turn.query} {turn.context}")
    distinct = list(dict.fromkeys([turn.query, *texts]))
    vectors = dict(zip(distinct, index.encoder.encode_queries(distinct), strict=True))
    searches = [index.search(text, vector=vectors[text], **filters) for text in texts]
    if turn.days and not turn.days.strict:
        searches.append(index.search(texts[0], vector=vectors[texts[0]], **filters, days=days))
    return replace(turn, vector=vectors[turn.query], hits=tuple(_joined(searches, index.settings.retriever.passages)))


def _joined(searches: Sequence[Sequence[Hit]], limit: int) -> Iterable[Hit]:
    """The hits of the first search, with up to ``_SECOND`` of each other one that it does not have."""
    first, *others = searches
    found = {_key(hit): hit for hit in first[:limit]}
    for hits in others:
        # Cosines of different searches cannot be compared: these count as the least similar.
        found |= {_key(hit): hit._replace(similarity=None) for hit in hits[:_SECOND] if _key(hit) not in found}
    return found.values()


def _key(hit: Hit) -> tuple[str, int]:
    return hit.article.id, hit.passage.ordinal
