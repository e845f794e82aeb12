"""Absolute dates against dateparser, an independent implementation; skipped where it is not installed."""

import random
import warnings
from datetime import date, timedelta
from types import ModuleType

import pytest
from babel.dates import format_date

from qa.dates import resolve


@pytest.fixture(scope="module")
def dateparser() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("dateparser")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pattern", ["d MMMM y", "EEEE, d MMMM y", "y-MM-dd", "dd.MM.y"])
@pytest.mark.parametrize(
    "language", ["en", "id", "es", "fr", "de", "it", "nl", "pt", "ru", "uk", "pl", "tr", "hi", "sw", "ms"]
)
def test_the_same_day(dateparser: ModuleType, language: str, pattern: str) -> None:
    if language in {"es", "pt"} and "MMMM" in pattern:
        pattern = pattern.replace("d MMMM y", "d 'de' MMMM 'de' y")
    generator = random.Random(language + pattern)
    order = {"languages": [language], "settings": {"DATE_ORDER": "DMY" if "." in pattern else "YMD"}}
    compared = 0
    for _ in range(12):
        day = date(1970, 1, 1) + timedelta(days=generator.randrange(25_000))
        text = format_date(day, pattern, locale=language)
        theirs = dateparser.parse(text, **order)
        ours = [mention.value for mention in resolve(text, None, language)]
        if theirs is None:  # it does not know every name
            continue
        assert ours == [theirs.date().isoformat()], text
        compared += 1
    assert compared >= 6
