"""Questions to ask next, made from what the cited articles hold: each is about something that stands there."""

import re
from collections.abc import Iterable, Iterator

from index.article import Article
from index.passage import split_article
from qa.answer import Answer
from qa.localise import date_text
from qa.names import names
from ui.around import Around, Happening
from ui.timeline import ArticleOf, happenings
from ui.words import languages, word

MOST = 3
_QUOTATION = re.compile('[“"«„「『][^”"»“」』]*[”"»“」』]')
_LONGEST_NAME = 40
_MOST_NAMES = 3
"""Words that a person's name has."""


def suggestions(answer: Answer, known: Iterable[Happening], article_of: ArticleOf) -> tuple[str, ...]:
    """In the language of the question, if it is one of the page's; else none.

    Two of each kind at most: what happens on another day that the articles speak of, and what somebody said whom they
    quote. Nothing is suggested that the question or the fact names.
    """
    if answer.language not in languages():
        return ()
    days, said = list(_of_days(answer, known)), list(_of_speakers(answer, article_of))
    return (*said[:2], *days[: MOST - len(said[:2])])


def _of_days(answer: Answer, happened: Iterable[Happening]) -> Iterator[str]:
    known = {mention.value for mention in answer.dates}
    for one in happened:
        if one.value in known or not re.fullmatch(r"\d{4}-\d\d-\d\d", one.value):
            continue
        known.add(one.value)
        yield word("ask_day", answer.language, date=date_text(one.value, answer.language, weekday=False))


def _of_speakers(answer: Answer, article_of: ArticleOf) -> Iterator[str]:
    """Names of several words, each in a sentence that quotes somebody."""
    said = f"{answer.question}\n{answer.short}".casefold()
    seen: set[str] = set()
    for cited in answer.citations:
        article = article_of(cited.article_id)
        for full in _speakers(article) if article else ():
            if full.casefold() in seen or any(part in said for part in full.casefold().split()):
                continue
            seen.add(full.casefold())
            yield word("ask_said", answer.language, name=full)


def _speakers(article: Article) -> Iterator[str]:
    """Names of several words in sentences that quote somebody, outside the quotation."""
    for passage in split_article(article):
        for start, end in passage.sentences:
            parts = _QUOTATION.split(article.text[start:end])
            for part in parts if len(parts) > 1 else ():
                for name in names(part, article.language):
                    # Of many words the first are titles: "Menteri Luar Negeri Park Jin".
                    full = " ".join(name.words if len(name.words) <= _MOST_NAMES else name.words[-2:])
                    if len(name.words) > 1 and len(full) <= _LONGEST_NAME and full in part:
                        yield full


def explore(answer: Answer, article_of: ArticleOf) -> Around:
    """What the page shows around an answer; nothing around one that the articles do not give."""
    if not answer.answerable:
        return Around()
    found = happenings(answer, article_of)
    return Around(happenings=found, questions=suggestions(answer, found, article_of))
