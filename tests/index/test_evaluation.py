import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder
from index.errors import ArticleError
from index.evaluation import evaluate_retrieval, figures, make_pool, read_squad

KEYS = ["files", "passages", "questions", "r1", "r10", "mrr10"]
PARALLEL_KEYS = ["parallel_in_top", "same_language_top1", "same_language_r1", "cross_language_r1"]


class Letters(Encoder):
    """Vectors that count letters: enough to tell the test's texts apart."""

    def __init__(self) -> None:
        pass

    def encode_passages(self, texts: Sequence[str], **_: object) -> np.ndarray:  # type: ignore[override]
        counts = np.array([[text.count(chr(97 + letter)) for letter in range(26)] for text in texts], dtype=np.float32)
        unit: np.ndarray = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)
        return unit

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.encode_passages(texts)


def write(path: Path, paragraphs: list[tuple[str, list[str]]], *, impossible: str | None = None) -> Path:
    data = []
    for context, questions in paragraphs:
        items = [{"id": one, "question": one, "answers": [{"text": "", "answer_start": 0}]} for one in questions]
        if impossible:
            items.append({"id": "x", "question": impossible, "answers": [], "is_impossible": True})
        data.append({"title": "t", "paragraphs": [{"context": context, "qas": items}]})
    path.write_text(json.dumps({"version": "v2.0", "data": data}), encoding="utf-8")
    return path


def test_right_questions_score_one_and_unanswerable_ones_do_not_count(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", [("aaab", ["aaab"]), ("cccd", ["cccd", "ccd"])], impossible="zzz")
    found = evaluate_retrieval([file], Letters())
    assert list(found) == KEYS
    assert found == {"files": 1, "passages": 2, "questions": 3, "r1": 1.0, "r10": 1.0, "mrr10": 1.0}


def test_a_passage_found_second_counts_half(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", [("aaab", ["cccd"]), ("cccd", ["cccd"])])
    found = evaluate_retrieval([file], Letters(), hybrid=False)
    assert (found["r1"], found["r10"], found["mrr10"]) == (0.5, 1.0, 0.75)


def test_a_passage_in_two_files_is_one_passage(tmp_path: Path) -> None:
    first = write(tmp_path / "a.json", [("aaab", ["aaab"])])
    second = write(tmp_path / "b.json", [("cccd", ["cccd"]), ("aaab", ["aab"])])
    found = evaluate_retrieval([first, second], Letters())
    assert (found["files"], found["passages"], found["questions"], found["r1"]) == (2, 2, 3, 1.0)


def test_a_copy_of_the_passage_is_as_right_as_the_passage(tmp_path: Path) -> None:
    story = "the mayor of aalen opened the new town hall on monday before two hundred guests from all over the county"
    file = write(
        tmp_path / "a.json", [(story, []), ("zz", ["zz"]), (story.replace("new ", ""), ["town hall of aalen"])]
    )
    found = evaluate_retrieval([file], Letters())
    assert (found["passages"], found["r1"]) == (3, 1.0)


def test_a_text_is_found_by_its_best_passage(tmp_path: Path) -> None:
    dull = "A bad bag had a dab."
    texts = [(" ".join([*[dull] * 30, "Zigzag puzzles fizz."]), ["zigzag puzzles fizz"]), (f"{dull} Zigzag!", [])]
    one = read_squad(write(tmp_path / "a.json", texts))
    encoder = Letters()
    for characters, passages, right in ((600, 3, 1.0), (4000, 2, 0.0)):
        pool = make_pool([one], keep_copies=False, characters=characters)
        vectors = encoder.encode_passages(pool.passages), encoder.encode_queries(pool.questions)
        assert len(pool.passages) == passages
        assert figures(pool, *vectors, hybrid=False)["r1"] == right


def test_words_help_where_vectors_do_not(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", [("listen now", []), ("silent won", ["silent"])])
    assert evaluate_retrieval([file], Letters(), hybrid=False)["r1"] == 0.0
    assert evaluate_retrieval([file], Letters())["r1"] == 1.0


def test_parallel_figures_count_what_they_say(tmp_path: Path) -> None:
    """Two languages of three passages; vectors are made by hand, in the plane."""
    sets = [
        read_squad(write(tmp_path / f"{name}.json", [(f"{name}{number}", [f"{name}{number}?"]) for number in range(3)]))
        for name in ("x", "y")
    ]
    angles = np.radians([0, 40, 80, 3, 43, 83])  # each translation is 3 degrees off
    passages = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    questions = passages[[0, 1, 2, 3, 4, 2]]  # the last question of the second language is nearer to the first
    found = figures(make_pool(sets, keep_copies=True), passages, questions, parallel=True, hybrid=False)
    assert list(found) == KEYS + PARALLEL_KEYS
    assert found["parallel_in_top"] == 1.0
    assert found["same_language_top1"] == pytest.approx(5 / 6)
    assert found["same_language_r1"] == 1.0
    assert found["cross_language_r1"] == 1.0
    assert found["r1"] == pytest.approx(5 / 6)


def test_one_file_alone_has_no_other_language(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", [("aaab", ["aaab"])])
    assert evaluate_retrieval([file], Letters(), parallel=True)["cross_language_r1"] is None


def test_files_that_are_not_parallel_are_named(tmp_path: Path) -> None:
    first = write(tmp_path / "a.json", [("aaab", ["aaab"])])
    second = write(tmp_path / "b.json", [("cccd", ["cccd"]), ("aaab", ["aab"])])
    with pytest.raises(ArticleError, match=r"b\.json: 2 paragraphs.*a\.json has 1"):
        evaluate_retrieval([first, second], Letters(), parallel=True)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"data": [{}]}', '{"data": [{"paragraphs": [{"context": "a"}]}]}', "\ud800"]
)
def test_what_is_not_squad_json_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ArticleError, match=r"bad\.json: not SQuAD JSON"):
        read_squad(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match=r"none\.json: No such file"):
        read_squad(tmp_path / "none.json")


def test_a_file_without_answerable_questions_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="no answerable question"):
        read_squad(write(tmp_path / "a.json", [("aaab", [])], impossible="zzz"))
