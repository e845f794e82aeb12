"""The span reader: its decoder against exhaustive search, its windows, its file, and what it reads."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tokenizers import Tokenizer, models, pre_tokenizers

from index.config import EncoderConfig
from index.encoder import Encoder
from index.errors import ArticleError, ModelError
from qa.evaluation import evaluate_reading
from qa.reader import (
    MAX_ANSWER,
    MAX_TOKENS,
    OVERLAP,
    WEIGHTS,
    Calibration,
    Found,
    Span,
    SpanReader,
    Window,
    alternatives,
    decode,
    trim,
    window_starts,
)
from qa.reader_weights import open_network, read_weights, write_weights
from qa.spans import best_span

ARTICLE = Path(__file__).parents[2] / "articles"

# The decoder.

scores = st.integers(1, 40).flatmap(
    lambda size: arrays(np.float32, (size, 2), elements=st.integers(-9, 9).map(lambda value: value / 2))
)


@settings(deadline=None)
@given(scores, st.integers(1, 50))
def test_best_span_agrees_with_trying_them_all(table: np.ndarray, longest: int) -> None:
    starts, ends = table.T
    spans = [(first, last) for first in range(len(starts)) for last in range(first, min(first + longest, len(starts)))]
    sums = [starts[first] + ends[last] for first, last in spans]
    found = best_span(starts, ends, longest)
    assert (found.first, found.last) == spans[int(np.argmax(sums))]
    assert found.score == max(sums)


@pytest.mark.parametrize(("tokens", "longest"), [(0, 5), (3, 0)])
def test_no_span_without_tokens(tokens: int, longest: int) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        best_span(np.zeros(tokens), np.zeros(tokens), longest)


def test_decode_gives_margin_and_likelihood() -> None:
    window = Window(passage=3, ids=[0, 7, 2, 2, 10, 11, 12, 2], first=4, offsets=[(0, 2), (3, 5), (5, 9)])
    table = np.full((8, 2), 50, dtype=np.float32)  # the question's tokens must not count
    table[0] = [1, 0]
    table[4:7] = [[0, -1], [3, 0], [-1, 2]]
    found = decode(window, table)
    assert (found.passage, found.start, found.end) == (3, 3, 9)
    assert found.margin == pytest.approx(5 - 1)
    start = np.exp(3) / np.exp([1, 0, 3, -1]).sum()
    end = np.exp(2) / np.exp([0, -1, 0, 2]).sum()
    assert found.log_likelihood == pytest.approx(np.log(start * end), abs=1e-5)


@settings(deadline=None)
@given(st.integers(0, 1500), st.integers(OVERLAP + 10, MAX_TOKENS))
def test_windows_cover_every_token(tokens: int, room: int) -> None:
    starts = window_starts(tokens, room)
    assert starts == sorted(set(starts))
    covered = {token for start in starts for token in range(start, min(start + room, tokens))}
    assert covered == set(range(tokens))
    for one, other in pairwise(starts):
        assert one + room - other >= OVERLAP
    if starts:
        assert starts[-1] + room == tokens or starts == [0]


@settings(deadline=None)
@given(st.text(alphabet="a ,;:.\n\u3000", max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_trim(text: str, start: int, end: int) -> None:
    end = min(end, len(text))
    start = min(start, end)
    first, last = trim(text, start, end)
    assert start <= first <= last <= end
    assert text[first:last] == text[start:end].strip(" ,;:\n\u3000")


def test_calibration_is_the_logistic_function() -> None:
    calibration = Calibration(2.0, 3.0, -1.0)
    assert calibration.probability(0.0) == pytest.approx(1 / (1 + np.exp(-2)))
    assert calibration.probability(-1.0) == pytest.approx(1 / (1 + np.exp(3 - 3 * np.exp(-1))))
    assert calibration.probability(-1e9) == pytest.approx(0)


# The reader around a network that knows one word.

VOCABULARY = {"<unk>": 3, "<s>": 0, "<pad>": 1, "</s>": 2, "who": 4, "Jin": 5, "Park": 6, "met": 7}


class WordFinder(torch.nn.Module):
    """Hidden states that are the token ids; with the head below, "Park" starts and "Jin" ends an answer."""

    def forward(self, rows: list[list[int]]) -> torch.Tensor:
        assert max(map(len, rows)) <= MAX_TOKENS
        ids = torch.tensor([number for row in rows for number in row])
        return torch.nn.functional.one_hot(ids.clamp(max=7), 8).float()


@pytest.fixture
def small_reader() -> SpanReader:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    head = torch.nn.Linear(8, 2, bias=False)
    with torch.no_grad():
        head.weight.fill_(-5)
        head.weight[0, 6] = head.weight[1, 5] = 5
        head.weight[:, 0] = 0
    return SpanReader(WordFinder(), head, tokenizer, Calibration(1.0, 8.0, -2.0))  # type: ignore[arg-type]


def test_reads_the_words_and_their_offsets(small_reader: SpanReader) -> None:
    passages = ["met  Park   Jin  there", "nobody at all", "Park met"]
    spans = small_reader.read("who met ?", passages)
    assert [span.passage for span in spans] == [0, 2, 1]
    assert spans[0].text == "Park   Jin"
    assert all(passages[span.passage][span.start : span.end] == span.text for span in spans)
    assert spans[0].score == pytest.approx(10)
    assert spans[0].probability > 0.99
    assert spans[2].probability < 0.01


def test_find_says_the_same_and_names_a_second_place(small_reader: SpanReader) -> None:
    passages = ["met Park Jin", "nothing", "Park Jin" + " met" * 20 + " Park Jin"]
    readings = small_reader.find("who", passages)
    spans = small_reader.read("who", passages)
    best = {reading.passage: reading for reading in reversed(readings)}
    assert {number: best[number].probability for number in best} == {span.passage: span.probability for span in spans}
    places = [(reading.start, reading.end) for reading in readings if reading.passage == 2]
    assert sorted(places) == [(0, 8), (89, 97)]
    assert len([reading for reading in readings if reading.passage == 0]) == 1


def test_words_that_cannot_be_the_answer_are_passed_over(small_reader: SpanReader) -> None:
    passages = ["Park Jin met Park x Jin", "Park Jin", "met Park Jin"]

    def unfit(passage: int, words: str) -> bool:
        return words == "Park Jin" and passage < 2

    found = {reading.passage: reading for reading in reversed(small_reader.find("who", passages, unfit))}
    assert passages[0][found[0].start : found[0].end] == "Park x Jin"
    assert 1 not in found
    [same] = [reading for reading in small_reader.find("who", passages) if reading.passage == 2]
    assert found[2] == same


@settings(deadline=None)
@given(scores.filter(lambda table: len(table) > 1))
def test_what_is_left_is_as_likely_as_if_the_rest_had_not_been_there(table: np.ndarray) -> None:
    tokens = len(table) - 1
    window = Window(
        passage=0, ids=[0, *range(tokens)], first=1, offsets=[(number, number + 1) for number in range(tokens)]
    )
    best = next(alternatives(window, table, 1))

    def cannot_be(found: Found) -> bool:
        return (found.start, found.end) == (best.start, best.end)

    without = table.copy()
    without[1 + best.start : 1 + best.end] = -np.inf
    expected = list(alternatives(window, without, 2))
    assert list(alternatives(window, table, 2, cannot_be)) == expected
    assert all(found.log_likelihood <= 1e-4 for found in expected)


def test_limit(small_reader: SpanReader) -> None:
    assert len(small_reader.read("who", ["Park Jin"] * 9, limit=4)) == 4


@pytest.mark.parametrize("before", [0, 150, 400, 1000, 3000])
def test_finds_words_anywhere_in_a_long_passage(small_reader: SpanReader, before: int) -> None:
    text = "met " * before + "Park Jin" + " met" * 700
    [span] = small_reader.read("who", [text])
    assert (span.start, span.text) == (4 * before, "Park Jin")


def test_never_reads_across_passages(small_reader: SpanReader) -> None:
    spans = small_reader.read("who", ["met Park", "Jin met"])
    assert all(span.probability <= 0.5 for span in spans)


@pytest.mark.parametrize("passages", [[], [""], [" \n"], ["", "", ""]])
def test_nothing_to_read(small_reader: SpanReader, passages: list[str]) -> None:
    assert small_reader.read("who", passages) == []
    assert small_reader.find("who", passages) == []


def test_a_question_longer_than_the_window(small_reader: SpanReader) -> None:
    [span] = small_reader.read("who " * 5000, ["met Park Jin"])
    assert span.text == "Park Jin"


# The file.


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reader.safetensors"
    random = torch.Generator().manual_seed(1)
    state = {"head.weight": torch.randn(2, 384, generator=random), "head.bias": torch.tensor([0.25, -1.5])}
    write_weights(path, state, {"calibration": "[1, 0, 0]"})
    return path


def test_file_round_trip(file: Path) -> None:
    state, metadata = read_weights(file)
    random = torch.Generator().manual_seed(1)
    original = torch.randn(2, 384, generator=random)
    step = original.abs().amax(dim=1, keepdim=True) / 127
    assert bool(((state["head.weight"] - original).abs() <= step / 2 + 1e-6).all())
    assert state["head.bias"].tolist() == [0.25, -1.5]
    assert json.loads(metadata["calibration"]) == [1, 0, 0]


def test_changed_file_is_refused(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(ModelError, match="damaged"):
        read_weights(file)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '"text"'])
def test_damaged_hash_is_refused(file: Path, content: str) -> None:
    file.with_suffix(".json").write_text(content)
    with pytest.raises(ModelError, match=r"\.json file is damaged"):
        read_weights(file)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors.*cannot be read"):
        SpanReader.open(None, path=tmp_path / "none.safetensors")


def test_file_of_another_kind_is_refused(file: Path) -> None:
    import hashlib

    file.write_bytes(b"not a safetensors file")
    file.with_suffix(".json").write_text(json.dumps({"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}))
    with pytest.raises(ModelError, match="not a safetensors file"):
        read_weights(file)


def test_file_without_the_layers_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match="does not fit"):
        open_network(file, None)


# Evaluation.


class Echo:
    """Answers with the first word, sure of it if it has a capital."""

    def read(self, question: str, passages: Sequence[str], *, limit: int = 5) -> list[Span]:
        text = passages[0].split()[0]
        probability = 0.9 if text[0].isupper() else 0.1
        return [Span(passage=0, start=0, end=len(text), text=text, score=0, probability=probability)][:limit]


def question_set(*items: tuple[str, list[str]]) -> str:
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": str(number),
                    "question": "?",
                    "is_impossible": not answers,
                    "answers": [{"text": answer, "answer_start": 0} for answer in answers],
                }
            ],
        }
        for number, (context, answers) in enumerate(items)
    ]
    return json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]})


def test_evaluation(tmp_path: Path) -> None:
    mixed, sure = tmp_path / "mixed.json", tmp_path / "sure.json"
    mixed.write_text(question_set(("Seoul x", ["Seoul"]), ("x y", ["x"]), ("Tokyo z", []), ("z", [])))
    sure.write_text(question_set(("x y", ["x y"]), ("y", ["z"])))
    figures = evaluate_reading(Echo(), [mixed, sure], threshold=0.35)
    assert figures[0] == {
        "file": str(mixed),
        "questions": 4,
        "em": 50.0,
        "f1": 50.0,
        "answerable_f1": 50.0,
        "unanswerable_f1": 50.0,
    }
    assert figures[1]["f1"] == pytest.approx(33.33)
    assert figures[1]["em"] == 0
    assert figures[1]["unanswerable_f1"] is None
    [limited] = evaluate_reading(Echo(), [mixed], 1, threshold=0.35)
    assert (limited["questions"], limited["f1"]) == (1, 100.0)
    [bold] = evaluate_reading(Echo(), [mixed], threshold=0.05)
    assert (bold["answerable_f1"], bold["unanswerable_f1"]) == (100.0, 0.0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"data": [{"paragraphs": [{"qas": [{}]}]}]}'])
def test_evaluation_of_no_question_set(tmp_path: Path, content: str) -> None:
    file = tmp_path / "set.json"
    file.write_text(content)
    with pytest.raises(ArticleError, match=r"set\.json.*not a question set"):
        evaluate_reading(Echo(), [file], threshold=0.35)
    with pytest.raises(ArticleError, match=r"none\.json"):
        evaluate_reading(Echo(), [tmp_path / "none.json"], threshold=0.35)


# The shipped weights.


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.open(EncoderConfig(precision="float32", language_fair=False))


@pytest.fixture(scope="module")
def reader(encoder: Encoder) -> SpanReader:
    return SpanReader.open(encoder)


PASSAGE = (
    "Presiden Joko Widodo meresmikan bandara baru di Kulon Progo, Yogyakarta, Jumat (28/8). "
    "Pembangunan bandara itu menelan biaya Rp 11,3 triliun."
)


@pytest.mark.models
def test_reads_the_answer(reader: SpanReader) -> None:
    spans = reader.read("Siapa yang meresmikan bandara baru?", ["Kucing makan ikan.", PASSAGE])
    assert spans[0].passage == 1
    assert "Joko Widodo" in spans[0].text
    assert PASSAGE[spans[0].start : spans[0].end] == spans[0].text


@pytest.mark.models
def test_other_passages_do_not_change_what_is_read(reader: SpanReader) -> None:
    [alone] = reader.read("Siapa yang meresmikan bandara baru?", [PASSAGE])
    together = reader.read("Siapa yang meresmikan bandara baru?", [PASSAGE * 9, "x", PASSAGE, "東京" * 300])
    [same] = [span for span in together if span.passage == 2]
    assert (same.start, same.end) == (alone.start, alone.end)
    assert same.probability == pytest.approx(alone.probability, abs=1e-3)


@pytest.mark.models
@settings(max_examples=15, deadline=None)
@given(question=st.text(max_size=30), passages=st.lists(st.text(max_size=60), max_size=3))
def test_any_input_is_read(reader: SpanReader, question: str, passages: list[str]) -> None:
    for span in reader.read(question, passages):
        assert passages[span.passage][span.start : span.end] == span.text
        assert span.text.strip() == span.text != ""
        assert 0 <= span.probability <= 1


@pytest.mark.models
@pytest.mark.parametrize("text", ["\ud800 lone \udfff", "\0" * 50, "a" * 30_000, "ᚠᛇᚻ᛫ᛒᛦᚦ", "</s></s> <s>"])
def test_odd_text_is_read(reader: SpanReader, text: str) -> None:
    for span in reader.read(text[:200], [text, PASSAGE]):
        assert [text, PASSAGE][span.passage][span.start : span.end] == span.text


@pytest.mark.models
def test_shares_what_the_encoder_has(reader: SpanReader, encoder: Encoder) -> None:
    network = encoder.pipeline.network  # type: ignore[attr-defined]
    assert reader.network.embeddings is network.embeddings
    assert WEIGHTS.stat().st_size < 50e6
    assert reader.tokenizer is encoder.pipeline.tokenizer  # type: ignore[attr-defined]
    assert MAX_ANSWER < MAX_TOKENS
