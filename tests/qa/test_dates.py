"""What date expressions mean, language by language; the sentences are in data/dates_sentences.json."""

import json
from datetime import date
from pathlib import Path

import pytest

import qa.answer
from index.dates.vocabulary import known_languages
from qa.dates import DateMention, resolve

SENTENCES = json.loads((Path(__file__).parent / "data" / "dates_sentences.json").read_text("utf-8"))
WEDNESDAY = date(2023, 11, 1)


def values(text: str, language: str, published: date | None = WEDNESDAY) -> list[str]:
    return [mention.value for mention in resolve(text, published, language)]


def only(text: str, language: str, published: date | None = WEDNESDAY) -> DateMention:
    mentions = resolve(text, published, language)
    assert len(mentions) == 1, mentions
    return mentions[0]


def test_every_language_has_sentences() -> None:
    languages = [row["language"] for row in SENTENCES]
    assert sorted(set(languages)) == known_languages()
    assert min(languages.count(language) for language in languages) >= 15


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: f"{row['language']}-{row['text'][:30]}")
def test_a_sentence_has_one_date_and_it_is_the_right_one(row: dict[str, str]) -> None:
    mention = only(row["text"], row["language"], date.fromisoformat(row["published"]))
    assert mention.value == row["value"]
    assert row["text"][mention.start : mention.end] == mention.text


def test_the_answer_holds_the_same_mention() -> None:
    assert qa.answer.DateMention is DateMention


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("2023-11-08", "en", "2023-11-08"),
        ("2023-11-08T10:30:00+09:00", "en", "2023-11-08"),
        ("2023/11/8", "en", "2023-11-08"),
        ("8 November 2023", "en", "2023-11-08"),
        ("Nov. 8, 2023", "en", "2023-11-08"),
        ("the 8th of November, 2023", "en", "2023-11-08"),
        ("Wednesday, November 8, 2023", "en", "2023-11-08"),
        ("11/8/2023", "en", "2023-11-08"),
        ("8.11.2023", "en", "2023-11-08"),
        ("25/11/2023", "en", "2023-11-25"),
        ("8/11/2023", "id", "2023-11-08"),
        ("Rabu (8/11/2023)", "id", "2023-11-08"),
        ("8 de noviembre de 2023", "es", "2023-11-08"),
        ("1er novembre 2023", "fr", "2023-11-01"),
        ("8. November 2023", "de", "2023-11-08"),
        ("08.11.2023", "de", "2023-11-08"),
        ("8 ноября 2023 года", "ru", "2023-11-08"),
        ("8 Kasım 2023 Çarşamba", "tr", "2023-11-08"),
        ("ngày 8 tháng 11 năm 2023", "vi", "2023-11-08"),
        ("2023년 11월 8일(수)", "ko", "2023-11-08"),
        ("2023年11月8日（水）", "ja", "2023-11-08"),
        ("２０２３年１１月８日", "ja", "2023-11-08"),
        ("2023年11月8号星期三", "zh", "2023-11-08"),
        ("الأربعاء 8 نوفمبر/تشرين الثاني 2023", "ar", "2023-11-08"),
        ("٨ نوفمبر ٢٠٢٣", "ar", "2023-11-08"),
        ("८ नवंबर २०२३", "hi", "2023-11-08"),
        ("๘ พฤศจิกายน ๒๕๖๖", "th", "2023-11-08"),
        ("8 พ.ย. 2566", "th", "2023-11-08"),
        ("พ.ศ. 2566", "th", "2023"),
        ("令和5年11月8日", "ja", "2023-11-08"),
        ("一九四八年十二月十日", "zh", "1948-12-10"),
        ("二〇二三年", "zh", "2023"),
        ("20世纪30年代", "zh", "1930/1939"),
        ("昭和64年1月7日", "ja", "1989-01-07"),
        ("1950年（昭和25年）7月29日", "ja", "1950-07-29"),
        ("民國112年11月8日", "zh", "2023-11-08"),
        ("1 Ramadan 1445 H", "id", "2024-03-11"),
        ("١ رمضان ١٤٤٥ هـ", "ar", "2024-03-11"),
        ("۱۷ آبان ۱۴۰۲", "fa", "2023-11-08"),
        ("۱۴۰۲/۸/۱۷", "fa", "2023-11-08"),
        ("سال ۱۴۰۲", "fa", "2023-03-21/2024-03-19"),
        ("in May 2019", "en", "2019-05"),
        ("in 2019", "en", "2019"),
        ("2019년", "ko", "2019"),
        ("the third quarter of 2023", "en", "2023-Q3"),
        ("kuartal III 2023", "id", "2023-Q3"),
        ("2023년 3분기", "ko", "2023-Q3"),
        ("III квартал 2023 года", "ru", "2023-Q3"),
        ("summer 2022", "en", "2022-06/2022-08"),
        ("the winter of 2022", "en", "2022-12/2023-02"),
        ("in the 1990s", "en", "1990/1999"),
        ("1990年代", "ja", "1990/1999"),
        ("8-10 November 2023", "en", "2023-11-08/2023-11-10"),
        ("30 October – 5 November 2023", "en", "2023-10-30/2023-11-05"),
        ("30 December – 2 January 2024", "en", "2023-12-30/2024-01-02"),
        ("between 2019-2021", "en", "2019/2021"),
        ("(1914–18)", "en", "1914/1918"),
        ("from 2019 to 2021", "en", "2019/2021"),
    ],
)
def test_stated_dates_need_no_publication_date(text: str, language: str, expected: str) -> None:
    assert values(text, language, None) == [expected]
    assert values(text, language) == [expected]


@pytest.mark.parametrize("text", ["yesterday", "next Wednesday", "on Friday", "8 November", "in two days", "last year"])
def test_relative_and_incomplete_dates_need_one(text: str) -> None:
    assert values(text, "en", None) == []
    assert len(values(text, "en")) == 1


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The storm hit on Friday.", "en", "2023-10-27"),
        ("The storm will hit on Friday.", "en", "2023-11-03"),
        ("He spoke on Wednesday.", "en", "2023-11-01"),
        ("He will speak on Wednesday.", "en", "2023-11-01"),
        ("He resigned this Monday.", "en", "2023-10-30"),
        ("She will travel this Friday.", "en", "2023-11-03"),
        ("Le ministre est parti lundi.", "fr", "2023-10-30"),
        ("Le ministre partira lundi.", "fr", "2023-11-06"),
        ("Der Minister reiste am Montag ab.", "de", "2023-10-30"),
        ("Der Minister wird am Montag abreisen.", "de", "2023-11-06"),
        ("Министр уехал в понедельник.", "ru", "2023-10-30"),
        ("Министр уедет в понедельник.", "ru", "2023-11-06"),
        ("장관은 월요일 출국했다.", "ko", "2023-10-30"),
        ("장관은 월요일 출국할 예정이다.", "ko", "2023-11-06"),
        ("It was signed on 8 December.", "en", "2022-12-08"),
        ("It will be signed on 8 December.", "en", "2023-12-08"),
        ("The vote was moved to 8 December.", "en", "2023-12-08"),
        ("It opened in December.", "en", "2022-12"),
        ("It will open in March.", "en", "2024-03"),
        ("Вчера, 31 октября, шёл снег.", "ru", "2023-10-31"),
    ],
)
def test_tense_decides_where_the_words_do_not(text: str, language: str, expected: str) -> None:
    assert values(text, language)[-1] == expected


def test_the_sample_article_s_case() -> None:
    text = "Blinken akan tiba di Seoul pada Rabu depan untuk perjalanan dua hari."
    mention = only(text, "id")
    assert (mention.text, mention.value, mention.kind) == ("Rabu depan", "2023-11-08", "relative")
    assert mention.derived == "next Wednesday, counted from 2023-11-01"


def test_a_sunday_that_is_written_like_a_week() -> None:
    assert values("Kunjungan itu pada minggu depan.", "id") == ["2023-W45"]
    assert values("Kunjungan itu pada Minggu (5/11).", "id") == ["2023-11-05"]
    assert values("Ia tiba pada Minggu depan.", "id") == ["2023-11-12"]


def test_other_calendars_without_their_year() -> None:
    assert values("دوشنبه ۲۵ تیر", "fa", date(2024, 7, 17)) == ["2024-07-15"]
    assert values("15 ก.ค. 67", "th", date(2024, 7, 17)) == ["2024-07-15"]
    assert values("On 15 Jul 67 people came.", "en", date(2024, 7, 17)) == ["2024-07-15"]
    assert values("pada 1 Ramadan", "id", date(2024, 2, 1)) == ["2024-03-11"]


def test_hindi_yesterday_and_tomorrow_are_one_word() -> None:
    assert values("राष्ट्रपति कल लौट आए।", "hi") == ["2023-10-31"]
    assert values("बैठक कल होगी।", "hi") == ["2023-11-02"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Martin May sat in the sun. He may march on Washington; the second man will mar it.", "en"),
        ("The March on Washington drew August Wilson, April Jones and June Carter.", "en"),
        ("The Sunday Times and Sheffield Wednesday were on sale on Good Friday's street.", "en"),
        ("Room 2019 holds 2019 people, 2,019 dogs and 3.5 days of food for $2019.", "en"),
        ("He plays every Tuesday and each May; the following Wednesday he rested.", "en"),
        ("毎年8月に行われ、翌25日に終わる。", "ja"),
        ("Open 24/7 from 19:30, half past 8, with 1/2 a cup and version 1.2.3.", "en"),
        ("It took the second quarter of the nineteenth century and won in six years.", "en"),
        ("In recent years, in those days and a few weeks later nothing was known.", "en"),
        ("Ia bekerja tiga hari untuk perjalanan dua minggu dan beberapa bulan.", "id"),
        ("Martin Mai sitzt mit Frau Sommer im März-Park.", "de"),
        ("In den letzten Jahren kostete es sechs Tage Arbeit.", "de"),
        ("El marzo de la vida y los últimos años fueron de tres días.", "es"),
        ("Plácido Domingo cantó en Santo Domingo.", "es"),
        ("La segunda parte y la quinta edición son de la misma mañana.", "pt"),
        ("日本の三日間の日程は5日間で、13日目に終わる。", "ja"),
        ("这是三天的行程，目前天气不错，日本人很多。", "zh"),
        ("오늘날 세 시간 동안 5일간 걸었다.", "ko"),
        ("Dünya pazarında iyi günler.", "tr"),
        ("Người thứ hai đứng thứ ba trong ba ngày.", "vi"),
    ],
)
def test_text_without_dates_has_none(text: str, language: str) -> None:
    assert resolve(text, WEDNESDAY, language) == []


@pytest.mark.parametrize("text", ["31 February 2023", "31 February", "2023-02-31", "32 March 2023", "29 February 2023"])
def test_a_day_that_no_calendar_has_is_no_date(text: str) -> None:
    assert all(len(value) < 10 for value in values(f"It was on {text}.", "en"))


def test_a_weekday_that_does_not_fit_is_a_conflict() -> None:
    mention = only("Ia tiba Rabu (2/11).", "id")
    assert mention.value == "2023-11-02"
    assert mention.conflict == "2 November 2023 is a Thursday"
    assert only("Ia tiba Rabu (1/11).", "id").conflict is None


def test_the_weekday_chooses_the_year_of_a_far_day() -> None:
    assert only("Ia lahir Kamis (5/5).", "id", date(2023, 11, 1)).value == "2022-05-05"


def test_digits_of_two_scripts_in_one_number_are_no_date() -> None:
    assert values("2٠23-11-08", "en") == []
    assert values("٢٠٢٣-١١-٠٨", "en") == ["2023-11-08"]


@pytest.mark.parametrize("published", [date.min, date.max])
@pytest.mark.parametrize("language", known_languages())
def test_the_ends_of_the_calendar_are_no_error(published: date, language: str) -> None:
    for row in SENTENCES:
        if row["language"] == language:
            resolve(row["text"], published, language)


def test_what_would_leave_the_calendar_is_left_out() -> None:
    assert values("yesterday", "en", date.min) == []
    assert values("next year", "en", date.max) == []
    assert values("5000 years ago", "en") == []


@pytest.mark.parametrize(
    "broken", ["\ud800 8 November 2023 \udfff", "8\u200f November\u200e 2023", "8 November 2023\x00"]
)
def test_broken_characters_around_a_date(broken: str) -> None:
    assert values(broken, "en") == ["2023-11-08"]


def test_letters_written_in_two_parts() -> None:
    text = "miércoles pasado".replace("é", "e\u0301")
    mention = only(text, "es")
    assert (mention.value, mention.text) == ("2023-10-25", text)


def test_a_language_with_cldr_s_words_only() -> None:
    assert values("Han kom i går och åker nästa vecka.", "sv") == ["2023-10-31", "2023-W45"]
    assert values("A sosit ieri. Este mai mare și merge mai departe.", "ro") == ["2023-10-31"]


def test_an_unknown_language_has_digits_only() -> None:
    assert values("2023-11-08, yesterday, 8 November 2023", "xx") == ["2023-11-08"]


def test_a_region_behind_the_language_is_ignored() -> None:
    assert values("kemarin", "id-ID") == values("kemarin", "id") == ["2023-10-31"]
