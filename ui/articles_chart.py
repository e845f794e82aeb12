"""A picture of the collection: articles over time and by language, as SVG that is drawn here and asks for nothing."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from index.listing import Bar, Overview, Span, first_day
from qa.language import direction, name
from ui.articles_words import number, words
from ui.markup import local_date, text

_WIDTH, _HEIGHT = 640.0, 150.0
_HEAD, _FOOT = 24.0, 28.0
"""Room above and below the columns for what is written there, large enough on a phone too."""
_TOLD_APART = 5
"""Languages that have a colour of their own; the others share one."""
_LISTED = 12
"""Languages that are listed."""


def picture(overview: Overview, language: str) -> str:
    """The selection over time and by language; "" if there is nothing in it."""
    if not overview.articles:
        return ""
    shades = {code: place for place, code in enumerate(list(overview.languages)[:_TOLD_APART])}
    over_time = _over_time(overview, shades, language) if overview.bars else ""
    undated = words("undated", language, count=number(overview.undated, language)) if overview.undated else ""
    note = f'<p class="undated">{text(undated)}</p>' if undated else ""
    return f'<section class="picture">{over_time}{note}{_by_language(overview, shades, language)}</section>'


def _over_time(overview: Overview, shades: dict[str, int], language: str) -> str:
    heading = words(f"per_{overview.span}", language)
    days = _each_first_day(overview.bars[0].first, overview.bars[-1].first, overview.span)
    totals: Counter[date] = Counter()
    for bar in overview.bars:
        totals[bar.first] += bar.articles
    top = _round_up(max(totals.values()))
    best = max(totals, key=lambda day: totals[day])
    description = words(
        "picture_says",
        language,
        first=_day(days[0], overview.span, language),
        last=_day(days[-1], overview.span, language),
        day=_day(best, overview.span, language),
        count=number(totals[best], language),
    )
    flipped = direction(language) == "rtl"
    drawing = [
        _grid(top, top, language, flipped=flipped),
        _grid(top // 2, top, language, flipped=flipped) if top % 2 == 0 else "",
        *_columns(overview, days, totals, top, shades, language, flipped=flipped),
        f'<line class="axis" x1="0" x2="{_WIDTH:g}" y1="{_HEIGHT:g}" y2="{_HEIGHT:g}"></line>',
    ]
    for day, anchor, x in ((days[0], "start", 0.0), (days[-1], "end", _WIDTH)):
        if flipped:
            anchor, x = ("end" if anchor == "start" else "start"), _WIDTH - x  # noqa: PLW2901
        shown = text(_day(day, overview.span, language))
        drawing.append(f'<text x="{x:g}" y="{_HEIGHT + _FOOT - 7:g}" text-anchor="{anchor}">{shown}</text>')
        if days[0] == days[-1]:
            break
    rows = "".join(
        f"<tr><td>{text(_day(day, overview.span, language))}</td><td>{number(totals[day], language)}</td></tr>"
        for day in days
        if totals[day]
    )
    return (
        f'<figure class="over-time"><figcaption>{text(heading)}</figcaption>'
        # Text in a picture runs as the picture says, and its places are counted from the left.
        f'<svg viewBox="0 {-_HEAD:g} {_WIDTH:g} {_HEAD + _HEIGHT + _FOOT:g}" role="img" direction="ltr" '
        f'aria-labelledby="picture-title picture-text"><title id="picture-title">{text(heading)}</title>'
        f'<desc id="picture-text">{text(description)}</desc>{"".join(drawing)}</svg>'
        f'<details class="figures"><summary>{text(words("as_table", language))}</summary>'
        f'<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">{text(words("date", language))}</th>'
        f'<th scope="col">{text(words("articles", language))}</th></tr></thead><tbody>{rows}</tbody></table></div>'
        "</details></figure>"
    )


def _columns(
    overview: Overview,
    days: Sequence[date],
    totals: Counter[date],
    top: float,
    shades: dict[str, int],
    language: str,
    *,
    flipped: bool,
) -> list[str]:
    """A column for each span of time, the languages on top of each other, most articles lowest."""
    width = _WIDTH / len(days)
    gap = min(2.0, width * 0.2)
    by_day: dict[date, list[Bar]] = {}
    for bar in overview.bars:
        by_day.setdefault(bar.first, []).append(bar)
    drawn = []
    for place, day in enumerate(days):
        x = place * width if not flipped else _WIDTH - (place + 1) * width
        heights: Counter[int] = Counter()
        for bar in by_day.get(day, ()):
            heights[shades.get(bar.language, _TOLD_APART)] += bar.articles
        below = 0
        parts = []
        for shade, articles in sorted(heights.items()):
            y, bottom = _scaled(below + articles, top), _scaled(below, top)
            parts.append(
                f'<rect class="shade-{shade}" x="{x + gap / 2:.2f}" y="{y:.2f}" width="{max(1, width - gap):.2f}" '
                f'height="{bottom - y:.2f}"></rect>'
            )
            below += articles
        if parts:
            said = f"{_day(day, overview.span, language)}: {number(totals[day], language)}"
            drawn.append(f"<g><title>{text(said)}</title>{''.join(parts)}</g>")
    return drawn


def _grid(value: float, top: float, language: str, *, flipped: bool) -> str:
    y = _scaled(value, top)
    anchor, x = ("end", _WIDTH) if flipped else ("start", 0.0)
    return (
        f'<line class="grid" x1="0" x2="{_WIDTH:g}" y1="{y:.1f}" y2="{y:.1f}"></line>'
        f'<text x="{x:g}" y="{y - 3:.1f}" text-anchor="{anchor}">{number(value, language)}</text>'
    )


def _by_language(overview: Overview, shades: dict[str, int], language: str) -> str:
    counted = list(overview.languages.items())
    shown = [(name(code, language), shades.get(code, _TOLD_APART), articles) for code, articles in counted[:_LISTED]]
    if others := sum(articles for _, articles in counted[_LISTED:]):
        shown.append((words("others", language), _TOLD_APART, others))
    most = max(articles for _, _, articles in shown)
    rows = "".join(
        f'<tr><th scope="row">{text(called)}</th>'
        f'<td class="bar" aria-hidden="true"><span class="shade-{shade}" '
        f'style="inline-size: {max(0.5, 100 * articles / most):.1f}%"></span></td>'
        f"<td>{number(articles, language)}</td></tr>"
        for called, shade, articles in shown
    )
    heading = text(words("by_language", language))
    return f'<table class="by-language"><caption>{heading}</caption><tbody>{rows}</tbody></table>'


def _scaled(value: float, top: float) -> float:
    return _HEIGHT * (1 - value / top)


def _round_up(value: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 ..."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if step * scale >= value:
                return step * scale
        scale *= 10


def _each_first_day(first: date, last: date, span: Span) -> list[date]:
    days = [first]
    while days[-1] < last:
        days.append(first_day(days[-1] + timedelta(_LENGTHS[span]), span))
    return days


# A day more than the shortest of them, from its first day on, is in the next one.
_LENGTHS: dict[Span, int] = {"day": 1, "week": 7, "month": 31, "year": 366}


def _day(day: date, span: Span, language: str) -> str:
    value = {"day": 10, "week": 10, "month": 7, "year": 4}[span]
    return local_date(day.isoformat()[:value], language)
