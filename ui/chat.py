"""The chat page: what is on it, and which events it has. What they do is in ``ui.desk``."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from index.errors import KabarError
from qa.language import sentence
from ui import chrome
from ui.conversation import Conversation
from ui.desk import Desk
from ui.filters import Context
from ui.history import History
from ui.loader import Loader
from ui.visitor import Visitor, visitor

if TYPE_CHECKING:
    import gradio

_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # else every start is reported to Gradio's makers
    # Statistics for a page that is shut here; Gradio would work them out with pandas after every event.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
}
_BRIDGE = (
    "document.addEventListener('kabar-act', (event) => trigger('act', event.detail));"
    "document.addEventListener('kabar-open', (event) => trigger('open', event.detail));"
)
"""What the page's script tells the server."""
_WITH_CONTEXT = "(asked, talk) => [asked, talk, window.kabar.context()]"
_WITH_ADDRESS = "() => [JSON.stringify({conversation: new URLSearchParams(location.search).get('conversation') ?? ''})]"


def build(  # noqa: PLR0915 -- the page's parts and its events, one after the other
    loader: Loader,
    *,
    about: Callable[[str], str] | None = None,
    examples: Sequence[tuple[str, str]] = (),
    history: History | None = None,
) -> "gradio.Blocks":
    """The page as Gradio Blocks.

    ``about`` says in a language what the articles cover; it is asked once the assistant is there. ``examples`` are
    (question, language) pairs offered on the empty page. Conversations are kept in ``history``.
    """
    os.environ.update(_QUIET)  # before the import: some of it is read then
    import gradio
    from gradio.events import api

    desk, keeps = Desk(loader, history), history is not None
    page: gradio.Blocks
    with gradio.Blocks(title="kabar", analytics_enabled=False, fill_width=True) as page:
        talk = gradio.State(Conversation())
        context = gradio.Textbox(visible=False)
        bridge = gradio.HTML(elem_id="bridge", js_on_load=_BRIDGE)
        plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
        masthead = gradio.HTML(chrome.masthead("en", keeps=keeps), elem_id="masthead", **plain)
        with gradio.Column(elem_id="desk"):
            opening = gradio.HTML(elem_id="opening", **plain)
            past = gradio.HTML(elem_id="past", **plain)
            current = gradio.HTML(elem_id="current", **plain)
        with gradio.Column(elem_id="composer"):
            filters = gradio.HTML(chrome.filters("en"), elem_id="filters", **plain)
            box = gradio.Textbox(
                elem_id="question", show_label=False, label=" ", container=False, max_lines=6, autofocus=True,
                submit_btn=True,
            )  # fmt: skip
            state = gradio.HTML(elem_id="state", **plain)
        panel = gradio.HTML(chrome.panel("en"), elem_id="side", **plain)
        drawer = gradio.HTML(chrome.drawer("en"), elem_id="drawer-side", **plain)

        def welcome(address: str, request: gradio.Request) -> tuple[Any, ...]:
            who = _visitor(request)
            words = sentence("placeholder", who.language)
            return (
                chrome.masthead(who.language, keeps=keeps, signed_in=bool(who.owner)),
                chrome.opening(who.language, examples),
                gradio.update(placeholder=words, label=words),
                chrome.panel(who.language),
                chrome.drawer(who.language),
                *desk.open(_wanted(address, who), who),
            )

        async def readiness(request: gradio.Request) -> AsyncIterator[tuple[Any, Any, Any]]:
            language = _visitor(request).language
            while loader.loading:
                yield chrome.state(loader, language), gradio.skip(), gradio.skip()
                await asyncio.sleep(0.25)
            known = about(language) if about and not loader.error else ""
            choice = chrome.filters(language, *desk.choices())
            yield chrome.state(loader, language), chrome.opening(language, examples, known), choice

        def take(asked: str, talk: Conversation, given: str, request: gradio.Request) -> tuple[Any, ...]:
            shown = desk.act(talk, "ask", asked, given, _visitor(request))
            return ("", *shown) if shown else (gradio.skip(),) * 4

        def act(talk: Conversation, request: gradio.Request, event: gradio.EventData) -> tuple[Any, ...]:
            done = desk.act(talk, event.action, str(event.value), event.context, _visitor(request))
            return done or (gradio.skip(),) * 3

        def reply(talk: Conversation, request: gradio.Request) -> Iterator[Any]:
            shown, acts = gradio.skip(), talk.acts
            for shown in desk.reply(talk, _visitor(request)):
                yield shown
            # An output without any value would be emptied, and the last one is sent again at the end.
            yield shown if talk.acts == acts else gradio.skip()

        def open_other(request: gradio.Request, event: gradio.EventData) -> tuple[Any, ...]:
            return desk.open(str(event.conversation), _visitor(request))

        def ask(request: gradio.Request, question: str, history: list[list[str]] | None = None) -> dict[str, Any]:
            """The answer to a question, as JSON; history is a list of [role, text], oldest first."""
            try:
                return desk.ask(question, [(role, text) for role, text in history or []], _visitor(request))
            except KabarError as error:
                raise gradio.Error(str(error), print_exception=False) from None

        # Whose turn it is to be answered is decided by the loader's queue, for all doors together.
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
        parts = [masthead, opening, box, panel, drawer, talk, past, current]
        welcomed = page.load(welcome, inputs=context, outputs=parts, js=_WITH_ADDRESS, **quiet)
        welcomed.then(readiness, outputs=[state, opening, filters], **quiet)
        asked = box.submit(take, [box, talk, context], [box, talk, past, current], js=_WITH_CONTEXT, **quiet)
        acted = bridge.act(act, talk, [talk, past, current], trigger_mode="multiple", **quiet)
        replies = [event.then(reply, talk, current, trigger_mode="multiple", **quiet) for event in (asked, acted)]
        bridge.open(open_other, None, [talk, past, current], cancels=replies, **quiet)
        api(ask, api_name="ask", concurrency_limit=None)
    return page


def _wanted(address: str, who: Visitor) -> str:
    """The conversation that the page's address names; "" if it names none."""
    try:
        return Context.read(address, who.language).conversation
    except KabarError:
        return ""


def _visitor(request: "gradio.Request") -> Visitor:
    found = request.request
    return visitor(found.scope if found is not None else {"type": "http", "headers": []})
