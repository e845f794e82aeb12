"""The reader's trained layers by the names of transformers' BERT, which trains them, and of ``index.network``."""

from pathlib import Path

import torch

from qa.reader_weights import read_weights

FROZEN_LAYERS = 3
"""Layers next to the (frozen) embeddings that stay as they are: a fifth of the time saved."""

NAMES = {
    "attention.output.dense": "attended",
    "attention.output.LayerNorm": "attended_norm",
    "intermediate.dense": "widen",
    "output.dense": "narrow",
    "output.LayerNorm": "narrow_norm",
}
_PARTS = ("query", "key", "value")
_KINDS = ("weight", "bias")


def to_network(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The trained layers by the names of ``index.network``; query, key and value become one matrix."""
    found = {"head.weight": state["head.weight"], "head.bias": state["head.bias"]}
    numbers = {int(name.split(".")[3]) for name in state if name.startswith("bert.encoder.layer.")}
    for number in sorted(number for number in numbers if number >= FROZEN_LAYERS):
        prefix = f"bert.encoder.layer.{number}."
        for kind in _KINDS:
            for theirs, ours in NAMES.items():
                found[f"layers.{number}.{ours}.{kind}"] = state[f"{prefix}{theirs}.{kind}"]
            parts = [state[f"{prefix}attention.self.{part}.{kind}"] for part in _PARTS]
            found[f"layers.{number}.attend.{kind}"] = torch.cat(parts)
    return found


def from_shipped(path: Path) -> dict[str, torch.Tensor]:
    """The layers and the head of a shipped file (8 bits) by the names of BERT. Raises ModelError."""
    weights, _ = read_weights(path)
    found = {"head.weight": weights["head.weight"], "head.bias": weights["head.bias"]}
    for number in weights.layers:
        prefix, layer = f"bert.encoder.layer.{number}.", weights.layer(number)
        for kind in _KINDS:
            for theirs, ours in NAMES.items():
                found[f"{prefix}{theirs}.{kind}"] = layer[f"{ours}.{kind}"]
            for part, tensor in zip(_PARTS, layer[f"attend.{kind}"].chunk(len(_PARTS)), strict=True):
                found[f"{prefix}attention.self.{part}.{kind}"] = tensor.contiguous()
    return found
