"""The pages to sign in and out at: plain HTML in the look of the chat page, without scripts."""

import json
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

from qa.language import direction

_WORDS = Path(__file__).parent / "data" / "sign_in.json"
_STYLE = """
:root { color-scheme: light dark; --paper: #faf7f1; --sheet: #fff; --ink: #1c1a17; --edge: #8b8476; --accent: #8c1d18;
  --accent-ink: #fff; }
@media (prefers-color-scheme: dark) { :root { --paper: #141416; --sheet: #1d1d20; --ink: #ece8e0; --edge: #7d786e;
  --accent: #f0a08f; --accent-ink: #1a1210; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 1rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
main { width: min(22rem, 100%); }
h1 { font: 700 2.2rem/1.2 "Iowan Old Style", Palatino, "Noto Serif", Georgia, serif; margin: 0 0 1.5rem; }
label { display: block; margin: 1rem 0 .25rem; }
input, button { width: 100%; font: inherit; color: inherit; padding: .6rem .75rem; border: 1px solid var(--edge);
  border-radius: .4rem; background: var(--sheet); }
button { margin-top: 1.5rem; border-color: var(--accent); background: var(--accent); color: var(--accent-ink);
  cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[role=alert] { border-inline-start: 3px solid var(--accent); padding-inline-start: .75rem; margin: 0; }
"""


def page(language: str, form: str, back: str, problem: str = "", seconds: float = 0) -> str:
    """The page to sign in at; ``form`` is what its form has to send back, ``back`` the path to go on to.

    ``problem``: "wrong" (name or password), "slow" (too many tries; wait so many ``seconds``), "again" (the form is
    too old), or "".
    """
    words = _words(language)
    alert = f'<p role="alert">{escape(words[problem].format(seconds=round(seconds)))}</p>' if problem else ""
    fields = (
        f'{alert}<form method="post" action="/login">'
        f'<input type="hidden" name="form" value="{escape(form)}"><input type="hidden" name="next" '
        f'value="{escape(back)}"><label for="name">{escape(words["name"])}</label>'
        '<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required '
        f'autofocus maxlength="64"><label for="password">{escape(words["password"])}</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required '
        f'maxlength="1000"><button>{escape(words["sign_in"])}</button></form>'
    )
    return _document(language, words["sign_in"], fields)


def sign_out_page(language: str, name: str) -> str:
    """The page to sign out at."""
    words = _words(language)
    fields = (
        f'<p>{escape(words["signed_in"].format(name=name))}</p><form method="post" action="/logout">'
        f"<button autofocus>{escape(words['sign_out'])}</button></form>"
    )
    return _document(language, words["sign_out"], fields)


def sign_out_link(language: str) -> str:
    """For the other pages: where to sign out."""
    return f'<a class="sign-out" href="/logout">{escape(_words(language)["sign_out"])}</a>'


def _document(language: str, title: str, fields: str) -> str:
    return (
        f'<!doctype html><html lang="{language}" dir="{direction(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" '
        f'content="same-origin"><title>{escape(title)} – kabar</title><style>{_STYLE}</style></head>'
        f'<body><main><h1 lang="id">kabar</h1>{fields}</main></body></html>'
    )


def _words(language: str) -> Mapping[str, str]:
    table = _table()
    return table.get(language, table["en"])


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(_WORDS.read_text(encoding="utf-8"))
    return table
