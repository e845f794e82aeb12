from datetime import date
from pathlib import Path

import numpy as np
import pytest
from damage import damage
from fakes import WordEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from index import vectors
from index.article import Article
from index.config import IndexSettings
from index.errors import DamagedError, EncoderMismatchError, NoIndexError, StoreError
from index.index import Index
from index.nearest import nearest
from index.store import ARTICLES_FILE, Writer, connect
from index.update import add


def article(name: str, text: str, **fields: object) -> Article:
    published = fields.pop("published", None)
    known = {"published": published, "published_from": "metadata"} if published else {}
    return Article.model_validate({"id": name, "title": name, "text": text, "language": "en", **known, **fields})


ARTICLES = [
    article("bridge", "The bridge opened in Hull.", published=date(2024, 1, 1), source="Wire"),
    article("ferry", "The ferry sailed from Aomori.", published=date(2024, 2, 1), source="Post", language="ja"),
    article("robot", "A robot mixes medicine in Chengdu.", published=date(2024, 3, 1), source="Wire", language="zh"),
]


@pytest.fixture
def folder(config: IndexSettings) -> Path:
    add(ARTICLES, folder=config.index.path, settings=config, encoder=WordEncoder())
    return config.index.path


@pytest.fixture
def index(folder: Path, config: IndexSettings) -> Index:
    with Index(folder, config, WordEncoder()) as opened:
        yield opened


FAISS = pytest.mark.parametrize("config", ["faiss"], indirect=True)


def ids(index: Index, question: str, **filters: object) -> list[str]:
    return [hit.article.id for hit in index.search(question, **filters)]


def test_search_finds_by_words_and_meaning(index: Index) -> None:
    assert ids(index, "ferry from Aomori")[0] == "ferry"


def test_filters_are_exact_and_inclusive(index: Index) -> None:
    assert set(ids(index, "the", published_after=date(2024, 2, 1))) == {"ferry", "robot"}
    assert set(ids(index, "the", published_before=date(2024, 2, 1))) == {"bridge", "ferry"}
    assert set(ids(index, "the", sources=["Wire"])) == {"bridge", "robot"}
    assert ids(index, "the", sources=["Wire"], languages=["zh"]) == ["robot"]
    assert ids(index, "the", sources=["Nobody"]) == []
    assert ids(index, "the", languages=["sw"]) == []
    assert ids(index, "the", published_after=date(2024, 2, 2), published_before=date(2024, 2, 1)) == []


@pytest.mark.parametrize("question", ["ክረምት መቼ ይመጣል?", "ᓄᓇᕗᑦ ᖃᖓ?", "?", "", "\ud800", "𓀀𓁐"])
def test_a_question_in_a_language_that_was_never_seen(index: Index, question: str) -> None:
    assert len(ids(index, question)) == len(ARTICLES)
    assert ids(index, question, sources=["Wire"], count=1) == ids(index, question, sources=["Wire"])[:1] != []


def test_newest_are_the_first_passages_of_the_latest_articles(index: Index) -> None:
    index.add(
        [article("undated", "A tram runs in Basel."), article("long", "One line. " * 200, published=date(2024, 2, 2))]
    )
    found = index.newest(10)
    assert [(hit.article.id, hit.passage.ordinal) for hit in found] == [
        ("robot", 0), ("long", 0), ("ferry", 0), ("bridge", 0), ("undated", 0)
    ]  # fmt: skip
    assert [hit.article.id for hit in index.newest(2)] == ["robot", "long"]
    filtered = index.newest(10, published_before=date(2024, 2, 1), sources=["Wire", "Post"])
    assert [hit.article.id for hit in filtered] == ["ferry", "bridge"]
    assert index.newest(10, sources=["Nobody"]) == []


def test_more_hits_asked_for_than_there_are(index: Index) -> None:
    assert len(index.search("bridge", count=1000)) == 3


def test_iteration_is_newest_first_and_length_counts_articles(index: Index) -> None:
    assert [article.id for article in index] == ["robot", "ferry", "bridge"]
    assert len(index) == 3
    assert index.article("ferry") == ARTICLES[1]
    assert index.article("none") is None


def test_iteration_goes_on_while_the_index_changes(index: Index) -> None:
    articles = iter(index)
    assert next(articles).id == "robot"
    index.remove(["bridge"])
    assert [article.id for article in articles] == ["ferry", "bridge"]
    assert [article.id for article in index] == ["robot", "ferry"]
    assert index.get("ferry") == index.article("ferry")


def test_summaries_are_articles_without_their_texts(index: Index) -> None:
    with index.snapshot() as snapshot:
        first, *_ = snapshot.summaries()
    assert first == ("robot", "robot", None, "Wire", "zh", "2024-03-01", "metadata", 1)


def test_add_and_remove(index: Index) -> None:
    before = index.generation
    report = index.add([article("ferry", "The ferry sank."), article("tram", "A tram runs in Basel.")])
    assert (report.added, report.changed) == (1, 1)
    assert ids(index, "tram in Basel")[0] == "tram"
    assert "Aomori" not in index.search("ferry")[0].passage.text
    report = index.remove(["tram", "nothing"])
    assert (report.removed, [problem.where for problem in report.problems]) == (1, ["nothing"])
    assert "tram" not in ids(index, "tram in Basel")
    assert index.generation == before + 2


def test_an_index_that_became_empty_finds_nothing(index: Index) -> None:
    index.remove([article.id for article in ARTICLES])
    assert ids(index, "ferry") == []


def test_retriever_gives_documents(index: Index) -> None:
    document = index.as_retriever(sources=["Post"]).invoke("ferry")[0]
    assert document.page_content == "The ferry sailed from Aomori."
    assert document.metadata["article_id"] == "ferry"
    assert document.metadata["published"] == "2024-02-01"
    start, end = document.metadata["start"], document.metadata["end"]
    assert ARTICLES[1].text[start:end] == document.page_content


def test_no_index(tmp_path: Path, config: IndexSettings) -> None:
    with pytest.raises(NoIndexError, match="kabar index"):
        Index(tmp_path / "nowhere", config)


def test_another_encoder_is_named_with_the_remedy(folder: Path, config: IndexSettings) -> None:
    with (
        Index(folder, config, WordEncoder("words/2")) as index,
        pytest.raises(EncoderMismatchError, match=r"'words/1'.*'words/2'.*kabar index"),
    ):
        index.search("ferry")


def test_another_format_is_refused(folder: Path, config: IndexSettings) -> None:
    with Writer(folder) as writer:
        writer.set_meta("format", "99")
        writer.commit_meta()
    with pytest.raises(StoreError, match="index format 99"):
        Index(folder, config)


def test_a_file_that_is_no_database_is_named(folder: Path, config: IndexSettings) -> None:
    (folder / ARTICLES_FILE).write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(DamagedError, match="kabar doctor"):
        Index(folder, config)


@FAISS
@pytest.mark.parametrize("kind", ["missing", "cut", "zeros"])
def test_faiss_file_is_derived_and_never_missed(folder: Path, config: IndexSettings, kind: str) -> None:
    (file,) = folder.glob("vectors-*.faiss")
    damage(file, kind)
    encoder = WordEncoder()
    with Index(folder, config, encoder) as index:
        assert ids(index, "ferry from Aomori")[0] == "ferry"
    assert encoder.encoded == []


@FAISS
def test_a_changed_bit_in_the_faiss_file_is_found_by_its_checksum(folder: Path) -> None:
    (file,) = folder.glob("vectors-*.faiss")
    connection = connect(folder, ARTICLES_FILE)
    assert vectors.problems(folder, connection) == []
    damage(file, "a bit")
    assert "checksum is wrong" in vectors.problems(folder, connection)[0]
    connection.close()


def test_no_pickle_is_written(folder: Path) -> None:
    assert {path.name.split("-")[0].split(".")[0] for path in folder.iterdir()} <= {
        "articles",
        "vectors",
        "lock",
        "milvus",
    }


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(1, 60),
    wanted=st.integers(1, 80),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_faiss_against_brute_force(count: int, wanted: int, seed: int, data: st.DataObject) -> None:
    import faiss

    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 16)).astype(np.float32)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16).astype(np.float32)
    numbers = random.permutation(1000)[:count].astype(np.int64)
    chosen = data.draw(st.none() | st.sets(st.sampled_from(numbers.tolist())))
    without = np.asarray(data.draw(st.lists(st.sampled_from(numbers.tolist()), unique=True)), dtype=np.int64)
    kind = faiss.ScalarQuantizer.QT_fp16
    parts = []
    for low, high in ((0, 300), (300, 1000)):
        index = faiss.IndexIDMap2(faiss.IndexScalarQuantizer(16, kind, faiss.METRIC_INNER_PRODUCT))
        some = (numbers > low) & (numbers <= high) if low else numbers <= high
        index.add_with_ids(rows[some], numbers[some])
        parts.append(vectors.Part(index, high))
    question = rows[0]
    only = None if chosen is None else np.asarray(sorted(chosen), dtype=np.int64)
    found = nearest(parts, question, wanted, only=only, without=np.sort(without), stored=lambda _: {})
    allowed = set(numbers.tolist() if chosen is None else chosen) - set(without.tolist())
    scores = {int(number): float(row @ question) for number, row in zip(numbers, rows, strict=True)}
    expected = sorted((number for number in allowed), key=lambda number: -scores[number])[:wanted]
    assert len(found) == len(expected)
    np.testing.assert_allclose([score for _, score in found], [scores[number] for number in expected], atol=1e-5)


@pytest.mark.parametrize("count", [1, 4, 7, 8, 30])
def test_of_equally_near_passages_the_first_by_number_are_found(count: int) -> None:
    import faiss

    made = faiss.IndexIDMap2(faiss.IndexScalarQuantizer(16, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT))
    rows = np.eye(16, dtype=np.float32)[[0, 1, 1, 1, 1, 2, 1, 1, 3, 1]]
    numbers = np.asarray([90, 8, 3, 70, 5, 40, 1, 60, 50, 2])
    made.add_with_ids(rows, numbers)
    question = np.asarray([0.5, 0.4, 0.3, 0.2, *[0] * 12], dtype=np.float32)
    found = nearest([vectors.Part(made, 100)], question, count, only=None, without=np.empty(0, np.int64), stored=dict)
    assert [number for number, _ in found] == [90, 1, 2, 3, 5, 8, 60, 70, 40, 50][:count]
