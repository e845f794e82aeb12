"""Questions to ask next, made from what the cited articles hold: each is about something that stands there."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from index.article import Article
from index.passage import Passage
from qa.answer import Answer
from qa.localise import date_text
from qa.names import names
from ui.around import Around, Happening
from ui.timeline import Articles, happenings
from ui.words import languages, word

MOST = 3
"""Questions that are suggested."""
_TRIED = 6
"""Questions that are put to the articles before they are suggested."""
Answered = Callable[[Iterable[str], int], Sequence[str]]
"""Of some questions the first so many that the articles answer."""
_QUOTATION = re.compile('[“"«„「『][^”"»“」』]*[”"»“」』]')
_LONGEST_NAME = 40
_MOST_NAMES = 3
"""Words that a person's name has."""


def suggestions(answer: Answer, known: Iterable[Happening], articles: Articles) -> Iterator[str]:
    """In the language of the question, if it is one of the page's; else none.

    What happens on another day that the articles speak of, and what somebody said whom they quote, in turn. Nothing is
    suggested that the question or the fact names.
    """
    if answer.language in languages():
        kinds = [_of_speakers(answer, articles), _of_days(answer, known)]
        while kinds:
            kind = kinds.pop(0)
            for asked in islice(kind, 1):
                yield asked
                kinds.append(kind)


def _of_days(answer: Answer, happened: Iterable[Happening]) -> Iterator[str]:
    known = {mention.value for mention in answer.dates}
    for one in happened:
        if one.value in known or not re.fullmatch(r"\d{4}-\d\d-\d\d", one.value):
            continue
        known.add(one.value)
        yield word("ask_day", answer.language, date=date_text(one.value, answer.language, weekday=False))


def _of_speakers(answer: Answer, articles: Articles) -> Iterator[str]:
    """Names of several words, each in a sentence that quotes somebody."""
    said = f"{answer.question}\n{answer.short}".casefold()
    seen: set[str] = set()
    for cited in answer.citations:
        article = articles.article(cited.article_id)
        passages = [passage for passage, _ in articles.passages_of(article.id)] if article else []
        for full in _speakers(article, passages) if article else ():
            if full.casefold() in seen or any(part in said for part in full.casefold().split()):
                continue
            seen.add(full.casefold())
            yield word("ask_said", answer.language, name=full)


def _speakers(article: Article, passages: Iterable[Passage]) -> Iterator[str]:
    """Names of several words in sentences that quote somebody, outside the quotation."""
    for passage in passages:
        for start, end in passage.sentences:
            parts = _QUOTATION.split(article.text[start:end])
            for part in parts if len(parts) > 1 else ():
                for name in names(part, article.language):
                    # Of many words the first are titles: "Menteri Luar Negeri Park Jin".
                    full = " ".join(name.words if len(name.words) <= _MOST_NAMES else name.words[-2:])
                    if len(name.words) > 1 and len(full) <= _LONGEST_NAME and full in part:
                        yield full


def explore(answer: Answer, articles: Articles, answered: Answered) -> Iterator[Around]:
    """What the page shows around an answer, as it is found; nothing around one that the articles do not give."""
    if answer.answerable:
        found = happenings(answer, articles)
        yield Around(happenings=found)
        tried = islice(suggestions(answer, found, articles), _TRIED)
        yield Around(happenings=found, questions=tuple(answered(tried, MOST)))
