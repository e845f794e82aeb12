"""What the words of a reading say: its day, month, year, weekday and modifiers."""

from datetime import date

from index.dates import calendars
from index.dates.counting import STEPS
from index.dates.grammar import Reading
from index.dates.meaning import ImpossibleDateError, Setting

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def month_of(reading: Reading) -> int | None:
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
                raise ImpossibleDateError
            return number
    return None


def day_of(reading: Reading) -> int | None:
    """The day of the month of a reading, if any."""
    pieces = reading.pieces
    for index, piece in enumerate(pieces):
        following = pieces[index + 1].symbol if index + 1 < len(pieces) else ""
        before = pieces[index - 1].symbol if index else ""
        if piece.symbol in ("d", "o") and following != "monthmark" and before != "monthprefix":
            return int(piece.value)
        if piece.symbol == "n" and (before == "dayprefix" or following == "daymark") and following != "monthmark":
            return int(piece.value)
    return None


def year_of(reading: Reading, setting: Setting) -> int | None:
    """The Gregorian year that a reading states, if any."""
    year: int | None = reading.get("y")
    if year is None and (short := reading.get("yy")) is not None:
        year = 2500 + int(short)
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


def valid_day(year: int, month: int, day: int) -> date:
    """The date, or ImpossibleDateError if no calendar has it."""
    try:
        return date(year, month, day)
    except ValueError:
        raise ImpossibleDateError from None


def numeric_date(reading: Reading, setting: Setting) -> date | None:
    """A date in digits: ISO, or by the language's order (turned round where only that is possible)."""
    if (iso := reading.get("iso")) is not None:
        year, month, day = iso
        if setting.vocabulary.calendars & {"solar"} and 1200 <= year <= 1500:
            return calendars.solar_hijri(year, month, day)
        if "buddhist" in setting.vocabulary.calendars and 2400 <= year <= 2700:
            year -= 543
        return valid_day(year, month, day)
    if (numeric := reading.get("numeric")) is None:
        return None
    first, second, year, width, separator = numeric
    if width == 2:
        century = (setting.published or date(2050, 1, 1)).year // 100 * 100
        year += century if century + year <= (setting.published or date(2049, 1, 1)).year + 20 else century - 100
    if "buddhist" in setting.vocabulary.calendars and 2400 <= year <= 2700:
        year -= 543
    day, month = (first, second) if separator == "." else day_and_month((first, second), setting)
    return valid_day(year, month, day)


def day_and_month(numbers: tuple[int, int], setting: Setting) -> tuple[int, int]:
    """Two numbers in the language's order, turned round where only that is possible."""
    first, second = numbers
    day, month = (second, first) if setting.vocabulary.order in ("mdy", "ymd") else (first, second)
    return (month, day) if month > 12 >= day else (day, month)


def weekday_conflict(day: date, reading: Reading) -> str | None:
    """The conflict between a date and the weekday beside it, if there is one."""
    weekday = weekday_of(reading)
    if weekday is None or day.isoweekday() == weekday:
        return None
    return f"{day.day} {day:%B} {day.year} is a {WEEKDAYS[day.weekday()]}"


def weekday_of(reading: Reading) -> int | None:
    """The weekday of a reading (1 Monday .. 7), if any."""
    for symbol in ("w", "ws", "wx"):
        if (value := reading.get(symbol)) is not None:
            return int(value)
    return None


def modifier_of(reading: Reading) -> str | None:
    """ "next", "last" ... of a reading, in front or behind."""
    found: str | None = reading.get("b") or reading.get("a")
    return found


def period_of(reading: Reading) -> tuple[str, int] | None:
    """Unit and offset of a whole period in the reading ("last year")."""
    if (period := reading.get("p")) is not None:
        return str(period[0]), int(period[1])
    unit, modifier = reading.get("u"), modifier_of(reading)
    return (unit, STEPS[modifier]) if unit and modifier else None
