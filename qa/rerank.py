"""Reranking by the reader: more passages are found than wanted, all are read, and the most promising are kept."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from index.index import Hit, Index
from index.rerank import DEPTH
from qa.reading import Reader
from qa.retrieve import retrieve
from qa.turn import Steps, Turn

# The usual constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009).
_RANKS = 60


def with_reranking(steps: Steps, index: Index, reader: Reader) -> dict[str, Callable[[Turn], Turn]]:
    """``steps``, where what is retrieved is what ``reader`` and the search together think best."""
    wanted = index.settings.retriever.passages

    def retrieve_and_rerank(turn: Turn) -> Turn:
        turn = retrieve(turn, index=index, count=DEPTH * wanted)
        return replace(turn, hits=tuple(reranked(turn.query, turn.hits, reader)[:wanted]))

    return {**steps, "retrieve": retrieve_and_rerank}


def reranked(question: str, hits: Sequence[Hit], reader: Reader) -> list[Hit]:
    """``hits`` by reciprocal rank fusion of their order and the reader's.

    The reader alone is as easily sure of a number in a story about something else (see ``qa.weigh``).
    """
    sure = dict.fromkeys(range(len(hits)), 0.0)
    for reading in reader.find(question, [hit.passage.text for hit in hits]):
        sure[reading.passage] = max(sure[reading.passage], reading.probability)
    by_reader = sorted(sure, key=lambda number: -sure[number])
    places = {number: place for place, number in enumerate(by_reader)}
    score = {number: 1 / (_RANKS + number) + 1 / (_RANKS + places[number]) for number in sure}
    return [hits[number] for number in sorted(sure, key=lambda number: -score[number])]
