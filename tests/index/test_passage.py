from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Article
from index.passage import Passage, split_article

SAMPLE = Path(__file__).parents[2] / "articles" / "blinken-korea-selatan.txt"

# Text of the kind that breaks offsets: emoji with joiners, combining marks, right-to-left, CRLF, odd line ends.
hard_text = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(
            [
                "👩‍👩‍👧‍👦 ",
                "e\u0301. ",
                "וזה נכון. ",
                "وصل الوزير. ",
                "\r\n",
                "\u2028",
                "。",
                "Mr. X. ",
                "[ab/uh]",
                "\x00",
                "\ud800",
                "BACA JUGA: Satu ke RusiaKunjungan itu. ",
                "天気です。",
                "สวัสดี ",
                "# ",
                "a" * 900,
                "\N{BYTE ORDER MARK}",
            ]
        ),
    ),
    max_size=30,
).map("".join)


def article(text: str, language: str = "en", title: str = "") -> Article:
    return Article(id="a", title=title, text=text, language=language)


@given(
    text=hard_text, language=st.sampled_from(["en", "ja", "ar", "th", "und", "xx"]), characters=st.integers(100, 900)
)
def test_every_stretch_of_a_passage_leads_back_to_the_same_words_of_the_article(
    text: str, language: str, characters: int
) -> None:
    whole = article(text, language)
    passages = split_article(whole, characters=characters)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    end_before = 0
    for passage in passages:
        for start, end in passage.sentences:
            assert end_before <= start < end <= len(whole.text)
            end_before = end
            quote = whole.text[start:end]
            assert quote == quote.strip()
            assert quote in passage.text
        assert passage.text == " ".join(whole.text[start:end] for start, end in passage.sentences)
        for position in range(len(passage.text)):
            start, end = passage.in_article(position, position + 5)
            assert whole.text[start:end] == passage.text[position : position + end - start]


@given(text=hard_text)
def test_no_word_is_lost_but_furniture_and_lines_without_words(text: str) -> None:
    whole = article("".join(character for character in text if character not in "[]#").replace("BACA JUGA", "baca"))
    kept = "".join(passage.text for passage in split_article(whole))
    assert sorted(c for c in kept if c.isalnum()) == sorted(c for c in whole.text if c.isalnum())


def test_the_sample_article_gives_the_sentence_without_its_neighbours() -> None:
    whole = article(SAMPLE.read_text(encoding="utf-8"), "id")
    quotes = [whole.text[start:end] for passage in split_article(whole) for start, end in passage.sentences]
    assert "Blinken akan tiba di Seoul pada Rabu depan untuk perjalanan dua hari." in quotes
    assert any(quote.startswith("Kunjungan tersebut terjadi ketika Seoul") for quote in quotes)
    assert not any("BACA JUGA" in quote or "[ab/uh]" in quote for quote in quotes)


def test_the_headline_is_no_sentence_of_the_article() -> None:
    whole = article("Bridge opens\nThe bridge opened on Monday.", title="Bridge opens")
    assert [passage.text for passage in split_article(whole)] == ["The bridge opened on Monday."]


@pytest.mark.parametrize("joint", ["\n", " "])
def test_ten_megabytes_with_and_without_line_ends(joint: str) -> None:
    whole = article(SAMPLE.read_text(encoding="utf-8").replace("\n", joint) * 5000, "id")
    passages = split_article(whole)
    assert len(passages) > 10_000
    for passage in passages[:: len(passages) // 50]:
        assert passage.text == " ".join(whole.text[start:end] for start, end in passage.sentences)


def test_sentence_of_a_position() -> None:
    passage = Passage(article_id="a", ordinal=0, sentences=((3, 6), (10, 14)), text="abc defg")
    assert [passage.sentence_at(position) for position in range(8)] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert passage.in_article(4, 8) == (10, 14)
    assert (passage.start, passage.end) == (3, 14)


settings.register_profile("kabar", deadline=None)
settings.load_profile("kabar")
