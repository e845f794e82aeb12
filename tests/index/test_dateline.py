"""The publication date that an article gives away."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.dateline import infer_published

FETCHED = date(2026, 11, 22)
SAMPLE = """Menteri Luar Negeri AS Antony Blinken akan mengunjungi Korea Selatan pada minggu depan untuk berdiskusi \
“luas” mengenai sejumlah isu, kata Kementerian Luar Negeri Korea Selatan, Rabu (1/11).
Blinken akan tiba di Seoul pada Rabu depan untuk perjalanan dua hari. Ini akan menandai kunjungan pertamanya ke negara \
tersebut sejak Maret 2021."""


def test_a_weekday_with_day_and_month_fixes_the_year() -> None:
    guess = infer_published(SAMPLE, "id", FETCHED)
    assert guess is not None
    assert guess.value == date(2023, 11, 1)
    assert 0.8 <= guess.certainty < 1
    assert guess.reason == '"Rabu (1/11)" is a Wednesday in 2023 and the text names 2021'


def test_the_day_of_the_fetch_bounds_it_from_above() -> None:
    guess = infer_published(SAMPLE.replace("2021", "2016"), "id", date(2023, 10, 31))
    assert guess is not None
    assert guess.value == date(2017, 11, 1)


def test_several_candidates_are_less_certain_and_the_latest_is_taken() -> None:
    one = infer_published(SAMPLE, "id", FETCHED)
    several = infer_published(SAMPLE.replace("Maret 2021", "Maret 2005"), "id", FETCHED)
    none_named = infer_published(SAMPLE.replace("Maret 2021", "dulu"), "id", FETCHED)
    assert one
    assert several
    assert none_named
    assert one.value == several.value == none_named.value == date(2023, 11, 1)
    assert one.certainty > several.certainty > none_named.certainty
    assert several.reason.endswith("2023 is the latest")


def test_a_later_year_that_no_candidate_reaches_was_a_plan() -> None:
    guess = infer_published(SAMPLE + " Pemilu digelar pada 2024.", "id", FETCHED)
    assert guess is not None
    assert guess.value == date(2023, 11, 1)
    assert guess.certainty < 0.8


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("SEOUL, Nov. 1, 2023 (Yonhap) -- South Korea's foreign minister said on Wednesday.", "en"),
        ("SEOUL, 1 November 2023 — South Korea's foreign minister spoke.", "en"),
        ("JAKARTA, 1 November 2023 - Menteri Luar Negeri tiba.", "id"),
        ('"Kami siap," kata Retno Marsudi di Jakarta, Rabu (1/11/2023).', "id"),
    ],
)
def test_a_full_dateline(text: str, language: str) -> None:
    guess = infer_published(text, language, FETCHED)
    assert guess is not None
    assert guess.value == date(2023, 11, 1)
    assert guess.certainty >= 0.75
    assert guess.reason.startswith("dateline")


def test_a_dateline_at_the_start_is_nearly_certain() -> None:
    guess = infer_published("SEOUL, Nov. 1, 2023 -- Text.", "en", FETCHED)
    assert guess is not None
    assert guess.certainty > 0.95


def test_a_dateline_after_the_fetch_is_not_believed() -> None:
    assert infer_published("SEOUL, Nov. 1, 2027 -- Text.", "en", FETCHED) is None


def test_a_later_dateline_makes_the_first_doubtful() -> None:
    text = "SEOUL, Nov. 1, 2019 -- Text. The ministry said on 3 March 2023."
    guess = infer_published(text, "en", FETCHED)
    assert guess is not None
    assert guess.certainty <= 0.5


def test_datelines_that_disagree_are_less_certain() -> None:
    agreeing = infer_published("Ia tiba, kata polisi, Rabu (1/11). Ia pergi Kamis (2/11) sejak 2021.", "id", FETCHED)
    disagreeing = infer_published("Ia tiba, kata polisi, Rabu (1/11). Ia pergi Kamis (3/11) sejak 2021.", "id", FETCHED)
    assert agreeing
    assert disagreeing
    assert agreeing.value == date(2023, 11, 1)
    assert agreeing.certainty > disagreeing.certainty


@pytest.mark.parametrize(
    "text", ["", "Blinken akan tiba di Seoul.", "Ia tiba Rabu depan.", "Rabu (31/2).", "Pada 2019."]
)
def test_no_dateline_no_guess(text: str) -> None:
    assert infer_published(text, "id", FETCHED) is None


@settings(max_examples=60, deadline=None)
@given(published=st.dates(date(1996, 1, 1), date(2026, 11, 22)))
def test_every_day_is_found_if_its_year_and_the_fetch_leave_no_other(published: date) -> None:
    names = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
    dateline = f"{names[published.weekday()]} ({published.day}/{published.month})"
    text = f"Hal itu terjadi pada Januari {published.year}, kata polisi, {dateline}."
    guess = infer_published(text, "id", published)
    assert guess is not None
    assert guess.value == published


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=60), before=st.dates())
def test_no_text_is_an_error(text: str, before: date) -> None:
    infer_published(text, "en", before)


def test_the_sample_article_of_the_repository() -> None:
    article = Path(__file__).parents[2] / "articles" / "blinken-korea-selatan.txt"
    guess = infer_published(article.read_text("utf-8"), "id", FETCHED)
    assert guess is not None
    assert guess.value == date(2023, 11, 1)
