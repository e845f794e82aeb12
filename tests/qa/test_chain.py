"""The chain with stand-ins for the models; the real ones answer in test_sample.py."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig
from index.index import Index
from index.update import add
from qa.answer import Answer, Step, TextPiece
from qa.chain import Assistant
from qa.config import ReaderConfig, Settings
from qa.errors import QuestionError, WriterError
from qa.reading import Reading, Unfit
from qa.turn import Turn

VISIT = (
    "Menteri Wulan Sari akan berkunjung ke Busan, kata kantornya, Rabu (1/11).\n"
    "Ia akan tiba di Busan pada Rabu depan untuk dua hari."
)
ARTICLES = [
    Article(
        id="visit", title="Kunjungan", text=VISIT, language="id", source="Kabar Uji",
        published=date(2023, 11, 1), published_from="metadata",
    ),
    Article(
        id="echo", title="Visit", text="Minister Wulan Sari arrives in Busan on 8 November 2023.", language="en",
        source="Test Wire", published=date(2023, 11, 2), published_from="metadata",
    ),
    Article(id="tram", title="Tram", text="A tram runs in Basel.", language="en"),
]  # fmt: skip


class Finds:
    """A reader that finds given words, surely."""

    def __init__(self, *words: str, probability: float = 0.9) -> None:
        self.words = words
        self.probability = probability

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:
        return [
            Reading(number, passage.index(word), passage.index(word) + len(word), self.probability)
            for word in self.words
            for number, passage in enumerate(passages)
            if word in passage
        ]


class Says:
    """A writer that says what it is told to."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[str] = []

    def translations(self, sentence: str, source: str, target: str, *, focus: str | None = None) -> Iterator[str]:
        self.asked.append(sentence)
        if self.text is None:
            raise WriterError("the server took too long")
        yield self.text


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    settings = Settings(index=IndexConfig(path=tmp_path / "index"), reader=ReaderConfig(threshold=0.5))
    encoder = WordEncoder()
    add(ARTICLES, folder=settings.index.path, settings=settings, encoder=encoder)
    index = Index(settings.index.path, settings, encoder)
    with Assistant(index, settings, reader=Finds("Rabu depan"), writer=None) as assistant:
        yield assistant


def with_parts(assistant: Assistant, reader: Finds, writer: Says | None = None) -> Assistant:
    return Assistant(assistant.index, assistant.settings, reader=reader, writer=writer)


def test_a_relative_date_is_counted_from_the_articles_date(assistant: Assistant) -> None:
    answer = assistant.answer("when will the minister arrive in Busan?")
    assert answer.answerable
    assert answer.short == "Wednesday, 8 November 2023"
    assert answer.dates[0].value == "2023-11-08"
    assert answer.language == "en"
    assert 0.5 < answer.confidence < 1


def test_citations_count_characters_of_the_article(assistant: Assistant) -> None:
    for citation in assistant.answer("when will the minister arrive in Busan?").citations:
        article = assistant.index.article(citation.article_id)
        assert article is not None
        assert article.text[citation.start : citation.end] == citation.quote
        assert citation.passage[citation.passage_start :][: len(citation.quote)] == citation.quote


def test_without_a_writer_another_language_is_quoted_and_named(assistant: Assistant) -> None:
    text = assistant.answer("when will the minister arrive in Busan?").text
    assert text.startswith("Wednesday, 8 November 2023. ")
    assert "Indonesian" in text
    assert "Ia akan tiba di Busan pada Rabu depan untuk dua hari." in text
    assert text.endswith("[1]")


def test_a_supported_phrasing_is_shown(assistant: Assistant) -> None:
    writer = Says("She will arrive in Busan on Wednesday, 8 November 2023 for two days.")
    answer = with_parts(assistant, Finds("Rabu depan"), writer).answer("when will the minister arrive in Busan?")
    assert writer.text in answer.text
    # The writer got calendar dates, not words to count with.
    assert writer.asked == ["Ia akan tiba di Busan pada 8 November 2023 untuk dua hari."]


@pytest.mark.parametrize(
    "phrase",
    [
        "She will arrive in Busan on Thursday, 9 November 2023 for two days.",
        "Angela Merkel will arrive in Busan on Wednesday, 8 November 2023 for two days.",
        "She will arrive in Busan on Wednesday, 8 November 2023 for 47 days.",
        "",
        None,
    ],
)
def test_an_unsupported_or_failed_phrasing_gives_way_to_the_quotation(assistant: Assistant, phrase: str | None) -> None:
    answer = with_parts(assistant, Finds("Rabu depan"), Says(phrase)).answer("when will the minister arrive in Busan?")
    assert answer.short == "Wednesday, 8 November 2023"
    assert "Ia akan tiba di Busan pada Rabu depan" in answer.text
    assert not phrase or phrase not in answer.text


def test_the_same_fact_from_two_articles_is_cited_twice(assistant: Assistant) -> None:
    reader = Finds("Rabu depan", "8 November 2023")
    answer = with_parts(assistant, reader).answer("when will the minister arrive in Busan?")
    assert [(citation.number, citation.article_id) for citation in answer.citations] == [(1, "echo"), (2, "visit")]
    assert answer.text.endswith("[1][2]")


def test_below_the_threshold_the_articles_do_not_say(assistant: Assistant) -> None:
    answer = with_parts(assistant, Finds("Rabu depan", probability=0.01)).answer("siapa menteri dari Busan?")
    assert not answer.answerable
    assert (answer.short, answer.citations, answer.confidence) == ("", (), 0.0)
    assert answer.text == "Artikel-artikel ini tidak menyebutkannya."


def test_whether_it_would_answer_is_known_without_answering(assistant: Assistant) -> None:
    sure, unsure = (with_parts(assistant, Finds("Rabu depan", probability=p), Says(None)) for p in (0.9, 0.01))
    for question in ("kapan menteri tiba di Busan?", "when will the minister arrive in Busan?"):
        assert sure.would_answer(Turn(question))
        assert not unsure.would_answer(Turn(question))
        assert sure.writer.asked == [], "nothing is worded"
    assert not sure.would_answer(Turn("hi"))


def test_filters_reach_the_search(assistant: Assistant) -> None:
    reader = Finds("Rabu depan", "8 November 2023")
    answer = with_parts(assistant, reader).answer("when does she arrive in Busan?", published_after=date(2023, 11, 2))
    assert [citation.article_id for citation in answer.citations] == ["echo"]
    answer = with_parts(assistant, reader).answer("when does she arrive in Busan?", sources=["Nobody"])
    assert not answer.answerable


def test_stream_tells_steps_then_text_then_the_answer(assistant: Assistant) -> None:
    events = list(assistant.stream("when will the minister arrive in Busan?"))
    steps = [event.name for event in events if isinstance(event, Step)]
    assert steps == ["understand", "retrieve", "read", "ground", "phrase", "check"]
    assert next(event.count for event in events if isinstance(event, Step) and event.name == "retrieve") == 3
    last = events[-1]
    assert isinstance(last, Answer)
    assert "".join(event.text for event in events if isinstance(event, TextPiece)) == last.text
    assert set(last.timings) == set(steps)


def test_the_chain_is_a_langchain_runnable(assistant: Assistant) -> None:
    turn = assistant.chain.invoke(Turn("when will the minister arrive in Busan?"))
    assert turn.evidence[0].fact == "Wednesday, 8 November 2023"


def test_a_short_question_leans_on_the_one_before(assistant: Assistant) -> None:
    turn = assistant.steps["understand"](
        Turn("how long?", history=[("user", "when will the minister arrive in Busan?"), ("assistant", "On Wednesday.")])
    )
    assert turn.query == "Busan: how long?"
    assert turn.context == "when will the minister arrive in Busan? On Wednesday."


def test_no_question_is_an_error(assistant: Assistant) -> None:
    with pytest.raises(QuestionError):
        assistant.answer(" \x00 ")


def test_json_form_holds_everything(assistant: Assistant) -> None:
    data = json.loads(assistant.answer("when will the minister arrive in Busan?").model_dump_json())
    assert set(data) == {
        "question", "text", "short", "answerable", "confidence", "language", "dates", "citations", "nearest",
        "timings", "notes",
    }  # fmt: skip
    assert set(data["citations"][0]) >= {
        "number", "article_id", "title", "url", "source", "published", "passage", "start", "end", "quote"
    }  # fmt: skip
    assert set(data["dates"][0]) >= {"text", "start", "end", "value", "kind"}


def test_articles_are_chosen_by_language(assistant: Assistant) -> None:
    found = with_parts(assistant, Finds("8 November 2023", "Rabu depan"))
    question = "when will the minister arrive in Busan?"
    for language, article in (("en", "echo"), ("id", "visit")):
        answer = found.answer(question, languages=[language])
        assert {citation.article_id for citation in answer.citations} == {article}
    assert not found.answer(question, languages=["ko"]).answerable
    assert not found.answer("What's new?", languages=["ko"]).citations
    assert {one.language for one in found.answer("What's new?", languages=["en"]).citations} == {"en"}


def test_the_nearest_passages_are_offered_where_the_articles_do_not_answer(assistant: Assistant) -> None:
    answer = with_parts(assistant, Finds("Rabu depan", probability=0.01)).answer(
        "when will the minister arrive in Oslo?"
    )
    assert not answer.answerable
    assert answer.citations == ()
    assert [one.number for one in answer.nearest] == list(range(1, len(answer.nearest) + 1))
    assert 1 <= len(answer.nearest) == len({one.article_id for one in answer.nearest}) <= 3
    for one in answer.nearest:
        article = assistant.index.article(one.article_id)
        assert article is not None
        assert article.text[one.start : one.end] == one.quote == one.passage
    assert assistant.answer("when will the minister arrive in Busan?").nearest == ()


@pytest.mark.parametrize(
    "message", ["hi", "terima kasih", "what can you tell me?", "안녕하세요", "ありがとう", "شكرا", "hola"]
)
def test_small_talk_says_what_the_articles_cover(assistant: Assistant, message: str) -> None:
    answer = assistant.answer(message)
    assert "3" in answer.text
    assert "2023" in answer.text
    assert answer.citations == answer.nearest == ()
