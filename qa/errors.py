"""Errors that ``qa`` adds to those of ``index``.

KabarError             (index.errors)
├── QuestionError      what was asked is no question: empty, or too long
├── ReaderError        the chat model that reads failed; the trained reader answers instead
└── WriterError        the writer could not phrase the answer; the quotation is shown instead
"""

from index.errors import KabarError


class ReaderError(KabarError):
    """The chat model that reads failed, took too long, or quoted what does not stand in the passages."""


class WriterError(KabarError):
    """The chat model failed, was cut off or took too long."""


class QuestionError(KabarError):
    """What was asked cannot be answered because it is no question; ``key`` names its fixed sentence for the chat."""

    def __init__(self, message: str, key: str = "empty_question") -> None:
        super().__init__(message)
        self.key = key
