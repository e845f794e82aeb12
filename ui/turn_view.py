"""One question with its answer, what is around it, and what can be done with it, as HTML."""

from collections.abc import Sequence

from qa.answer import Answer
from qa.language import direction, name
from ui import render, timeline_view
from ui.filters import Filters
from ui.markup import attributes, local_date, text
from ui.turn import Turn
from ui.words import word


def turn_view(
    turn: Turn,
    language: str,
    *,
    conversation: str = "",
    parts: Sequence[str] = (),
    last: bool = False,
    acts: bool = True,
    judged: bool = True,
) -> str:
    """The turn on a page in ``language``.

    ``parts`` stand for an answer that is not there yet. The ``last`` turn can be asked again, changed and taken back;
    with ``acts`` off nothing can be done, and nothing is ``judged`` where feedback is not kept.
    """
    body = [
        render.question(turn.question, turn.answer.language if turn.answer else None),
        _chosen(turn.filters, language),
    ]
    if turn.answer:
        body += [render.answer(turn.answer, turn.number), timeline_view.timeline(turn, language)]
        if acts:
            body.append(_next_questions(turn.around.questions, turn.answer.language, language))
    elif turn.error:
        body.append(render.error(turn.error, language))
    else:
        body += parts
    if acts and (turn.answer or turn.error):
        body.append(_acts(turn, language, last=last, judged=judged))
    return (
        f'<section class="turn" data-turn="{turn.number}" data-id="{turn.id}" data-conversation="{text(conversation)}" '
        f'dir="{direction(language)}">{"".join(body)}</section>'
    )


def as_text(answer: Answer) -> str:
    """The answer with its sources, as plain text to be copied."""
    lines = [answer.text]
    for cited in answer.citations:
        about = ", ".join(part for part in (cited.source, cited.published, cited.url) if part)
        lines.append(f"[{cited.number}] {cited.title}" + (f" ({about})" if about else ""))
    return "\n".join(lines)


def chosen(filters: Filters, language: str) -> list[str]:
    """What the filters choose, in words."""
    words = []
    if filters.last_week:
        words.append(word("last_week", language))
    for key, day in (("after", filters.after), ("before", filters.before)):
        if day:
            words.append(f"{word(key, language)} {local_date(day.isoformat(), language)}")
    if filters.source:
        words.append(filters.source)
    if filters.language:
        words.append(name(filters.language, language))
    return words


def _chosen(filters: Filters, language: str) -> str:
    words = "".join(f'<bdi dir="auto">{text(part)}</bdi>' for part in chosen(filters, language))
    return words and f'<p class="chosen byline" {attributes(language)}>{words}</p>'


def _next_questions(questions: Sequence[str], spoken: str, language: str) -> str:
    if not questions:
        return ""
    buttons = "".join(
        f'<li><button type="button" class="example" data-act="ask" data-value="{text(asked)}" {attributes(spoken)}>'
        f"{text(asked)}</button></li>"
        for asked in questions
    )
    heading = text(word("ask_next", language))
    listed = f'<h3 class="rubric">{heading}</h3><ul class="examples">{buttons}</ul>'
    return f'<div class="next" {attributes(language)}>{listed}</div>'


def _acts(turn: Turn, language: str, *, last: bool, judged: bool) -> str:
    """The row of buttons below an answer."""
    buttons = []
    if turn.answer:
        copied = text(word("copied", language))
        buttons.append(
            f'<button type="button" data-copy="{text(as_text(turn.answer))}" data-done="{copied}">'
            f"{text(word('copy', language))}</button>"
        )
    if last:
        buttons.append(
            f'<button type="button" data-act="retry">{text(word("retry", language))}</button>'
            f'<button type="button" data-edit="{text(turn.question)}" data-save="{text(word("ask", language))}" '
            f'data-cancel="{text(word("cancel", language))}">{text(word("edit", language))}</button>'
            f'<button type="button" data-act="undo">{text(word("undo", language))}</button>'
        )
    if turn.answer and judged:
        buttons += [_verdict(turn, "right", "✓", language), _verdict(turn, "wrong", "✗", language), _remark(language)]
    return f'<div class="acts" {attributes(language)}>{"".join(buttons)}</div>'


def _verdict(turn: Turn, verdict: str, sign: str, language: str) -> str:
    pressed = "true" if turn.verdict == verdict else "false"
    label = text(word(verdict, language))
    return (
        f'<button type="button" class="verdict" data-judge="{verdict}" aria-pressed="{pressed}" aria-label="{label}" '
        f'title="{label}">{sign}</button>'
    )


def _remark(language: str) -> str:
    """Where to say what is wrong; shown once an answer has been called so."""
    label = text(word("remark", language))
    return (
        f'<form class="remark" hidden><input type="text" name="remark" maxlength="2000" aria-label="{label}" '
        f'placeholder="{label}"><button type="submit">{text(word("send", language))}</button></form>'
        f'<span class="noted" role="status" data-done="{text(word("noted", language))}"></span>'
    )
