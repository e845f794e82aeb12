"""A conversation as a file to be saved: Markdown to read, JSON with all that is known."""

import json
import re

from ui.history import Kept
from ui.markup import safe_link
from ui.turn import Turn

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:])")


def as_markdown(kept: Kept) -> str:
    """Questions, answers and quotations; whatever could be markup is escaped."""
    return "\n\n".join([f"# {_plain(kept.summary.title)}", *(_turn(turn) for turn in kept.turns)]) + "\n"


def as_json(kept: Kept) -> str:
    """Title, time of the last change (ISO 8601), and each turn with its answer as ``Answer`` has it."""
    turns = [
        {
            "question": turn.question,
            "filters": turn.filters.model_dump(mode="json", exclude_defaults=True),
            "answer": turn.answer.model_dump(mode="json") if turn.answer else None,
            "error": turn.error,
            "verdict": turn.verdict,
        }
        for turn in kept.turns
    ]
    whole = {"title": kept.summary.title, "changed": kept.summary.changed, "turns": turns}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def file_name(kept: Kept) -> str:
    """A name for the file, of ASCII letters and digits alone; without an ending."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", kept.summary.title).strip("-").lower()[:60].strip("-")
    return f"kabar-{words}" if words else "kabar-conversation"


def _turn(turn: Turn) -> str:
    parts = [f"## {_plain(turn.question)}"]
    if turn.answer:
        parts.append(_plain(turn.answer.text))
        for cited in turn.answer.citations:
            about = ", ".join(_plain(part) for part in (cited.source, cited.published) if part)
            link = safe_link(cited.url)
            place = f"\n> <{link}>" if link and not re.search(r"[<>]", link) else ""
            title = _plain(cited.title) + (f" \\({about}\\)" if about else "")
            parts.append(f"> \\[{cited.number}\\] {title}{place}\n>\n> {_plain(cited.quote)}")
    else:
        parts.append(_plain(turn.error or ""))
    return "\n\n".join(parts)


def _plain(said: str) -> str:
    """One line of text in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(said.split()))
