"""Numbers by value, and names by sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.calendar_names import calendar_names
from qa.entities import entities
from qa.numerals import numbers
from qa.sounds import same


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("1.5 million and twenty-five", "en", {1.5e6, 25}),
        ("three thousand five hundred and two", "en", {3502}),
        ("15 ribu, lima belas ribu, dua puluh lima", "id", {15000, 25}),
        ("1.5万人、二十五人、3人", "ja", {15000, 25, 3}),
        ("一百二十人，两天，十分高兴", "zh", {120, 2}),
        ("fünfundzwanzig, zweihundert, zweitägige", "de", {25, 200, 2}),
        ("1500만 달러, 나흘 동안, 두 명", "ko", {1.5e7, 4, 2}),
        ("١٥٠٠٠ شخص، ثلاثة آلاف", "ar", {15000, 3000}),
        ("quatre-vingt-dix, 1 200, 3,5 %", "fr", {90, 1200, 3.5}),
        ("двадцать пять тысяч, 1,5 млн, двухдневный", "ru", {25000, 1.5e6, 2}),
        ("1.5 करोड़, दो दिन", "hi", {1.5e7, 2}),
        ("năm 2023, hai ngày, năm người", "vi", {2023, 2, 5}),
        ("milioni 15, watu wawili", "sw", {1.5e7, 2}),
        ("vijfentwintig", "nl", {25}),
        ("duecento", "it", {200}),
        ("สองคน ๑๕ ล้าน", "th", {2, 1.5e7}),
        ("treinta y cinco mil", "es", {35000}),
        ("yirmi beş bin", "tr", {25000}),
        ("بیست و پنج هزار", "fa", {25000}),
        ("vinte e cinco", "pt", {25}),
        ("dwadzieścia pięć", "pl", {25}),
        ("двадцять п'ять", "uk", {25}),
        ("dua puluh lima", "ms", {25}),
        ("por ciento, cien", "es", {100}),
        ("one", "en", set()),
    ],
)
def test_values(text: str, language: str, values: set[float]) -> None:
    found = [number for number in numbers(text, language) if not number.implied]
    assert all(any(value in number.values for number in found) for value in values)
    assert all(number.values & values for number in found)


@given(st.integers(min_value=2, max_value=10**9), st.sampled_from(["en", "de", "fr", "id", "hi", "ru", "sw"]))
def test_a_number_as_cldr_writes_it_has_its_value(value: int, language: str) -> None:
    from babel.numbers import format_decimal

    (number,) = numbers(format_decimal(value, locale=language), language)
    assert float(value) in number.values


@given(st.text(max_size=80), st.sampled_from(["en", "zh", "ko", "ar", "de", "vi", "xx"]))
def test_no_text_raises(text: str, language: str) -> None:
    numbers(text, language)
    calendar_names(text, language)
    for entity in entities(text, language):
        assert 0 <= entity.start < entity.end <= len(text)
    same("Blinken", text)


SPELLINGS = {
    "Blinken": "블링컨 ブリンケン 布林肯 بلينكن ब्लिंकन บลิงเคน Блинкен",
    "Lavrov": "라브로프 ラブロフ 拉夫罗夫 لافروف लावरोव ลาฟรอฟ Лавров",
    "Daniel": "다니엘 ダニエル 丹尼尔 دانييل डैनियल แดเนียล Даниэль",
    "Tarvela": "타르벨라 タルベラ 塔尔维拉 تارفيلا तारवेला ทาร์เวลา Тарвела",
    "Okoro": "오코로 オコロ 奥科罗 أوكورو ओकोरो โอโคโร Окоро",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_name_is_heard_in_every_script_and_others_are_not(name: str) -> None:
    assert [word for word in SPELLINGS[name].split() if not same(name, word)] == []
    others = [word for other, words in SPELLINGS.items() if other != name for word in words.split()]
    assert [word for word in others if same(name, word)] == []


@pytest.mark.parametrize(
    ("text", "language", "keys"),
    [
        ("kunjungan AS ke Korea Selatan", "id", {"US", "KR"}),
        ("в Париже и Северной Корее", "ru", {"city:Europe/Paris", "KP"}),
        ("北朝鮮と東京", "ja", {"KP", "city:Asia/Tokyo"}),
        ("باريس وكوريا الشمالية", "ar", {"city:Europe/Paris", "KP"}),
        ("다리가 무너졌다", "ko", set()),
    ],
)
def test_places(text: str, language: str, keys: set[str]) -> None:
    assert {key for entity in entities(text, language) for key in entity.keys} == keys


@pytest.mark.parametrize(
    ("text", "language", "values"),
    [
        ("am Montag, 3. März", "de", {("weekday", 1), ("month", 3)}),
        ("Марта Силва приехала в июне", "ru", {("month", 6)}),
        ("3 марта, в среду", "ru", {("month", 3), ("weekday", 3)}),
        ("hôm thứ Hai, lần thứ hai", "vi", {("weekday", 1)}),
        ("May may come in march", "en", {("month", 5)}),
        ("周一", "zh", {("weekday", 1)}),
        ("월요일에", "ko", {("weekday", 1)}),
    ],
)
def test_months_and_weekdays(text: str, language: str, values: set[tuple[str, int]]) -> None:
    assert {(name.kind, name.value) for name in calendar_names(text, language)} == values
