"""The timeline as a picture, and the same in words.

The picture is for those who point at things; the list below it holds every date, in order, for all others.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from index.passage_dates import days_of
from qa.language import direction
from qa.localise import date_text
from ui.around import Happening
from ui.markup import attributes, local_date, text
from ui.turn import Turn
from ui.words import word

_WIDTH, _MARGIN, _RADIUS = 640, 24, 7
_STEP = 17
"""Between points that stand above each other because their days are too near."""
_LABEL = 190
"""Room that a date below the line needs."""


def timeline(turn: Turn, language: str) -> str:
    """The happenings around a turn's answer; nothing if there are none."""
    found = turn.around.happenings
    if not found or turn.answer is None:
        return ""
    spoken = turn.answer.language
    keys = [f"evidence-{turn.number}-t{number}" for number in range(len(found))]
    rows = "".join(_row(one, key, spoken, language) for one, key in zip(found, keys, strict=True))
    return (
        f'<div class="timeline" {attributes(language)}><h3 class="rubric">{text(word("timeline", language))}</h3>'
        f'{_picture(found, keys, language)}<ol class="days">{rows}</ol></div>'
    )


def positions(days: Sequence[date], *, rightwards: bool) -> list[float]:
    """Where each day stands on the line, in its own units; the line runs to the left where writing does."""
    first, last = min(days), max(days)
    length = max((last - first).days, 1)
    places = [_MARGIN + (day - first).days * (_WIDTH - 2 * _MARGIN) / length for day in days]
    return places if rightwards else [_WIDTH - place for place in places]


def levels(places: Sequence[float]) -> list[int]:
    """How far up each point stands, so that none hides another: 0 is on the line."""
    found: list[int] = []
    for number, place in enumerate(places):
        taken = {found[other] for other in range(number) if abs(places[other] - place) < 2 * _RADIUS + 2}
        found.append(next(level for level in range(number + 1) if level not in taken))
    return found


def _picture(found: Sequence[Happening], keys: Sequence[str], language: str) -> str:
    rightwards = direction(language) == "ltr"
    places = positions([_middle(one) for one in found], rightwards=rightwards)
    heights = levels(places)
    line = _STEP * (max(heights) + 1) + _RADIUS
    points = "".join(
        f'<circle data-evidence="{key}" class="{"point answers" if one.answers else "point"}" cx="{place:.1f}" '
        f'cy="{line - height * _STEP}" r="{_RADIUS}"><title>{text(_date(one, language))}</title></circle>'
        for one, key, place, height in zip(found, keys, places, heights, strict=True)
    )
    labels = "".join(
        f'<text {_anchored(place, rightwards=rightwards)} y="{line + 26}" direction="{direction(language)}">'
        f"{text(local_date(one.value, language))}</text>"
        for one, place in _labelled(found, places)
    )
    return (
        f'<svg class="line" viewBox="0 0 {_WIDTH} {line + 34}" aria-hidden="true">'
        f'<line x1="0" x2="{_WIDTH}" y1="{line}" y2="{line}"/>{points}{labels}</svg>'
    )


def _labelled(found: Sequence[Happening], places: Sequence[float]) -> list[tuple[Happening, float]]:
    """Those whose day is written below the line: the answer, the first and the last, others if there is room."""
    order = sorted(range(len(found)), key=lambda number: (not found[number].answers, number not in (0, len(found) - 1)))
    chosen: list[tuple[Happening, float]] = []
    for number in order:
        if all(abs(_inside(places[number]) - _inside(place)) >= _LABEL for _, place in chosen):
            chosen.append((found[number], places[number]))
    return chosen


def _anchored(place: float, *, rightwards: bool) -> str:
    """Where a label stands: below its point, or beginning or ending there where it would stick out otherwise."""
    if _inside(place) == place:
        return f'x="{place:.1f}" text-anchor="middle"'
    at_left = _inside(place) > place
    edge = place - _RADIUS if at_left else place + _RADIUS
    return f'x="{edge:.1f}" text-anchor="{"start" if at_left == rightwards else "end"}"'


def _inside(place: float) -> float:
    """The middle of a label that would otherwise stick out."""
    return min(max(place, _LABEL / 2), _WIDTH - _LABEL / 2)


def _middle(one: Happening) -> date:
    days = days_of(one.value)
    if days is None:
        raise ValueError(one.value)
    return days.first + timedelta(days=(days.length - 1) // 2)


def _date(one: Happening, language: str) -> str:
    try:
        return date_text(one.value, language)
    except ValueError:
        return one.value


def _row(one: Happening, key: str, spoken: str, language: str) -> str:
    mark = f' <em class="guess">{text(word("the_answer", language))}</em>' if one.answers else ""
    return (
        f'<li><button type="button" class="day" data-evidence="{key}" aria-haspopup="dialog">'
        f'<time datetime="{text(one.value)}">{text(_date(one, language))}</time>{mark}'
        f"<span {attributes(one.language)}>{text(one.quote)}</span></button>"
        f'<div id="{key}" class="evidence" {attributes(spoken)} data-article="{text(one.article_id)}" '
        f'data-start="{one.start}" data-end="{one.end}" hidden><h3 class="title" {attributes(one.language)}>'
        f'{text(one.title)}</h3><div class="passage" {attributes(one.language)}><mark>{text(one.quote)}</mark></div>'
        f"</div></li>"
    )
