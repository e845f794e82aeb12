"""Linear layers in 8 bits, for processors that multiply bytes faster than numbers (VNNI).

The weights get one scale an output; they come from 4 bits, so little is lost. The inputs get one scale a token, found
as they come: a token's result depends on no other token, and there is nothing to calibrate.
"""

from typing import Any

import torch
from torch import nn

from index.network import Layer

LEVELS = 254
"""Of a token's values; one fewer than a byte has, so that rounding at both ends cannot leave its range."""

ROUNDER = 1.5 * 2**23
"""Added to a float32 of small size, it leaves the nearest integer in the lowest bits."""


class Int8Linear(nn.Module):
    """Computes nearly what ``nn.Linear`` does: float32 [tokens, inputs] to float32 [tokens, outputs]."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        weight = weight.detach().float()
        self.bias = bias.detach().float()
        self.scales = weight.abs().amax(dim=1).clamp_(min=1e-12).div_(127)
        codes = weight.div(self.scales[:, None]).round_()
        self.sums = codes.sum(dim=1).mul_(self.scales)
        self.zeros = torch.zeros(len(weight), dtype=torch.int32)
        self.rounder = torch.full((weight.shape[1],), ROUNDER)
        self.packed: Any = torch.ops.onednn.qlinear_prepack(codes.to(torch.int8), None)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """[tokens, inputs] to [tokens, outputs]; an input is about ``scale * (code + lowest)``."""
        highest = inputs.amax(dim=1, keepdim=True).clamp_(min=0)
        least = inputs.amin(dim=1, keepdim=True).clamp_(max=0)
        scale = highest.sub_(least).clamp_(min=1e-12).div_(LEVELS)
        lowest = least.div_(scale).round_()
        codes = torch.addcmul(self.rounder, inputs, scale.reciprocal()).view(torch.int32).to(torch.uint8)
        codes.sub_(lowest.to(torch.int32).to(torch.uint8))  # both are remainders modulo 256, and so is the difference
        products = torch.ops.onednn.qlinear_pointwise(
            codes, 1.0, 0, self.packed, self.scales, self.zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        offsets = torch.addcmul(self.bias, self.sums, lowest.mul_(scale))
        return torch.addcmul(offsets, products, scale, out=offsets)


def quantise(layer: Layer, attention: torch.dtype | None = None) -> None:
    """Turn a layer in float32 into one of 8 bits, except for norms, sums and attention.

    With another precision of ``attention``, queries, keys and values are computed in it too: 8 bits harm them most.

    Raises:
        AttributeError, RuntimeError: this torch, or this processor, has no such products.
    """
    for name in ("attend", "attended", "widen", "narrow"):
        linear = getattr(layer, name)
        if name == "attend" and attention is not None:
            linear.to(attention)
        else:
            setattr(layer, name, Int8Linear(linear.weight, linear.bias))
    layer.attention = attention
