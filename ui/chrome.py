"""What stands around the answers: masthead, empty page, side panel, state; in the reader's own language."""

from collections.abc import Sequence
from html import escape

from index.errors import KabarError
from qa.answer import Step
from qa.language import direction, sentence, sentence_languages
from ui.loader import Loader


def language(accepted: str) -> str:
    """The best of the page's languages for a browser's Accept-Language header.

    >>> language("ko-KR,ko;q=0.9,en;q=0.8"), language("id;q=0.3, ar;q=0.7"), language("")
    ('ko', 'ar', 'en')
    """
    best, best_weight = sentence_languages()[0], 0.0
    for part in accepted.split(","):
        tag, _, parameter = part.partition(";")
        code = tag.strip().lower().split("-")[0]
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if code in sentence_languages() and weight > best_weight:
            best, best_weight = code, weight
    return best


def step(event: Step, language: str) -> str:
    """What a step does, in words: "Looking in 36 passages"."""
    return sentence(f"step_{event.name}", language, count=event.count)


def masthead(language: str) -> str:
    """The name of the page, and the button that begins again."""
    restart = escape(sentence("new_conversation", language))
    return (
        f'<header class="masthead" lang="{language}" dir="{direction(language)}" data-interface="{language}" '
        f'data-direction="{direction(language)}"><h1 class="name" lang="id">kabar</h1>'
        f'<button type="button" class="restart" data-restart="">{restart}</button></header>'
    )


def opening(language: str, examples: Sequence[tuple[str, str]], about: str = "") -> str:
    """The empty page: what this is, what it knows about, and questions to begin with."""
    parts = [f"<h2>{escape(sentence('welcome', language))}</h2>"]
    parts.append(f'<p class="about">{escape(about or sentence("welcome_more", language))}</p>')
    if examples:
        buttons = "".join(
            f'<li><button type="button" class="example" data-example="{escape(asked)}" lang="{escape(code)}" '
            f'dir="{direction(code)}">{escape(asked)}</button></li>'
            for asked, code in examples
        )
        parts.append(f'<p class="rubric">{escape(sentence("try", language))}</p>')
        parts.append(f'<ul class="examples">{buttons}</ul>')
    return f'<div class="opening" lang="{language}" dir="{direction(language)}">{"".join(parts)}</div>'


def panel(language: str) -> str:
    """The side panel, closed and empty; the page's script fills it."""
    close = escape(sentence("close", language))
    return (
        '<div id="panel" role="dialog" aria-labelledby="panel-title" '
        f'dir="{direction(language)}" hidden><div class="panel-bar"><button type="button" class="panel-close" '
        f'aria-label="{close}" title="{close}">&#10005;</button></div><div class="panel-body"></div></div>'
    )


def state(loader: Loader, language: str) -> str:
    """Whether questions can be answered yet."""
    attributes = f'role="status" lang="{language}" dir="{direction(language)}"'
    if loader.loading:
        return f'<p class="state loading" {attributes}>{escape(sentence("loading", language))}</p>'
    if loader.error is None:
        return f'<p class="state" {attributes}></p>'
    shown = str(loader.error) if isinstance(loader.error, KabarError) else sentence("loading_failed", language)
    return f'<p class="state failed" {attributes}>{escape(shown)}</p>'
