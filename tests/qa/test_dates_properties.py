"""What holds for every text and every publication date."""

import calendar
import json
import random
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.dates.vocabulary import known_languages
from qa.dates import resolve

WEEKDAYS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "dates_weekdays.json").read_text("utf-8"))
LANGUAGES = sorted(WEEKDAYS)


def expected_weekday(published: date, weekday: int, direction: str, mode: str) -> date:
    """By Python's calendar alone: a row of its weeks, or a walk day by day. ``weekday`` counts from 0, Monday."""
    step = 1 if direction == "next" else -1
    if mode == "week":
        around = published + timedelta(weeks=step)
        rows = calendar.Calendar(firstweekday=0).monthdatescalendar(around.year, around.month)
        return next(row for row in rows if around in row)[weekday]
    day = published + timedelta(days=step)
    while day.weekday() != weekday:
        day += timedelta(days=step)
    return day


def test_every_language_with_usage_has_weekdays_to_test() -> None:
    assert known_languages() == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_next_and_last_weekday_over_four_hundred_publication_dates(language: str) -> None:
    table = WEEKDAYS[language]
    generator = random.Random(language)
    for number in range(400):
        published = date(1990, 1, 1) + timedelta(days=generator.randrange(20_000))
        weekday = number % 7
        direction = "next" if number // 7 % 2 else "last"
        mode, template = table[direction]
        name = table["days"][weekday]
        phrase = template.format(name if isinstance(name, str) else name[direction == "last"])
        text = f"… {phrase} …"
        mentions = resolve(text, published, language)
        assert [m.value for m in mentions] == [expected_weekday(published, weekday, direction, mode).isoformat()], (
            text,
            published,
        )
        assert mentions[0].kind == "relative"
        assert not mentions[0].conflict


PIECES = [
    *("8", "31", "2023", "٨", "２０", "/", "-", ".", ",", " ", "(", ")", "\n", "'", "\ud800", "\u200f", "\u0301", "İ"),
    *("next", "last", "March", "May", "Sun", "Wednesday", "Nov.", "ago", "two", "weeks", "the second", "Q3", "1990s"),
    *("Rabu", "depan", "tiga", "pekan", "lalu", "Minggu", "minggu", "tanggal", "Maret", "akan", "kata", "kuartal III"),
    *(
        "오는",
        "지난",
        "일",
        "월",
        "년",
        "다음",
        "주",
        "수요일",
        "8日",
        "来週",
        "今月",
        "年",
        "下",
        "周三",
        "民國",
        "令和",
    ),
    *(
        "الأربعاء",
        "المقبل",
        "قبل",
        "يومين",
        "نوفمبر",
        "هـ",
        "среду",
        "через",
        "недели",
        "thứ Tư",
        "tuần",
        "tới",
        "ngày",
    ),
    *("วันพุธ", "หน้า", "พ.ศ.", "2566", "अगले", "बुधवार", "कल", "چهارشنبه", "آینده", "فروردین", "1402", "Jumatano"),
]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join),
)


@settings(max_examples=250, deadline=None)
@given(
    text=TEXTS, language=st.sampled_from([*LANGUAGES, "sv", "ro", "und", "xx", ""]), published=st.none() | st.dates()
)
def test_any_text_gives_ordered_mentions_of_iso_values(text: str, language: str, published: date | None) -> None:
    end = 0
    for mention in resolve(text, published, language):
        assert text[mention.start : mention.end] == mention.text
        assert end <= mention.start < mention.end
        end = mention.end
        for value in mention.value.split("/"):
            assert_iso(value)
        if "/" in mention.value:
            first, last = mention.value.split("/")
            assert mention.kind == "range"
            assert first < last
        if published is None:
            assert mention.kind in {"absolute", "range"}


def assert_iso(value: str) -> None:
    """Raises unless it is a day, week, month, quarter or year."""
    year = int(value[:4])
    assert 1 <= year <= 9999
    rest = value[4:]
    if rest.startswith("-W"):
        date.fromisocalendar(year, int(rest[2:]), 1)
    elif rest.startswith("-Q"):
        assert rest[2:] in {"1", "2", "3", "4"}
    elif len(rest) == 3:
        date(year, int(rest[1:]), 1)
    elif rest:
        assert len(value) == 10
        date.fromisoformat(value)


@pytest.mark.parametrize("piece", ["8 November 2023, ", "Rabu (1/11) ", "next ", "1/", "11 - "])
def test_time_grows_with_the_text_and_not_faster(piece: str) -> None:
    def seconds(repetitions: int) -> float:
        text = piece * repetitions
        start = time.process_time()
        resolve(text, date(2023, 11, 1), "id")
        return time.process_time() - start

    seconds(50)
    short = min(seconds(80) for _ in range(3))
    assert min(seconds(800) for _ in range(2)) < 25 * short + 0.1


def test_all_of_many_dates_in_one_passage_are_found() -> None:
    days = [date(2000, 1, 1) + timedelta(days=number) for number in range(1000)]
    text = ", ".join(day.isoformat() for day in days)
    assert [mention.value for mention in resolve(text, None, "en")] == [day.isoformat() for day in days]
