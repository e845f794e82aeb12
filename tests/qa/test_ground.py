"""Facts that several articles hold: cited together, shown side by side, or corrected; and what is then said."""

import datetime
import json
import re
from dataclasses import replace
from importlib.resources import files

import pytest
from evidence import evidence, grounded, hit

from qa.corrections import corrected, corrects
from qa.language import sentence_languages
from qa.phrase import answer_text
from qa.turn import Turn

COST = "The Ellerby Bridge in Hull cost £42 million."
FIRST = hit(
    f"{COST} Harriet Oakvale, who is chief engineer, said it was finished.", published="2024-05-16", name="first"
)
SECOND = hit("Hull's Ellerby Bridge cost £46 million, says Harriet Oakvale.", published="2024-05-20", name="second")
THIRD = hit("The Ellerby Bridge of Hull cost 46 million pounds.", published="2024-05-22", name="third")
CORRECTION = hit(
    "CORRECTION: Our report of 16 May gave the cost of Hull's Ellerby Bridge as £42 million. The right figure is £46 "
    "million; the earlier one left out the roads.",
    published="2024-05-20",
    name="correction",
)


def facts(turn: Turn) -> list[tuple[str, int]]:
    return [(one.hit.article.id, one.fact_number) for one in turn.evidence]


def test_the_newest_of_two_facts_is_the_answer_and_both_are_shown_with_their_days() -> None:
    turn = grounded(evidence(FIRST, "£42 million"), evidence(SECOND, "£46 million", probability=0.7))
    assert facts(turn) == [("second", 0), ("first", 1)]
    assert turn.evidence[0].probability == 0.9
    assert answer_text(turn) == (
        "£46 million. Hull's Ellerby Bridge cost £46 million, says Harriet Oakvale. [1] (20 May 2024) "
        "An earlier article says: £42 million. [2] (16 May 2024)"
    )


def test_articles_that_agree_are_cited_together_on_either_side() -> None:
    turn = grounded(
        evidence(SECOND, "£46 million"), evidence(FIRST, "£42 million"), evidence(THIRD, "46 million pounds")
    )
    assert facts(turn) == [("second", 0), ("third", 0), ("first", 1)]
    assert "[1][2] (22 May 2024)" in answer_text(turn)
    turn = grounded(
        evidence(FIRST, "£42 million"), evidence(THIRD, "46 million pounds"), evidence(SECOND, "£46 million")
    )
    assert facts(turn) == [("third", 0), ("second", 0), ("first", 1)]


def test_a_doubtful_reading_contradicts_nothing_but_may_agree() -> None:
    best = evidence(SECOND, "£46 million")
    assert facts(grounded(best, evidence(FIRST, "£42 million", probability=0.1))) == [("second", 0)]
    agreeing = evidence(THIRD, "46 million pounds", probability=0.1)
    assert facts(grounded(best, agreeing)) == [("second", 0), ("third", 0)]


def test_without_publication_dates_the_surer_fact_comes_first_and_no_day_is_said() -> None:
    unknown = hit(COST, name="unknown")
    turn = grounded(evidence(unknown, "£42 million"), evidence(SECOND, "£46 million", probability=0.8))
    assert facts(turn) == [("unknown", 0), ("second", 1)]
    assert answer_text(turn) == f"£42 million. {COST} [1] Another article says: £46 million. [2]"


def test_a_guessed_publication_date_is_not_relied_on() -> None:
    article = SECOND.article.model_copy(update={"published_from": "file", "published_certainty": 0.3})
    turn = grounded(
        evidence(FIRST, "£42 million"), evidence(SECOND._replace(article=article), "£46 million", probability=0.8)
    )
    assert facts(turn) == [("first", 0), ("second", 1)]
    assert "2024" not in answer_text(turn)


def test_what_a_correction_repeats_is_not_its_own_word() -> None:
    turn = grounded(evidence(CORRECTION, "£42 million"), evidence(FIRST, "£42 million"))
    assert facts(turn) == [("correction", 0), ("first", 1)]
    best = turn.evidence[0]
    assert (best.fact, best.quote[:19]) == ("£46 million", "The right figure is")
    assert best.hit.article.text[best.start : best.end] == best.quote
    assert "This corrects an earlier article, which said: £42 million. [2] (16 May 2024)" in answer_text(turn)


def test_a_correction_is_as_sure_as_what_it_corrects() -> None:
    turn = grounded(evidence(FIRST, "£42 million"), evidence(CORRECTION, "£42 million", probability=0.1))
    assert facts(turn) == [("correction", 0), ("first", 1)]
    assert turn.evidence[0].probability == 0.9


def test_without_an_older_article_a_correction_is_left_as_it_was_read() -> None:
    assert grounded(evidence(CORRECTION, "£42 million")).evidence[0].fact == "£42 million"


def test_a_correction_comes_first_even_on_the_same_day() -> None:
    article = FIRST.article.model_copy(update={"published": datetime.date(2024, 5, 20)})
    own_words = evidence(CORRECTION, "£46 million", probability=0.6)
    turn = grounded(evidence(FIRST._replace(article=article), "£42 million"), own_words)
    assert facts(turn) == [("correction", 0), ("first", 1)]


def test_a_day_that_was_put_off() -> None:
    then = hit(
        "전주 달빛도서관이 오는 15일 문을 연다.", language="ko", title="전주 달빛도서관 개관", published="2024-11-08"
    )
    now = hit(
        "전주 달빛도서관의 개관이 당초 발표한 15일에서 오는 22일로 미뤄졌다.",
        language="ko", title="달빛도서관 개관 연기", published="2024-11-13",
    )  # fmt: skip
    turn = grounded(evidence(then, "오는 15일"), evidence(now, "15일", probability=0.2), language="ko", wants_time=True)
    assert [one.date.value for one in turn.evidence if one.date] == ["2024-11-22", "2024-11-15"]


def test_a_word_for_delay_corrects_no_amount() -> None:
    delayed = hit("The Ellerby Bridge, delayed by 3 months, cost £42 million; its roads cost £4 million.")
    assert corrected(evidence(delayed, "£42 million")) is None
    assert not corrects(evidence(delayed, "£42 million"))


def test_at_most_three_facts_of_four_citations() -> None:
    articles = [
        hit(
            f"Hull's Ellerby Bridge cost £{10 * amount} million.",
            published=f"2024-05-{number + 1:02}",
            name=str(number),
        )
        for number, amount in enumerate(amount for amount in range(4, 9) for _ in range(5))
    ]
    turn = grounded(*(evidence(found, found.article.text.split("cost ")[1].rstrip(".")) for found in articles))
    assert [one.fact_number for one in turn.evidence] == [0] * 4 + [1] * 4 + [2] * 4
    assert turn.evidence[0].fact == "£80 million"


def test_copies_are_cited_with_the_first_printed() -> None:
    text = "Hull's Ellerby Bridge opens next Tuesday, says Harriet Oakvale."
    original = hit(text, published="2024-05-16", name="agency")
    copy = hit(f"HULL (Agency). {text}", published="2024-05-23", name="post")
    turn = grounded(evidence(copy._replace(copies=(original,)), "next Tuesday"), wants_time=True)
    assert facts(turn) == [("agency", 0), ("post", 0)]
    assert turn.evidence[0].fact == "Tuesday, 21 May 2024"  # counted from the day of the original
    for one in turn.evidence:
        assert one.quote == text
    other = evidence(copy._replace(copies=(hit("Something else.", name="else"),)), "next Tuesday")
    assert facts(grounded(other, wants_time=True)) == [("post", 0)]


def test_every_language_says_it() -> None:
    turn = grounded(evidence(FIRST, "£42 million"), evidence(SECOND, "£46 million"))
    assert len(sentence_languages()) == len(
        {answer_text(replace(turn, language=code)) for code in sentence_languages()}
    )
    for language in sentence_languages():
        text = answer_text(replace(turn, language=language))
        assert text.index("[1]") < text.index("£42 million") < text.index("[2]")


def test_correction_words_are_folded_beginnings_in_every_language() -> None:
    table = json.loads(files("qa").joinpath("data/corrections.json").read_text(encoding="utf-8"))
    assert set(table) - {"about"} == set(sentence_languages())
    for kinds in (kinds for language, kinds in table.items() if language != "about"):
        for word in (*kinds["corrects"], *kinds["moves"]):
            assert word == word.casefold().strip()
            assert len(word) > 1
        assert not set(kinds["corrects"]) & set(kinds["moves"])


@pytest.mark.parametrize(
    ("language", "text"),
    [("id", "Ralat: biayanya 5 juta."), ("ar", "التصحيح: الكلفة 5 ملايين."), ("zh", "更正：费用为5万元。")],
)
def test_corrections_in_other_languages(language: str, text: str) -> None:
    words = re.search(r"5\S*", text.rstrip(".。"))
    assert words
    assert corrects(evidence(text, words.group(), language=language))
