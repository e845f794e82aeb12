from datetime import date
from pathlib import Path

from fakes import WordEncoder
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.index import Index
from index.passage import split_article
from index.surroundings import choose_wider, joined
from index.update import add

SENTENCES = [
    f"Sentence {name} of the report is about {name} things." for name in ("one", "two", "three", "four", "five")
]
ARTICLE = Article(
    id="a",
    title="Report",
    text=" ".join(SENTENCES),
    language="en",
    published=date(2024, 5, 1),
    published_from="metadata",
)


def test_a_passage_is_read_with_the_nearer_of_its_neighbours() -> None:
    neighbours = {1: [2], 2: [1, 3], 3: [2]}
    assert list(choose_wider([2, 1, 3], neighbours, {1: 0.2, 3: 0.7})) == [(2, 3), (1, None)]
    assert list(choose_wider([2], neighbours, {1: 0.8})) == [(2, 1)]
    assert list(choose_wider([2], neighbours, {})) == [(2, 1)]
    assert list(choose_wider([7], {}, {})) == [(7, None)]


@given(st.permutations(range(9)), st.dictionaries(st.integers(0, 8), st.floats(0, 1)))
def test_every_passage_is_read_once(ranked: list[int], nearness: dict[int, float]) -> None:
    neighbours = {number: [one for one in (number - 1, number + 1) if one in range(9)] for number in range(9)}
    read = [one for pair in choose_wider(ranked, neighbours, nearness) for one in pair if one is not None]
    assert sorted(read) == list(range(9))


def test_joined_passages_are_in_the_order_of_the_article_and_know_their_places() -> None:
    first, second, *_ = split_article(ARTICLE, characters=100)
    assert joined(first, None) == first
    for one, other in ((first, second), (second, first)):
        both = joined(one, other)
        assert both.ordinal == one.ordinal
        assert (both.start, both.end) == (first.start, second.end)
        at = both.text.index(second.text)
        start, end = both.in_article(at + 9, at + 14)
        assert ARTICLE.text[start:end] == second.text[9:14] == "three"


def test_a_hit_is_as_wide_as_two_passages_and_no_sentence_comes_twice(tmp_path: Path) -> None:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index", passage_characters=100))
    encoder = WordEncoder()
    add([ARTICLE], folder=settings.index.path, settings=settings, encoder=encoder)
    with Index(settings.index.path, settings, encoder) as index:
        hits = index.search("What is the report about, five things?")
    assert SENTENCES[4] in hits[0].passage.text
    found = [sentence for hit in hits for sentence in hit.passage.sentences]
    assert len(found) == len(set(found)) == len(SENTENCES)
    assert len(hits) < len(split_article(ARTICLE, characters=100))
