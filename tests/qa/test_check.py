"""Is a phrase supported? Rates on the development set, and each rule alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from qa.check import LEAST_SIMILARITY, Verdict, check

DATA = json.loads((Path(__file__).parent / "data" / "check.json").read_text(encoding="utf-8"))
EVIDENCE = "Blinken akan tiba di Seoul pada 8 November 2023 untuk perjalanan dua hari."


def verdict(row: dict[str, str]) -> Verdict:
    return check(row["phrase"], row["evidence"], source=row["source"], target=row["target"])


def english(phrase: str, evidence: str = EVIDENCE, source: str = "id", **options: Any) -> Verdict:
    return check(phrase, evidence, source=source, target="en", **options)


def test_the_development_set_is_large_and_various() -> None:
    assert len(DATA["good"]) >= 60
    assert len(DATA["spoilt"]) >= 120
    assert len({(row["source"], row["target"]) for row in DATA["good"]}) >= 10
    assert {row["kind"] for row in DATA["spoilt"]} == {"name", "number", "date", "negation", "language", "invented"}


def test_at_most_one_good_phrasing_in_ten_is_dropped() -> None:
    dropped = [(row["phrase"], verdict(row).reasons) for row in DATA["good"] if not verdict(row).supported]
    assert len(dropped) <= 0.1 * len(DATA["good"]), dropped


def test_nineteen_of_twenty_spoilt_phrasings_are_caught() -> None:
    missed = [(row["kind"], row["phrase"]) for row in DATA["spoilt"] if verdict(row).supported]
    assert len(missed) <= 0.05 * len(DATA["spoilt"]), missed


@pytest.mark.parametrize(
    ("phrase", "target"),
    [
        ("Blinken will arrive in Seoul on 8 November 2023 for a two-day trip.", "en"),
        ("블링컨은 2023년 11월 8일 이틀 일정으로 서울에 도착한다.", "ko"),
        ("ブリンケン氏は2023年11月8日に2日間の日程でソウルに到着する。", "ja"),
        ("布林肯将于2023年11月8日抵达首尔，进行为期两天的访问。", "zh"),
        ("سيصل بلينكن إلى سيول في ٨ نوفمبر ٢٠٢٣ في رحلة تستغرق يومين.", "ar"),
        ("Блинкен прибудет в Сеул 8 ноября 2023 года с двухдневной поездкой.", "ru"),
        ("บลิงเคนจะเดินทางถึงโซลในวันที่ 8 พฤศจิกายน 2566 เป็นเวลาสองวัน", "th"),
        ("ब्लिंकन 8 नवंबर 2023 को दो दिन की यात्रा पर सियोल पहुंचेंगे।", "hi"),
        ("Blinken, iki günlük bir ziyaret için 8 Kasım 2023'te Seul'e gelecek.", "tr"),
    ],
)
def test_the_sample_sentence_in_other_languages(phrase: str, target: str) -> None:
    assert check(phrase, EVIDENCE, source="id", target=target) == Verdict(supported=True)


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("Lavrov will arrive in Seoul on 8 November 2023 for a two-day trip.", "Lavrov"),
        ("Blinken will arrive in Tokyo on 8 November 2023 for a two-day trip.", "Tokyo"),
        ("Blinken will arrive in Seoul on 9 November 2023 for a two-day trip.", "9"),
        ("Blinken will arrive in Seoul on 8 December 2023 for a two-day trip.", "month"),
        ("Blinken will arrive in Seoul on 8 November 2023 for a three-day trip.", "three"),
        ("Blinken will arrive in Seoul on Tuesday 8 November 2023 for a two-day trip.", "weekday"),
        ("Blinken will arrive in Seoul for a two-day trip.", "left out: 2023"),
        ("Blinken will not arrive in Seoul on 8 November 2023 for a two-day trip.", "negation"),
        ("Secretary of State Antony Blinken will arrive in Seoul on 8 November 2023.", "Antony"),
        ("Blinken akan tiba di Seoul pada 8 November 2023 untuk perjalanan dua hari.", "language id"),
        ("English: Blinken will arrive in Seoul on 8 November 2023 for two days.", "prompt"),
        ("Blinken will arrive in Seoul on 8 November 2023. See http://example.org", "address"),
        ("Blinken will arrive in **Seoul** on 8 November 2023 for two days.", "markup"),
        ("![x](y) Blinken will arrive in Seoul on 8 November 2023 for two days.", "markup"),
        ("Blinken will arrive in Seoul on 8 November 2023 for two days, two days, two days, two days.", "repeats"),
        ("Blinken will arrive in Seoul on 8 November 2023 " + "and then he will say what he will say " * 9, "longer"),
        ("8 November 2023, Blinken", "shorter|left out"),
        ("Heavy rain closed the main road to Port Amber for four days.", "example"),
        ("블링컨은 2023년 11월 8일 서울에 도착한다.", "script of en"),
    ],
)
def test_each_fault_has_its_reason(phrase: str, reason: str) -> None:
    import re

    found = english(phrase)
    assert not found.supported
    assert re.search(reason, " ".join(found.reasons)), found.reasons


def test_a_weekday_beside_a_day_of_the_month_may_be_left_out() -> None:
    phrase = "Blinken will arrive in Seoul on 8 November 2023 for a two-day trip."
    for evidence in (
        "Blinken akan tiba di Seoul pada Rabu, 8 November 2023 untuk perjalanan dua hari.",
        "Blinken akan tiba di Seoul pada Rabu (8/11/2023) untuk perjalanan dua hari.",
    ):
        assert check(phrase, evidence, source="id", target="en").supported
        assert not check(phrase.replace("on 8", "on Tuesday, 8"), evidence, source="id", target="en").supported
    japanese = "ブリンケン氏は2023年11月8日水曜日にソウルに到着する。"
    assert check("Blinken will arrive in Seoul on 8 November 2023.", japanese, source="ja", target="en").supported
    assert (
        "weekday left out: 3" in check("Blinken will come.", "Blinken datang Rabu.", source="id", target="en").reasons
    )


def test_a_name_half_in_another_script_is_no_name() -> None:
    reasons = check("ブラinkenは2023年11月8日にソウルへ来る予定です。", EVIDENCE, source="id", target="ja").reasons
    assert "a word of two scripts: ...inken" in reasons
    kept = check("Blinkenは2023年11月8日にソウルへ二日間来る予定です。", EVIDENCE, source="id", target="ja")
    assert not any("scripts" in reason for reason in kept.reasons)


def test_what_is_allowed_may_be_said() -> None:
    phrase = "Antony Blinken will arrive in Seoul on Wednesday, 8 November 2023 for a two-day trip."
    assert not english(phrase).supported
    assert english(phrase, allowed=("Antony Blinken", "Rabu, 8 November 2023")).supported


def test_dates_by_value_are_compared_where_a_resolver_is_given() -> None:
    def dates(text: str, language: str) -> list[str]:
        return ["2023-11-09"] if "tomorrow" in text else ["2023-11-08"]

    phrase = "Blinken will arrive in Seoul on 8 November 2023 for a two-day trip"
    assert english(phrase + ".", dates=dates).supported
    assert "2023-11-09" in english(phrase + ", tomorrow.", dates=dates).reasons[-1]


def test_another_meaning_is_dropped_where_a_similarity_is_given() -> None:
    phrase = "Blinken will arrive in Seoul on 8 November 2023 for a two-day trip."
    assert english(phrase, similarity=lambda *_: LEAST_SIMILARITY).supported
    assert "meaning" in english(phrase, similarity=lambda *_: 0.1).reasons[0]


@pytest.mark.parametrize(
    ("phrase", "evidence", "source"),
    [
        ("The city has 15,000 flats.", "Kota itu memiliki 15.000 flat.", "id"),
        ("The city has 15,000 flats.", "この市には1.5万戸の住宅がある。", "ja"),
        ("It cost 15 million dollars.", "इसकी कीमत 1.5 करोड़ डॉलर थी।", "hi"),
        ("It cost 120 million yen.", "費用は1億2000万円だった。", "ja"),
        ("Three and a half percent, or 3.5 percent, it said.", "3,5 persen, kata bank, tiga setengah persen.", "id"),
        ("Twenty-five men were saved.", "Fünfundzwanzig Männer wurden gerettet.", "de"),
        ("It opens at 2:30 pm.", "Dibuka pukul 14.30.", "id"),
        ("He was born in 2023.", "เขาเกิดในปี 2566", "th"),
    ],
)
def test_numbers_meet_by_value(phrase: str, evidence: str, source: str) -> None:
    reasons = english(phrase, evidence, source).reasons
    assert not [reason for reason in reasons if "number" in reason], reasons


@pytest.mark.parametrize("text", ["😀" * 50, "\u202e\u200f", "…", "1" * 4000, "A" * 5000, "ا" * 3000, "<" * 100])
def test_nothing_strange_raises(text: str) -> None:
    for target in ("en", "ko", "ar", "xx"):
        check(text, EVIDENCE, source="id", target=target)
        check(EVIDENCE, text, source=target, target="id")


def test_a_check_is_quick() -> None:
    import time

    verdict(DATA["good"][0])
    begun = time.process_time()
    for row in DATA["good"][:40]:
        verdict(row)
    assert (time.process_time() - begun) / 40 < 0.05
