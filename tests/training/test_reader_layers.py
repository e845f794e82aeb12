"""The reader's layers under two sets of names."""

import torch

from qa.reader import WEIGHTS
from qa.reader_weights import read_weights
from training.reader_layers import FROZEN_LAYERS, from_shipped, to_network


def test_layers_come_back_as_they_were_shipped() -> None:
    weights, _ = read_weights(WEIGHTS)
    found = to_network(from_shipped(WEIGHTS))
    assert weights.layers[0] == FROZEN_LAYERS
    assert torch.equal(found["head.weight"], weights["head.weight"])
    assert torch.equal(found["head.bias"], weights["head.bias"])
    for number in weights.layers:
        for name, tensor in weights.layer(number).items():
            assert torch.equal(found[f"layers.{number}.{name}"], tensor)
    assert len(found) == 2 + len(weights.layers) * 12
