"""The metrics against the definitions of the official scripts, written out again here, and by hand."""

import collections
import re
import string
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.metrics import exact_match, f1, words

LATIN = st.text(alphabet=st.sampled_from("abcABC the an.,;'()é–“ \t09-"), max_size=40)


def squad_words(text: str) -> list[str]:
    """Normalisation by SQuAD's description: lower case, then punctuation, articles and white space."""
    kept = [character for character in text.lower() if character not in set(string.punctuation)]
    return re.sub(r"\b(?:a|an|the)\b", " ", "".join(kept)).split()


def squad_f1(prediction: str, answer: str) -> float:
    found, wanted = squad_words(prediction), squad_words(answer)
    if not found or not wanted:
        return float(found == wanted)
    common = sum((collections.Counter(found) & collections.Counter(wanted)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(found), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


@settings(deadline=None)
@given(LATIN, st.lists(LATIN, min_size=1, max_size=4))
def test_agrees_with_the_definition_of_squad(prediction: str, answers: list[str]) -> None:
    assert f1(prediction, answers) == pytest.approx(max(squad_f1(prediction, answer) for answer in answers))
    wanted = max(float(squad_words(prediction) == squad_words(answer)) for answer in answers)
    assert exact_match(prediction, answers) == wanted


@pytest.mark.parametrize(
    ("prediction", "answers", "matches", "overlap"),
    [
        ("The Cat!", ["cat"], 1, 1),
        ("a black cat", ["the cat"], 0, 2 / 3),
        ("dog", ["cat"], 0, 0),
        ("cat cat", ["cat"], 0, 2 / 3),
        ("", [], 1, 1),
        ("something", [], 0, 0),
        ("", ["cat"], 0, 0),
        ("the", [], 1, 1),  # nothing is left of it: no answer, as the official script has it
        ("Park Jin", ["Jin", "Park Jin"], 1, 1),
        ("Rabu depan", ["pada Rabu depan"], 0, 4 / 5),
    ],
)
def test_by_hand(prediction: str, answers: list[str], matches: float, overlap: float) -> None:
    assert exact_match(prediction, answers) == matches
    assert f1(prediction, answers) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("2008年，在北京。", ["2008", "年", "在", "北", "京"]),
        ("iPhone 手机", ["iphone", "手", "机"]),
        ("กรุงเทพ", list("กรุงเทพ")),
        ("서울 방문", ["서울", "방문"]),
        ("“Rabu”", ["“rabu”"]),
        ("The A-team", ["ateam"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_unspaced_scripts_lose_all_punctuation() -> None:
    marks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith("P")]
    assert words("中" + "".join(marks) + "文") == ["中", "文"]


def test_characters_count_in_unspaced_scripts() -> None:
    assert f1("东京市", ["东京"]) == pytest.approx(0.8)
    assert exact_match("「東京」", ["東京"]) == 1
