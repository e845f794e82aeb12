"""The chat page: what is on it, and what happens when a question is asked."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from index.errors import KabarError
from qa.language import sentence
from ui import chrome, conversation
from ui.conversation import Conversation
from ui.loader import Loader

if TYPE_CHECKING:
    import gradio


_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # else every start is reported to Gradio's makers
    # Statistics for a page that is shut here; Gradio would work them out with pandas after every event.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
}


def build(
    loader: Loader,
    *,
    about: Callable[[str], str] | None = None,
    examples: Sequence[tuple[str, str]] = (),
    at_once: int = 1,
) -> "gradio.Blocks":
    """The page as Gradio Blocks.

    ``about`` says in a language what the articles cover; it is asked once the assistant is there. ``examples`` are
    (question, language) pairs offered on the empty page. ``at_once`` questions are answered at a time, the others wait
    their turn.
    """
    os.environ.update(_QUIET)  # before the import: some of it is read then
    import gradio
    from gradio.events import api

    page: gradio.Blocks
    with gradio.Blocks(title="kabar", analytics_enabled=False, fill_width=True) as page:
        talk = gradio.State(Conversation())
        masthead = gradio.HTML(
            chrome.masthead("en"), elem_id="masthead", js_on_load=_delegate("restart"), apply_default_css=False
        )
        with gradio.Column(elem_id="desk"):
            opening = gradio.HTML(elem_id="opening", js_on_load=_delegate("example"), apply_default_css=False)
            past = gradio.HTML(elem_id="past", js_on_load=None, apply_default_css=False)
            current = gradio.HTML(elem_id="current", js_on_load=None, apply_default_css=False)
        with gradio.Column(elem_id="composer"):
            box = gradio.Textbox(
                elem_id="question", show_label=False, label=" ", container=False, max_lines=6, autofocus=True,
                submit_btn=True,
            )  # fmt: skip
            state = gradio.HTML(elem_id="state", js_on_load=None, apply_default_css=False)
        panel = gradio.HTML(chrome.panel("en"), elem_id="side", js_on_load=None, apply_default_css=False)

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

        def welcome(request: gradio.Request) -> tuple[Any, ...]:
            language = _language(request)
            words = sentence("placeholder", language)
            return (
                chrome.masthead(language),
                chrome.opening(language, examples),
                gradio.update(placeholder=words, label=words),
                chrome.panel(language),
            )

        async def readiness(request: gradio.Request) -> AsyncIterator[tuple[Any, Any]]:
            language = _language(request)
            while loader.loading:
                yield chrome.state(loader, language), gradio.skip()
                await asyncio.sleep(0.25)
            known = about(language) if about and not loader.error else ""
            yield chrome.state(loader, language), chrome.opening(language, examples, known)

        def take(asked: str, talk: Conversation, request: gradio.Request) -> tuple[Any, ...]:
            language = _language(request)
            if not talk.receive(asked, language):
                return gradio.skip(), gradio.skip(), gradio.skip()
            return "", talk.past(language), talk.current(language)

        def take_example(talk: Conversation, request: gradio.Request, event: gradio.EventData) -> tuple[Any, ...]:
            return take(str(event.question), talk, request)[1:]

        def reply(talk: Conversation, request: gradio.Request) -> Iterator[Any]:
            shown = gradio.skip()
            for shown in talk.reply(loader, _language(request)):
                yield shown
            yield shown  # an output without any value would be emptied

        def ask(question: str, history: list[list[str]] | None = None) -> dict[str, Any]:
            """The answer to a question, as JSON; history is a list of [role, text], oldest first."""
            try:
                return conversation.ask(loader, question, [(role, text) for role, text in history or []])
            except KabarError as error:
                raise gradio.Error(str(error), print_exception=False) from None

        welcomed = page.load(welcome, outputs=[masthead, opening, box, panel], **quiet)
        welcomed.then(readiness, outputs=[state, opening], concurrency_limit=None, **quiet)
        answering: dict[str, Any] = {"concurrency_limit": at_once, "concurrency_id": "assistant", **quiet}
        asked = box.submit(take, [box, talk], [box, past, current], concurrency_limit=None, **quiet)
        example = opening.example(take_example, talk, [past, current], concurrency_limit=None, **quiet)
        replies = [event.then(reply, talk, current, trigger_mode="multiple", **answering) for event in (asked, example)]
        masthead.restart(lambda: (Conversation(), "", ""), None, [talk, past, current], cancels=replies, **quiet)
        api(ask, api_name="ask", concurrency_limit=at_once, concurrency_id="assistant")
    return page


def _delegate(event: str) -> str:
    """Script of an HTML part: a click on an element with ``data-EVENT`` is told to the server with its question."""
    return (
        "element.addEventListener('click', (click) => {"
        f"const source = click.target.closest('[data-{event}]');"
        f"if (source) trigger('{event}', {{question: source.dataset.{event}}});"
        "});"
    )


def _language(request: "gradio.Request") -> str:
    headers: Mapping[str, str] = request.headers
    return chrome.language(headers.get("accept-language", ""))
