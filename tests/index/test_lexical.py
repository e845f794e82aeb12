import math
import random
import sqlite3
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import lexical
from index.lexical import QUERY_TERMS, STEM, TERM_CHARACTERS, TOKENIZER, query, quoted_words, terms

ANY_TEXT = st.text(alphabet=st.characters(), max_size=80)  # lone surrogates and NUL included


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Blinken akan tiba di Seoul", ["blinken", "akan", "tiba", "di", "seoul"]),
        ("15.000", ["15000"]),
        ("15,000", ["15000"]),
        ("1,5", ["1.5"]),
        ("1.5", ["1.5"]),
        ("1.234.567,89", ["1234567.89"]),
        ("1,00,000", ["100000"]),
        ("2023-11-08", ["2023-11-08", "2023", "11", "8"]),
        ("(1/11)", ["1-11", "1", "11"]),
        ("10:30", ["10.30"]),
        ("6½", ["6", "1", "2"]),
        ("٢٠٢٣", ["2023"]),
        ("१९४७", ["1947"]),
        ("２０２３", ["2023"]),
        ("Abdul-Jabbar", ["abdul", "jabbar", "abduljabbar"]),
        ("COVID-19", ["covid", "19", "covid19"]),
        ("orang-orang", ["orang", "orang"]),
        ("Ma’ruf", ["ma", "ruf", "maruf"]),
        ("Korea's", ["korea"]),
        ("U.S.", ["us"]),
        ("Türkiye Çin Łódź", ["turkiye", "cin", "lodz"]),
        ("İstanbul ISLAK ıslak", ["istanbul", "islak", "islak"]),
        ("Straße", ["strasse"]),
        ("Άθήνα ΟΔΥΣΣΕΎΣ", ["αθηνα", "οδυσσευσ"]),
        ("Росси́я ёлка йод Київ", ["россия", "елка", "йод", "київ"]),
        ("الأُمَّة العربيّة إلى", ["الامه", "العربيه", "الي"]),
        ("مكــتبة", ["مكتبه"]),
        ("می‌خواهم", ["ميخواهم"]),
        ("שָׁלוֹם", ["שלום"]),
        ("नई दिल्ली में", ["नई", "दिल्ली", "में"]),
        ("日本の首相", ["日本", "本の", "の首", "首相"]),
        ("2023年11月", ["2023", "年", "11", "月"]),
        ("テレビ", ["テレ", "レビ"]),
        ("서울에서", ["서울", "울에", "에서"]),
        ("ที่นี่", ["ที่นี่"]),
        ("ខ្មែរ", ["ខ្មែរ"]),
        ("မြန်မာ", ["မြန်", "န်မာ"]),
        ("", []),
        ("?!… \ud800\x00", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_vietnamese_is_found_with_and_without_accents_but_accents_that_were_typed_count() -> None:
    assert {"việt", "viet"} <= set(terms("Việt Nam mở cửa"))
    assert '"viet"' in quoted_words("Viet Nam")
    assert quoted_words("Việt Nam") == ['"việt"', '"nam"']


def test_french_accents_are_not_kept() -> None:
    assert terms("élève à Orléans") == ["eleve", "a", "orleans"]


@settings(deadline=None)  # the first call makes the tables of marks
@given(ANY_TEXT)
def test_any_text_gives_terms_that_a_space_separates(text: str) -> None:
    found = terms(text)
    assert " ".join(found).split() == found
    for term in found:
        assert 0 < len(term) <= TERM_CHARACTERS
        assert '"' not in term
        assert "\x00" not in term
        term.encode("utf-8")


@settings(deadline=None)
@given(ANY_TEXT)
def test_the_width_of_letters_and_the_form_of_accents_do_not_matter(text: str) -> None:
    import unicodedata

    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_terms_of_terms_are_the_same_terms(text: str) -> None:
    """Folding is settled after one pass, but for terms that carry a sign ("1.5")."""
    plain = [term for term in terms(text) if term.isalnum() and term.isascii()]
    assert terms(" ".join(plain)) == plain


@settings(deadline=None)
@given(ANY_TEXT)
def test_a_query_is_safe_and_finds_its_own_text(text: str) -> None:
    table = _table([text, "unrelated"])
    expression = query(text)
    if expression:
        rows = [row for (row,) in table.execute("SELECT rowid FROM t WHERE t MATCH ?", (expression,))]
        assert 0 in rows
    else:
        assert terms(text) == []


@pytest.mark.parametrize(
    "text", ['x" OR t MATCH "y', "NEAR(a b)", "t : a", "^a*", "a AND NOT b", "'; DROP TABLE t; --"]
)
def test_fts5_syntax_in_a_question_is_only_words(text: str) -> None:
    assert quoted_words(text) == [f'"{term}"' for term in dict.fromkeys(terms(text))]
    assert query(text).startswith(" OR ".join(quoted_words(text)))
    _table(["a"]).execute("SELECT rowid FROM t WHERE t MATCH ?", (query(text),)).fetchall()


def test_a_long_question_keeps_its_first_distinct_terms() -> None:
    words = [f"word{number}" for number in range(100)]
    assert query(" ".join(words + words)) == " OR ".join(f'"{word}"' for word in words[:QUERY_TERMS])
    assert query("menyatakan " * 100).count("menyatakan") == 1


@pytest.mark.parametrize(
    ("language", "text", "question"),
    [
        ("id", "Menteri itu menyatakan kesediaannya.", "Siapakah menteri yang dinyatakan bersedia?"),
        ("en", "The ministers discussed negotiations.", "Which minister was discussing the negotiation?"),
        ("ru", "Министры обсуждали переговоры.", "Когда министр обсудил переговорам время?"),
        ("tr", "Bakanlar toplantılarda görüştüler.", "Bakan hangi toplantıda görüşmüştür acaba?"),
    ],
)
def test_a_question_finds_other_forms_of_its_words(language: str, text: str, question: str) -> None:
    own, plain = set(terms(text, language)), set(terms(text))
    asked = {term.strip('"') for term in query(question).split(" OR ")}
    assert plain < own
    assert {term for term in own - plain if not term.startswith(STEM)} == set()
    assert len(own & asked) > len(plain & asked)


@given(ANY_TEXT, st.sampled_from([None, "und", "xx", "zh", *lexical._STEMMERS]))
@settings(deadline=None)
def test_stems_follow_the_words_and_can_be_mistaken_for_none(text: str, language: str | None) -> None:
    words, found = terms(text), terms(text, language)
    assert found[: len(words)] == words
    assert all(stem.startswith(STEM) and stem == stem.strip() for stem in found[len(words) :])
    assert not any(word.startswith(STEM) for word in words)
    stored = _stored(found)
    assert stored == found


def test_numbers_and_names_in_scripts_without_a_stemmer_are_kept_whole() -> None:
    assert terms("15.000 F-16 2023-11-08", "en") == terms("15.000 F-16 2023-11-08")
    assert terms("日本の首相", "ja") == terms("日本の首相")


def test_a_query_without_terms_is_empty() -> None:
    assert query("?!") == ""


def test_fts5_splits_terms_at_the_spaces_alone() -> None:
    text = "नई दिल्ली 1,5 2023-11-08 ที่นี่ Việt Nam မြန်မာ 日本の首相 F-16"
    assert _stored(terms(text)) == terms(text)


def _stored(found: list[str]) -> list[str]:
    """What FTS5 takes for terms."""
    table = sqlite3.connect(":memory:")
    table.execute(f'CREATE VIRTUAL TABLE t USING fts5(terms, tokenize = "{TOKENIZER}")')
    table.execute("INSERT INTO t (terms) VALUES (?)", (" ".join(found),))
    table.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, instance)")
    return [term for (term,) in table.execute("SELECT term FROM v ORDER BY doc, offset")]


@pytest.mark.parametrize("seed", range(20))
def test_fts5_ranks_as_the_bm25_formula_says(seed: int) -> None:
    """Against Robertson's formula with k1 = 1.2 and b = 0.75, as SQLite's bm25() documents it."""
    chance = random.Random(seed)
    words = ["seoul", "15.000", "日本の首相", "दिल्ली", "Việt", "F-16", "ที่นี่", "a", "rabu", "النبأ"]
    texts = [" ".join(chance.choices(words, k=chance.randint(1, 12))) for _ in range(chance.randint(3, 30))]
    question = " ".join(chance.sample(words, 3))
    table = _table(texts)
    found = dict(table.execute("SELECT rowid, -bm25(t) FROM t WHERE t MATCH ?", (query(question),)))
    expected = _bm25(texts, question)
    assert found.keys() == expected.keys()
    for number, score in expected.items():
        assert found[number] == pytest.approx(score, rel=1e-9, abs=1e-12)


def _table(texts: list[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(f'CREATE VIRTUAL TABLE t USING fts5(terms, tokenize = "{TOKENIZER}")')
    rows = [(number, " ".join(terms(text))) for number, text in enumerate(texts)]
    connection.executemany("INSERT INTO t (rowid, terms) VALUES (?, ?)", rows)
    return connection


def _bm25(texts: list[str], question: str) -> dict[int, float]:
    documents = [Counter(terms(text)) for text in texts]
    mean_length = sum(document.total() for document in documents) / len(documents)
    scores: dict[int, float] = {}
    for term in {part.strip('"') for part in query(question).split(" OR ")}:
        holders = [number for number, document in enumerate(documents) if document[term]]
        idf = max(1e-6, math.log((len(texts) - len(holders) + 0.5) / (len(holders) + 0.5)))
        for number in holders:
            frequency = documents[number][term]
            saturation = 1.2 * (1 - 0.75 + 0.75 * documents[number].total() / mean_length)
            scores[number] = scores.get(number, 0.0) + idf * frequency * 2.2 / (frequency + saturation)
    return scores


def test_the_tables_of_marks_are_made_once() -> None:
    assert lexical._patterns() is lexical._patterns()
