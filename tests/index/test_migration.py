"""Indexes of the first format, built here by the SQL that made them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.errors import DamagedError, StoreError, WriteError
from index.index import Index
from index.integrity import find_damage
from index.passage import hash_of, split_article, titled
from index.planning import plan
from index.store import ARTICLES_FILE, VECTORS_FILE, Writer, connect
from index.update import sync

ARTICLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    id TEXT PRIMARY KEY, content_hash TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, url TEXT, source TEXT,
    language TEXT NOT NULL, published TEXT, published_from TEXT NOT NULL, published_certainty REAL NOT NULL,
    published_reason TEXT, fetched TEXT
) WITHOUT ROWID;
CREATE INDEX articles_by_content ON articles (content_hash);
CREATE INDEX articles_by_date ON articles (published, published_from);
CREATE INDEX articles_by_language ON articles (language);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article_id TEXT NOT NULL REFERENCES articles (id), ordinal INTEGER NOT NULL,
    sentences TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL, UNIQUE (article_id, ordinal)
);
CREATE VIRTUAL TABLE terms USING fts5 (words, tokenize = "ascii tokenchars '.-'");
CREATE TABLE removed (passage_id INTEGER PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, root TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL, sha256 TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE file_articles (
    path TEXT NOT NULL REFERENCES files (path), article_id TEXT NOT NULL REFERENCES articles (id),
    PRIMARY KEY (path, article_id)
) WITHOUT ROWID;
CREATE INDEX file_articles_by_article ON file_articles (article_id);
"""
VECTORS = """
CREATE TABLE vectors (
    encoder TEXT NOT NULL, hash BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (encoder, hash)
) WITHOUT ROWID;
"""
LAST_NUMBER = 40


def write_article(articles: sqlite3.Connection, vectors: sqlite3.Connection, article: Article) -> None:
    encoder = WordEncoder()
    values = {**article.model_dump(mode="json"), "content_hash": article.content_hash}
    marks = ", ".join("?" * len(values))
    articles.execute(f"INSERT INTO articles ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    for passage in split_article(article):
        text = titled(article.title, passage.text)
        number = articles.execute(
            "INSERT INTO passages (article_id, ordinal, sentences, text, hash) VALUES (?, ?, ?, ?, ?)",
            (article.id, passage.ordinal, json.dumps(passage.sentences), passage.text, hash_of(text)),
        ).lastrowid
        articles.execute("INSERT INTO terms (rowid, words) VALUES (?, 'words as they were made then')", (number,))
        vector = encoder.encode_passages([text])[0].astype("<f2").tobytes()
        vectors.execute("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", (encoder.fingerprint, hash_of(text), vector))


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    return IndexSettings(index=IndexConfig(path=tmp_path / "index"))


@pytest.fixture
def news(tmp_path: Path, settings: IndexSettings) -> Path:
    """A folder of two files, indexed in the first format together with an article that came from no file."""
    news, folder = tmp_path / "news", settings.index.path
    news.mkdir()
    folder.mkdir()
    with (
        closing(sqlite3.connect(folder / ARTICLES_FILE)) as articles,
        closing(sqlite3.connect(folder / VECTORS_FILE)) as vectors,
    ):
        articles.executescript(ARTICLES)
        vectors.executescript(VECTORS)
        articles.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            {
                "format": "1",
                "generation": "7",
                "encoder": "words/1",
                "encoder_setting": "embedded|True|none",
                "faiss": json.dumps({"encoder": "words/1", "parts": [{"file": "vectors-7.faiss", "bytes": 3}]}),
            }.items(),
        )
        for name, town in (("bridge.txt", "Hull"), ("ferry.txt", "Aomori")):
            (news / name).write_text(f"News of {town}\nOn 2 May 2021 it rained in {town}.", encoding="utf-8")
            found = Article(
                id=name, title=f"News of {town}", text=(news / name).read_text(encoding="utf-8"), language="en"
            )
            write_article(articles, vectors, found)
            articles.execute("INSERT INTO files VALUES (?, ?, 1, 1, 'abc')", (str(news / name), str(news)))
            articles.execute("INSERT INTO file_articles VALUES (?, ?)", (str(news / name), name))
        added = Article(id="added", title="A tram", text="A tram runs in Basel.", language="en", url="https://a.test/1")
        write_article(articles, vectors, added)
        articles.execute("INSERT INTO removed VALUES (?)", (LAST_NUMBER,))
        articles.execute("UPDATE sqlite_sequence SET seq = ?", (LAST_NUMBER,))
        articles.commit()
        vectors.commit()
    (folder / "vectors-7.faiss").write_bytes(b"old")
    return news


def test_an_index_of_the_first_format_is_opened(news: Path, settings: IndexSettings) -> None:
    with Index(settings.index.path, settings, WordEncoder()) as index:
        assert {article.id for article in index} == {"bridge.txt", "ferry.txt", "added"}
        assert index.search("Aomori")[0].article.id == "ferry.txt"
        assert index.generation == 8
        assert index.places("bridge.txt") == [str(news / "bridge.txt")]
        with index.snapshot() as snapshot:
            assert snapshot.matching("Basel", 1)[0][0] > LAST_NUMBER, "a passage's number is never used again"
    assert find_damage(settings.index.path) == []
    assert not (settings.index.path / "vectors-7.faiss").exists()


def test_nothing_is_encoded_again_and_nothing_is_lost(news: Path, settings: IndexSettings) -> None:
    encoder = WordEncoder()
    report = sync(news, config=settings, encoder=encoder)
    assert (report.added, report.removed, encoder.encoded) == (0, 0, [])
    assert sync(news, config=settings, encoder=encoder).unchanged == 2
    (news / "ferry.txt").unlink()
    assert sync(news, config=settings, encoder=encoder).removed == 1
    with Index(settings.index.path, settings, encoder) as index:
        assert {article.id for article in index} == {"bridge.txt", "added"}
        assert index.remove(["added"]).removed == 1
    assert find_damage(settings.index.path) == []


def test_a_dry_run_is_possible_at_once(news: Path, settings: IndexSettings) -> None:
    (news / "tram.txt").write_text("Trams\nTrams run in Basel and in Lagos.", encoding="utf-8")
    assert [planned.id for planned in plan(news, config=settings).new] == ["tram.txt"]


def test_a_migration_that_fails_leaves_the_index_as_it_was(
    news: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("index.store.passage_dates.put", full)
        with pytest.raises(WriteError, match="No space left"):
            Index(settings.index.path, settings)
    with closing(connect(settings.index.path, ARTICLES_FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM file_articles").fetchone() == (2,)
    with Index(settings.index.path, settings, WordEncoder()) as index:
        assert len(index) == 3
    assert find_damage(settings.index.path) == []


def test_a_damaged_index_of_the_first_format_is_one_clear_error(news: Path, settings: IndexSettings) -> None:
    with closing(sqlite3.connect(settings.index.path / ARTICLES_FILE)) as connection:
        connection.execute("UPDATE articles SET published_from = 'nonsense'")
        connection.commit()
    with pytest.raises(DamagedError, match="remove the folder and index again"):
        Index(settings.index.path, settings)


def test_a_missing_vector_is_left_to_the_repair(news: Path, settings: IndexSettings) -> None:
    with closing(sqlite3.connect(settings.index.path / VECTORS_FILE)) as connection:
        connection.execute("DELETE FROM vectors WHERE hash = (SELECT hash FROM vectors LIMIT 1)")
        connection.commit()
    with Writer(settings.index.path) as writer:
        assert writer.meta("format") == "2"
    assert [damage.what for damage in find_damage(settings.index.path)] == [
        f"{VECTORS_FILE}: 1 passages have no vector"
    ]


def test_who_only_looks_is_told_what_to_do(news: Path, settings: IndexSettings) -> None:
    with pytest.raises(StoreError, match="`kabar index` brings it up to date"):
        find_damage(settings.index.path)


def test_vectors_that_were_taken_over_before_a_crash_are_not_taken_again(
    news: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("index.migration._take_articles", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Writer(settings.index.path)
    with closing(connect(settings.index.path, VECTORS_FILE)) as connection:
        before = connection.execute("SELECT id, hash, vector, checksum FROM vectors ORDER BY id").fetchall()
    assert np.frombuffer(before[0][2], dtype="<f2").size == 64
    assert sync(news, config=settings, encoder=WordEncoder()).encoded == 0
    with closing(connect(settings.index.path, VECTORS_FILE)) as connection:
        assert connection.execute("SELECT id, hash, vector, checksum FROM vectors ORDER BY id").fetchall() == before
