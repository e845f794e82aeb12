"""What an article becomes before it is encoded and written: passages, their words, and the days they speak of."""

from typing import NamedTuple

import numpy as np

from index.article import Article
from index.lexical import terms
from index.passage import Passage, hash_of, split_article, titled
from index.passage_dates import Days, days_in


class Analysis(NamedTuple):
    """What a passage is searched by besides its vector: its words, separated by spaces, and the days it speaks of."""

    words: str
    days: frozenset[Days]


class Prepared(NamedTuple):
    """A passage, its hash and its analysis; ``vector`` [dimension] if it has been encoded."""

    passage: Passage
    hash: bytes
    analysis: Analysis
    vector: np.ndarray | None = None


def analyse(article: Article, text: str) -> Analysis:
    """The analysis of a passage of ``article``."""
    words = " ".join(terms(titled(article.title, text), article.language))
    return Analysis(words, frozenset(days_in(text, article.certain_date, article.language)))


def prepare(article: Article, *, characters: int) -> list[Prepared]:
    """All passages of an article, of about ``characters`` characters."""
    return [
        Prepared(passage, hash_of(titled(article.title, passage.text)), analyse(article, passage.text))
        for passage in split_article(article, characters=characters)
    ]
