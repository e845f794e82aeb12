"""Training in several processes: the gradients of all of them in one buffer."""

from collections.abc import Sequence

import torch
from torch import distributed, nn


class Gradients:
    """The gradients of all trained weights in one flat buffer, averaged over the processes."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.flat = torch.zeros(sum(parameter.numel() for parameter in parameters) + 1)
        start = 0
        for parameter in parameters:
            parameter.grad = self.flat[start : start + parameter.numel()].view_as(parameter)
            start += parameter.numel()

    def combine(self, processes: int, clock: float) -> float:
        """Average them and clip their length to 1; returns the clock of the first process, by which all go."""
        self.flat[-1] = clock if distributed.get_rank() == 0 else 0.0
        if processes > 1:
            distributed.all_reduce(self.flat)
            self.flat[:-1] /= processes
        spent = float(self.flat[-1])
        self.flat[-1] = 0.0
        self.flat *= min(1.0, 1.0 / (float(self.flat.norm()) + 1e-6))
        return spent
