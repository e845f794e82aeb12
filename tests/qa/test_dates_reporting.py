"""Dates that say when somebody said it, and dates that say when it happens."""

from datetime import date

import pytest

from qa.dates import resolve

PUBLISHED = date(2023, 11, 1)


@pytest.mark.parametrize(
    ("language", "text", "said", "happens"),
    [
        ("en", "The ministry said on Wednesday that talks will resume next week.", "2023-11-01", "2023-W45"),
        ("en", "Blinken will arrive on Nov. 8, the ministry said Wednesday.", "2023-11-01", "2023-11-08"),
        ("en", "SEOUL, Nov. 1 (Yonhap) -- Blinken will visit on Nov. 8.", "2023-11-01", "2023-11-08"),
        ("id", "Blinken akan tiba Rabu depan, kata Kementerian Luar Negeri, Rabu (1/11).", "2023-11-01", "2023-11-08"),
        ("id", "Blinken tiba 8 November, ujar Park Jin di Seoul, Rabu (1/11/2023).", "2023-11-01", "2023-11-08"),
        ("ko", "블링컨 장관이 8일 방한한다고 외교부가 1일 밝혔다.", "2023-11-01", "2023-11-08"),
        ("ko", "외교부는 지난 1일 밝혔다. 회담은 8일 열린다.", "2023-11-01", "2023-11-08"),
        ("ja", "外務省は1日、ブリンケン長官が8日に訪韓すると発表した。", "2023-11-01", "2023-11-08"),
        ("zh", "外交部发言人1日表示，部长将于8日访问首尔。", "2023-11-01", "2023-11-08"),
        ("ar", "قالت الوزارة يوم الأربعاء إن الوزير سيصل في 8 نوفمبر.", "2023-11-01", "2023-11-08"),
        ("es", "El ministro llegará el 8 de noviembre, dijo el miércoles un portavoz.", "2023-11-01", "2023-11-08"),
        ("fr", "Le ministre arrivera le 8 novembre, a déclaré mercredi son porte-parole.", "2023-11-01", "2023-11-08"),
        ("de", "Er komme am 8. November, sagte ein Sprecher am Mittwoch.", "2023-11-01", "2023-11-08"),
        ("pt", "Chegará em 8 de novembro, disse o porta-voz nesta quarta-feira (1º).", "2023-11-01", "2023-11-08"),
        ("ru", "Министр прибудет 8 ноября, сообщил в среду представитель МИД.", "2023-11-01", "2023-11-08"),
    ],
)
def test_the_dateline_and_the_event(language: str, text: str, said: str, happens: str) -> None:
    mentions = resolve(text, PUBLISHED, language)
    assert {mention.value for mention in mentions if mention.reporting} == {said}
    assert {mention.value for mention in mentions if not mention.reporting} == {happens}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He said the storm hit the coast on Friday."),
        ("en", "Blinken will arrive on Wednesday, and said nothing else."),
        ("id", "Kata polisi, gempa terjadi pada Senin."),
        ("id", "Blinken akan tiba di Seoul pada Rabu depan."),
        ("ko", "회담은 8일 열린다."),
        ("de", "Der Minister, der viel sagte, reiste am Montag ab."),
        ("en", "In November 2023 the company said that it would close."),
    ],
)
def test_an_event_is_no_dateline(language: str, text: str) -> None:
    mentions = resolve(text, PUBLISHED, language)
    assert mentions
    assert not any(mention.reporting for mention in mentions)


def test_a_dateline_stands_at_the_very_start() -> None:
    text = "A long first sentence about something else stands here. SEOUL, Nov. 1 (Yonhap) -- Text."
    assert [mention.reporting for mention in resolve(text, PUBLISHED, "en")] == [False]
