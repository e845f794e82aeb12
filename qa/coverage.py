"""What the articles cover, in words: for small talk, and for the empty page."""

from babel.lists import format_list

from index.index import Index
from qa.calendar_text import locale_of
from qa.language import name
from qa.localise import date_text


def coverage(index: Index, language: str, *, weekday: bool = True) -> dict[str, object]:
    """Values for the fixed sentence "about_reply": how many articles, in which languages, from when to when."""
    with index.snapshot() as snapshot:
        count, languages, period = snapshot.count("articles"), snapshot.languages(), snapshot.period()
    days = [date_text(day.isoformat(), language, weekday=weekday) for day in period] if period else ["–", "–"]
    return {
        "count": count,
        "languages": format_list([name(code, language) for code in languages], locale=locale_of(language)),
        "first": days[0],
        "last": days[1],
    }
