"""The chat page: what is on it, and what happens when a question is asked."""

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from index.errors import KabarError
from qa.answer import Answer, Step, TextPiece
from qa.language import sentence
from ui import chrome, render
from ui.loader import History, Loader

if TYPE_CHECKING:
    import gradio

log = logging.getLogger("kabar.ui")


@dataclass(frozen=True)
class Turn:
    """One question and what came of it: an answer, or an error's message; neither while it is being worked on."""

    number: int
    question: str
    answer: Answer | None = None
    error: str | None = None


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
    # Gradio reads this when it is imported: without it, every start is reported to its makers.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio
    from gradio.events import api

    page: gradio.Blocks
    with gradio.Blocks(title="kabar", analytics_enabled=False, fill_width=True) as page:
        turns = gradio.State(list[Turn]())
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
        shown = [turns, past, current]

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

        def receive(asked: str, so_far: list[Turn], request: gradio.Request) -> tuple[Any, ...]:
            return "", *_received(asked, so_far, _language(request))

        def receive_example(so_far: list[Turn], request: gradio.Request, event: gradio.EventData) -> tuple[Any, ...]:
            return _received(str(event.question), so_far, _language(request))

        def reply(so_far: list[Turn], request: gradio.Request) -> Iterator[tuple[Any, Any]]:
            if not so_far or so_far[-1].answer or so_far[-1].error:
                yield gradio.skip(), gradio.skip()
                return
            for turn, markup in _replies(loader, so_far, _language(request)):
                yield (gradio.skip() if turn is None else [*so_far[:-1], turn]), markup

        page.load(welcome, outputs=[masthead, opening, box, panel], **quiet)
        page.load(readiness, outputs=[state, opening], concurrency_limit=None, **quiet)
        answering: dict[str, Any] = {"concurrency_limit": at_once, "concurrency_id": "assistant", **quiet}
        asked = box.submit(receive, [box, turns], [box, *shown], concurrency_limit=None, **quiet)
        asked.then(reply, turns, [turns, current], **answering)
        example = opening.example(receive_example, turns, shown, concurrency_limit=None, **quiet)
        example.then(reply, turns, [turns, current], **answering)
        masthead.restart(lambda: ([], "", ""), None, shown, **quiet)

        def ask(question: str, history: list[list[str]] | None = None) -> dict[str, Any]:
            """The answer to a question, as JSON; history is a list of [role, text], oldest first."""
            return _asked(loader, question, [(role, text) for role, text in history or []])

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


def _received(asked: str, so_far: list[Turn], language: str) -> tuple[list[Turn], str, str]:
    """The turns with a new one, the earlier ones as HTML, the new one as HTML."""
    turn = Turn(number=len(so_far) + 1, question=asked)
    if not asked.strip():
        turn = replace(turn, error=sentence("empty_question", language))
    past = "".join(_markup(earlier, language) for earlier in so_far)
    return [*so_far, turn], past, _markup(turn, language)


def _markup(turn: Turn, language: str, parts: Sequence[str] = ()) -> str:
    """A turn as HTML; ``parts`` stand for an answer that is not there yet."""
    asked = render.question(turn.question, turn.answer.language if turn.answer else None)
    if turn.answer:
        parts = [render.answer(turn.answer, turn.number)]
    elif turn.error:
        parts = [render.error(turn.error, language)]
    elif not parts:
        parts = [render.progress(sentence("waiting", language), language)]
    return render.turn(turn.number, [asked, *parts], language)


def _replies(loader: Loader, so_far: list[Turn], language: str) -> Iterator[tuple[Turn | None, str]]:
    """The last turn as it grows: HTML for every event; the finished turn with the last one."""
    turn, written = so_far[-1], ""
    doing = sentence("loading" if loader.loading else "waiting", language)
    yield None, _markup(turn, language, [render.progress(doing, language)])
    try:
        for event in _events(loader, turn.question, _history(so_far[:-1])):
            if isinstance(event, Answer):
                turn = replace(turn, answer=event)
                break
            if isinstance(event, Step):
                doing = chrome.step(event, language)
            else:
                written += event.text
            parts = [render.partial(written)] if written else [render.progress(doing, language)]
            yield None, _markup(turn, language, parts)
    except KabarError as error:
        turn = replace(turn, error=str(error))
    except Exception:
        request = _request_id()
        log.exception("Request %s failed", request)
        turn = replace(turn, error=sentence("internal_error", language, id=request))
    yield turn, _markup(turn, language)


def _asked(loader: Loader, question: str, history: History) -> dict[str, Any]:
    import gradio

    try:
        *_, last = _events(loader, question, history)
    except KabarError as error:
        raise gradio.Error(str(error), print_exception=False) from None
    except Exception:
        request = _request_id()
        log.exception("Request %s failed", request)
        raise gradio.Error(sentence("internal_error", "en", id=request), print_exception=False) from None
    return last.model_dump(mode="json")


def _events(loader: Loader, question: str, history: History) -> Iterator[Step | TextPiece | Answer]:
    """What the assistant says; an Answer last, or RuntimeError."""
    event: Step | TextPiece | Answer | None = None
    for event in loader.assistant().stream(question, history=history):
        yield event
    answered = isinstance(event, Answer)
    if not answered:
        raise RuntimeError("the assistant ended without an answer")


def _request_id() -> str:
    """What stands both in the log and on the page, so that the one is found from the other."""
    return uuid.uuid4().hex[:12]


def _history(turns: Sequence[Turn]) -> History:
    return [
        message
        for turn in turns
        if turn.answer
        for message in (("user", turn.question), ("assistant", turn.answer.text))
    ]
