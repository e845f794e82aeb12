"""The best span of a passage, from scores of each token being its first and its last."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]


class TokenSpan(NamedTuple):
    """Tokens ``first`` to ``last``, both included, and the sum of their scores."""

    first: int
    last: int
    score: float


def best_span(starts: Scores, ends: Scores, longest: int) -> TokenSpan:
    """The span of at most ``longest`` tokens for which ``starts[first] + ends[last]`` is greatest; ties: the first.

    ``starts`` and ``ends`` are [tokens]. Raises ValueError if there is no token.
    """
    tokens = len(starts)
    if tokens == 0 or longest < 1:
        msg = "a span needs at least one token"
        raise ValueError(msg)
    # windows[first] holds ends[first : first + longest], -inf behind the last token
    padded = np.concatenate((ends, np.full(longest - 1, -np.inf, dtype=ends.dtype)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, longest)
    lengths = windows.argmax(axis=1)
    sums = starts + windows[np.arange(tokens), lengths]
    first = int(sums.argmax())
    return TokenSpan(first, first + int(lengths[first]), float(sums[first]))
