"""The sample articles and the questions about them: every date, quotation and reference holds."""

import hashlib
import json
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
from babel import localedata
from babel.dates import get_day_names

from index.article import Article
from index.sources import find_files, read_file

FOLDER = Path(__file__).parent.parent / "articles"
SAMPLE = "blinken-korea-selatan.txt"
KEYS = {"question", "language", "any_of", "date", "answerable", "article", "quote"}
QUESTIONS: list[dict[str, Any]] = json.loads((FOLDER / "questions.json").read_text(encoding="utf-8"))
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]

# Days that an article names both by weekday and by date, the publication's year understood.
NAMED_DAYS = [
    (SAMPLE, "Rabu (1/11)", "2023-11-01"),
    ("ellerby-bridge-hull.txt", "Thursday 16 May 2024", "2024-05-16"),
    ("jembatan-cempaka-palembang.md", "Rabu (22/5)", "2024-05-22"),
    ("paduan-suara-busan-yogyakarta.txt", "Kamis (3/10/2024)", "2024-10-03"),
    ("marjan-desalination-aqaba.txt", "الخميس 16 يناير 2025", "2025-01-16"),
    ("bao-may-trang-quy-nhon.txt", "thứ Bảy 26/10", "2024-10-26"),
    ("paper-umbrella-festival-chiang-mai.txt", "วันพฤหัสบดีที่ 6 พฤศจิกายน 2568", "2025-11-06"),
    ("north-wire.jsonl#1", "Tuesday, 4 June 2024", "2024-06-04"),
]


@cache
def articles() -> dict[str, Article]:
    read = [article for path in find_files(FOLDER) for article in read_file(path, root=FOLDER)]
    problems = [article for article in read if not isinstance(article, Article)]
    assert not problems
    ids = [article.id for article in read if isinstance(article, Article)]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    return {article.id: article for article in read if isinstance(article, Article)}


def weekdays(language: str, text: str) -> set[int]:
    """Weekdays (Monday 0) that ``text`` names in ``language``."""
    widths: tuple[Literal["wide", "abbreviated"], ...] = ("wide", "abbreviated") if language == "zh" else ("wide",)
    names = [(name.casefold(), day) for width in widths for day, name in get_day_names(width, locale=language).items()]
    return {day for name, day in names if name in text.casefold()}


def test_sample_article_is_verbatim() -> None:
    digest = hashlib.sha256((FOLDER / SAMPLE).read_bytes()).hexdigest()
    assert digest == "772c51194923dda001bc59e370f1821e3135ca38809e2d84930929d334a52dbb"


def test_every_article_is_complete() -> None:
    assert len(articles()) >= 19
    for article in articles().values():
        assert article.title
        assert 400 <= len(article.text) <= 4000 or article.language in ("ko", "zh", "ja")
        assert localedata.exists(article.language)
        assert article.published is not None


@pytest.mark.parametrize(
    ("article", "day"),
    [
        (SAMPLE, "2023-11-01"),
        ("ellerby-bridge-hull.txt", "2024-05-16"),
        ("paduan-suara-busan-yogyakarta.txt", "2024-10-03"),
        ("marjan-desalination-aqaba.txt", "2025-01-16"),
    ],
)
def test_publication_date_without_front_matter_is_in_the_dateline(article: str, day: str) -> None:
    assert articles()[article].published == date.fromisoformat(day)
    assert articles()[article].published_from == "dateline"


def test_articles_are_in_many_languages_and_formats() -> None:
    assert len({article.language for article in articles().values()}) >= 15
    assert {path.suffix for path in find_files(FOLDER)} == {".txt", ".md", ".json", ".jsonl"}


@pytest.mark.parametrize(("article", "words", "day"), NAMED_DAYS)
def test_weekday_and_date_agree(article: str, words: str, day: str) -> None:
    found = articles()[article]
    assert words in found.text
    assert weekdays(found.language, words) == {date.fromisoformat(day).weekday()}


def test_stated_addresses_lead_nowhere() -> None:
    hosts = [article.url.split("/")[2] for article in articles().values() if article.url]
    assert len(hosts) >= 12
    assert all(host.endswith(".example") for host in hosts)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["question"])
def test_question_is_well_formed(question: dict[str, Any]) -> None:
    assert KEYS <= question.keys() <= KEYS | {"also"}
    assert localedata.exists(question["language"])
    proof = (question["any_of"], question["article"], question["quote"])
    assert all(proof) if question["answerable"] else not any(proof) and question["date"] is None


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question["question"])
def test_quotation_is_in_the_article_once(question: dict[str, Any]) -> None:
    assert articles()[question["article"]].text.count(question["quote"]) == 1
    assert all(other in articles() for other in question.get("also", ()))


@pytest.mark.parametrize(
    "question", [row for row in ANSWERABLE if row["date"]], ids=lambda question: question["question"]
)
def test_date_is_the_weekday_that_the_quotation_names(question: dict[str, Any]) -> None:
    article = articles()[question["article"]]
    if len(question["date"]) == len("2021-03"):
        assert date.fromisoformat(f"{question['date']}-01").isoformat().startswith(question["date"])
        return
    day = date.fromisoformat(question["date"])
    assert weekdays(article.language, question["quote"]) <= {day.weekday()}
    assert article.published is not None
    assert abs((day - article.published).days) <= 20, "the samples speak of days near their own"


def test_questions_cover_what_they_should() -> None:
    texts = [question["question"] for question in QUESTIONS]
    assert len(set(texts)) == len(texts) >= 60
    assert len({question["language"] for question in QUESTIONS}) >= 15
    assert len(QUESTIONS) - len(ANSWERABLE) >= 16
    crossing = [row for row in ANSWERABLE if articles()[row["article"]].language != row["language"]]
    assert len(crossing) >= 25
    arrivals = {row["language"] for row in ANSWERABLE if row["date"] == "2023-11-08"}
    assert len(arrivals) >= 15
    assert {row["article"] for row in ANSWERABLE} == articles().keys()
