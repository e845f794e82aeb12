"""Conversations as HTML: the list in the drawer, and the page that a shared link shows."""

from collections.abc import Sequence

from qa.language import direction
from ui.chrome import panel
from ui.history import Kept, Summary
from ui.markup import local_date, text
from ui.theme import script, style
from ui.turn_view import turn_view
from ui.words import word


def conversations(found: Sequence[Summary], language: str, *, current: str = "", searched: bool = False) -> str:
    """The list, the ``current`` conversation marked; each with what can be done with it, folded away."""
    if not found:
        return f'<p class="none">{text(word("none_found" if searched else "none_yet", language))}</p>'
    items = "".join(_item(one, language, current=one.id == current) for one in found)
    everything = (
        f'<details class="all"><summary>{text(word("delete_all", language))}</summary>'
        f'<button type="button" data-history="delete-all">{text(word("delete_sure", language))}</button></details>'
    )
    return f'<ul class="conversations">{items}</ul>{"" if searched else everything}'


def shared(kept: Kept, language: str) -> str:
    """A whole page with a conversation, read only: nothing can be asked, citations open as everywhere."""
    turns = "".join(turn_view(turn, language, acts=False) for turn in kept.turns)
    return (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<meta name="referrer" content="no-referrer"><title>{text(kept.summary.title)} – kabar</title>'
        f'<style>{style()}</style></head><body class="with-turns shared"><div id="kabar" class="gradio-container">'
        f'<header class="masthead"><p class="name" lang="id">kabar</p></header><main id="desk">'
        f'<h1 class="shared-title" dir="auto">{text(kept.summary.title)}</h1>'
        f'<p class="rubric">{text(word("read_only", language))}</p>{turns}</main>{panel(language)}</div>'
        f"<script>{script('panel', 'dark')}</script></body></html>"
    )


def _item(one: Summary, language: str, *, current: bool) -> str:
    mark = ' aria-current="page"' if current else ""
    more = text(word("more", language, title=one.title))
    return (
        f'<li data-conversation="{text(one.id)}">'
        f'<a href="?conversation={text(one.id)}" data-open="{text(one.id)}"{mark} dir="auto">{text(one.title)}</a>'
        f'<time datetime="{text(one.changed)}">'
        f"{text(local_date(one.changed[:10], language))}</time>"
        f'<details class="menu"><summary aria-label="{more}" title="{more}">⋯</summary>'
        f"{_menu(one, language)}</details></li>"
    )


def _menu(one: Summary, language: str) -> str:
    named = text(word("title", language))
    link = f"shared/{one.share}" if one.share else ""
    sharing = (
        f"<label><span>{text(word('shared_link', language))}</span>"
        f'<input type="text" class="link" data-link="{text(link)}" value="/{text(link)}" readonly></label>'
        f'<button type="button" data-history="unshare">{text(word("unshare", language))}</button>'
        if link
        else f'<button type="button" data-history="share">{text(word("share", language))}</button>'
    )
    files = "".join(
        f'<a href="page/history/{text(one.id)}.{form}" download>{text(word(key, language))}</a>'
        for form, key in (("md", "export_markdown"), ("json", "export_json"))
    )
    return (
        f'<form class="rename"><input type="text" name="title" maxlength="120" aria-label="{named}" '
        f'value="{text(one.title)}" dir="auto"><button type="submit">{text(word("rename", language))}</button></form>'
        f'{sharing}{files}<details class="delete"><summary>{text(word("delete", language))}</summary>'
        f'<button type="button" data-history="delete">{text(word("delete_sure", language))}</button></details>'
    )
