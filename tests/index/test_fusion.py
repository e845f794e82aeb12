from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion import SINGLED_OUT, fuse, singled_out

RANKINGS = st.dictionaries(st.integers(0, 30), st.floats(0, 1), max_size=20).map(
    lambda scores: sorted(scores.items(), key=lambda item: -item[1])
)


def numbers(ranking: Sequence[tuple[int, float]]) -> list[int]:
    return [number for number, _ in ranking]


def test_nothing_gives_nothing() -> None:
    assert fuse([], [], limit=5) == []


def test_one_ranking_alone_keeps_its_order() -> None:
    assert numbers(fuse([(3, 0.9), (1, 0.8), (2, 0.7)], [], limit=5)) == [3, 1, 2]
    assert numbers(fuse([], [(3, 9.0), (1, 8.0), (2, 7.0)], limit=5)) == [3, 1, 2]


def test_words_decide_between_passages_that_mean_nearly_the_same() -> None:
    assert numbers(fuse([(1, 0.90), (2, 0.89), (3, 0.5)], [(2, 25.0)], limit=2)) == [2, 1]


def test_a_weak_match_of_words_does_not_outweigh_meaning() -> None:
    assert numbers(fuse([(1, 0.9), (3, 0.5)], [(2, 3.0)], limit=3))[0] == 1


def test_without_weight_words_add_passages_but_no_score() -> None:
    assert numbers(fuse([(1, 0.9), (3, 0.5)], [(3, 25.0)], limit=3, lexical_weight=0)) == [1, 3]


def test_words_of_one_language_do_not_lift_it_over_another() -> None:
    dense, lexical = [(1, 0.90), (2, 0.89), (3, 0.5)], [(2, 25.0), (3, 10.0)]
    languages = {1: "zh", 2: "en", 3: "en"}
    assert numbers(fuse(dense, lexical, limit=3)) == [2, 1, 3]
    assert numbers(fuse(dense, lexical, limit=3, languages=languages)) == [1, 2, 3]


def test_of_two_languages_that_are_as_near_the_one_that_is_not_asked_in_comes_first() -> None:
    dense = [(1, 0.90), (2, 0.90), (3, 0.5)]
    assert numbers(fuse(dense, [(1, 30.0)], limit=2, languages={1: "en", 2: "de", 3: "en"})) == [2, 1]
    assert numbers(fuse(dense, [(1, 30.0)], limit=2, languages={1: "en", 2: "en", 3: "en"})) == [1, 2]


def test_a_term_that_one_passage_holds_brings_it_among_the_first_whatever_it_means() -> None:
    dense = [(number, 0.9 - number / 100) for number in range(60)]
    lexical = [(99, 8.0), *((number, 2.0) for number in range(20))]
    for languages in (None, dict.fromkeys([*range(60), 99], "en")):
        found = numbers(fuse(dense, lexical, limit=6, languages=languages))
        assert found == [0, 1, 2, 99, 3, 4]
    assert 99 not in numbers(fuse(dense, [(99, 2.5), *lexical[1:]], limit=6))
    assert 99 not in numbers(fuse(dense, lexical, limit=6, lexical_weight=0))


def test_words_single_out_few_passages_or_none() -> None:
    assert singled_out([]) == []
    assert singled_out([(7, 0.5)]) == [7]
    assert singled_out([(7, 9.0), (8, 8.0), (9, 2.0)]) == [7, 8]
    assert singled_out([(7, 9.0), (8, 4.0), (9, 3.9), (5, 1.0)]) == [7]
    assert singled_out([(7, 9.0), (8, 8.0), (9, 7.0)]) == [7, 8, 9]
    assert singled_out([(number, 9.0) for number in range(SINGLED_OUT + 1)]) == []


def test_of_two_passages_that_are_as_near_the_one_among_near_ones_comes_first() -> None:
    dense = [(1, 0.9), (2, 0.9), (3, 0.8), (4, 0.5)]
    neighbours = {1: [4], 2: [3], 3: [2], 4: [1]}
    assert numbers(fuse(dense, [], limit=4, neighbours=neighbours)) == [2, 1, 3, 4]
    assert numbers(fuse(dense, [], limit=2, neighbours={1: [77], 2: []})) == [2, 1]  # 77 was not found
    assert numbers(fuse(dense, [], limit=4, neighbours={})) == [1, 2, 3, 4]


def test_a_translation_of_the_best_hit_follows_it() -> None:
    dense = [(1, 0.90), (2, 0.80), (3, 0.79), (4, 0.5)]
    languages = {1: "en", 2: "zh", 3: "zh", 4: "en"}
    cosines = {2: 0.2, 3: 0.95}
    found = fuse(dense, [], limit=4, languages=languages, likeness=lambda _, others: [cosines[one] for one in others])
    assert numbers(found) == [1, 3, 2, 4]


@settings(deadline=None)
@given(RANKINGS, RANKINGS, st.integers(0, 40))
def test_each_passage_comes_once_best_first_and_no_more_than_asked_for(
    dense: list[tuple[int, float]], lexical: list[tuple[int, float]], limit: int
) -> None:
    found = fuse(dense, lexical, limit=limit)
    assert len(found) == min(limit, len({*numbers(dense), *numbers(lexical)}))
    assert len(set(numbers(found))) == len(found)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


@settings(deadline=None)
@given(RANKINGS, RANKINGS)
def test_with_one_language_fairness_changes_no_order(
    dense: list[tuple[int, float]], lexical: list[tuple[int, float]]
) -> None:
    languages = dict.fromkeys(range(31), "id")
    plain = fuse(dense, [(number, round(score, 3)) for number, score in lexical], limit=40)
    fair = fuse(dense, [(number, round(score, 3)) for number, score in lexical], limit=40, languages=languages)
    gaps = [first - second for (_, first), (_, second) in pairwise(plain)]
    if all(gap > 1e-9 for gap in gaps):  # equal scores may round apart
        assert numbers(fair) == numbers(plain)


@settings(deadline=None)
@given(RANKINGS, st.data())
def test_an_echo_keeps_the_best_hit_and_the_order_of_its_language(
    dense: list[tuple[int, float]], data: st.DataObject
) -> None:
    languages = {number: data.draw(st.sampled_from(["en", "zh"])) for number in numbers(dense)}
    plain = numbers(fuse(dense, [], limit=40, languages=languages))

    def likeness(_: int, others: Sequence[int]) -> list[float]:
        return [data.draw(st.floats(-1, 1)) for _ in others]

    echoed = numbers(fuse(dense, [], limit=40, languages=languages, likeness=likeness))
    assert echoed[:1] == plain[:1]
    if plain:
        own = languages[plain[0]]
        assert [one for one in echoed if languages[one] == own] == [one for one in plain if languages[one] == own]


def test_meanings_that_are_hardly_apart_leave_it_to_the_words() -> None:
    """Among very many passages those that are found are all near to the question."""
    lexical = [(2, 25.0), (1, 16.0)]
    assert numbers(fuse([(1, 0.90), (2, 0.88), (3, 0.70)], lexical, limit=2)) == [2, 1]
    assert numbers(fuse([(1, 0.90), (2, 0.82), (3, 0.70)], lexical, limit=2)) == [1, 2]
    assert numbers(fuse([(1, 0.90), (2, 0.88), (3, 0.85)], lexical, limit=2)) == [2, 1], "though it is 0.4 of the way"
