"""What can be put exactly into the asker's language: dates (``date_text``) and short phrases (``localise_phrase``)."""

from qa.calendar_text import date_text
from qa.phrases import localise_phrase

__all__ = ["date_text", "localise_phrase"]
