"""Asked when, the day is said where the article has it, not only the week."""

from dataclasses import replace

import numpy as np
import pytest

from qa.finer_date import with_finer_date
from qa.turn import Evidence, Turn
from tests.evidence import FAR, NEAR, evidence, hit

WEEK = "The minister will visit Seoul next week."
DAY = "He arrives in Seoul on Wednesday."
TEXT = f"{WEEK} {DAY} He was there in March 2021."
PUBLISHED = "2023-11-03"


def asked(text: str = TEXT, words: str = "next week", *, nearer: str = DAY, wants_time: bool = True) -> Evidence:
    """What comes first when ``words`` of ``text`` were read, and the sentence ``nearer`` is nearest to the question."""
    found = hit(text, published=PUBLISHED)
    read = replace(evidence(found, words), vector=NEAR if words in nearer else FAR)
    turn = Turn("?", wants_time=wants_time, hits=(found,), vector=NEAR)

    def encode(sentences: list[str]) -> np.ndarray:
        return np.stack([NEAR if sentence == nearer else FAR for sentence in sentences])

    other = evidence("Ferries are late.", "late")
    first, *rest = with_finer_date(turn, [read, other], encode)  # type: ignore[arg-type]
    assert rest == [other]
    assert first.probability == read.probability
    return first


def test_a_day_of_the_week_that_was_read_takes_its_place() -> None:
    first = asked()
    assert (first.quote, first.words) == (DAY, "Wednesday")


@pytest.mark.parametrize(
    ("text", "words", "nearer", "wants_time"),
    [
        (TEXT, "next week", WEEK, True),  # the day is of something else, as far as can be told
        (TEXT, "on Wednesday", DAY, True),  # a day cannot be finer
        (TEXT, "Seoul", DAY, True),  # no date was read
        (TEXT, "next week", DAY, False),  # nobody asked when
        (f"{WEEK} He was there on 1 March 2021.", "next week", "He was there on 1 March 2021.", True),  # another week
    ],
)
def test_else_what_was_read_stays(text: str, words: str, nearer: str, wants_time: bool) -> None:
    assert asked(text, words, nearer=nearer, wants_time=wants_time).words == words


def test_without_evidence_there_is_nothing_to_refine() -> None:
    turn = Turn("?", wants_time=True, vector=NEAR)
    assert with_finer_date(turn, [], lambda _: pytest.fail("nothing to encode")) == ()
