"""Whether a reading is believed: words that may mean something else ("May", "2019", "Sunday Times") need company."""

from collections.abc import Callable
from functools import lru_cache

from index.dates.folding import is_word
from index.dates.grammar import Reading
from index.dates.lexer import Lexer
from index.dates.vocabulary import load_vocabulary

_LATEST_BARE_YEAR = 2100


def believable(reading: Reading, lexer: Lexer) -> bool:
    """Whether nothing speaks against a reading where it stands."""
    if _modified(reading) and any(
        piece.symbol == "u" and lexer.text[piece.start : piece.end] in lexer.vocabulary.plurals
        for piece in reading.pieces
    ):
        return False  # "in the last years"
    if not reading.has("y") and reading.rule not in ("offset", "period") and _narrative(reading.start, lexer):
        return False  # "every Tuesday"
    check = _CHECKS.get(reading.rule)
    return check is None or check(reading, lexer)


def _month(reading: Reading, lexer: Lexer) -> bool:
    """Not "March on", "August Wilson", "März-Park", nor the bare month of a language that we hardly know."""
    if _in_compound(reading.end, lexer):
        return False
    last = reading.pieces[-1]
    if len(reading.pieces) == 1 and last.symbol == "m":
        if not lexer.vocabulary.usual:
            return False
        if lexer.text[last.start : last.end] in lexer.vocabulary.ambiguous and not _introduced(
            reading.start, lexer, "monthintro"
        ):
            return False
    return reading.has("y") or last.symbol not in ("m", "mx") or not _begins_name(reading.end, lexer)


def _weekday(reading: Reading, lexer: Lexer) -> bool:
    """Not "Sunday Times", nor "Friday-night"."""
    if _in_compound(reading.end, lexer):
        return False
    if len(reading.pieces) > 1:
        return True
    return lexer.vocabulary.usual and not _begins_name(reading.end, lexer)


def _day_number(reading: Reading, lexer: Lexer) -> bool:
    """Not "1日2往復", twice a day, nor "2-3日"."""
    if lexer.text[max(0, reading.start - 1) : reading.start] == "-":
        return False
    return reading.pieces[-1].symbol != "daymark" or not lexer.text[reading.end : reading.end + 1].isdigit()


def _offset(reading: Reading, lexer: Lexer) -> bool:
    """Not "منذ سنة 1970", since the year 1970, nor "a year from" something."""
    if not lexer.vocabulary.usual and not (reading.has("uago") or reading.has("agobefore")):
        return False
    return not _followed(reading.end, lexer, "y") and not _followed(reading.end, lexer, "of")


def _quarter(reading: Reading, lexer: Lexer) -> bool:
    """Not "the second quarter of" a century."""
    stated = reading.has("y") or reading.has("p") or _modified(reading)
    return stated or not _followed(reading.end, lexer, "of")


def _year(reading: Reading, lexer: Lexer) -> bool:
    """Not four digits without a word such as "in" before them or "年" behind."""
    first = reading.pieces[0]
    if len(reading.pieces) > 1 or first.symbol != "y":
        return True
    return int(first.value) <= _LATEST_BARE_YEAR and _introduced(reading.start, lexer, "yearintro")


def _years(reading: Reading, lexer: Lexer) -> bool:
    """ "2019-2021" after "in", "between" or a bracket only."""
    if reading.pieces[0].symbol != "y" or reading.has("yearmark"):
        return True
    return lexer.text[max(0, reading.start - 1) : reading.start] == "(" or _introduced(
        reading.start, lexer, "yearintro"
    )


def _date(reading: Reading, lexer: Lexer) -> bool:
    """A year of two digits behind a month is read in Thai only ("15 ก.ค. 67")."""
    return not reading.has("yy") or "buddhist" in lexer.vocabulary.calendars


_CHECKS: dict[str, Callable[[Reading, Lexer], bool]] = {
    "date": _date,
    "month": _month,
    "weekday": _weekday,
    "daynumber": _day_number,
    "offset": _offset,
    "quarter": _quarter,
    "year": _year,
    "years": _years,
}


def _narrative(start: int, lexer: Lexer) -> bool:
    return _stands_before(lexer.vocabulary.narrative, start, lexer)


def _modified(reading: Reading) -> bool:
    return reading.has("b") or reading.has("a")


def _in_compound(end: int, lexer: Lexer) -> bool:
    """Whether a hyphen ties the word to one that is no date."""
    following = lexer.text[end : end + 2]
    return len(following) == 2 and following[0] == "-" and following[1].isalpha() and not lexer.at(end + 1)


def _followed(end: int, lexer: Lexer, symbol: str) -> bool:
    start = end + 1 if lexer.text[end : end + 1] == " " else end
    if start == end and not lexer.vocabulary.spaceless:
        return False
    return any(sense.symbol == symbol for _, senses in lexer.at(start) for sense in senses)


def _introduced(start: int, lexer: Lexer, symbol: str) -> bool:
    """Whether a word stands in front that makes a month or a year of what follows ("in", "sejak")."""
    return _stands_before(_forms(lexer.vocabulary.language, symbol), start, lexer)


def _stands_before(forms: tuple[str, ...], start: int, lexer: Lexer) -> bool:
    before = lexer.text[max(0, start - 40) : start]
    spaceless = lexer.vocabulary.spaceless
    if not before[-1:].isspace() and not spaceless:
        return False
    before = before.rstrip()
    return any(
        before.endswith(form) and (spaceless or len(before) == len(form) or not is_word(before[-len(form) - 1]))
        for form in forms
    )


@lru_cache(maxsize=512)
def _forms(language: str, symbol: str) -> tuple[str, ...]:
    senses = load_vocabulary(language).forms.items()
    return tuple(form for form, meanings in senses if any(sense.symbol == symbol for sense in meanings))


def _begins_name(end: int, lexer: Lexer) -> bool:
    """Whether a capitalised word follows at once, in a language that sets a comma where it is not a name (English)."""
    if not lexer.vocabulary.before_names or lexer.text[end : end + 1] != " ":
        return False
    first, _ = lexer.folded.span(end + 1, min(end + 2, len(lexer.text)))
    original = lexer.folded.original[first : first + 2]
    return len(original) == 2 and original[0].isupper() and original[1].islower()
