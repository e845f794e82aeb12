"""Quotations are found where they stand, whatever happened to their spaces and characters, and nowhere else."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.quotation import find, fold

VISIT = "Menlu “Blinken” akan tiba\ndi Seoul\u00a0pada Rabu depan — untuk dua hari…"


@pytest.mark.parametrize(
    ("quotation", "text", "found"),
    [
        ("pada Rabu depan", VISIT, "pada Rabu depan"),
        ("  pada Rabu depan\n", VISIT, "pada Rabu depan"),
        ("akan tiba di Seoul pada Rabu", VISIT, "akan tiba\ndi Seoul\u00a0pada Rabu"),
        ('menlu "blinken" akan', VISIT, "Menlu “Blinken” akan"),
        ("depan - untuk dua hari...", VISIT, "depan — untuk dua hari…"),
        ("Zurich", "Der Zu\u0308rich-Tag", None),
        ("Zürich", "Der Zu\u0308rich-Tag", "Zu\u0308rich"),
        ("STRASSE", "Die Straße ist zu", "Straße"),
        ("s", "Weiß", None),
        ("of", "oﬃce", None),
        ("office", "oﬃce", "oﬃce"),
        ("US", "us and the US", "US"),
        ("서울에 도착", "블링컨은 서울에 도착한다", "서울에 도착"),
        (unicodedata.normalize("NFD", "서울에"), "블링컨은 서울에 도착한다", "서울에"),
        ("ｶﾞｽ", "東京ガスは", "ガス"),
        ("１１月８日", "11月8日に", "11月8日"),
        ("می‌رود", "او میرود.", "میرود"),
        ("soft hyphen", "a so\u00adft\u200b hyphen\ufeff.", "so\u00adft\u200b hyphen"),
        ("1 < 2", "if 1 < 2 then", "1 < 2"),
        ("1 ‹ 2", "if 1 < 2 then", "1 < 2"),
        ("tiba di Busan", VISIT, None),
        ("", VISIT, None),
        (" \u200b\n", VISIT, None),
        ("x", "", None),
    ],
)
def test_what_is_found(quotation: str, text: str, found: str | None) -> None:
    place = find(quotation, text)
    assert (text[slice(*place)] if place else None) == found


def test_of_several_places_the_first() -> None:
    assert find("hari", "dua hari, dua hari") == (4, 8)


def test_the_very_words_come_before_words_that_fold_alike() -> None:
    assert find("Rabu", "RABU, Rabu") == (6, 10)


PIECES = st.sampled_from(
    [
        *" \t\n\u00a0\u3000aAÀßſİıœﬁ…´¨\"“'’-–<‹日ガｶ가각ا\u064e\u0301\u0308\u0345\u0338α\u00ad\u200b\u200dك١",
        "ﾞ",
        "각",
        "ﷺ",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.characters()), max_size=30).map("".join)
CHANGES: list[Callable[[str], str]] = [
    str,
    lambda text: unicodedata.normalize("NFC", text),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: f" {text}\n",
    lambda text: text.replace(" ", " \n "),
    lambda text: text.translate(dict.fromkeys(map(ord, "\u00ad\u200b\u200d"))),
    lambda text: text.replace("–", "-").replace("“", '"').replace("’", "'"),
    lambda text: fold(text).text,
]


@given(text=TEXTS, cut=st.data(), change=st.sampled_from(CHANGES))
def test_every_stretch_is_found_and_what_is_found_folds_alike(
    text: str, cut: st.DataObject, change: Callable[[str], str]
) -> None:
    folded = fold(text)
    edges = sorted(folded.starts.values())
    first = cut.draw(st.sampled_from(edges)) if edges else 0
    last = cut.draw(st.sampled_from([end for end in folded.ends.values() if end > first])) if edges else 0
    quotation = change(text[first:last])
    place = find(quotation, text)
    if not fold(quotation).text:
        assert place is None
        return
    assert place is not None
    assert fold(text[slice(*place)]).text == fold(quotation).text


@given(text=TEXTS, quotation=TEXTS)
def test_nothing_is_found_that_does_not_fold_alike(text: str, quotation: str) -> None:
    place = find(quotation, text)
    if place is None:
        assert quotation.strip() not in text.split(" ") or not fold(quotation).text
    else:
        start, end = place
        assert 0 <= start < end <= len(text)
        assert fold(text[start:end]).text == fold(quotation).text


@given(text=TEXTS)
def test_every_edge_is_a_place_in_the_original(text: str) -> None:
    folded = fold(text)
    ends = list(folded.ends.values())
    assert ends == sorted(ends)
    for (at, start), (until, end) in zip(folded.starts.items(), folded.ends.items(), strict=True):
        if until <= len(folded.text):
            form = folded.text[at:until]
            assert fold(text[start:end]).text == ("" if form == " " else form)
