"""Readings that mean a day: dates, weekdays, "yesterday" and the days of a range."""

from dataclasses import replace
from datetime import date, timedelta

from index.dates import calendars
from index.dates.counting import add_months, steps_in_words, weekday_by_modifier
from index.dates.grammar import Reading
from index.dates.meaning import ImpossibleDateError, Meaning, Setting
from index.dates.mention import DateKind
from index.dates.pieces import (
    WEEKDAYS,
    day_and_month,
    day_of,
    modifier_of,
    month_of,
    numeric_date,
    period_of,
    valid_day,
    weekday_conflict,
    weekday_of,
    year_of,
)

_FAR = 120
"""Days from the publication beyond which a matching weekday decides about the year."""


def day_and_month_date(reading: Reading, setting: Setting) -> Meaning | None:
    """Day and month, with or without year."""
    if reading.has("mi"):
        return other_calendar_date(reading) or _near_in_other_calendar(reading, setting)
    period = period_of(reading)
    if period and (period[0] != "year" or year_of(reading, setting) or reading.has("iso") or reading.has("numeric")):
        return None
    day_off = numeric_date(reading, setting)
    if day_off:
        return Meaning(day_off.isoformat(), "absolute", conflict=weekday_conflict(day_off, reading))
    dm = reading.get("dm")
    day, month = day_and_month(dm, setting) if dm else (day_of(reading), month_of(reading))
    if day is None or month is None:
        return None
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ImpossibleDateError
    year = year_of(reading, setting)
    dateline = weekday_of(reading) is not None and dm is not None
    if year is not None:
        found = valid_day(year, month, day)
        return Meaning(found.isoformat(), "absolute", conflict=weekday_conflict(found, reading), dateline=dateline)
    valid_day(2000, month, day)
    published = setting.published
    if published is None:
        return None
    if period is not None:
        found = valid_day(published.year + period[1], month, day)
        return Meaning(
            found.isoformat(), "relative", f"year counted from {published}", weekday_conflict(found, reading)
        )
    found = _nearest_day(reading, setting, published, month, day)
    reason = f"the year counted from {published}"
    return Meaning(found.isoformat(), "partial", reason, weekday_conflict(found, reading), dateline)


def _candidates(year: int, month: int, day: int) -> list[date]:
    found = []
    for candidate in (year - 1, year, year + 1, year - 4, year + 4):
        try:
            found.append(date(candidate, month, day))
        except ValueError:
            continue
        if candidate == year + 1 and found:
            break
    return found


def _nearest_day(reading: Reading, setting: Setting, published: date, month: int, day: int) -> date:
    """The day and month in the year that suits the tense, the modifier and the weekday best."""
    days = _candidates(published.year, month, day)
    if not days:
        raise ImpossibleDateError
    modifier = reading.get("dw") is None and modifier_of(reading)
    if modifier in ("coming", "next", "after_next"):
        return min((d for d in days if d >= published), default=days[-1])
    if modifier in ("past", "last", "before_last"):
        return max((d for d in days if d <= published), default=days[0])
    nearest = min(days, key=lambda d: (abs((d - published).days), d > published))
    if weekday_of(reading) is not None:
        fitting = [d for d in days if weekday_conflict(d, reading) is None]
        if nearest not in fitting and fitting and abs((nearest - published).days) > _FAR:
            return min(fitting, key=lambda d: abs((d - published).days))
        return nearest
    tense = setting.tense_of_date()
    if tense == "past":
        return max((d for d in days if d <= published), default=nearest)
    if tense == "future":
        return min((d for d in days if d >= published), default=nearest)
    return nearest


def other_calendar_date(reading: Reading) -> Meaning | None:
    """Islamic and Persian dates; those without a year are left alone."""
    calendar, month = reading.get("mi")
    year, day = reading.get("y"), day_of(reading)
    if year is None or not 1000 <= year <= 1700:
        return None
    convert = calendars.islamic if calendar == "islamic" else calendars.solar_hijri
    name = "Islamic" if calendar == "islamic" else "Persian"
    if day is not None:
        try:
            found = convert(year, month, day)
        except ValueError:
            raise ImpossibleDateError from None
        return Meaning(found.isoformat(), "absolute", f"{name} calendar", weekday_conflict(found, reading))
    first, last = calendars.first_and_last(calendar, year, month)
    return Meaning(f"{first}/{last}", "range", f"{name} calendar")


def _near_in_other_calendar(reading: Reading, setting: Setting) -> Meaning | None:
    """A Persian or Islamic day and month without a year, in the year that brings it nearest to the publication."""
    published, day = setting.published, day_of(reading)
    if published is None or day is None or reading.has("y"):
        return None
    calendar, month = reading.get("mi")
    solar = calendar == "solar"
    convert = calendars.solar_hijri if solar else calendars.islamic
    near = published.year - 621 if solar else (published.year - 622) * 33 // 32
    days = []
    for year in range(near - 2, near + 3):
        try:
            days.append(convert(year, month, day))
        except ValueError:
            continue
    if not days:
        raise ImpossibleDateError
    found = min(days, key=lambda candidate: abs((candidate - published).days))
    name = "Persian" if solar else "Islamic"
    return Meaning(
        found.isoformat(), "partial", f"{name} calendar, counted from {published}", weekday_conflict(found, reading)
    )


def day_of_month(reading: Reading, setting: Setting) -> Meaning | None:
    """A day of the month without its month: "8日", "오는 8일", "Rabu (1)"."""
    published, day = setting.published, day_of(reading)
    if published is None or day is None:
        return None
    period = period_of(reading)
    months = _months_around(published)
    kind: DateKind = "partial"
    if period is not None:
        if period[0] != "month":
            return None
        wanted = add_months(published.year, published.month, period[1])
        days = [valid_day(*wanted, day)]
        kind = "relative"
    else:
        days = [found for year, month in months if (found := _try(year, month, day))]
    if not days:
        return None
    modifier = None if period else modifier_of(reading)
    reason = f"counted from {published}"
    if modifier in ("coming", "next"):
        chosen = min(d for d in days if d >= published)
        kind = "relative"
    elif modifier in ("past", "last"):
        chosen = max(d for d in days if d <= published)
        kind = "relative"
    elif period:
        chosen = days[0]
    else:
        chosen = _day_by_tense(reading, setting, days, published)
    dateline = weekday_of(reading) is not None
    return Meaning(chosen.isoformat(), kind, reason, weekday_conflict(chosen, reading), dateline)


def _day_by_tense(reading: Reading, setting: Setting, days: list[date], published: date) -> date:
    fitting = [d for d in days if weekday_of(reading) is not None and weekday_conflict(d, reading) is None]
    days = fitting or days
    tense = "unknown" if fitting else setting.tense_of_date()
    if tense == "past":
        return max((d for d in days if d <= published), default=days[0])
    if tense == "future":
        return min((d for d in days if d >= published), default=days[-1])
    return min(days, key=lambda d: (abs((d - published).days), d > published))


def _try(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _months_around(published: date) -> list[tuple[int, int]]:
    return [add_months(published.year, published.month, step) for step in (-2, -1, 0, 1, 2)]


def day_word(reading: Reading, setting: Setting) -> Meaning | None:
    """ "yesterday", with the weekday that may stand beside it."""
    if setting.published is None:
        return None
    offset = reading.get("dw")
    if isinstance(offset, str):  # Hindi says yesterday and tomorrow with one word
        offset = int(offset[1:]) * (1 if setting.tense() == "future" else -1)
    found = setting.published + timedelta(days=offset)
    words = {0: "the day of", 1: "the day after", -1: "the day before"}
    reason = words.get(offset, f"{abs(offset)} days {'after' if offset > 0 else 'before'}")
    return Meaning(found.isoformat(), "relative", f"{reason} {setting.published}", weekday_conflict(found, reading))


def weekday(reading: Reading, setting: Setting) -> Meaning | None:
    """A weekday: with a modifier, of a week, or by the tense."""
    published = setting.published
    if published is None:
        return None
    if (fused := reading.get("wrel")) is not None:
        number, step = fused
        word = ("this", "next", "last")[step]
        found = weekday_by_modifier(published, number, word, setting.tense())
        return Meaning(found.isoformat(), "relative", f"{word} {WEEKDAYS[number - 1]}, counted from {published}")
    number = weekday_of(reading)
    if number is None:
        return None
    name = WEEKDAYS[number - 1]
    period = period_of(reading)
    if period is not None:
        if period[0] != "week":
            return None
        monday = published - timedelta(days=published.weekday())
        found = monday + timedelta(days=number - 1, weeks=period[1])
        return Meaning(found.isoformat(), "relative", f"{name} of {steps_in_words(*period)}, counted from {published}")
    modifier = modifier_of(reading)
    if modifier is not None:
        found = weekday_by_modifier(published, number, modifier, setting.tense())
        word = {"before_last": "before last", "after_next": "after next"}.get(modifier, modifier)
        return Meaning(found.isoformat(), "relative", f"{word} {name}, counted from {published}")
    if setting.tense() == "future":
        found = published + timedelta(days=(number - published.isoweekday()) % 7)
        return Meaning(found.isoformat(), "partial", f"the {name} on or after {published}")
    found = published - timedelta(days=(published.isoweekday() - number) % 7)
    return Meaning(found.isoformat(), "partial", f"the {name} on or before {published}")


def span_of_days(reading: Reading, setting: Setting) -> Meaning | None:
    """ "8-10 November 2023", "30 October - 5 November 2023": the year, and the month if there is one, stand last."""
    pieces = reading.pieces
    dash = max(index for index, piece in enumerate(pieces) if piece.symbol == "-")
    left, right = reading._replace(pieces=pieces[:dash]), reading._replace(pieces=pieces[dash + 1 :])
    if month_of(right) is None:  # "November 8-10, 2023"
        months = tuple(piece for piece in left.pieces if piece.symbol not in ("d", "daymark"))
        right = reading._replace(pieces=months + right.pieces)
    last = day_and_month_date(right, setting) if day_of(right) is not None else None
    if last is None or "/" in last.value:
        return None
    end = date.fromisoformat(last.value)
    month, day = month_of(left) or end.month, day_of(left)
    if day is None:
        return None
    first = valid_day(end.year - (month > end.month), month, day)
    return replace(last, value=f"{first}/{end}", kind="range") if first < end else None
