"""From a reading to a calendar date."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from index.dates import calendars
from index.dates.grammar import Reading
from index.dates.mention import DateKind
from index.dates.tense import Tense
from index.dates.vocabulary import Vocabulary

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEASONS = ("spring", "summer", "autumn", "winter")
_STEPS = {"next": 1, "coming": 1, "last": -1, "past": -1, "this": 0, "before_last": -2, "after_next": 2}
_FAR = 120
"""Days from the publication beyond which a matching weekday decides about the year."""


class Impossible(ValueError):
    """The words name a date that no calendar has; nothing inside them may be read as a date either."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Value, kind and origin of a date expression, as in ``DateMention``."""

    value: str
    kind: DateKind
    derived: str = ""
    conflict: str | None = None
    dateline: bool = False
    """It has the form "Wednesday (1/11)"."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a date is counted from: publication, language, and the tense around it (worked out when needed)."""

    published: date | None
    vocabulary: Vocabulary
    tense: Callable[[], Tense]
    tense_of_date: Callable[[], Tense]


def iso_week(day: date) -> str:
    """ "2023-W45"."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def meaning(reading: Reading, setting: Setting) -> Meaning | None:
    """What a reading means, or None if it cannot be told; raises Impossible for 31 February."""
    try:
        return _RULES[reading.rule](reading, setting)
    except (ValueError, OverflowError):
        raise Impossible from None


def _month(reading: Reading) -> int | None:
    """The month of a reading: its name, or the number beside "月" or "tháng"."""
    for symbol in ("m", "mx"):
        if (value := reading.get(symbol)) is not None:
            return int(value)
    pieces = reading.pieces
    for index, piece in enumerate(pieces):
        number = None
        if piece.symbol == "monthmark" and index:
            number = pieces[index - 1].value
        if piece.symbol == "monthprefix" and index + 1 < len(pieces):
            number = pieces[index + 1].value
        if isinstance(number, int):
            if not 1 <= number <= 12:
                raise Impossible
            return number
    return None


def _day(reading: Reading) -> int | None:
    pieces = reading.pieces
    for index, piece in enumerate(pieces):
        following = pieces[index + 1].symbol if index + 1 < len(pieces) else ""
        before = pieces[index - 1].symbol if index else ""
        if piece.symbol in ("d", "o") and following != "monthmark" and before != "monthprefix":
            return int(piece.value)
        if piece.symbol == "n" and before == "dayprefix" and following != "monthmark":
            return int(piece.value)
    return None


def _year(reading: Reading, setting: Setting) -> int | None:
    """The Gregorian year that a reading states, if any."""
    year = reading.get("y")
    era = reading.get("eraname") or reading.get("eraprefix") or reading.get("erasuffix")
    if era:
        number = _era_number(reading)
        if number is None and reading.has("eraname"):
            return None
        if number is not None and year is not None and number != year:  # "1950年(昭和25年)"
            return year
        year = number if number is not None else year
        return calendars.gregorian_year(era, year) if year is not None else None
    if year is not None and "buddhist" in setting.vocabulary.calendars and 2400 <= year <= 2700:
        return int(year) - 543
    return year


def _era_number(reading: Reading) -> int | None:
    pieces = reading.pieces
    for index, piece in enumerate(pieces):
        if piece.symbol == "eraname" and index + 1 < len(pieces) and pieces[index + 1].symbol in ("n", "y"):
            return int(pieces[index + 1].value)
    return None


def _valid(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Impossible from None


def _numeric(reading: Reading, setting: Setting) -> date | None:
    """A date in digits: ISO, or by the language's order (turned round where only that is possible)."""
    if (iso := reading.get("iso")) is not None:
        year, month, day = iso
        if setting.vocabulary.calendars & {"solar"} and 1200 <= year <= 1500:
            return calendars.solar_hijri(year, month, day)
        if "buddhist" in setting.vocabulary.calendars and 2400 <= year <= 2700:
            year -= 543
        return _valid(year, month, day)
    if (numeric := reading.get("numeric")) is None:
        return None
    first, second, year, width, separator = numeric
    if width == 2:
        century = (setting.published or date(2050, 1, 1)).year // 100 * 100
        year += century if century + year <= (setting.published or date(2049, 1, 1)).year + 20 else century - 100
    if "buddhist" in setting.vocabulary.calendars and 2400 <= year <= 2700:
        year -= 543
    day, month = (first, second) if separator == "." else _day_and_month(first, second, setting)
    return _valid(year, month, day)


def _day_and_month(first: int, second: int, setting: Setting) -> tuple[int, int]:
    day, month = (second, first) if setting.vocabulary.order in ("mdy", "ymd") else (first, second)
    return (month, day) if month > 12 >= day else (day, month)


def _with_weekday(day: date, reading: Reading) -> str | None:
    """The conflict between a date and the weekday beside it, if there is one."""
    weekday = _weekday_number(reading)
    if weekday is None or day.isoweekday() == weekday:
        return None
    return f"{day.day} {day:%B} {day.year} is a {WEEKDAYS[day.weekday()]}"


def _weekday_number(reading: Reading) -> int | None:
    for symbol in ("w", "ws", "wx"):
        if (value := reading.get(symbol)) is not None:
            return int(value)
    return None


def _modifier(reading: Reading) -> str | None:
    return reading.get("b") or reading.get("a")


def _period_of(reading: Reading) -> tuple[str, int] | None:
    """Unit and offset of a whole period in the reading ("last year")."""
    if (period := reading.get("p")) is not None:
        return str(period[0]), int(period[1])
    unit, modifier = reading.get("u"), _modifier(reading)
    return (unit, _STEPS[modifier]) if unit and modifier else None


def _date(reading: Reading, setting: Setting) -> Meaning | None:
    """Day and month, with or without year."""
    if reading.has("mi"):
        return _other_calendar(reading, setting)
    period = _period_of(reading)
    if period and (period[0] != "year" or _year(reading, setting) or reading.has("iso") or reading.has("numeric")):
        return None
    day_off = _numeric(reading, setting)
    if day_off:
        return Meaning(day_off.isoformat(), "absolute", conflict=_with_weekday(day_off, reading))
    dm = reading.get("dm")
    day, month = _day_and_month(*dm, setting) if dm else (_day(reading), _month(reading))
    if day is None or month is None:
        return None
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise Impossible
    year = _year(reading, setting)
    dateline = _weekday_number(reading) is not None and dm is not None
    if year is not None:
        found = _valid(year, month, day)
        return Meaning(found.isoformat(), "absolute", conflict=_with_weekday(found, reading), dateline=dateline)
    _valid(2000, month, day)
    published = setting.published
    if published is None:
        return None
    if period is not None:
        found = _valid(published.year + period[1], month, day)
        return Meaning(found.isoformat(), "relative", f"year counted from {published}", _with_weekday(found, reading))
    found = _nearest_day(reading, setting, published, month, day)
    reason = f"the year counted from {published}"
    return Meaning(found.isoformat(), "partial", reason, _with_weekday(found, reading), dateline)


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
        raise Impossible
    modifier = reading.get("dw") is None and _modifier(reading)
    if modifier in ("coming", "next", "after_next"):
        return min((d for d in days if d >= published), default=days[-1])
    if modifier in ("past", "last", "before_last"):
        return max((d for d in days if d <= published), default=days[0])
    nearest = min(days, key=lambda d: (abs((d - published).days), d > published))
    if _weekday_number(reading) is not None:
        fitting = [d for d in days if _with_weekday(d, reading) is None]
        if nearest not in fitting and fitting and abs((nearest - published).days) > _FAR:
            return min(fitting, key=lambda d: abs((d - published).days))
        return nearest
    tense = setting.tense_of_date()
    if tense == "past":
        return max((d for d in days if d <= published), default=nearest)
    if tense == "future":
        return min((d for d in days if d >= published), default=nearest)
    return nearest


def _other_calendar(reading: Reading, setting: Setting) -> Meaning | None:
    """Islamic and Persian dates; those without a year are left alone."""
    calendar, month = reading.get("mi")
    year, day = reading.get("y"), _day(reading)
    if year is None or not 1000 <= year <= 1700:
        return None
    convert = calendars.islamic if calendar == "islamic" else calendars.solar_hijri
    name = "Islamic" if calendar == "islamic" else "Persian"
    if day is not None:
        try:
            found = convert(year, month, day)
        except ValueError:
            raise Impossible from None
        return Meaning(found.isoformat(), "absolute", f"{name} calendar", _with_weekday(found, reading))
    first, last = calendars.first_and_last(calendar, year, month)
    return Meaning(f"{first}/{last}", "range", f"{name} calendar")


def _day_number(reading: Reading, setting: Setting) -> Meaning | None:
    """A day of the month without its month: "8日", "오는 8일", "Rabu (1)"."""
    published, day = setting.published, _day(reading)
    if published is None or day is None:
        return None
    period = _period_of(reading)
    months = _months_around(published)
    kind: DateKind = "partial"
    if period is not None:
        if period[0] != "month":
            return None
        wanted = _add_months(published.year, published.month, period[1])
        days = [_valid(*wanted, day)]
        kind = "relative"
    else:
        days = [found for year, month in months if (found := _try(year, month, day))]
    if not days:
        return None
    modifier = None if period else _modifier(reading)
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
    dateline = _weekday_number(reading) is not None
    return Meaning(chosen.isoformat(), kind, reason, _with_weekday(chosen, reading), dateline)


def _day_by_tense(reading: Reading, setting: Setting, days: list[date], published: date) -> date:
    fitting = [d for d in days if _weekday_number(reading) is not None and _with_weekday(d, reading) is None]
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
    return [_add_months(published.year, published.month, step) for step in (-2, -1, 0, 1, 2)]


def _add_months(year: int, month: int, step: int) -> tuple[int, int]:
    count = year * 12 + month - 1 + step
    return count // 12, count % 12 + 1


def _day_word(reading: Reading, setting: Setting) -> Meaning | None:
    if setting.published is None:
        return None
    offset = reading.get("dw")
    if isinstance(offset, str):  # Hindi says yesterday and tomorrow with one word
        offset = int(offset[1:]) * (1 if setting.tense() == "future" else -1)
    found = setting.published + timedelta(days=offset)
    words = {0: "the day of", 1: "the day after", -1: "the day before"}
    reason = words.get(offset, f"{abs(offset)} days {'after' if offset > 0 else 'before'}")
    return Meaning(found.isoformat(), "relative", f"{reason} {setting.published}", _with_weekday(found, reading))


def _period(reading: Reading, setting: Setting) -> Meaning | None:
    period = _period_of(reading)
    if period is None or setting.published is None or period[0] == "day":
        return None
    value = shifted(setting.published, *period)
    if value is None:
        return None
    kind: DateKind = "range" if "/" in value else "relative"
    return Meaning(value, kind, f"{_steps_in_words(*period)}, counted from {setting.published}")


def _steps_in_words(unit: str, step: int) -> str:
    if abs(step) > 1:
        return f"{abs(step)} {unit}s {'after' if step > 0 else 'before'}"
    return f"{('last', 'this', 'next')[step + 1]} {unit}"


def shifted(published: date, unit: str, step: int) -> str | None:
    """The day, week, weekend, month, quarter or year ``step`` units away, in ISO 8601; None for other units."""
    if unit == "day":
        return (published + timedelta(days=step)).isoformat()
    if unit == "week":
        return iso_week(published + timedelta(weeks=step))
    if unit == "weekend":
        monday = published - timedelta(days=published.weekday()) + timedelta(weeks=step)
        return f"{monday + timedelta(days=5)}/{monday + timedelta(days=6)}"
    if unit == "month":
        year, month = _add_months(published.year, published.month, step)
        return date(year, month, 1).isoformat()[:7]
    if unit == "quarter":
        year, month = _add_months(published.year, published.month, 3 * step)
        return f"{date(year, month, 1).year:04d}-Q{(month + 2) // 3}"
    if unit == "year":
        return f"{date(published.year + step, 1, 1).year:04d}"
    if unit == "decade":
        first = (published.year // 10 + step) * 10
        return f"{date(first, 1, 1).year:04d}/{date(first + 9, 1, 1).year:04d}"
    return None


def weekday_by_modifier(published: date, weekday: int, modifier: str, tense: Tense = "unknown") -> date:
    """The weekday (1 Monday .. 7) that a word such as "next" means.

    "next" and "last" count calendar weeks (Monday first), as CLDR does; "coming" is the nearest one after the
    publication, "past" the nearest before it; "this" is that of the same week, or by the tense.
    """
    monday = published - timedelta(days=published.weekday())
    in_week = monday + timedelta(days=weekday - 1)
    after = published + timedelta(days=(weekday - published.isoweekday() - 1) % 7 + 1)
    before = published - timedelta(days=(published.isoweekday() - weekday - 1) % 7 + 1)
    if modifier == "coming":
        return after
    if modifier == "past":
        return before
    if modifier == "this":
        if in_week < published and tense == "future":
            return after
        if in_week > published and tense == "past":
            return before
        return after if published.isoweekday() == 7 and weekday < 3 and tense != "past" else in_week
    return in_week + timedelta(weeks=_STEPS[modifier])


def _weekday(reading: Reading, setting: Setting) -> Meaning | None:
    published = setting.published
    if published is None:
        return None
    if (fused := reading.get("wrel")) is not None:
        modifier = {-1: "last", 0: "this", 1: "next"}[fused[1]]
        found = weekday_by_modifier(published, fused[0], modifier, setting.tense())
        return Meaning(found.isoformat(), "relative", f"{modifier} {WEEKDAYS[fused[0] - 1]}, counted from {published}")
    weekday = _weekday_number(reading)
    if weekday is None:
        return None
    name = WEEKDAYS[weekday - 1]
    period = _period_of(reading)
    if period is not None:
        if period[0] != "week":
            return None
        monday = published - timedelta(days=published.weekday())
        found = monday + timedelta(days=weekday - 1, weeks=period[1])
        return Meaning(found.isoformat(), "relative", f"{name} of {_steps_in_words(*period)}, counted from {published}")
    modifier = _modifier(reading)
    if modifier is not None:
        found = weekday_by_modifier(published, weekday, modifier, setting.tense())
        word = {"before_last": "before last", "after_next": "after next"}.get(modifier, modifier)
        return Meaning(found.isoformat(), "relative", f"{word} {name}, counted from {published}")
    if setting.tense() == "future":
        found = published + timedelta(days=(weekday - published.isoweekday()) % 7)
        return Meaning(found.isoformat(), "partial", f"the {name} on or after {published}")
    found = published - timedelta(days=(published.isoweekday() - weekday) % 7)
    return Meaning(found.isoformat(), "partial", f"the {name} on or before {published}")


def _month_rule(reading: Reading, setting: Setting) -> Meaning | None:
    if reading.has("mi"):
        return _other_calendar(reading, setting) if reading.has("y") else None
    month = _month(reading)
    if month is None:
        return None
    year = _year(reading, setting)
    if year is not None:
        return Meaning(_valid(year, month, 1).isoformat()[:7], "absolute")
    published = setting.published
    if published is None:
        return None
    period = _period_of(reading)
    if period is not None:
        if period[0] != "year":
            return None
        return Meaning(
            f"{_valid(published.year + period[1], month, 1):%Y-%m}", "relative", f"year counted from {published}"
        )
    modifier = _modifier(reading)
    if modifier is not None:
        steps = _STEPS[modifier]
        year = published.year
        if steps > 0:
            year += (month <= published.month) + steps - 1
        elif steps < 0:
            year -= (month >= published.month) - steps - 1
        return Meaning(
            _valid(year, month, 1).isoformat()[:7], "relative", f"{modifier} such month, counted from {published}"
        )
    if setting.tense_of_date() == "future":
        year = published.year + (month < published.month)
    else:
        year = published.year - (month > published.month)
    return Meaning(_valid(year, month, 1).isoformat()[:7], "partial", f"the year counted from {published}")


def _offset(reading: Reading, setting: Setting) -> Meaning | None:
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
    year = _year(reading, setting)
    if year is not None:
        return year, "absolute"
    period = _period_of(reading)
    if period and period[0] == "year" and setting.published:
        return setting.published.year + period[1], "relative"
    return None


def _quarter(reading: Reading, setting: Setting) -> Meaning | None:
    quarter = _quarter_number(reading)
    if quarter is None:
        return None
    stated = _year_or_relative(reading, setting)
    if stated:
        _valid(stated[0], 1, 1)
        return Meaning(f"{stated[0]:04d}-Q{quarter}", stated[1])
    published = setting.published
    if published is None or _period_of(reading):
        return None
    now = (published.month + 2) // 3
    future = setting.tense_of_date() == "future"
    year = published.year + (quarter < now) if future else published.year - (quarter > now)
    return Meaning(f"{_valid(year, 1, 1).year:04d}-Q{quarter}", "partial", f"the year counted from {published}")


def season_span(season: int, year: int) -> str:
    """Months of a northern season (0 spring .. 3 winter, which begins in December of its year)."""
    first = 3 * (season + 1)
    end_year, end_month = _add_months(year, first, 2)
    return f"{_valid(year, first, 1):%Y-%m}/{_valid(end_year, end_month, 1):%Y-%m}"


def _season(reading: Reading, setting: Setting) -> Meaning | None:
    season = int(reading.get("s"))
    stated = _year_or_relative(reading, setting)
    if stated:
        return Meaning(season_span(season, stated[0]), "range", f"{SEASONS[season]} {stated[0]} in the north")
    published, modifier = setting.published, _modifier(reading)
    if published is None or modifier is None or reading.has("u"):
        return None
    steps = _STEPS[modifier]
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


def _decade(reading: Reading, setting: Setting) -> Meaning | None:
    year = reading.get("y")
    if year is None:
        year = 1900 + int(reading.get("d") or reading.get("n") or 0)
        if year < 1910:
            return None
    if year % 10 or not 1000 <= year <= 2990:
        return None
    return Meaning(f"{year}/{year + 9}", "range", "decade")


def _plain_year(reading: Reading, setting: Setting) -> Meaning | None:
    year = _year(reading, setting)
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


def _years(reading: Reading, setting: Setting) -> Meaning | None:
    """ "1914-1918", "1914-18"."""
    years = [int(piece.value) for piece in reading.pieces if piece.symbol == "y"]
    short = reading.get("yy")
    first, last = years[0], years[-1] if short is None else years[0] // 100 * 100 + int(short)
    if "buddhist" in setting.vocabulary.calendars and 2400 <= first <= 2700:
        first, last = first - 543, last - 543
    if not 1000 <= first < last <= 2100:
        return None
    return Meaning(f"{first:04d}/{last:04d}", "range")


def _days(reading: Reading, setting: Setting) -> Meaning | None:
    """ "8-10 November 2023", "30 October - 5 November 2023": the year, and the month if there is one, stand last."""
    pieces = reading.pieces
    dash = max(index for index, piece in enumerate(pieces) if piece.symbol == "-")
    left, right = reading._replace(pieces=pieces[:dash]), reading._replace(pieces=pieces[dash + 1 :])
    if _month(right) is None:  # "November 8-10, 2023"
        months = tuple(piece for piece in left.pieces if piece.symbol not in ("d", "daymark"))
        right = reading._replace(pieces=months + right.pieces)
    last = _date(right, setting) if _day(right) is not None else None
    if last is None or "/" in last.value:
        return None
    end = date.fromisoformat(last.value)
    month, day = _month(left) or end.month, _day(left)
    if day is None:
        return None
    first = _valid(end.year - (month > end.month), month, day)
    return replace(last, value=f"{first}/{end}", kind="range") if first < end else None


_RULES: dict[str, Callable[[Reading, Setting], Meaning | None]] = {
    "date": _date,
    "daynumber": _day_number,
    "dayword": _day_word,
    "period": _period,
    "weekday": _weekday,
    "month": _month_rule,
    "offset": _offset,
    "quarter": _quarter,
    "season": _season,
    "decade": _decade,
    "year": _plain_year,
    "years": _years,
    "days": _days,
}
