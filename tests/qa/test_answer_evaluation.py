"""How answers are judged and counted, with an assistant that says what it is told to."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder

from index.config import IndexConfig, IndexSettings
from index.errors import ArticleError, KabarError
from index.store import exists
from qa.answer import Answer, Citation, DateMention
from qa.answer_evaluation import Verdict, evaluate_answers, indexed, judge
from qa.question_file import Item, read_questions

ROOT = Path(__file__).resolve().parents[2]


def citation(article: str, quote: str) -> Citation:
    return Citation(
        number=1, article_id=article, title="", url=None, source=None, language="en", published=None,
        published_from="unknown", passage=quote, passage_start=0, start=0, end=len(quote), quote=quote,
    )  # fmt: skip


def said(text: str, *citations: Citation, date: str | None = None, language: str = "en") -> Answer:
    mention = DateMention(text="then", start=0, end=4, value=date or "2024", kind="absolute", derived="")
    return Answer(
        question="?", text=text, short=text, answerable=bool(text), confidence=0.9 if text else 0.0,
        language=language, dates=(mention,) if date else (), citations=citations,
    )  # fmt: skip


class Scripted:
    """Answers by the question, and keeps the histories that it was given."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.histories: list[list[tuple[str, str]]] = []
        self.days: list[date | None] = []

    def answer(self, question: str, history: Sequence[tuple[str, str]] = (), *, today: date | None = None) -> Answer:
        self.histories.append(list(history))
        self.days.append(today)
        return self.answers.get(question, said(""))


def written(folder: Path, *items: Any) -> Path:
    file = folder / "questions.json"
    file.write_text(json.dumps(items, ensure_ascii=False), encoding="utf-8")
    return file


def judged(answer: Answer, **item: Any) -> Verdict:
    return judge(answer, Item(question="?", language="en", **item))


@pytest.mark.parametrize(
    ("answer", "item", "outcome"),
    [
        (said("It costs ４６ million."), {"answerable": True, "any_of": ["46 Million"]}, "right"),
        (said("It costs 42 million."), {"answerable": True, "any_of": ["46 million"]}, "wrong"),
        (said("On Wednesday.", date="2023-11-08"), {"answerable": True, "date": "2023-11-08"}, "right"),
        (said("On Thursday.", date="2023-11-09"), {"answerable": True, "date": "2023-11-08"}, "wrong"),
        (said(""), {"answerable": True, "any_of": ["46 million"]}, "refused"),
        (said(""), {"answerable": False}, "right"),
        (said("It costs 42 million."), {"answerable": False}, "invented"),
    ],
)
def test_outcomes(answer: Answer, item: dict[str, Any], outcome: str) -> None:
    assert judged(answer, **item).outcome == outcome


def test_gold_sentences_are_looked_for_among_the_citations() -> None:
    gold = [
        {"article": "a", "quote": "the pump failed"},
        {"article": "a", "quote": "the tests were late"},
        {"article": "b", "quote": "in May", "also": [{"article": "c", "quote": "IN  may"}]},
    ]
    answer = said("...", citation("a", "Then the pump failed."), citation("c", "In May."), citation("b", "A cat."))
    verdict = judged(answer, answerable=True, gold=gold)
    assert verdict.outcome == "right"
    assert verdict.gold == (True, False, True)
    assert verdict.relevant == (True, True, False)
    other_article = judged(said("...", citation("b", "Then the pump failed.")), answerable=True, gold=gold)
    assert other_article.outcome == "wrong"


def test_the_proof_is_the_sentence_or_an_article_that_says_the_same() -> None:
    item = {"answerable": True, "any_of": ["x"], "article": "a", "quote": "next Wednesday", "also": ["b"]}
    assert judged(said("x", citation("a", "He comes next Wednesday.")), **item).cited
    assert judged(said("x", citation("b", "Something else.")), **item).cited
    assert judged(said("x", citation("a", "Something else.")), **item).cited is False
    assert judged(said("x"), answerable=True, any_of=["x"]).cited is None


def test_figures_are_counts_and_add_up(tmp_path: Path) -> None:
    gold = [{"article": "a", "quote": "one"}, {"article": "a", "quote": "two"}]
    file = written(
        tmp_path,
        {"question": "who?", "language": "en", "answerable": True, "any_of": ["Anna"], "article": "a", "quote": "Anna"},
        {"question": "wann?", "language": "de", "answerable": True, "date": "2023-11-08"},
        {"question": "why?", "language": "en", "answerable": True, "gold": gold},
        {"question": "where?", "language": "en", "answerable": True, "any_of": ["here"]},
        {"question": "warum?", "language": "de", "answerable": False},
        {"question": "how?", "language": "en", "answerable": False},
    )
    answers = {
        "who?": said("Anna", citation("a", "It is Anna.")),
        "wann?": said("9 November", date="2023-11-09"),  # and in English
        "why?": said("Because.", citation("a", "one"), citation("a", "three")),
        "warum?": said("Darum.", language="de"),
    }
    told: list[Verdict] = []
    (figures,) = evaluate_answers(Scripted(answers), [file], tell=told.append)  # type: ignore[arg-type]
    assert [verdict.question for verdict in told] == ["who?", "wann?", "why?", "where?", "warum?", "how?"]
    counts = ("questions", "right", "wrong", "refused", "invented", "language_right")
    assert {name: figures[name] for name in counts} == dict(zip(counts, (6, 3, 1, 1, 1, 5), strict=True))
    assert figures["by_language"] == {
        "de": dict(zip(counts, (2, 0, 1, 0, 1, 1), strict=True)),
        "en": dict(zip(counts, (4, 3, 0, 1, 0, 4), strict=True)),
    }
    assert (figures["cited"], figures["citable"], figures["dated"], figures["datable"]) == (1, 1, 0, 1)
    assert (figures["gold_recall"], figures["gold_precision"]) == (0.5, 0.5)


def test_a_turn_is_asked_with_what_was_said_before(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"turns": [{"question": "who comes?"}, {"question": "when?", "answerable": True, "any_of": ["Monday"]}]},
        {"turns": ["who comes?", "and why?"], "language": "en", "answerable": False},
    )
    assistant = Scripted({"who comes?": said("Anna."), "when?": said("Monday.")})
    (figures,) = evaluate_answers(assistant, [file])  # type: ignore[arg-type]
    before = [("user", "who comes?"), ("assistant", "Anna.")]
    assert assistant.histories == [[], before, [], before]
    assert (figures["questions"], figures["right"]) == (2, 2)
    assert figures["gold_recall"] is None


def test_a_question_can_say_on_which_day_it_is_asked(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"question": "what happened last month?", "today": "2024-05-23", "answerable": False},
        {"question": "what happened?", "answerable": False},
    )
    assistant = Scripted({})
    evaluate_answers(assistant, [file])  # type: ignore[arg-type]
    assert assistant.days == [date(2024, 5, 23), None]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not valid JSON"),
        ("[]", "expected a JSON list"),
        ('{"question": "?"}', "expected a JSON list"),
        ('[{"answerable": true}]', "item 1: turns.0.question: Field required"),
        ('[{"question": "?"}]', "item 1: 'answerable' is missing"),
        ('[{"question": 1, "answerable": true}]', "valid string"),
        ('[{"question": "?", "answerable": true, "today": "soon"}]', "turns.0.today"),
        ('[{"question": "?", "answerable": true, "gold": [{"article": "a"}]}]', "gold.0.quote: Field required"),
        ('[{"question": "?", "answerable": true}, {"turns": []}]', "item 2: turns"),
        ('[{"turns": 3}]', "item 1: turns"),
        ('["why?"]', "item 1"),
    ],
)
def test_a_file_of_another_form_is_refused_by_place_and_reason(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "questions.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(KabarError, match=r"questions\.json") as refused:
        read_questions(file)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KabarError, match="No such file"):
        read_questions(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KabarError, match="not valid JSON"):
        read_questions(tmp_path / "bytes.json")


def test_a_question_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    from qa.question import clean_question

    class Strict(Scripted):
        def answer(self, question: str, *rest: Any, **options: Any) -> Answer:
            clean_question(question)
            return super().answer(question, *rest, **options)

    file = written(tmp_path, {"question": "???", "answerable": False})
    with pytest.raises(KabarError, match=r"'\?\?\?' cannot be asked: the question is empty"):
        evaluate_answers(Strict({}), [file])  # type: ignore[arg-type]


def test_another_folder_is_indexed_for_as_long_as_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.update._open_encoder", lambda _: WordEncoder())
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "tram.txt").write_text("Tram\nA tram runs in Basel.", encoding="utf-8")
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "own"))
    with indexed(settings, folder) as changed:
        assert exists(changed.index.path)
    assert not exists(changed.index.path)
    assert not exists(settings.index.path)
    with pytest.raises(ArticleError), indexed(settings, tmp_path / "nowhere"):
        pass


@pytest.mark.parametrize("file", sorted((ROOT / "benchmarks" / "questions").glob("*.json")), ids=lambda file: file.name)
def test_every_gold_sentence_stands_in_its_article(file: Path) -> None:
    from index.sources import find_files, read_file

    articles = {
        article.id: " ".join(article.text.split())
        for path in find_files(ROOT / "articles")
        for article in read_file(path, root=ROOT / "articles")
    }
    for conversation in read_questions(file):
        for item in conversation.turns:
            for gold in (*item.gold, *(other for sentence in item.gold for other in sentence.also)):
                assert gold.quote in articles[gold.article]
