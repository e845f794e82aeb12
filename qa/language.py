"""Languages: which one a question is in, what they are called, and kabar's own words in each."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

from qa.identify import UNKNOWN, identify
from qa.small_talk import SmallTalk, small_talk

__all__ = ["UNKNOWN", "SmallTalk", "direction", "identify", "name", "sentence", "sentence_languages", "small_talk"]

_FALLBACK = "en"
# CLDR names a language alone where running text says "bahasa Indonesia".
_CALLED_LANGUAGE = {"id": "bahasa {}", "ms": "bahasa {}"}


def name(code: str, in_language: str) -> str:
    """The language ``code`` as ``in_language`` calls it, in running text; the code itself if it has no name."""
    locale = in_language if _has_locale(in_language) else _FALLBACK
    called = _names(locale).get(code)
    return _CALLED_LANGUAGE.get(locale, "{}").format(called) if called else code


def direction(code: str) -> Literal["ltr", "rtl"]:
    """Which way the language is written."""
    from babel import Locale

    return "rtl" if _has_locale(code) and Locale(code).character_order == "right-to-left" else "ltr"


def sentence(key: str, language: str, /, **values: object) -> str:
    """A fixed sentence, its ``{placeholders}`` filled in; in English where there is no translation.

    Raises KeyError for an unknown key or a missing value: both are mistakes of the caller.
    """
    sentences = _sentences()
    return sentences.get(language, sentences[_FALLBACK])[key].format_map(values)


def sentence_languages() -> tuple[str, ...]:
    """The languages that ``sentence`` speaks."""
    return tuple(_sentences())


@cache
def _has_locale(code: str) -> bool:
    from babel import localedata

    return code.isalpha() and localedata.exists(code)


@cache
def _names(locale: str) -> Mapping[str, str]:
    from babel import Locale

    return dict(Locale(locale).languages)


@cache
def _sentences() -> Mapping[str, Mapping[str, str]]:
    data: dict[str, dict[str, str]] = json.loads(
        resources.files("qa").joinpath("data/language/sentences.json").read_text(encoding="utf-8")
    )
    return data
