"""The Articles page as HTML: what is indexed, one page of it at a time, and one article."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from index.article import Article
from index.listing import Overview, Selection
from index.rows import Summary
from qa.language import direction, name, sentence
from ui.articles_chart import picture
from ui.articles_words import number, words
from ui.markup import attributes, local_date, safe_link, text
from ui.sign_in import sign_out_link

PER_PAGE = 50
_GUESSES = ("dateline", "file")
"""Ways of knowing a date of publication that may be wrong."""
_LONGEST_TEXT = 200_000
"""Characters of an article that are shown."""


@dataclass(frozen=True)
class Found:
    """What is to be shown: a page of a selection, numbered from 1, and what there is to choose from."""

    chosen: Selection
    overview: Overview
    page: int
    rows: Sequence[Summary]
    languages: Sequence[str]
    sources: Sequence[str]
    generation: int

    @property
    def pages(self) -> int:
        """How many pages the selection has, at least one."""
        return max(1, -(-self.overview.articles // PER_PAGE))


def document(title: str, body: str, language: str, *, head: str, signed_in: bool = False) -> str:
    """A whole page; ``head`` is markup; those who are ``signed_in`` find the way out."""
    return (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{text(title)} – kabar</title>{head}</head><body>"
        # Before anything is drawn, so that a dark page never flashes light.
        '<script>const dark = matchMedia("(prefers-color-scheme: dark)"); const dim = () => '
        'document.body.classList.toggle("dark", dark.matches); dim(); dark.addEventListener("change", dim);</script>'
        f'<div class="gradio-container articles-page">{_masthead(language, signed_in=signed_in)}'
        f'<main id="collection-page">{body}</main>'
        f'<div id="panel" role="dialog" aria-labelledby="panel-title" hidden><div class="panel-bar">'
        f'<button type="button" class="panel-close" aria-label="{text(sentence("close", language))}">&#10005;</button>'
        '</div><div class="panel-body"></div></div></div></body></html>'
    )


def _masthead(language: str, *, signed_in: bool) -> str:
    way_out = sign_out_link(language) if signed_in else ""
    return (
        '<header class="masthead"><p class="name" lang="id"><a href="/">kabar</a></p>'
        f'<nav><a href="/">{text(words("back", language))}</a>{way_out}</nav></header>'
    )


def collection(found: Found, language: str, *, editable: bool) -> str:
    """The picture, the filters and the table."""
    return (
        f'<div id="collection" data-generation="{found.generation}">'
        f"{picture(found.overview, language)}{_filters(found, language)}"
        f"{_table(found, language, editable=editable)}{_turning(found, language)}</div>"
    )


def address(chosen: Selection, page: int = 1) -> str:
    """The page's own address for a selection."""
    fields = {
        "search": chosen.search,
        "language": chosen.language,
        "source": chosen.source,
        "after": chosen.after,
        "before": chosen.before,
        "page": page if page > 1 else None,
    }
    query = urlencode({field: str(value) for field, value in fields.items() if value}, errors="replace")
    return f"/articles?{query}" if query else "/articles"


def _filters(found: Found, language: str) -> str:
    chosen = found.chosen

    def select(field: str, label: str, every: str, options: Sequence[tuple[str, str]], now: str | None) -> str:
        known = [value for value, _ in options]
        more = [(now, now)] if now is not None and now not in known else []
        listed = "".join(
            f'<option value="{text(value)}"{" selected" if value == now else ""}>{text(shown)}</option>'
            for value, shown in (*more, *options)
        )
        return (
            f'<label>{text(label)}<select name="{field}"><option value="">{text(every)}</option>{listed}</select>'
            "</label>"
        )

    def day(field: str, label: str, now: object) -> str:
        return f'<label>{text(label)}<input type="date" name="{field}" value="{now or ""}"></label>'

    languages = [(code, name(code, language)) for code in found.languages]
    clear = f'<a href="/articles">{text(words("clear", language))}</a>' if chosen != Selection() else ""
    return (
        f'<form class="choices" method="get" action="/articles" role="search">'
        f'<label class="wide">{text(words("search", language))}'
        f'<input type="search" name="search" value="{text(chosen.search)}" dir="auto" maxlength="500"></label>'
        f"{select('language', sentence('language', language), words('all', language), languages, chosen.language)}"
        f"{select('source', sentence('source', language), words('all', language), _same(found.sources), chosen.source)}"
        f"{day('after', words('after', language), chosen.after)}"
        f"{day('before', words('before', language), chosen.before)}"
        f'<span class="line"><button type="submit">{text(words("show", language))}</button>{clear}</span></form>'
    )


def _same(options: Sequence[str]) -> list[tuple[str, str]]:
    return [(option, option) for option in options]


def _table(found: Found, language: str, *, editable: bool) -> str:
    count = f"{words('articles', language)}: {number(found.overview.articles, language)}"
    if not found.rows:
        nothing = words("none_fits", language) if found.chosen != Selection() else sentence("no_index", language)
        return f'<p class="nothing" role="status">{text(nothing)}</p>'
    headings = {
        "title": words("title", language),
        "source": sentence("source", language),
        "language": sentence("language", language),
        "date": words("date", language),
        "passages": words("passages", language),
    }
    head = "".join(f'<th scope="col" class="{field}">{text(shown)}</th>' for field, shown in headings.items())
    rows = "".join(_row(row, headings, language, editable=editable) for row in found.rows)
    if editable:
        every = text(words("select_all", language))
        head = f'<th class="pick"><input type="checkbox" data-all hidden aria-label="{every}"></th>{head}'
    table = (
        f'<table class="listing"><caption>{text(count)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    if not editable:
        return table
    return (
        f'<form method="post" action="/articles/remove">{table}<p class="line">'
        f'<button type="submit" class="quiet">{text(words("remove_selected", language))}</button></p></form>'
    )


def _row(row: Summary, headings: dict[str, str], language: str, *, editable: bool) -> str:
    shown = f"<bdi {attributes(row.language)}>{text(row.title)}</bdi>"
    link = f"/articles/show?{urlencode({'id': row.id}, errors='replace')}"
    date = _date(row.published, row.published_from, language)
    cells = {
        "title": f'<a href="{text(link)}" data-article>{shown}</a>',
        "source": f'<bdi dir="auto">{text(row.source or "")}</bdi>',
        "language": text(name(row.language, language)),
        "date": date,
        "passages": number(row.passages, language),
    }
    filled = "".join(
        f'<td class="{field}" data-label="{text(headings[field])}">{cell}</td>' for field, cell in cells.items()
    )
    if editable:
        label = text(words("select_one", language, title=row.title))
        filled = (
            f'<td class="pick"><input type="checkbox" name="id" value="{text(row.id)}" aria-label="{label}"></td>'
            f"{filled}"
        )
    return f"<tr>{filled}</tr>"


def _date(published: object, known_from: str, language: str) -> str:
    if not published:
        return ""
    day = str(published)
    guess = f' <em class="guess">{text(words("inferred", language))}</em>' if known_from in _GUESSES else ""
    return f'<time datetime="{text(day)}">{text(local_date(day, language))}</time>{guess}'


def _turning(found: Found, language: str) -> str:
    if found.pages == 1:
        return ""
    said = words("page", language, page=number(found.page, language), pages=number(found.pages, language))
    before = address(found.chosen, found.page - 1)
    after = address(found.chosen, found.page + 1)
    parts = [
        f'<a rel="prev" href="{text(before)}">{text(words("previous", language))}</a>' if found.page > 1 else "",
        f"<span>{text(said)}</span>",
        f'<a rel="next" href="{text(after)}">{text(words("next", language))}</a>' if found.page < found.pages else "",
    ]
    return f'<nav class="turning" aria-label="{text(words("articles", language))}">{"".join(parts)}</nav>'


def article(found: Article, places: Sequence[str], language: str) -> str:
    """One article: what is known about it, where it is from, and its text."""
    items = [f'<bdi dir="auto">{text(found.source)}</bdi>'] if found.source else []
    if found.published:
        items.append(f"<span>{_date(found.published.isoformat(), found.published_from, language)}</span>")
    items.append(f"<span>{text(name(found.language, language))}</span>")
    link = safe_link(found.url)
    opened = (
        f'<p class="link"><a href="{text(link)}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{text(sentence('open_article', language))}</a></p>"
        if link
        else ""
    )
    listed = "".join(f'<li><bdi dir="ltr">{text(place)}</bdi></li>' for place in places)
    where = f'<h3>{text(words("found_at", language))}</h3><ul class="places">{listed}</ul>' if places else ""
    shown = found.text[:_LONGEST_TEXT]
    rest = f"<p>{text(words('beginning', language))}</p>" if len(found.text) > _LONGEST_TEXT else ""
    return (
        f'<article class="evidence" {attributes(language)}>'
        f'<h2 class="title" id="panel-title" {attributes(found.language)}>{text(found.title)}</h2>'
        f'<p class="byline">{"".join(items)}</p>'
        f'<div class="passage" {attributes(found.language)}>{text(shown.strip())}</div>{rest}{opened}{where}</article>'
    )
