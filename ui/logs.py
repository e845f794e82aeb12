"""The log: one line of text, or one JSON object, for each thing that is worth telling; and requests by their number."""

import json
import logging
import os
import sys
import time
import traceback
import uuid
import warnings
from contextvars import ContextVar
from typing import Literal

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Number of the request that is being worked on; it stands in the log and in what the user is told."""

NUMBER = "kabar.request"
"""Where an ASGI scope has the same number."""


def new_number() -> str:
    """A number for a request that brings none."""
    return uuid.uuid4().hex[:12]


access = logging.getLogger("kabar.access")
"""Every request, with its method, path, status, seconds, user and number; nothing of what was asked."""


class JsonLines(logging.Formatter):
    """A record as one JSON object: time (ISO 8601, UTC), level, logger, message, request, and what ``extra`` adds."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := request_id.get():
            line["request"] = number
        line |= {key: value for key, value in vars(record).items() if key not in _USUAL}
        if record.exc_info and record.exc_info[0]:
            line["error"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


_USUAL = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"))


def set_up(form: Literal["text", "json"]) -> None:
    """Write what libraries and kabar log to standard error, as text from warnings on, as JSON every request too."""
    handler = logging.StreamHandler(sys.stderr)
    if form == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("kabar").setLevel(logging.INFO if form == "json" else logging.WARNING)
    access.setLevel(logging.INFO if form == "json" else logging.CRITICAL)


def quiet() -> None:
    """Libraries' progress bars and advice do not belong between a question and its answer."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.simplefilter("ignore")
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
