"""What stands around the answers: masthead, empty page, filters, drawer, side panel, state; all in one language."""

from collections.abc import Mapping, Sequence
from html import escape

from babel.numbers import format_decimal

from index.errors import KabarError
from qa.answer import Step
from qa.language import direction, name, sentence
from ui.articles_words import words
from ui.loader import Loader
from ui.markup import attributes, text
from ui.sign_in import sign_out_link
from ui.words import languages, word


def step(event: Step, language: str) -> str:
    """What a step does, in words: "Looking in 1,204 passages"."""
    count = format_decimal(event.count, locale=language)
    if event.name == "read" and event.count:
        return word("step_read", language, count=count)
    return sentence(f"step_{event.name}", language, count=count)


def place(number: int, language: str) -> str:
    """How many are answered before."""
    return word("place", language, place=format_decimal(number, locale=language))


def masthead(language: str, *, keeps: bool = False, signed_in: bool = False) -> str:
    """The name of the page, its languages, and the buttons that open the drawer and begin again.

    There is a drawer if the server ``keeps`` conversations, and a way out for those who are ``signed_in``.
    """
    options = "".join(
        f'<option value="{code}" lang="{code}"{" selected" if code == language else ""}>{word("name", code)}</option>'
        for code in languages()
    )
    drawn = (
        f'<button type="button" class="open-drawer" aria-haspopup="dialog">{text(word("conversations", language))}'
        "</button>"
        if keeps
        else ""
    )
    return (
        f'<header class="masthead" {attributes(language)} data-interface="{language}" '
        f'data-direction="{direction(language)}"><h1 class="name" lang="id">kabar</h1><nav>'
        f'<button type="button" class="restart" data-open="">{text(sentence("new_conversation", language))}</button>'
        f'{drawn}<a href="/articles">{text(words("articles", language))}</a>'
        f"{sign_out_link(language) if signed_in else ''}"
        f'<select class="languages" aria-label="{text(word("page_language", language))}">{options}</select>'
        "</nav></header>"
    )


def opening(language: str, examples: Sequence[tuple[str, str]], about: str = "") -> str:
    """The empty page: what this is, what it knows about, and questions to begin with, those in ``language`` first."""
    parts = [f"<h2>{escape(sentence('welcome', language))}</h2>"]
    parts.append(f'<p class="about">{escape(about or sentence("welcome_more", language))}</p>')
    if examples:
        buttons = "".join(
            f'<li><button type="button" class="example" data-act="ask" data-value="{text(asked)}" '
            f"{attributes(code)}>{text(asked)}</button></li>"
            for asked, code in sorted(examples, key=lambda example: example[1] != language)
        )
        parts.append(f'<p class="rubric">{escape(sentence("try", language))}</p>')
        parts.append(f'<ul class="examples">{buttons}</ul>')
    return f'<div class="opening" {attributes(language)}>{"".join(parts)}</div>'


def filters(language: str, sources: Sequence[str] = (), spoken: Sequence[str] = ()) -> str:
    """The row that chooses articles, folded away; ``spoken`` are the languages of the articles."""
    fields = "".join(
        [
            f'<label class="tick"><input type="checkbox" name="last_week"> {text(word("last_week", language))}</label>',
            _field("after", '<input type="date" name="after">', language),
            _field("before", '<input type="date" name="before">', language),
            _choice("source", "source", {source: source for source in sources}, language),
            _choice("language", "article_language", {code: name(code, language) for code in spoken}, language),
            f'<button type="reset" class="clear">{text(word("clear", language))}</button>',
        ]
    )
    return (
        f'<details class="filters" {attributes(language)}><summary>{text(word("filters", language))}'
        f'<span class="active"></span></summary><form aria-label="{text(word("which_articles", language))}">'
        f"{fields}</form></details>"
    )


def _field(key: str, control: str, language: str) -> str:
    return f"<label><span>{text(word(key, language))}</span>{control}</label>"


def _choice(field: str, key: str, values: Mapping[str, str], language: str) -> str:
    if len(values) < 2:
        return ""
    options = "".join(f'<option value="{text(value)}">{text(shown)}</option>' for value, shown in values.items())
    every = text(word("any", language))
    return _field(key, f'<select name="{field}"><option value="">{every}</option>{options}</select>', language)


def drawer(language: str) -> str:
    """The side drawer with the conversations, closed and empty; the page's script fills it."""
    close, searched = text(sentence("close", language)), text(word("search", language))
    title = text(word("conversations", language))
    return (
        f'<div id="drawer" role="dialog" aria-labelledby="drawer-title" {attributes(language)} hidden>'
        f'<div class="panel-bar"><h2 id="drawer-title">{title}</h2><button type="button" class="drawer-close" '
        f'aria-label="{close}" title="{close}">&#10005;</button></div>'
        f'<input type="search" class="search" aria-label="{searched}" placeholder="{searched}">'
        '<div class="drawer-body" aria-live="polite"></div></div>'
    )


def panel(language: str) -> str:
    """The side panel, closed and empty; the page's script fills it."""
    close = escape(sentence("close", language))
    return (
        '<div id="panel" role="dialog" aria-labelledby="panel-title" '
        f'dir="{direction(language)}" hidden><div class="panel-bar"><button type="button" class="panel-close" '
        f'aria-label="{close}" title="{close}">&#10005;</button></div><div class="panel-body" tabindex="0"></div></div>'
    )


def gone(language: str) -> str:
    """That there is no such conversation."""
    return f'<p class="error" role="alert" {attributes(language)}>{text(word("gone", language))}</p>'


def state(loader: Loader, language: str) -> str:
    """Whether questions can be answered yet."""
    about = f'role="status" {attributes(language)}'
    if loader.loading:
        return f'<p class="state loading" {about}>{escape(sentence("loading", language))}</p>'
    if loader.error is None:
        return f'<p class="state" {about}></p>'
    shown = str(loader.error) if isinstance(loader.error, KabarError) else sentence("loading_failed", language)
    return f'<p class="state failed" {about}>{escape(shown)}</p>'
