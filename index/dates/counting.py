"""Calendar arithmetic: weeks, months and weekdays counted from a day."""

from datetime import date, timedelta

from index.dates.tense import Tense

STEPS = {"next": 1, "coming": 1, "last": -1, "past": -1, "this": 0, "before_last": -2, "after_next": 2}
"""How many units a modifier goes."""


def iso_week(day: date) -> str:
    """ "2023-W45"."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def add_months(year: int, month: int, step: int) -> tuple[int, int]:
    """Year and month that are ``step`` months away."""
    count = year * 12 + month - 1 + step
    return count // 12, count % 12 + 1


def steps_in_words(unit: str, step: int) -> str:
    """ "last week", "2 weeks after"."""
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
        year, month = add_months(published.year, published.month, step)
        return date(year, month, 1).isoformat()[:7]
    if unit == "quarter":
        year, month = add_months(published.year, published.month, 3 * step)
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
    return in_week + timedelta(weeks=STEPS[modifier])


def season_span(season: int, year: int) -> str:
    """Months of a northern season (0 spring .. 3 winter, which begins in December of its year)."""
    first = 3 * (season + 1)
    end_year, end_month = add_months(year, first, 2)
    return f"{date(year, first, 1):%Y-%m}/{date(end_year, end_month, 1):%Y-%m}"
