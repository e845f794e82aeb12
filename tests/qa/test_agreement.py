"""Articles that agree, that contradict each other, and that speak of two things."""

import pytest
from evidence import FAR, dated, evidence, hit

from qa.agreement import about_the_same, relation, repeats

HULL = hit(
    "The Ellerby Bridge over the River Hull cost £42 million. Harriet Oakvale leads the Hull Crossings Trust.",
    title="Ellerby Bridge opens", published="2024-05-16",
)  # fmt: skip
HULL_AGAIN = hit(
    "The Ellerby Bridge in Hull cost £46 million. Its engineer is Harriet Oakvale.",
    title="New bridge for Hull", published="2024-05-20",
)  # fmt: skip
WEAR = hit(
    "The Marsh Lane Bridge over the River Wear cost £46 million. Moira Sandgate leads the Wearside Roads Office.",
    title="Marsh Lane Bridge opens", published="2024-05-20",
)  # fmt: skip


def test_two_articles_on_one_bridge_contradict_each_other() -> None:
    assert relation(evidence(HULL, "£42 million"), evidence(HULL_AGAIN, "£46 million")) == "contradicts"


def test_two_articles_on_one_bridge_agree() -> None:
    assert relation(evidence(HULL, "Harriet Oakvale"), evidence(HULL_AGAIN, "Harriet Oakvale")) == "agrees"


@pytest.mark.models
def test_two_bridges_neither_agree_nor_contradict_each_other() -> None:
    assert relation(evidence(HULL, "£42 million"), evidence(WEAR, "£46 million")) == "unrelated"
    assert relation(evidence(HULL_AGAIN, "£46 million"), evidence(WEAR, "£46 million")) == "unrelated"


def test_sentences_about_other_things_do_not_contradict_each_other() -> None:
    other = evidence(HULL_AGAIN, "£46 million", vector=FAR)
    assert relation(evidence(HULL, "£42 million"), other) == "unrelated"


def test_without_vectors_articles_agree_but_do_not_contradict_each_other() -> None:
    one, other = evidence(HULL, "£42 million", vector=None), evidence(HULL_AGAIN, "£46 million", vector=None)
    assert relation(one, other) == "unrelated"
    one, other = (evidence(found, "Harriet Oakvale", vector=None) for found in (HULL, HULL_AGAIN))
    assert relation(one, other) == "agrees"


def test_a_name_in_another_script_is_heard() -> None:
    russian = hit("Забег прошёл в Петрозаводске 21 июня.", language="ru", published="2025-06-23")
    english = hit("The race in Petrozavodsk was held on 22 June.", published="2025-06-25")
    elsewhere = hit("The race in Ulaanbaatar was held on 22 June.", published="2025-06-25")
    one = dated(evidence(russian, "21 июня"))
    assert relation(one, dated(evidence(english, "22 June"))) == "contradicts"
    assert relation(one, dated(evidence(elsewhere, "22 June"))) == "unrelated"


def test_numbers_tell_what_an_article_is_about_where_names_cannot() -> None:
    japanese = hit("大人の運賃は片道3800円で、定員は420人。乗用車は85台。", language="ja")
    english = hit("A ticket costs 3,900 yen. The ship carries 420 passengers and 85 cars.")
    other = hit("A ticket costs 3,900 yen. The ship carries 260 passengers and 30 cars.")
    assert relation(evidence(japanese, "3800円"), evidence(english, "3,900 yen")) == "contradicts"
    assert relation(evidence(japanese, "3800円"), evidence(other, "3,900 yen")) == "unrelated"


def test_days_years_and_the_answer_itself_are_no_such_numbers() -> None:
    japanese = hit("2025年5月3日に3800円で85台。", language="ja")
    english = hit("On 3 May 2025 it costs 3,800 yen for 85 cars.")
    assert not about_the_same(evidence(japanese, "3800円"), evidence(english, "3,800 yen"))


def test_a_language_without_capitals_shares_terms() -> None:
    library = hit("전주 달빛도서관은 장서 12만 권을 갖췄다.", language="ko", title="전주 달빛도서관 문 연다")
    same = hit("달빛도서관의 장서는 8만 권이다.", language="ko", title="전주 달빛도서관 개관 연기")
    other = hit("부산 해오름미술관은 그림 8만 점을 갖췄다.", language="ko", title="해오름미술관 개막")
    assert relation(evidence(library, "12만"), evidence(same, "8만")) == "contradicts"
    assert relation(evidence(library, "12만"), evidence(other, "8만")) == "unrelated"


def test_words_are_repeated_though_they_mean_another_day() -> None:
    first = evidence(HULL, "£42 million")
    later = evidence(hit("The Ellerby Bridge was said to cost £42 million.", published="2024-05-20"), "£42 million")
    assert repeats(later, first)
    assert not repeats(later, evidence(HULL_AGAIN, "£46 million"))
