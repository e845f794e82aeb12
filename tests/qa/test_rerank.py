"""Reranking by the reader: more passages are read, and what it finds moves up among what the search found."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes import WordEncoder
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article
from index.config import IndexConfig, RetrieverConfig
from index.errors import ModelError
from index.index import Hit, Index
from index.passage import split_article
from index.rerank import DEPTH
from index.update import add
from qa.chain import Assistant
from qa.config import Settings
from qa.reading import Reading, Unfit
from qa.rerank import reranked

ARTICLES = [
    Article(id=str(number), title=f"No {number}", text=f"The tram of line {number} stops.", language="en")
    for number in range(12)
]
GOLD = Article(id="gold", title="Depot", text="At night all of them sleep in the old depot.", language="en")


class Finds:
    """A reader that finds given words, and counts the passages that it reads."""

    def __init__(self, **words: float) -> None:
        self.words = words
        self.read: list[int] = []

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:
        self.read.append(len(passages))
        return [
            Reading(number, passage.index(word), passage.index(word) + len(word), probability)
            for word, probability in self.words.items()
            for number, passage in enumerate(passages)
            if word in passage
        ]


def hits(*texts: str) -> list[Hit]:
    articles = [Article(id=text, title="", text=text, language="en") for text in texts]
    return [Hit(split_article(article)[0], article, 0.0, 0.0) for article in articles]


def test_both_orders_count() -> None:
    found = hits("first", "second", "third", "fourth")
    order = reranked("?", found, Finds(fourth=0.9, second=0.5))
    # 1/60 + 1/62, 1/61 + 1/61, 1/63 + 1/60, 1/62 + 1/63
    assert [hit.article.id for hit in order] == ["first", "second", "fourth", "third"]
    assert reranked("?", found, Finds(third=0.9))[:2] == [found[0], found[2]]
    assert reranked("?", found, Finds()) == found
    assert reranked("?", [], Finds()) == []


def test_the_best_of_several_readings_counts() -> None:
    found = hits("a b", "c", "d")
    best = reranked("?", found, Finds(d=0.3, a=0.1, b=0.9, c=0.2))
    assert best[0] == found[0]


@given(sure=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_no_hit_is_lost_and_what_leads_in_both_orders_leads(sure: list[float]) -> None:
    found = hits(*(f"x{number}." for number in range(len(sure))))
    order = reranked("?", found, Finds(**{f"x{number}.": share for number, share in enumerate(sure)}))
    assert sorted(hit.article.id for hit in order) == sorted(hit.article.id for hit in found)
    if sure[0] == max(sure):
        assert order[0] == found[0]


@pytest.mark.parametrize(("rerank", "read"), [("none", [3]), ("reader", [3 * DEPTH, 3])])
def test_more_passages_are_found_than_are_kept(tmp_path: Path, rerank: str, read: list[int]) -> None:
    settings = Settings(
        index=IndexConfig(path=tmp_path / "index"), retriever=RetrieverConfig(rerank=rerank, passages=3)
    )
    encoder = WordEncoder()
    add([*ARTICLES, GOLD], folder=settings.index.path, settings=settings, encoder=encoder)
    reader = Finds(depot=0.9)
    with Assistant(Index(settings.index.path, settings, encoder), settings, reader=reader, writer=None) as assistant:
        assistant.answer("where does the tram of line 3 sleep?")
    assert reader.read == read


def test_a_model_that_cannot_be_loaded_is_told_when_the_assistant_opens(tmp_path: Path) -> None:
    settings = Settings(
        index=IndexConfig(path=tmp_path / "index"), retriever=RetrieverConfig(rerank=str(tmp_path / "absent"))
    )
    add([GOLD], folder=settings.index.path, settings=settings, encoder=WordEncoder())
    with pytest.raises(ModelError, match=r"retriever\.rerank .* cannot be loaded"):
        Assistant.open(settings)
