"""Readings that mean more than a day: weeks, months, quarters, seasons, years."""

from index.dates import calendars
from index.dates.counting import STEPS, season_span, shifted, steps_in_words
from index.dates.days import other_calendar_date
from index.dates.grammar import Reading
from index.dates.meaning import Meaning, Setting
from index.dates.mention import DateKind
from index.dates.pieces import modifier_of, month_of, period_of, valid_day, year_of

_FIRST_SHORT_DECADE = 1930
SEASONS = ("spring", "summer", "autumn", "winter")


def whole_period(reading: Reading, setting: Setting) -> Meaning | None:
    """ "last week", "this year"."""
    period = period_of(reading)
    if period is None or setting.published is None or period[0] == "day":
        return None
    value = shifted(setting.published, *period)
    if value is None:
        return None
    kind: DateKind = "range" if "/" in value else "relative"
    return Meaning(value, kind, f"{steps_in_words(*period)}, counted from {setting.published}")


def month(reading: Reading, setting: Setting) -> Meaning | None:
    """A month: of a year, with a modifier, or the nearest before the publication unless the tense says otherwise."""
    if reading.has("mi"):
        return other_calendar_date(reading) if reading.has("y") else None
    month = month_of(reading)
    if month is None:
        return None
    year = year_of(reading, setting)
    if year is not None:
        return Meaning(valid_day(year, month, 1).isoformat()[:7], "absolute")
    published = setting.published
    if published is None:
        return None
    period = period_of(reading)
    if period is not None:
        if period[0] != "year":
            return None
        return Meaning(
            f"{valid_day(published.year + period[1], month, 1):%Y-%m}", "relative", f"year counted from {published}"
        )
    modifier = modifier_of(reading)
    if modifier is not None:
        steps = STEPS[modifier]
        year = published.year
        if steps > 0:
            year += (month <= published.month) + steps - 1
        elif steps < 0:
            year -= (month >= published.month) - steps - 1
        return Meaning(
            valid_day(year, month, 1).isoformat()[:7], "relative", f"{modifier} such month, counted from {published}"
        )
    if setting.tense_of_date() == "future":
        year = published.year + (month < published.month)
    else:
        year = published.year - (month > published.month)
    return Meaning(valid_day(year, month, 1).isoformat()[:7], "partial", f"the year counted from {published}")


def offset(reading: Reading, setting: Setting) -> Meaning | None:
    """ "two days ago", "in three weeks"."""
    published = setting.published
    if published is None:
        return None
    fused = reading.get("nu")
    if fused is not None:
        number, unit = fused
    else:
        number = reading.get("n")
        unit = reading.get("u") or reading.get("uago") or reading.get("uin")
    if unit is None:
        return None
    if number is None:
        number = 1
    ahead = reading.has("inbefore") or reading.has("inafter") or reading.has("inweak") or reading.has("uin")
    ahead = ahead or reading.has("instrict")
    if reading.has("agobefore") or reading.has("agoafter") or reading.has("uago"):
        ahead = False
    if ahead and setting.tense() == "past":  # counted from something else ("three days later"), or a duration
        return None
    if reading.has("instrict") and setting.tense() != "future":
        return None
    value = shifted(published, unit, number if ahead else -number)
    if value is None or "/" in value or number > 1000:
        return None
    plural = "" if number == 1 else "s"
    return Meaning(value, "relative", f"{number} {unit}{plural} {'after' if ahead else 'before'} {published}")


def _quarter_number(reading: Reading) -> int | None:
    for symbol in ("q", "o", "roman", "n", "d"):
        if (value := reading.get(symbol)) is not None and 1 <= int(value) <= 4:
            return int(value)
    return None


def _year_or_relative(reading: Reading, setting: Setting) -> tuple[int, DateKind] | None:
    """A stated year, or that of "last year", or None."""
    year = year_of(reading, setting)
    if year is not None:
        return year, "absolute"
    period = period_of(reading)
    if period and period[0] == "year" and setting.published:
        return setting.published.year + period[1], "relative"
    return None


def quarter(reading: Reading, setting: Setting) -> Meaning | None:
    """A quarter of a stated, relative or recent year."""
    quarter = _quarter_number(reading)
    if quarter is None:
        return None
    stated = _year_or_relative(reading, setting)
    if stated:
        valid_day(stated[0], 1, 1)
        return Meaning(f"{stated[0]:04d}-Q{quarter}", stated[1])
    published = setting.published
    if published is None or period_of(reading):
        return None
    now = (published.month + 2) // 3
    future = setting.tense_of_date() == "future"
    year = published.year + (quarter < now) if future else published.year - (quarter > now)
    return Meaning(f"{valid_day(year, 1, 1).year:04d}-Q{quarter}", "partial", f"the year counted from {published}")


def season(reading: Reading, setting: Setting) -> Meaning | None:
    """A season, by its northern months."""
    season = int(reading.get("s"))
    stated = _year_or_relative(reading, setting)
    if stated:
        return Meaning(season_span(season, stated[0]), "range", f"{SEASONS[season]} {stated[0]} in the north")
    published, modifier = setting.published, modifier_of(reading)
    if published is None or modifier is None or reading.has("u"):
        return None
    steps = STEPS[modifier]
    first = 3 * (season + 1)
    year = published.year
    if steps > 0:
        year += (published.month >= first) + steps - 1
    elif steps < 0:
        year -= (published.month < first + 3) - steps - 1
    elif season == 3 and published.month < 3:
        year -= 1
    return Meaning(
        season_span(season, year), "range", f"{modifier} {SEASONS[season]} in the north, counted from {published}"
    )


def decade(reading: Reading, _: Setting) -> Meaning | None:
    """ "the 1990s"; two digits are of the twentieth century."""
    year = reading.get("y")
    if year is None:
        numbers = [int(piece.value) for piece in reading.pieces if piece.symbol in ("d", "n", "yy")]
        if len(numbers) == 2:  # "20世纪30年代"
            year = (numbers[0] - 1) * 100 + numbers[1]
        else:
            year = 1900 + numbers[0]
            if year < _FIRST_SHORT_DECADE:
                return None
    if year % 10 or not 1000 <= year <= 2990:
        return None
    return Meaning(f"{year}/{year + 9}", "range", "decade")


def year(reading: Reading, setting: Setting) -> Meaning | None:
    """A year, also of another calendar."""
    year = year_of(reading, setting)
    if year is None:
        return None
    era = reading.get("eraprefix") or reading.get("erasuffix") or reading.get("eraname")
    if era in ("islamic", "solar") or ("solar" in setting.vocabulary.calendars and 1250 <= year <= 1450 and not era):
        calendar = era or "solar"
        first, last = calendars.first_and_last(calendar, reading.get("y"))
        return Meaning(
            f"{first}/{last}", "range", "year of the Islamic calendar" if calendar == "islamic" else "Persian year"
        )
    if not 1000 <= year <= 2999:
        return None
    return Meaning(f"{year:04d}", "absolute")


def span_of_years(reading: Reading, setting: Setting) -> Meaning | None:
    """ "1914-1918", "1914-18"."""
    years = [int(piece.value) for piece in reading.pieces if piece.symbol == "y"]
    short = reading.get("yy")
    first, last = years[0], years[-1] if short is None else years[0] // 100 * 100 + int(short)
    if "buddhist" in setting.vocabulary.calendars and 2400 <= first <= 2700:
        first, last = first - 543, last - 543
    if not 1000 <= first < last <= 2100:
        return None
    return Meaning(f"{first:04d}/{last:04d}", "range")
