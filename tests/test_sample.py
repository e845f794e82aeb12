"""The whole house with the real models: the sample articles, asked as a user would."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from index.config import IndexConfig
from qa.chain import Assistant
from qa.config import Settings, WriterConfig
from qa.first_index import ensure_index

ROOT = Path(__file__).parents[1]
ARTICLES = ROOT / "articles"
SAMPLE = ARTICLES / "blinken-korea-selatan.txt"
PROOF = "Blinken akan tiba di Seoul pada Rabu depan untuk perjalanan dua hari."

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        index=IndexConfig(path=tmp_path_factory.mktemp("sample") / "index", articles=(ARTICLES,)),
        writer=WriterConfig(model="none"),
    )


@pytest.fixture(scope="module")
def assistant(settings: Settings) -> Iterator[Assistant]:
    report = ensure_index(settings)
    assert report is not None
    assert report.problems == ()
    with Assistant.open(settings) as assistant:
        yield assistant


def test_ask_on_a_fresh_machine_prints_the_answer_as_json_alone(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "ui.cli", "ask", "--json", "when will Blinken arrive?"],
        cwd=ROOT,
        env={**os.environ, "KABAR_INDEX__PATH": str(tmp_path / "index")},
        capture_output=True,
        encoding="utf-8",
        timeout=110,
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert "There is no index yet" in result.stderr
    citation = answer["citations"][0]
    assert citation["quote"] == PROOF
    assert SAMPLE.read_bytes().decode()[citation["start"] : citation["end"]] == PROOF
    assert answer["short"] == "Wednesday, 8 November 2023"
    assert answer["dates"][0]["value"] == "2023-11-08"
    assert answer["answerable"]
    # The phrasing is the writer's or the quotation; both begin with the fact and end with the citation.
    assert answer["text"].startswith("Wednesday, 8 November 2023. ")
    assert answer["text"].endswith("[1]")


@pytest.mark.parametrize(
    ("question", "language", "short"),
    [
        ("when will Blinken arrive?", "en", "Wednesday, 8 November 2023"),
        ("블링컨은 언제 도착하나요?", "ko", "2023년 11월 8일 수요일"),
        ("ブリンケン氏はいつ到着しますか？", "ja", "2023年11月8日水曜日"),
        ("متى سيصل بلينكن؟", "ar", "الأربعاء، 8 نوفمبر 2023"),
        ("Kapan Blinken tiba di Seoul?", "id", "Rabu, 8 November 2023"),
    ],
)
def test_the_same_sentence_proves_it_in_every_language(
    assistant: Assistant, question: str, language: str, short: str
) -> None:
    answer = assistant.answer(question)
    assert answer.citations[0].quote == PROOF
    assert answer.language == language
    assert answer.short == short
    assert answer.dates[0].value == "2023-11-08"


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("Berapa lama Blinken berada di Seoul?", "dua hari"),
        ("How many days will Blinken be in Seoul?", "two days"),
        ("¿Cuántos días estará Blinken en Seúl?", "dos días"),
    ],
)
def test_how_long_is_not_answered_by_a_day(assistant: Assistant, question: str, short: str) -> None:
    answer = assistant.answer(question)
    assert answer.short == short
    assert answer.citations[0].quote == PROOF


@pytest.mark.parametrize(
    "question",
    [
        "Who won the World Cup?",
        "Resep rendang yang enak bagaimana?",
        "¿Cuál es la capital de Mongolia?",
        "谁发明了电话？",
    ],
)
def test_what_the_articles_do_not_say(assistant: Assistant, question: str) -> None:
    answer = assistant.answer(question)
    assert not answer.answerable
    assert answer.citations == ()
    assert answer.text


def test_every_citation_is_exact(assistant: Assistant) -> None:
    questions = json.loads((ARTICLES / "questions.json").read_text(encoding="utf-8"))
    for item in questions[::5]:
        answer = assistant.answer(item["question"])
        for citation in answer.citations:
            article = assistant.index.article(citation.article_id)
            assert article is not None
            assert article.text[citation.start : citation.end] == citation.quote
            assert citation.passage[citation.passage_start :][: len(citation.quote)] == citation.quote


def test_a_second_run_on_the_same_articles_encodes_nothing(assistant: Assistant, settings: Settings) -> None:
    from index import sync

    report = sync(ARTICLES, config=settings)
    assert (report.encoded, report.added, report.changed, report.removed) == (0, 0, 0, 0)


def test_a_conversation_of_three_turns(assistant: Assistant) -> None:
    history: list[tuple[str, str]] = []
    for question, expected in (
        ("when will Blinken arrive?", "8 November 2023"),
        ("And who will he meet there?", "Park Jin"),
        ("How long?", "two days"),
    ):
        answer = assistant.answer(question, history)
        assert expected in answer.short
        assert answer.citations[0].article_id == SAMPLE.name
        history += [("user", question), ("assistant", answer.text)]
    # A question about something else takes nothing of this along.
    assert not assistant.answer("Who won the World Cup?", history).answerable


def test_next_week_is_counted_from_today(assistant: Assistant) -> None:
    answer = assistant.answer("How long will Blinken stay in Seoul next week?", today=date(2023, 11, 2))
    assert answer.short == "two days"
    assert answer.citations[0].article_id == SAMPLE.name
    assert not assistant.answer("How long will Blinken stay in Seoul next week?", today=date(2026, 11, 2)).answerable
