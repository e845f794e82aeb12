"""Keyword search in large indexes, made small, against FTS5's own ranking of all passages."""

import sqlite3
from collections.abc import Iterator

import numpy as np
import pytest

from index import matching
from index.lexical import TOKENIZER, pairs, query, terms
from index.matching import Matcher

COUNT = 400


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    """Passages in which the word w0 is in nearly all, and the higher the number of a word the rarer it is."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("CREATE TABLE passages (id INTEGER PRIMARY KEY)")
    made.execute(f'CREATE VIRTUAL TABLE terms USING fts5 (words, tokenize = "{TOKENIZER}")')
    chance = np.random.default_rng(0)
    for number in range(1, COUNT + 1):
        words = np.minimum(chance.zipf(1.3, size=chance.integers(20, 60)), 300)
        made.execute("INSERT INTO passages VALUES (?)", (number,))
        text = " ".join(f"w{word}" for word in words)
        made.execute("INSERT INTO terms (rowid, words) VALUES (?, ?)", (number, " ".join(terms(text))))
    yield made
    made.close()


@pytest.fixture
def matcher(connection: sqlite3.Connection) -> Iterator[Matcher]:
    made = Matcher(connection)
    made.begin(None)
    yield made
    connection.execute("DROP TABLE temp.vocabulary")


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "ROWS", 60)
    monkeypatch.setattr(matching, "_SAMPLE", COUNT)


def all_of(connection: sqlite3.Connection, text: str) -> list[tuple[int, float]]:
    statement = "SELECT rowid, -bm25(terms) AS score FROM terms WHERE terms MATCH ? ORDER BY score DESC, rowid"
    return connection.execute(statement, (query(text),)).fetchall()


QUESTIONS = ["w40 w1 w2 w3", "w90 w120 w1", "w1 w2", "w17 w33 w5 w5 nowhere", "w200"]


@pytest.fixture
def words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "PAIR", 0.0)


@pytest.mark.usefixtures("words_alone")
@pytest.mark.parametrize("text", QUESTIONS)
def test_a_small_index_is_ranked_as_fts5_ranks_it(connection: sqlite3.Connection, matcher: Matcher, text: str) -> None:
    assert matcher.best(text, 10, None) == all_of(connection, text)[:10]
    only = np.arange(1, COUNT, 3)
    allowed = [row for row in all_of(connection, text) if row[0] in set(only.tolist())]
    assert matcher.best(text, 10, only) == allowed[:10]


@pytest.mark.usefixtures("few_rows", "words_alone")
@pytest.mark.parametrize("text", QUESTIONS)
def test_a_large_index_gives_the_same_scores(connection: sqlite3.Connection, matcher: Matcher, text: str) -> None:
    full = dict(all_of(connection, text))
    found = matcher.best(text, 10, None)
    assert 0 < len(found) <= 10
    assert found == sorted(found, key=lambda row: (-row[1], row[0]))
    for number, score in found:
        assert score == pytest.approx(full[number], rel=1e-4)


@pytest.mark.usefixtures("few_rows", "words_alone")
@pytest.mark.parametrize("text", ["w40 w1 w2 w3", "w90 w120 w1", "w17 w33 w5 w5 nowhere", "w200"])
def test_a_large_index_gives_the_same_best_hits(connection: sqlite3.Connection, matcher: Matcher, text: str) -> None:
    best = [number for number, _ in all_of(connection, text)[:5]]
    assert [number for number, _ in matcher.best(text, 30, None)[: len(best)]] == best


@pytest.mark.usefixtures("few_rows", "words_alone")
def test_passages_with_common_words_alone_are_not_looked_at(connection: sqlite3.Connection, matcher: Matcher) -> None:
    rare = {number for number, _ in all_of(connection, "w150")}
    assert {number for number, _ in matcher.best("w150 w1", 50, None)} == rare


@pytest.mark.usefixtures("few_rows", "words_alone")
def test_of_very_many_passages_the_newest_are_looked_at(connection: sqlite3.Connection, matcher: Matcher) -> None:
    found = [number for number, _ in matcher.best("w1", 100, None)]
    assert sorted(found) == sorted(number for number, _ in all_of(connection, "w1"))[-60:]


@pytest.mark.usefixtures("few_rows", "words_alone")
def test_filters_are_exact(connection: sqlite3.Connection, matcher: Matcher) -> None:
    only = np.asarray([5, 7, 100, 399, 5000])
    found = [number for number, _ in matcher.best("w40 w1 w2 w3", 10, only)]
    assert set(found) <= {5, 7, 100, 399}
    assert matcher.best("w1", 10, np.asarray([], dtype=np.int64)) == []


def test_nothing_matches_nothing(matcher: Matcher, few_rows: None) -> None:
    assert matcher.best("nowhere", 10, None) == []
    assert matcher.best("?!", 10, None) == []
    assert matcher.best("w1", 0, None) == []


def test_counts_are_kept_while_the_index_hardly_changes(connection: sqlite3.Connection, matcher: Matcher) -> None:
    kept = matcher.counts
    matcher.begin(kept)
    assert matcher.counts is kept
    matcher.begin(matching.Counts(numbers=COUNT // 2))
    assert matcher.counts.numbers == COUNT


def words_of(text: str, language: str) -> str:
    return " ".join(terms(text, language))


@pytest.fixture
def texts() -> Iterator[sqlite3.Connection]:
    """The same words side by side, apart, and side by side in a text of another language."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("CREATE TABLE passages (id INTEGER PRIMARY KEY)")
    made.execute(f'CREATE VIRTUAL TABLE terms USING fts5 (words, tokenize = "{TOKENIZER}")')
    rows = [
        words_of("The bridges there, kept by those who crossed a wide river.", "en"),
        words_of("Those who crossed it kept the river bridges there.", "en"),
        words_of("Die river bridges wurden oft gekreuzt und lange gehalten.", "de"),
        *(words_of(f"Nothing of the kind was said in year {number}.", "en") for number in range(20)),
    ]
    for number, row in enumerate(rows, start=1):
        made.execute("INSERT INTO passages VALUES (?)", (number,))
        made.execute("INSERT INTO terms (rowid, words) VALUES (?, ?)", (number, row))
    yield made
    made.close()


def test_words_that_stand_together_in_the_question_count_more_where_they_do(texts: sqlite3.Connection) -> None:
    matcher = Matcher(texts)
    matcher.begin(None)
    question = "Who kept the river bridges?"
    by_words = dict(all_of(texts, question))
    found = dict(matcher.best(question, 3, None))
    assert next(iter(found)) == 2
    assert found[2] > by_words[2]
    assert found[1] == by_words[1]
    assert found[3] == by_words[3]
    assert [number for number, _ in matcher.best(question, 1, np.array([1, 3]))] == [1]


def test_pairs_are_of_words_that_are_asked_for() -> None:
    many = " ".join(f"w{number}" for number in range(100))
    found = pairs(f"{many} w1 w2")
    assert found[:2] == [("w0", "w1"), ("w1", "w2")]
    assert len(found) == len(set(found))
    asked = {term.strip('"') for term in query(f"{many} w1 w2").split(" OR ")}
    assert asked.issuperset(word for pair in found for word in pair)
    assert pairs("alone") == pairs("") == []
