"""Words said in other languages: the answer stays where it is said to be, and keeps its words."""

import random

from hypothesis import given
from hypothesis import strategies as st

from training import reader_words
from training.reader_data import Example, answer_of
from training.reader_words import WordExchange, word_lists

LISTS = {"de": {"minister": ("Ministerin",), "arrive": ("ankommen",), "when": ("wann",)}}


def test_lists_hold_single_words_of_languages_that_have_enough(monkeypatch):
    monkeypatch.setattr(reader_words, "LEAST_WORDS", 2)
    rows = [
        {"en": "to arrive", "de": "ankommen"},
        {"en": "arrive", "de": "eintreffen"},
        {"en": "Minister", "de": "Ministerin", "vi": "bộ trưởng"},
        {"en": "prime minister", "de": "Premier"},
        {"de": "Haus", "vi": "nhà"},
    ]
    assert word_lists(rows) == {"de": {"arrive": ("ankommen", "eintreffen"), "minister": ("Ministerin",)}}


def test_forms_of_a_word_are_looked_up_by_their_stem():
    exchange = WordExchange(LISTS)
    example = Example("When arrived the ministers?", "The minister arrived in Seoul.", 24, 29, "en")
    found = {exchange(example, random.Random(seed)) for seed in range(200)}
    assert {one.question for one in found} >= {"wann ankommen the Ministerin?", example.question}
    assert "The Ministerin ankommen in Seoul." in {one.context for one in found}
    assert {answer_of(one) for one in found} == {"Seoul"}


def test_other_languages_stay_as_they_are():
    example = Example("Wann kommt minister?", "Der minister kommt.", 4, 12, "de")
    assert WordExchange(LISTS)(example, random.Random(1)) == example
    assert WordExchange({})(Example("When?", "when", 0, 4, "en"), random.Random(1)).context == "when"


@given(st.text(), st.text(), st.text(), st.integers())
def test_answers_keep_their_words(before, answer, after, seed):
    lists = {"xx": dict.fromkeys((before + answer + after).lower().split(), ("~",))}
    example = Example("when", before + answer + after, len(before), len(before) + len(answer), "en")
    said = WordExchange(lists)(example, random.Random(seed))
    assert answer_of(said) == answer
