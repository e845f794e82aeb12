"""What the cited articles say happened and will happen around an answer, by their own dates."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from index.article import Article
from index.dates import resolve
from index.passage import Passage
from index.passage_dates import Days, days_of
from qa.answer import Answer, Citation
from ui.around import Happening

MOST = 10
"""Happenings that are shown."""
_BESIDE = 2
"""Passages before and after the cited sentence's that are looked through."""
_VAGUE = 92
"""Days. What is said of a longer time ("in 2021") has no place on a line of days."""
_LONGEST_QUOTE = 400


class Articles(Protocol):
    """What is needed of an index."""

    def article(self, article_id: str, /) -> Article | None:
        """One article by its id."""

    def passages_of(self, article_id: str, /) -> Sequence[tuple[Passage, set[Days]]]:
        """Its passages in their order, each with the days that it speaks of."""


def happenings(answer: Answer, articles: Articles) -> tuple[Happening, ...]:
    """The dated sentences of the cited passages and of those beside them, in the order of their days.

    Of too many those farthest from the answer's citations are left out; fewer than two different days are no timeline,
    and nothing comes back.
    """
    found: dict[tuple[str, str, int], Happening] = {}
    for cited in answer.citations:
        article = articles.article(cited.article_id)
        if article is not None and article.text[cited.start : cited.end] == cited.quote:
            for one in _of_article(article, articles.passages_of(article.id), cited, answer):
                found.setdefault((one.value, one.article_id, one.start), one)
    chosen = sorted(found.values(), key=lambda one: not one.answers)[:MOST]
    if len({one.value for one in chosen}) < 2:
        return ()
    return tuple(sorted(chosen, key=_when))


def _of_article(
    article: Article, passages: Sequence[tuple[Passage, set[Days]]], cited: Citation, answer: Answer
) -> Iterator[Happening]:
    """Dated sentences around a citation, nearest first; of days that the index knows, so that they can be asked for."""
    here = next((number for number, (passage, _) in enumerate(passages) if passage.end >= cited.end), 0)
    near = passages[max(here - _BESIDE, 0) : here + _BESIDE + 1]
    sentences = [(span, known) for passage, known in near if known for span in passage.sentences]
    values = _values(answer)
    for (start, end), known in sorted(sentences, key=lambda one: abs(one[0][0] - cited.start)):
        quote = article.text[start:end]
        if len(quote) > _LONGEST_QUOTE:
            continue
        for mention in resolve(quote, article.certain_date, article.language):
            days = days_of(mention.value)
            if days is None or days not in known or days.length > _VAGUE or mention.reporting or mention.conflict:
                continue
            yield Happening(
                value=mention.value,
                words=mention.text,
                article_id=article.id,
                title=article.title,
                language=article.language,
                start=start,
                end=end,
                quote=quote,
                answers=start == cited.start and mention.value in values,
            )


def _values(answer: Answer) -> Iterable[str]:
    """The date that answers, if one does: it is the first, and the fact says it."""
    return [date.value for date in answer.dates[:1] if not date.reporting]


def _when(one: Happening) -> tuple[str, str, int]:
    days = days_of(one.value)
    assert days is not None  # noqa: S101 -- those without days were left out
    return days.first.isoformat(), one.article_id, one.start
