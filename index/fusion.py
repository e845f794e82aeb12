"""One ranking from nearness in meaning and likeness in words."""

from collections.abc import Sequence


def fuse(
    dense: Sequence[tuple[int, float]],
    lexical: Sequence[tuple[int, float]],
    *,
    limit: int,
    dense_weight: float = 0.7,
) -> list[tuple[int, float]]:
    """The ``limit`` best of two rankings of (passage number, score), best first, with a fused score of 0..1.

    Scores are taken relative to their own ranking: cosines from the least to the greatest of ``dense``, BM25 from 0
    to the greatest of ``lexical``. A passage that only one ranking holds gets 0 from the other.
    """
    meaning = _scale(dense, min((score for _, score in dense), default=0.0))
    words = _scale(lexical, 0.0)
    fused = {
        number: dense_weight * meaning.get(number, 0.0) + (1 - dense_weight) * words.get(number, 0.0)
        for number in meaning | words
    }
    return sorted(fused.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _scale(ranking: Sequence[tuple[int, float]], floor: float) -> dict[int, float]:
    spread = max((score for _, score in ranking), default=floor) - floor
    return {number: (score - floor) / spread if spread > 0 else 1.0 for number, score in ranking}
