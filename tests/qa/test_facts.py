"""Whether two answers are the same fact, in any two languages."""

import pytest
from evidence import dated, evidence

from qa.facts import same_fact


@pytest.mark.parametrize(
    ("one", "language", "other", "other_language", "same"),
    [
        ("two days", "en", "dua hari", "id", True),
        ("two weeks", "en", "14 Tage", "de", True),
        ("two days", "en", "dua minggu", "id", False),
        ("90 minutes", "en", "3 hours", "en", False),
        ("£42 million", "en", "£46 million", "en", False),
        ("42 million pounds", "en", "£42 million", "en", True),
        ("12만 권", "ko", "120,000 books", "en", True),
        ("12만 권", "ko", "8만 권", "ko", False),
        ("3800円", "ja", "3,800 yen", "en", True),
        ("3時間10分", "ja", "three hours and ten minutes", "en", True),
        ("3 hours 10 minutes", "en", "3 hours 40 minutes", "en", False),
        ("about 14,000", "en", "14,230", "en", True),  # one is more exact
        ("1.2 million", "en", "1,184,000", "en", True),
        ("20 people", "en", "23 people", "en", False),
        ("15 percent", "en", "15 persen", "id", True),
        ("3,800 yen", "en", "27 dollars", "en", None),  # two currencies
        ("212 metres", "en", "£42 million", "en", None),
        ("two days", "en", "a long time", "en", None),
        ("Korea Selatan", "id", "South Korea", "en", True),
        ("Seoul", "en", "Seoul, South Korea", "en", True),
        ("Seoul", "en", "Korea Selatan", "id", True),
        ("Tokyo", "en", "Osaka, Japan", "en", False),
        ("Jepang", "id", "South Korea", "en", False),
        ("Tokio", "de", "Paris", "en", False),
        ("Park Jin", "en", "박진", "ko", True),
        ("Blinken", "en", "Antony Blinken", "en", True),
        ("Антони Блинкен", "ru", "Antony Blinken", "en", True),
        ("سلمى العزام", "ar", "Salma Al-Azzam", "en", True),
        ("Тимофей Ларионов", "ru", "Andrei Sobolev", "en", False),
        ("Harriet Oakvale", "en", "Moira Tumbelaka", "en", False),
        ("Kim Jong Un", "en", "Kim Yo Jong", "en", None),
        ("Kementerian Luar Negeri", "id", "Ministry of Foreign Affairs", "en", None),  # a translation
        ("北灯汽船", "ja", "Hokuto Kisen", "en", None),
        ("dark green", "en", "hijau tua", "id", None),
        ("dark green", "en", "a dark green", "en", True),
        ("2", "en", "12", "en", False),
    ],
)
@pytest.mark.models
def test_facts_in_two_languages(one: str, language: str, other: str, other_language: str, same: bool | None) -> None:
    first = evidence(f"{one}.", one, language=language)
    second = evidence(f"{other}.", other, language=other_language)
    assert same_fact(first, second) is same
    assert same_fact(second, first) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("It opens next Wednesday.", "2023-11-01", "en"), ("개관은 2023년 11월 8일이다.", "2023-10-01", "ko"), True),
        (("Ia tiba pada Rabu depan.", "2023-11-01", "id"), ("It opens next Wednesday.", "2023-11-08", "en"), False),
        (
            ("It opens in November 2023.", "2023-10-01", "en"),
            ("It opens on 8 November 2023.", "2023-10-01", "en"),
            True,
        ),
        (
            ("It opens in December 2023.", "2023-10-01", "en"),
            ("It opens on 8 November 2023.", "2023-10-01", "en"),
            False,
        ),
        (("It opens next Wednesday.", None, "en"), ("It opens on 8 November 2023.", "2023-10-01", "en"), None),
    ],
)
def test_dates(one: tuple[str, str | None, str], other: tuple[str, str | None, str], same: bool | None) -> None:
    first, second = (
        dated(evidence(text, text.rstrip("."), published=day, language=language))
        if day
        else evidence(text, text.rstrip("."), language=language)
        for text, day, language in (one, other)
    )
    assert same_fact(first, second) is same
    assert same_fact(second, first) is same


def test_without_words_there_is_no_fact() -> None:
    one = evidence("The bridge opens.", "The bridge opens.")
    assert same_fact(one, evidence("The bridge opens.", "")) is None
