"""Choosing sentences for open questions, and the chain with stand-ins for the models; real ones at the end."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig
from index.index import Hit, Index
from index.passage import split_article
from index.update import add
from qa.chain import Assistant
from qa.config import Settings, WriterConfig
from qa.explain import MOST, candidates, choose, explain, newest, relevance
from qa.open_question import OpenQuestion
from qa.reading import Reading, Unfit
from qa.turn import Turn

ROOT = Path(__file__).resolve().parents[2]


def article(name: str, text: str, day: date | None = None, language: str = "en") -> Article:
    known = {"published": day, "published_from": "metadata"} if day else {}
    return Article(id=name, title=name.capitalize(), text=text, language=language, **known)


STORM = article(
    "storm",
    "BASEL, 3 May.\n"
    "A storm tore down the roof of the tram depot in Basel on Thursday night.\n"
    "Trams stood still in Basel because a tree had fallen on the wires.\n"
    "“We worked through the night,” said Anna Meier, who leads the depot.\n"
    "Tickets cost four francs as they did before.",
    date(2024, 5, 3),
)
REPAIR = article(
    "repair",
    "The roof of the tram depot in Basel has been repaired, the city said.\nIt cost a million.",
    date(2024, 6, 1),
)
FERRY = article("ferry", "The ferry to Aomori sails again after an inspection of its engine.", date(2024, 4, 1))
MOON = article("moon", "Bulan akan tampak merah di atas kota Basel pada Jumat depan.", date(2024, 5, 1), "id")


def hits(*articles: Article, similarity: float | None = 0.8) -> list[Hit]:
    return [Hit(passage, one, 1.0, similarity) for one in articles for passage in split_article(one)]


def chosen(scores: Sequence[float], kind: str = "event", alike: float = 0.5, articles: str = "abcdefgh") -> list[int]:
    likeness = np.full((len(scores), len(scores)), alike)
    np.fill_diagonal(likeness, 1.0)
    return choose(np.asarray(scores, dtype=float), likeness, articles[: len(scores)], kind)


def test_datelines_are_no_candidates_and_the_first_sentence_leads() -> None:
    found = candidates(hits(STORM, REPAIR))
    assert [one.text for one in found if one.lead] == [
        "A storm tore down the roof of the tram depot in Basel on Thursday night.",
        "The roof of the tram depot in Basel has been repaired, the city said.",
    ]
    assert not any(one.text.startswith("BASEL") for one in found)
    assert all(one.hit.article.text[one.start : one.end] == one.text for one in found)


def test_a_sentence_of_two_hits_or_two_newspapers_is_one_candidate() -> None:
    assert len(candidates([*hits(REPAIR), *hits(REPAIR)])) == len(candidates(hits(REPAIR)))
    reprint = article("reprint", REPAIR.text.replace("the city said", "said the city"), date(2024, 6, 2))
    assert [one.hit.article.id for one in candidates([*hits(REPAIR), *hits(reprint)])] == ["repair"]


def test_at_most_four_are_chosen_best_first() -> None:
    assert chosen([1, 5, 3, 2, 4, 4.5]) == [1, 5, 4, 2]
    assert len(chosen([1.0] * 8)) == MOST


def test_what_is_far_behind_the_best_is_left_out() -> None:
    assert chosen([10, 9, 1]) == [0, 1]
    assert chosen([10, 7], "how") == [0]
    assert chosen([10, 7], "event") == [0, 1]


def test_the_same_fact_is_not_chosen_twice() -> None:
    likeness = np.array([[1.0, 0.98, 0.4], [0.98, 1.0, 0.4], [0.4, 0.4, 1.0]])
    assert choose(np.array([10.0, 9.9, 9.5]), likeness, "abc", "why")[:2] == [0, 2]


def test_a_list_looks_at_other_articles_first() -> None:
    assert chosen([10, 9.5, 9], "list", articles="aab")[:2] == [0, 2]
    assert chosen([10, 9.5, 9], "event", articles="aab")[:2] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "better"),
    [
        ("why", "Trams stood still in Basel because a tree had fallen on the wires."),
        ("said", "“We worked through the night,” said Anna Meier, who leads the depot."),
        ("event", "A storm tore down the roof of the tram depot in Basel on Thursday night."),
    ],
)
def test_what_is_asked_for_counts(kind: str, better: str) -> None:
    found = candidates(hits(STORM))
    scores = relevance(OpenQuestion(kind, "nothing"), found, np.full(len(found), 0.7))
    assert found[int(scores.argmax())].text == better


def test_words_and_passages_count() -> None:
    found = candidates([*hits(FERRY, similarity=0.6), *hits(REPAIR, similarity=0.6), *hits(MOON, similarity=None)])
    scores = relevance(OpenQuestion("how", "ferry aomori"), found, np.full(len(found), 0.7))
    assert found[int(scores.argmax())].hit.article.id == "ferry"
    assert scores[-1] == scores[:-1].min()  # found by its words alone: as far as the farthest


def test_sentences_stand_in_the_order_of_time() -> None:
    encoder = WordEncoder()
    vector = encoder.encode_queries(["what happened to the tram depot in Basel?"])[0]
    evidence = explain(OpenQuestion("event", "the tram depot in basel?"), vector, hits(REPAIR, STORM), encoder)
    days = [one.hit.article.published for one in evidence]
    assert len(evidence) > 1
    assert days == sorted(days)
    assert all(0 <= one.probability <= 1 for one in evidence)


def test_nothing_found_is_nothing_chosen() -> None:
    encoder = WordEncoder()
    asked = OpenQuestion("why", "the tram")
    assert explain(asked, encoder.encode_queries(["why?"])[0], [], encoder) == ()
    assert explain(asked, encoder.encode_queries(["why?"])[0], hits(article("short", "BASEL, 3 May.")), encoder) == ()


def test_the_news_is_how_the_newest_articles_begin() -> None:
    found = newest([*hits(REPAIR), *hits(STORM)])
    assert [one.hit.article.id for one in found] == ["repair", "storm"]
    assert found[1].quote.startswith("A storm tore down")


class Silent:
    """A reader that finds nothing."""

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:
        return []


class Says:
    """A writer that says what it is told to, for every sentence."""

    def __init__(self, text: str) -> None:
        self.text = text

    def translations(self, sentence: str, source: str, target: str, *, focus: str | None = None) -> Iterator[str]:
        yield self.text


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    settings = Settings(index=IndexConfig(path=tmp_path / "index"))
    add([STORM, REPAIR, FERRY, MOON], folder=settings.index.path, settings=settings, encoder=WordEncoder())
    index = Index(settings.index.path, settings, WordEncoder())
    with Assistant(index, settings, reader=Silent(), writer=None) as assistant:
        yield assistant


def sure(assistant: Assistant, writer: Says | None = None) -> Assistant:
    """The same, to whom every answer is sure enough: cosines of shared words are no encoder's."""
    reader = assistant.settings.reader.model_copy(update={"threshold": 0.0})
    settings = assistant.settings.model_copy(update={"reader": reader})
    return Assistant(assistant.index, settings, reader=Silent(), writer=writer)


def test_each_sentence_has_its_own_citation(assistant: Assistant) -> None:
    answer = sure(assistant).answer("What happened to the roof of the tram depot in Basel?")
    assert answer.answerable
    assert len(answer.citations) > 1
    shown = ((one.quote, f"[{one.number}]") for one in answer.citations if one.language == "en")
    assert all(f"{quote} {number}" in answer.text for quote, number in shown)
    assert [one.number for one in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert answer.short in {one.quote for one in answer.citations}
    assert "\n" not in answer.short
    for citation in answer.citations:
        found = assistant.index.article(citation.article_id)
        assert found is not None
        assert found.text[citation.start : citation.end] == citation.quote


def test_the_fact_is_the_most_probable_sentence_not_the_oldest(assistant: Assistant) -> None:
    answer = sure(assistant).answer("How has the roof of the tram depot in Basel been repaired?")
    assert answer.short == "The roof of the tram depot in Basel has been repaired, the city said."


def test_what_is_not_relevant_enough_is_refused(assistant: Assistant) -> None:
    answer = assistant.answer("Why did the penguins leave Antarctica?")
    assert not answer.answerable
    assert answer.text == "The articles do not say."
    assert (answer.short, answer.citations, answer.confidence) == ("", (), 0.0)


def test_another_language_is_quoted_and_named_or_phrased_under_the_check(assistant: Assistant) -> None:
    question = "Apa yang terjadi dengan bulan merah di atas kota Basel?"
    asked = "What happens to the bulan merah tampak kota Basel Jumat depan?"
    assert "[1]" in sure(assistant).answer(question).text
    assert "In Indonesian: “Bulan akan tampak merah" in sure(assistant).answer(asked).text
    good = Says("The moon will appear red over the city of Basel on Friday, 10 May 2024.")
    answer = sure(assistant, good).answer(asked)
    assert good.text in answer.text
    assert answer.short == good.text
    spoilt = sure(assistant, Says("The moon will appear red over the city of Berlin on Friday, 10 May 2024."))
    assert "In Indonesian: “Bulan akan tampak merah" in spoilt.answer(asked).text


def test_the_news_in_general_is_the_newest_first(assistant: Assistant) -> None:
    answer = assistant.answer("What's new?")
    assert [one.article_id for one in answer.citations] == ["repair", "storm", "moon", "ferry"]
    assert answer.short.startswith("The roof of the tram depot")
    later = assistant.answer("What's new?", published_after=date(2024, 5, 2))
    assert [one.article_id for one in later.citations] == ["repair", "storm"]
    this_month = assistant.answer("Summarise this month", today=date(2024, 5, 20))
    assert {one.article_id for one in this_month.citations} <= {"storm", "moon"}
    assert not assistant.answer("What's new?", published_after=date(2025, 1, 1)).answerable


def test_a_question_for_a_fact_takes_the_usual_way(assistant: Assistant) -> None:
    turn = assistant.steps["understand"](Turn("Who leads the tram depot?"))
    assert turn.open_question is None
    assert assistant.steps["read"](assistant.steps["retrieve"](turn)).evidence == ()


def test_a_bare_why_asks_about_what_was_said(assistant: Assistant) -> None:
    history = [("user", "Did the trams in Basel stand still?"), ("assistant", "Yes.")]
    turn = assistant.steps["understand"](Turn("Why?", history=history))
    assert turn.open_question is not None
    assert turn.open_question.kind == "why"
    assert "Basel" in turn.open_question.subject


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    from qa.first_index import ensure_index

    index = IndexConfig(path=tmp_path_factory.mktemp("open") / "index", articles=(ROOT / "articles",))
    settings = Settings(index=index, writer=WriterConfig(model="none"))
    ensure_index(settings)
    with Assistant.open(settings) as assistant:
        yield assistant


@pytest.mark.models
def test_open_questions_about_the_sample_articles(real: Assistant) -> None:
    items = json.loads((ROOT / "benchmarks" / "questions" / "open.json").read_text(encoding="utf-8"))
    questions = (
        "Warum ist die Schwimmhalle in Reutershagen geschlossen?",
        "Why did the fishermen in Mombasa go on strike?",
        "¿Qué opina el director Cen Ruoxi de los robots?",
        "How is the hydrogen for the ferry made?",
        "What is the latest news?",
    )
    for item in items:
        if item["question"] in questions:
            quotes = " ".join(citation.quote for citation in real.answer(item["question"]).citations)
            assert all(gold["quote"] in quotes for gold in item["gold"]), item["question"]


@pytest.mark.models
@pytest.mark.parametrize(
    "question", ["How do you bake sourdough bread?", "股市为什么下跌？", "ماذا حدث في الانتخابات الأمريكية؟"]
)
def test_open_questions_that_the_articles_do_not_answer(real: Assistant, question: str) -> None:
    assert not real.answer(question).answerable
