"""From a question to an answer.

>>> from qa import answer
>>> answer("when will Blinken arrive?").short  # doctest: +SKIP
'Wednesday, 8 November 2023'
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime

    from qa.answer import Answer, Citation, DateMention, Step, TextPiece
    from qa.chain import Assistant

__all__ = ["Answer", "Assistant", "Citation", "DateMention", "Step", "TextPiece", "answer"]

_HOMES = {
    "Answer": "qa.answer",
    "Assistant": "qa.chain",
    "Citation": "qa.answer",
    "DateMention": "qa.answer",
    "Step": "qa.answer",
    "TextPiece": "qa.answer",
}
_assistants: "dict[str, Assistant]" = {}
_lock = threading.Lock()


def answer(
    question: str,
    history: Sequence[tuple[str, str]] = (),
    *,
    published_after: "datetime.date | None" = None,
    published_before: "datetime.date | None" = None,
    sources: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    config: str | Path | None = None,
) -> "Answer":
    """Answer a question about the indexed articles; see ``Assistant.answer``.

    Uses ``config``, else the file that KABAR_CONFIG names, else ./config.yaml. The models are loaded at the first call
    and kept. If there is no index yet, it is made from the configured articles first.
    Raises QuestionError, ConfigError, StoreError, ModelError (all of them KabarError).
    """
    from qa.chain import Assistant
    from qa.config import Settings
    from qa.first_index import ensure_index

    settings = Settings.load(config)
    key = settings.model_dump_json()
    with _lock:
        if key not in _assistants:
            ensure_index(settings)
            _assistants[key] = Assistant.open(settings)
    return _assistants[key].answer(
        question,
        history,
        published_after=published_after,
        published_before=published_before,
        sources=sources,
        languages=languages,
    )


def __getattr__(name: str) -> Any:
    # Loaded when first used: `import qa` must not cost the time of the libraries behind it.
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'qa' has no attribute '{name}'")
