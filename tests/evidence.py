"""Evidence made of a sentence and the words in it that answer, without an index."""

import datetime

import numpy as np

from index.article import Article
from index.index import Hit
from index.passage import split_article
from qa.ground import ground
from qa.turn import Evidence, Turn

NEAR = np.asarray([1.0, 0.0], dtype=np.float32)
FAR = np.asarray([0.0, 1.0], dtype=np.float32)


def hit(text: str, *, language: str = "en", published: str | None = None, title: str = "", name: str = "") -> Hit:
    """The first passage of an article of this text; the article is named after its text."""
    known = {"published": datetime.date.fromisoformat(published), "published_from": "metadata"} if published else {}
    article = Article.model_validate(
        {"id": name or text, "title": title or "No title", "text": text, "language": language, **known}
    )
    return Hit(split_article(article)[0], article, 1.0, 0.9)


def evidence(
    text: str | Hit, words: str, *, probability: float = 0.9, vector: np.ndarray = NEAR, **fields: str
) -> Evidence:
    """The sentence of ``text`` that holds ``words``, as the reader hands it on."""
    found = text if isinstance(text, Hit) else hit(text, **fields)
    content = found.article.text
    start, end = next(place for place in found.passage.sentences if words in content[slice(*place)])
    return Evidence(found, start, end, words, probability, probability, vector=vector)


def grounded(*found: Evidence, language: str = "en", wants_time: bool = False) -> Turn:
    """What the third step makes of evidence, best first."""
    return ground(Turn("?", language=language, wants_time=wants_time, evidence=found), threshold=0.5)


def dated(one: Evidence) -> Evidence:
    """The evidence with its dates resolved."""
    return grounded(one, wants_time=True).evidence[0]
