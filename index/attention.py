"""Scaled dot-product attention within texts that lie one after another, without padding.

For heads as narrow as ours torch's own kernel takes a third of a network's time on a processor, in bfloat16 more than
in float32. ``attend`` takes the exponentials without subtracting the greatest score first, which the range of both
types allows up to 127 (in powers of two; those of trained networks are far below): beyond it the result is not finite,
which the network notices, and computes again with torch's kernel.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils.rnn import pad_sequence

FEW_TOKENS = 48
"""Below it torch's own kernel is as fast."""

Attention = Callable[[torch.Tensor, Sequence[int], int], torch.Tensor]
"""Queries, keys and values [tokens, 3 * width], the lengths of the texts, and the number of heads; to [tokens, width].
"""


def attend(joined: torch.Tensor, lengths: Sequence[int], heads: int) -> torch.Tensor:
    """The quick way on a processor, text by text (neighbours of one length together); see ``Attention``."""
    tokens, width = joined.shape[0], joined.shape[1] // 3
    mixed = joined.new_empty(tokens, width)
    for start, count, length in _runs(lengths):
        part = slice(start, start + count * length)
        queries, keys, values = joined[part].view(count, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        result = mixed[part].view(count, length, heads, -1).transpose(1, 2)
        if length < FEW_TOKENS:
            result.copy_(scaled_dot_product_attention(queries, keys, values))
            continue
        scale = math.log2(math.e) / math.sqrt(queries.shape[-1])  # 2^x is quicker to compute than e^x
        shares = torch.matmul(queries * scale, keys.transpose(-1, -2)).exp2_()
        torch.div(torch.matmul(shares, values), shares.sum(dim=-1, keepdim=True), out=result)
    return mixed


def attend_padded(joined: torch.Tensor, lengths: Sequence[int], heads: int) -> torch.Tensor:
    """All texts at once, by torch's kernel; right for any scores and on any device; see ``Attention``."""
    rows = pad_sequence(list(torch.split(joined, list(lengths))), batch_first=True)
    queries, keys, values = rows.view(*rows.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)
    counts = torch.tensor(lengths, device=joined.device)
    present = torch.arange(rows.shape[1], device=joined.device) < counts[:, None]
    mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=present[:, None, None, :])
    return mixed.transpose(1, 2)[present].flatten(1)


def _runs(lengths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """First token, number of texts and length of each run of neighbours of one length."""
    start = 0
    for length, run in groupby(lengths):
        count = len(list(run))
        yield start, count, length
        start += count * length
