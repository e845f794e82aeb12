import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.weigh import Signs, Weights, weigh

shares = st.floats(0, 1)


@given(st.lists(st.builds(Signs, shares, shares, shares), max_size=8), st.booleans())
def test_every_reading_comes_back_once_and_ever_less_sure(signs: list[Signs], wants_time: bool) -> None:
    ordered = weigh(signs, wants_time=wants_time)
    assert sorted(number for number, _ in ordered) == list(range(len(signs)))
    probabilities = [probability for _, probability in ordered]
    assert all(0 <= probability <= 1 for probability in probabilities)
    assert sum(probabilities) <= 1 + 1e-9
    assert probabilities == sorted(probabilities, reverse=True)


@given(st.builds(Signs, st.floats(0.01, 0.9), shares, shares), st.booleans())
def test_a_surer_reading_and_a_nearer_passage_and_sentence_win(sign: Signs, wants_time: bool) -> None:
    for better in (
        sign._replace(probability=sign.probability + 0.05),
        sign._replace(passage=sign.passage + 0.05),
        sign._replace(sentence=sign.sentence + 0.05),
    ):
        assert weigh([sign, better], wants_time=wants_time)[0][0] == 1


def test_a_number_from_another_story_does_not_win_by_the_readers_word_alone() -> None:
    (best, probability), _ = weigh([Signs(0.83, 0.60, 0.55), Signs(0.69, 0.72, 0.74)])
    assert best == 1
    assert probability > 0.5


def test_probabilities_are_those_of_a_conditional_logit() -> None:
    weights = Weights(reader=1, passage=0, sentence=0, none=0, none_of_time=1)
    # Odds of 3 : 1 and 1 : 1 beside those of "none", 1 (and e for a "when").
    signs = [Signs(0.5, 0, 0), Signs(0.75, 0, 0)]
    assert weigh(signs, weights=weights) == [(1, pytest.approx(3 / 5)), (0, pytest.approx(1 / 5))]
    assert weigh(signs, wants_time=True, weights=weights)[0][1] < 3 / 5
