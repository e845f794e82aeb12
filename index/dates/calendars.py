"""Years, months and days of other calendars, as Gregorian dates."""

from datetime import date, timedelta

ERAS = {
    "ce": 0,
    "be": -543,  # Buddhist era, Thailand: 2566 = 2023
    "roc": 1911,  # Minguo: 112 = 2023
    "reiwa": 2018,
    "heisei": 1988,
    "showa": 1925,
    "taisho": 1911,
    "meiji": 1867,
    "saka": 78,
    "dangi": -2333,
}
"""What to add to a year of the era to get the Gregorian one."""


def gregorian_year(era: str, year: int) -> int | None:
    """The Gregorian year of an era's; None for eras whose years do not begin with it."""
    return year + ERAS[era] if era in ERAS else None


def islamic(year: int, month: int, day: int) -> date:
    """The tabular (civil) Islamic calendar; announced dates may differ by a day. Raises ValueError.

    Thirty-year cycle with leap years 2, 5, 7, 10, 13, 16, 18, 21, 24, 26, 29 (Reingold and Dershowitz, Calendrical
    Calculations, chapter 7).
    """
    leap = (14 + 11 * year) % 30 < 11
    if not (1 <= month <= 12 and 1 <= day <= (30 if month % 2 or (month == 12 and leap) else 29)):
        raise ValueError("no such day in the Islamic calendar")
    days = (year - 1) * 354 + (3 + 11 * year) // 30 + 29 * (month - 1) + month // 2 + day
    return date.fromordinal(227014 + days)


def solar_hijri(year: int, month: int, day: int) -> date:
    """The Persian calendar by the 33-year rule, right for 1178 to 1633 (1799 to 2255), counted from 1 Farvardin 1400.

    Raises ValueError.
    """
    leap = (year * 8 + 29) % 33 < 8
    length = 31 if month <= 6 else 30 if month <= 11 or leap else 29
    if not (1178 <= year <= 1633 and 1 <= month <= 12 and 1 <= day <= length):
        raise ValueError("no such day in the Persian calendar")
    return date(2021, 3, 21) + timedelta(days=_solar_days(year) - _solar_days(1400) + _solar_day_of_year(month, day))


def _solar_days(year: int) -> int:
    return 365 * year + (year * 8 + 21) // 33


def _solar_day_of_year(month: int, day: int) -> int:
    return (month - 1) * 31 - max(0, month - 7) + day - 1


def first_and_last(calendar: str, year: int, month: int | None = None) -> tuple[date, date]:
    """First and last day of a year or month of the "islamic" or "solar" calendar. Raises ValueError."""
    convert = islamic if calendar == "islamic" else solar_hijri
    first = convert(year, month or 1, 1)
    following = convert(year, month + 1, 1) if month and month < 12 else convert(year + 1, 1, 1)
    return first, following - timedelta(days=1)
