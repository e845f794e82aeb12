"""The timeline and the next questions say only what the cited articles hold."""

import json
import re
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
from scripted import QUOTE, scripted_answer

from index.article import Article
from index.dates import resolve
from index.passage import split_article
from index.passage_dates import days_in
from qa.open_question import open_question
from ui.around import Around, Happening
from ui.filters import Context, Filters
from ui.suggestions import explore
from ui.timeline import happenings
from ui.timeline_view import levels, positions, timeline
from ui.turn import Turn
from ui.words import languages, word

TEXT = (
    "SEOUL (1/11) - Menlu Blinken bertolak pekan ini. Blinken akan tiba di Seoul pada Rabu depan. "
    "“Kami menyambut kunjungan itu,” kata Menteri Luar Negeri Park Jin. "
    "Ia bertemu Sergei Lavrov pada 14 Maret 2023 di Moskow. Pemilu berikutnya digelar pada 2027."
)
START = TEXT.index(QUOTE)


class Indexed:
    """Articles as an index has them."""

    def __init__(self, *articles: Article) -> None:
        self.article = {one.id: one for one in articles}.get

    def passages_of(self, article_id: str):
        one = self.article(article_id)
        return [
            (passage, days_in(passage.text, one.certain_date, one.language))
            for passage in split_article(one, characters=100)
        ]


def around(answer, *articles: Article, answered=islice) -> Around:
    """All that is found around an answer."""
    return Around() if (found := list(explore(answer, Indexed(*articles), answered))) == [] else found[-1]


def article(**changes) -> Article:
    fields = {"id": "blinken", "title": "Blinken ke Seoul", "text": TEXT, "language": "id"}
    fields |= {"published": date(2023, 11, 1), "published_from": "metadata"}
    return Article(**(fields | changes))


def cited(language: str = "en", **changes):
    plain = scripted_answer("when will Blinken arrive?", language)
    citation = plain.citations[0].model_copy(update={"start": START, "end": START + len(QUOTE)} | changes)
    return plain.model_copy(update={"citations": (citation,)})


def test_happenings_are_dated_sentences_in_the_order_of_their_days():
    found = happenings(cited(), Indexed(article()))
    assert [one.value for one in found] == ["2023-03-14", "2023-W44", "2023-11-08"]
    assert [one.answers for one in found] == [False, False, True]
    assert all(TEXT[one.start : one.end] == one.quote and one.words in one.quote for one in found)


@pytest.mark.parametrize(
    "known",
    [[], [article(text="Another text altogether, on 3 May 2023 and 4 May 2023.")]],
    ids=["gone", "changed"],
)
def test_an_article_that_is_not_what_was_cited_has_no_happenings(known):
    assert around(cited(), *known) == Around()


def test_one_day_is_no_timeline():
    only = article(text=QUOTE)
    assert happenings(cited(start=0, end=len(QUOTE)), Indexed(only)) == ()


def test_nothing_surrounds_an_answer_that_the_articles_do_not_give():
    assert around(cited().model_copy(update={"answerable": False}), article()) == Around()


@pytest.mark.parametrize("language", ["en", "ar", "ko"])
def test_next_questions_are_in_the_readers_language_and_can_be_understood(language):
    found = around(cited(language), article()).questions
    assert word("ask_said", language, name="Park Jin") in found
    days = [asked for asked in found if resolve(asked, date(2024, 1, 1), language)]
    assert [resolve(asked, None, language)[0].value for asked in days] == ["2023-03-14"]
    assert all(open_question(asked, language) for asked in found)
    assert around(cited().model_copy(update={"language": "fr"}), article()).questions == ()


@pytest.mark.parametrize("language", languages())
def test_every_kind_of_next_question_is_understood_in_every_language(language):
    said = open_question(word("ask_said", language, name="Park Jin"), language)
    assert said is not None
    assert said.kind == "said"
    assert "park jin" in said.subject


def test_what_the_question_names_is_not_suggested():
    asked = cited().model_copy(update={"question": "what did Park Jin say?"})
    assert not any("Park" in question for question in around(asked, article()).questions)


def test_what_the_articles_do_not_answer_is_not_suggested():
    tried = []

    def answered(questions, most):
        tried.extend(questions)
        return [question for question in tried if "Park" not in question][:most]

    found = around(cited(), article(), answered=answered)
    assert any("Park" in question for question in tried)
    assert found.questions
    assert not any("Park" in question for question in found.questions)
    assert len(found.happenings) == 3, "they are shown all the same"


def test_days_that_the_index_does_not_know_are_not_shown():
    known = Indexed(article())
    known.passages_of = lambda _: [(passage, set()) for passage in split_article(article())]
    assert happenings(cited(), known) == ()


# The picture


def test_days_stand_in_order_and_mirrored_where_writing_runs_to_the_left():
    days = [date(2023, 11, 1), date(2023, 11, 3), date(2023, 11, 11)]
    rightwards = positions(days, rightwards=True)
    assert rightwards == sorted(rightwards)
    assert (rightwards[1] - rightwards[0]) * 4 == pytest.approx(rightwards[2] - rightwards[1])
    assert positions(days, rightwards=False) == [640 - place for place in rightwards]
    assert positions([days[0], days[0]], rightwards=True) == [24, 24]


def test_points_of_near_days_stand_above_each_other():
    assert levels([100, 103, 106, 300, 303]) == [0, 1, 2, 0, 1]


def test_every_point_is_in_the_list_too_and_opens_its_sentence():
    found = around(cited(), article())
    html = timeline(Turn(number=3, question="q", answer=cited(), around=found), "en")
    for number, one in enumerate(found.happenings):
        assert html.count(f'data-evidence="evidence-3-t{number}"') == 2
        assert f'id="evidence-3-t{number}"' in html
        assert f'data-start="{one.start}" data-end="{one.end}"' in html
    assert 'aria-hidden="true"' in html
    assert 'direction="ltr">14 March 2023</text>' in html
    assert 'x="17.0" text-anchor="start"' in html, "the first date begins at its point"
    arabic = timeline(Turn(number=3, question="q", answer=cited("ar"), around=found), "ar")
    assert 'x="623.0" text-anchor="start"' in arabic, "and so it does at the right, where writing runs to the left"
    assert 'direction="rtl">8 نوفمبر 2023</text>' in arabic
    assert "Wednesday, 8 November 2023" in html


def test_hostile_words_are_text_in_the_picture():
    attack = "</title><script>alert(1)</script>\"'>"
    bad = Happening(
        value="2023-11-08", words=attack, article_id=attack, title=attack, language=attack, start=0, end=1, quote=attack
    )
    found = Around(happenings=(bad, bad.model_copy(update={"value": "2023-11-09"})))
    html = timeline(Turn(number=1, question="q", answer=cited(), around=found), "en")
    assert "<script" not in html
    assert "</title><" not in html.replace("</title></circle>", "")


# Filters


def test_filters_are_the_keywords_of_the_assistant():
    today = date(2024, 3, 8)
    assert Filters().options(today) == {}
    assert Filters(last_week=True).options(today) == {"published_after": date(2024, 3, 2)}
    assert Filters(last_week=True, after=date(2024, 3, 5)).options(today) == {"published_after": date(2024, 3, 5)}
    chosen = Filters(before=date(2024, 1, 1), source="VOA", language="id").options(today)
    assert chosen == {"published_before": date(2024, 1, 1), "sources": ["VOA"], "languages": ["id"]}


@pytest.mark.parametrize("text", ["", "{}", None, '{"filters": {"after": "2024-02-29"}}'])
def test_what_the_page_sends_is_read(text):
    assert Context.read(text, "en").conversation == ""


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "x",
        '{"filters": {"after": "2024-02-30"}}',
        '{"filters": {"sort": "x"}}',
        '{"conversation": 1}',
        5,
        f'{{"conversation": "{"x" * 100}"}}',
    ],
)
def test_whatever_else_is_sent_is_one_clear_line(text):
    with pytest.raises(Exception, match="The filters cannot be read; clear them and ask again"):
        Context.read(text, "en")


def test_every_language_has_every_word_with_the_same_places():
    table = json.loads((Path(__file__).parents[2] / "ui/data/words.json").read_text(encoding="utf-8"))
    assert set(table) == {"en", "id", "ko", "ja", "ar", "es"}
    for language, words in table.items():
        assert list(words) == list(table["en"]), language
        for key, text in words.items():
            assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", table["en"][key]), (language, key)
