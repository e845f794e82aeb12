from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ModelError
from index.fairness import FILE, LanguageFairProjection, load_projection


def test_the_shipped_projection_is_small_and_finite() -> None:
    projection = load_projection()
    assert projection.matrix.shape == (384, 384)
    assert torch.isfinite(projection.matrix).all()
    assert FILE.stat().st_size < 1_000_000


@settings(deadline=None)  # the first call reads the file
@given(st.integers(0, 2**32 - 1))
def test_vectors_keep_unit_length(seed: int) -> None:
    vectors = torch.randn(3, 384, generator=torch.Generator().manual_seed(seed))
    projected = load_projection()({"sentence_embedding": vectors})["sentence_embedding"]
    torch.testing.assert_close(projected.norm(dim=1), torch.ones(3))


def test_the_projection_is_the_matrix_product() -> None:
    matrix = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    features = LanguageFairProjection(2, matrix)({"sentence_embedding": torch.tensor([[3.0, 4.0]])})
    torch.testing.assert_close(features["sentence_embedding"], torch.tensor([[1.0, 0.0]]))


def test_saving_and_loading_keep_it(tmp_path: Path) -> None:
    projection = load_projection()
    projection.save(str(tmp_path))
    again = LanguageFairProjection.load(str(tmp_path))
    assert again.fingerprint == projection.fingerprint
    assert torch.equal(again.matrix, projection.matrix)


def test_another_matrix_has_another_fingerprint() -> None:
    assert LanguageFairProjection(2).fingerprint != LanguageFairProjection(2, torch.zeros(2, 2)).fingerprint


def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="not \\(3, 3\\)"):
        LanguageFairProjection(3, torch.eye(2))


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(FILE.read_bytes())
    content[-1] ^= 1
    damaged = tmp_path / "fairness.safetensors"
    damaged.write_bytes(content)
    with pytest.raises(ModelError, match="not the projection that was shipped"):
        load_projection(damaged)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.safetensors"):
        load_projection(tmp_path / "nothing.safetensors")


FACT = "The new bridge over the river Kapuas will open on Friday, said Governor Sutarmidji."
QUESTIONS = (
    "When will the bridge over the Kapuas open?",
    "Kapan jembatan di atas Sungai Kapuas dibuka?",
    "متى سيفتتح الجسر فوق نهر كابواس؟",
)
CHINESE = [
    f"{place}市{thing}将于{day}日开放，市长表示欢迎市民前来。"
    for day, place in enumerate(("南京", "成都", "武汉", "西安", "青岛"), start=1)
    for thing in ("图书馆", "大桥")
]


@pytest.mark.models
def test_chinese_passages_do_not_hide_an_english_fact() -> None:
    from index.encoder import Encoder

    encoder = Encoder.open()
    fact = encoder.encode_passages([FACT])[0]
    others = encoder.encode_passages(CHINESE)
    for question in encoder.encode_queries(QUESTIONS):
        assert question @ fact > (others @ question).max()
