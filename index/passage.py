"""Passages: stretches of an article of a few sentences, that remember where every character came from."""

import hashlib
from bisect import bisect_right
from itertools import accumulate

from pydantic import BaseModel, ConfigDict

from index.article import Article
from index.sentences import sentences

CHARACTERS = 300
"""Of a passage, if ``index.passage_characters`` says nothing else."""


class Passage(BaseModel):
    """A few consecutive sentences of one article.

    Attributes:
        article_id: the article.
        ordinal: 0 for the first passage of the article, 1 for the next, ...
        sentences: (start, end) of each sentence, in characters of the article's text; furniture lies between them.
        text: the sentences joined by one space each: what is encoded, searched and read.
    """

    model_config = ConfigDict(frozen=True)

    article_id: str
    ordinal: int
    sentences: tuple[tuple[int, int], ...]
    text: str

    @property
    def start(self) -> int:
        """Offset in the article of the first character."""
        return self.sentences[0][0]

    @property
    def end(self) -> int:
        """Offset in the article after the last character."""
        return self.sentences[-1][1]

    def sentence_at(self, position: int) -> int:
        """Number of the sentence that holds character ``position`` of ``text``."""
        starts = accumulate((end - start + 1 for start, end in self.sentences[:-1]), initial=0)
        return bisect_right(list(starts), position) - 1

    def in_article(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` lies in the article; cut at the end of its first sentence."""
        number = self.sentence_at(start)
        before = sum(stop - begin + 1 for begin, stop in self.sentences[:number])
        begin, stop = self.sentences[number]
        return min(begin + start - before, stop), min(begin + end - before, stop)


def split_article(article: Article, *, characters: int = CHARACTERS) -> list[Passage]:
    """Passages of whole consecutive sentences of about ``characters`` characters (a wide character counts 2.5).

    Every sentence is in exactly one passage; the headline is in none, since it is searched with each of them.
    """
    passages: list[Passage] = []
    group: list[tuple[int, int]] = []
    size = 0.0
    for start, end in sentences(article.text, article.language, skip=headline_span(article)):
        width = _width(article.text[start:end])
        if group and size + width > characters:
            passages.append(_passage(article, len(passages), group))
            group, size = [], 0.0
        group.append((start, end))
        size += width
    if group:
        passages.append(_passage(article, len(passages), group))
    return passages


def titled(title: str, text: str) -> str:
    """What is encoded, and searched for words, for a passage: the headline and the passage's text."""
    return f"{title}\n{text}"


def hash_of(titled_text: str) -> bytes:
    """SHA-256 of what is encoded for a passage: vectors are kept under it."""
    return hashlib.sha256(titled_text.encode()).digest()


def headline_span(article: Article) -> tuple[int, int] | None:
    """Where the article's text begins with its own title, if it does."""
    start = len(article.text) - len(article.text.lstrip("\ufeff \t\r\n#"))
    if article.title and article.text.startswith(article.title, start):
        end = start + len(article.title)
        if end == len(article.text) or article.text[end] in "\r\n":
            return (start, end)
    return None


def _passage(article: Article, ordinal: int, group: list[tuple[int, int]]) -> Passage:
    text = " ".join(article.text[start:end] for start, end in group)
    return Passage(article_id=article.id, ordinal=ordinal, sentences=tuple(group), text=text)


def _width(text: str) -> float:
    # A Chinese character, kana or Hangul syllable costs the encoder about 2.5 times the tokens of a Latin letter.
    return len(text) + 1.5 * sum("\u2e80" <= character <= "\uffdc" for character in text)
