"""Dates and exact phrases in the asker's language."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.dates.vocabulary import known_languages
from qa.dates import resolve
from qa.localise import date_text, localise_phrase

LANGUAGES = known_languages()


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Wednesday, 8 November 2023"),
        ("id", "Rabu, 8 November 2023"),
        ("ms", "Rabu, 8 November 2023"),
        ("ko", "2023년 11월 8일 수요일"),
        ("ja", "2023年11月8日水曜日"),
        ("zh", "2023年11月8日星期三"),
        ("ar", "الأربعاء، 8 نوفمبر 2023"),
        ("es", "miércoles, 8 de noviembre de 2023"),
        ("fr", "mercredi 8 novembre 2023"),
        ("de", "Mittwoch, 8. November 2023"),
        ("it", "mercoledì 8 novembre 2023"),
        ("nl", "woensdag 8 november 2023"),
        ("pt", "quarta-feira, 8 de novembro de 2023"),
        ("tr", "8 Kasım 2023 Çarşamba"),
        ("vi", "Thứ Tư, 8 tháng 11, 2023"),
        ("fa", "چهارشنبه ۸ نوامبر ۲۰۲۳"),
        ("sw", "Jumatano, 8 Novemba 2023"),
        ("xx", "Wednesday, 8 November 2023"),
    ],
)
def test_a_day_in_the_words_of_a_language(language: str, expected: str) -> None:
    assert date_text("2023-11-08", language) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-W44", "30 Oct – 5 Nov 2023"),
        ("2023-11", "November 2023"),
        ("2023", "2023"),
        ("2023-Q3", "3rd quarter 2023"),
        ("2022-06/2022-08", "June – August 2022"),
        ("2022-12/2023-02", "December 2022 – February 2023"),
        ("1990/1999", "1990 – 1999"),
        ("2023-11-04/2023-11-05", "4–5 Nov 2023"),
        ("2023-Q1/2023-Q2", "1st quarter 2023 – 2nd quarter 2023"),
    ],
)
def test_other_precisions(value: str, expected: str) -> None:
    assert date_text(value, "en") == expected


def test_without_the_weekday() -> None:
    assert date_text("2023-11-08", "en", weekday=False) == "8 November 2023"
    assert date_text("2023-11-08", "de", weekday=False) == "8. November 2023"


@pytest.mark.parametrize("value", ["", "soon", "2023-13", "2023-11-31", "2023-W60", "20231108", "2023-Q9"])
def test_what_is_no_value(value: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        date_text(value, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_words_every_precision(language: str) -> None:
    values = ["2023-11-08", "2023-W44", "2023-11", "2023", "2023-Q3", "2022-06/2022-08", "1990/1999"]
    texts = [date_text(value, language) for value in values]
    assert len(set(texts)) == len(texts)
    assert all(text.strip() for text in texts)


@settings(max_examples=60, deadline=None)
@given(day=st.dates(date(1950, 1, 1), date(2060, 1, 1)), language=st.sampled_from(LANGUAGES))
def test_a_worded_day_reads_back_as_itself(day: date, language: str) -> None:
    text = date_text(day.isoformat(), language)
    assert [mention.value for mention in resolve(text, day - timedelta(days=300), language)] == [day.isoformat()], text


@pytest.mark.parametrize(
    ("phrase", "source", "target", "expected"),
    [
        ("dua hari", "id", "en", "two days"),
        ("satu hari", "id", "en", "one day"),
        ("2 hari", "id", "en", "2 days"),
        ("sebulan", "id", "en", "one month"),
        ("two days", "en", "de", "zwei Tage"),
        ("two days", "en", "ru", "2 дня"),
        ("five weeks", "en", "fr", "cinq semaines"),
        ("two days", "en", "ko", "2일"),
        ("يومين", "ar", "en", "two days"),
        ("三天", "zh", "en", "three days"),
        ("3 kilometer", "de", "en", "3 kilometres"),
        ("15 persen", "id", "en", "15%"),
        ("15.5%", "en", "de", "15,5 %"),
        ("1.500", "id", "en", "1,500"),
        ("5 juta", "id", "en", "5 million"),
        ("5億円", "ja", "en", "500 million Japanese yen"),
        ("5 miliar dolar AS", "id", "en", "5 billion US dollars"),
        ("€5 million", "en", "fr", "5 millions de euros"),
        ("5 million US dollars", "en", "ru", "5 миллионов долларов США"),
        ("Korea Selatan", "id", "en", "South Korea"),
        ("Korsel", "id", "en", "South Korea"),
        ("미국", "ko", "en", "United States"),
        ("Seoul", "en", "ko", "서울"),
        ("서울", "ko", "en", "Seoul"),
        ("New York", "en", "ru", "Нью-Йорк"),
        ("bahasa Inggris", "id", "de", "Englisch"),
        ("英語", "ja", "en", "English"),
        ("8 November 2023", "id", "en", "8 November 2023"),
        ("Rabu, 8 November 2023", "id", "en", "Wednesday, 8 November 2023"),
        ("Maret 2021", "id", "ko", "2021년 3월"),
        ("2019", "en", "fa", "۲۰۱۹"),
        ("  dua hari. ", "id", "en", "two days"),
    ],
)
def test_phrases_that_are_exact(phrase: str, source: str, target: str, expected: str) -> None:
    assert localise_phrase(phrase, source, target) == expected


@pytest.mark.parametrize(
    ("phrase", "source"),
    [
        ("", "en"),
        ("Park Jin", "id"),
        ("USS Ronald Reagan", "id"),
        ("dua kali", "id"),
        ("bulan lalu", "id"),
        ("Rabu depan", "id"),
        ("3 million people", "en"),
        ("English", "en"),
        ("Georgia", "en"),
        ("1.5.2", "en"),
        ("31 February 2023", "en"),
        ("\ud800", "en"),
        ("x" * 500, "en"),
        ("kunjungan dua hari ke Seoul", "id"),
    ],
)
def test_phrases_that_are_not(phrase: str, source: str) -> None:
    assert localise_phrase(phrase, source, "de") is None


@settings(max_examples=60, deadline=None)
@given(phrase=st.text(max_size=30), source=st.sampled_from(LANGUAGES), target=st.sampled_from(LANGUAGES))
def test_no_phrase_is_an_error(phrase: str, source: str, target: str) -> None:
    localise_phrase(phrase, source, target)


@pytest.mark.parametrize("target", LANGUAGES)
def test_every_language_has_words_for_them(target: str) -> None:
    for phrase in ("two days", "15%", "5 million US dollars", "South Korea", "Seoul", "8 November 2023"):
        text = localise_phrase(phrase, "en", target)
        assert text, phrase
        assert "duration-" not in text
