"""The days that a question asks about, and what they choose."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig
from index.index import Index
from index.passage_dates import Days
from index.update import add
from qa.chain import Assistant
from qa.config import Settings
from qa.question_dates import asked_days, fits
from qa.reading import Reading, Unfit
from qa.turn import Turn

TODAY = date(2026, 11, 23)  # a Monday


def days(first: str, last: str | None = None) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last or first))


@pytest.mark.parametrize(
    ("language", "question", "expected"),
    [
        ("en", "what happened last week?", days("2026-11-16", "2026-11-22")),
        ("ko", "지난주에 무슨 일이 있었나요?", days("2026-11-16", "2026-11-22")),
        ("id", "siapa yang ditangkap kemarin?", days("2026-11-22")),
        ("ar", "ماذا حدث أمس؟", days("2026-11-22")),
        ("de", "Was geschah gestern in Rostock?", days("2026-11-22")),
        ("ja", "先月何がありましたか？", days("2026-10-01", "2026-10-31")),
    ],
)
def test_days_counted_from_today_are_strict(language: str, question: str, expected: Days) -> None:
    asked = asked_days(question, language, TODAY)
    assert asked is not None
    assert asked.strict
    assert asked.days == (expected,)


def test_other_days_are_preferred() -> None:
    asked = asked_days("What happened in May 2024?", "en", TODAY)
    assert asked is not None
    assert not asked.strict
    assert asked.days == (days("2024-05-01", "2024-05-31"),)
    # "This year" is often that of the article.
    this_year = asked_days("북한은 올해 몇 번 실패했나요?", "ko", TODAY)
    assert this_year is not None
    assert not this_year.strict


def test_a_day_without_its_year_is_meant_in_all_of_them() -> None:
    asked = asked_days("Who arrives on 8 November?", "en", TODAY, years=(2023, 2024))
    assert asked is not None
    assert asked.days == (days("2023-11-08"), days("2024-11-08"))


def test_most_questions_name_no_day() -> None:
    assert asked_days("How long will he stay?", "en", TODAY) is None


def test_a_sentence_without_a_date_speaks_of_its_articles_day() -> None:
    article = Article(id="a", title="A", text="Rain fell.", language="en", published=TODAY, published_from="metadata")
    asked = asked_days("what happened today?", "en", TODAY)
    assert asked is not None
    assert fits(asked, article, "Rain fell.")
    assert not fits(asked, article, "Rain fell on 3 May 2024.")
    assert not fits(asked, article.model_copy(update={"published_certainty": 0.2}), "Rain fell.")


ARTICLES = [
    Article(
        id="old", title="Theft", text="Police arrested Budi Santoso in Medan.", language="en",
        published=date(2024, 5, 3), published_from="metadata",
    ),
    Article(
        id="new", title="Fraud", text="Police arrested Wulan Sari in Medan.", language="en",
        published=date(2026, 11, 22), published_from="metadata",
    ),
    Article(
        id="trial", title="Trial", text="The trial of Joko Anwar in Medan begins next Tuesday.", language="en",
        published=date(2026, 11, 10), published_from="metadata",
    ),
]  # fmt: skip


class FindsNames:
    """A reader that finds the names of these articles, all alike."""

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:
        return [
            Reading(number, passage.index(name), passage.index(name) + len(name), 0.9)
            for number, passage in enumerate(passages)
            for name in ("Budi Santoso", "Wulan Sari", "Joko Anwar")
            if name in passage
        ]


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    settings = Settings(index=IndexConfig(path=tmp_path / "index"))
    encoder = WordEncoder()
    add(ARTICLES, folder=settings.index.path, settings=settings, encoder=encoder)
    index = Index(settings.index.path, settings, encoder)
    with Assistant(index, settings, reader=FindsNames(), writer=None) as assistant:
        yield assistant


def cited(assistant: Assistant, question: str, today: date = TODAY) -> list[str]:
    return [citation.article_id for citation in assistant.answer(question, today=today).citations]


def test_yesterday_chooses_the_articles(assistant: Assistant) -> None:
    assert cited(assistant, "Who was arrested in Medan yesterday?") == ["new"]
    assert cited(assistant, "Siapa yang ditangkap di Medan kemarin?", date(2024, 5, 4)) == ["old"]


def test_days_that_chose_the_articles_are_not_read_with(assistant: Assistant) -> None:
    def read_with(question: str) -> str:
        return assistant.steps["understand"](Turn(question, today=TODAY)).query

    assert read_with("Who was arrested in Medan yesterday?") == "Who was arrested in Medan ?"
    assert read_with("Who was arrested in Medan in May 2024?") == "Who was arrested in Medan in May 2024?"
    assert read_with("yesterday?") == "yesterday?"


def test_an_article_is_chosen_by_what_it_speaks_of(assistant: Assistant) -> None:
    assert cited(assistant, "Whose trial began in Medan last week?")[0] == "trial"
    assert cited(assistant, "Whose trial begins in Medan tomorrow?", date(2026, 11, 16)) == ["trial"]


def test_where_nothing_is_of_that_day_the_articles_do_not_say(assistant: Assistant) -> None:
    answer = assistant.answer("Who was arrested in Medan yesterday?", today=date(2025, 1, 1))
    assert not answer.answerable
    assert answer.text == "The articles do not say."


def test_a_month_is_preferred(assistant: Assistant) -> None:
    assert cited(assistant, "Who was arrested in Medan in May 2024?")[0] == "old"
    assert cited(assistant, "Who was arrested in Medan in March 2019?")


def test_a_follow_up_keeps_the_days(assistant: Assistant) -> None:
    history = [("user", "Who was arrested yesterday?"), ("assistant", "Wulan Sari.")]
    answer = assistant.answer("And where?", history, today=TODAY)
    assert [citation.article_id for citation in answer.citations] == ["new"]
