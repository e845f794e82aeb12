"""The meaning of a reading, by the rule of the grammar that made it."""

from collections.abc import Callable

from index.dates import days, periods
from index.dates.grammar import Reading
from index.dates.meaning import ImpossibleDateError, Meaning, Setting

_RULES: dict[str, Callable[[Reading, Setting], Meaning | None]] = {
    "date": days.day_and_month_date,
    "daynumber": days.day_of_month,
    "dayword": days.day_word,
    "weekday": days.weekday,
    "days": days.span_of_days,
    "period": periods.whole_period,
    "month": periods.month,
    "offset": periods.offset,
    "quarter": periods.quarter,
    "season": periods.season,
    "decade": periods.decade,
    "year": periods.year,
    "years": periods.span_of_years,
}


def meaning(reading: Reading, setting: Setting) -> Meaning | None:
    """What a reading means, or None if it cannot be told; raises ImpossibleDateError for 31 February."""
    try:
        return _RULES[reading.rule](reading, setting)
    except (ValueError, OverflowError):
        raise ImpossibleDateError from None
