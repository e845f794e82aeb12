"""Stand-ins for models, for fast unit tests only; the real ones run in the tests marked ``models``."""

import hashlib
from collections.abc import Sequence

import numpy as np

from index.lexical import terms


class WordEncoder:
    """Vectors that are near when texts share words; counts what it encodes."""

    def __init__(self, fingerprint: str = "words/1", dimension: int = 64) -> None:
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.encoded: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded.extend(texts)
        return self._encode(texts)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in terms(text):
                row[int(hashlib.sha256(term.encode()).hexdigest(), 16) % self.dimension] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
