"""Attention without padding: the same as torch's own, text by text."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from index.attention import FEW_TOKENS, Attention, attend, attend_padded

HEADS, WIDTH = 4, 32
LENGTHS = [1, 9, 9, FEW_TOKENS - 1, FEW_TOKENS, FEW_TOKENS + 9, FEW_TOKENS + 9, 3]


def joined(lengths: list[int], size: float = 2.0) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randn(sum(lengths), 3 * HEADS * WIDTH, generator=random) * size


def one_by_one(inputs: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    texts = []
    for part in inputs.split(lengths):
        queries, keys, values = part.view(len(part), 3, HEADS, WIDTH).permute(1, 2, 0, 3)
        texts.append(scaled_dot_product_attention(queries, keys, values).transpose(0, 1).flatten(1))
    return torch.cat(texts)


@pytest.mark.parametrize("attention", [attend, attend_padded])
@pytest.mark.parametrize("lengths", [LENGTHS, [60], [5], [60, 60, 60]])
def test_texts_do_not_see_one_another(attention: Attention, lengths: list[int]) -> None:
    inputs = joined(lengths)
    torch.testing.assert_close(attention(inputs, lengths, HEADS), one_by_one(inputs, lengths), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("attention", [attend, attend_padded])
def test_bfloat16(attention: Attention) -> None:
    inputs = joined(LENGTHS)
    found = attention(inputs.bfloat16(), LENGTHS, HEADS)
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(found.float(), one_by_one(inputs, LENGTHS), atol=0.1, rtol=0.05)


def test_scores_out_of_range_are_not_finite_rather_than_wrong() -> None:
    inputs = joined(LENGTHS, size=30)
    assert not attend(inputs, LENGTHS, HEADS).isfinite().all()
    torch.testing.assert_close(attend_padded(inputs, LENGTHS, HEADS), one_by_one(inputs, LENGTHS), atol=0.1, rtol=1e-3)
