"""Words that are not of the kind that a question asks for are no answer to it."""

import pytest

from qa.kind import unfit
from qa.turn import Turn
from tests.evidence import hit


def asked(language: str, *, wants_amount: bool = True) -> Turn:
    return Turn("?", wants_amount=wants_amount, hits=(hit("x", language=language, published="2023-11-01"),))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("id", "Rabu depan"),
        ("id", "pada Rabu (1/11)"),
        ("en", "next Wednesday"),
        ("en", "8 November 2023"),
        ("ko", "오는 15일"),
        ("zh", "11月8日"),
    ],
)
def test_a_date_is_no_amount(language: str, words: str) -> None:
    cannot = unfit(asked(language))
    assert cannot is not None
    assert cannot(0, words)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("id", "dua hari"),
        ("id", "Rabu depan untuk perjalanan dua hari"),
        ("en", "£42 million"),
        ("en", "dozens of people"),
        ("de", "drei Wochen"),
        ("zh", "两天"),
        ("en", "Park Jin"),  # in doubt the reader knows better
    ],
)
def test_what_may_be_an_amount_is_left(language: str, words: str) -> None:
    cannot = unfit(asked(language))
    assert cannot is not None
    assert not cannot(0, words)


def test_other_questions_exclude_nothing() -> None:
    assert unfit(asked("id", wants_amount=False)) is None
