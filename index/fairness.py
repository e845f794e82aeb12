"""The language-fair projection: one matrix after the encoder, so that no language is nearer than another.

As it comes, the encoder puts texts of one language together: a question finds a passage of its own language before a
better one of another. ``training/fairness.py`` makes the matrix: it takes out the directions in which languages
differ and shrinks those in which translations of one text differ (Yang et al. 2021, "A Simple and Effective Method To
Eliminate the Self Language Bias in Multilingual Representations", describe the first half).
"""

import hashlib
from pathlib import Path
from typing import Any, Self

import safetensors.torch
import torch
from torch import nn

from index.errors import ModelError

FILE = Path(__file__).parent / "data" / "fairness.safetensors"
SHA256 = "a9327059c63c557c1a858c18bfbaec89cd0e2f511247b7be52a0cc4a89d3af3d"


class LanguageFairProjection(nn.Module):
    """Multiplies each sentence vector by ``matrix`` [dimension, dimension] and scales it to unit length again.

    A sentence-transformers module that does not import the library, which would take longer than a question.
    """

    matrix: torch.Tensor

    def __init__(self, dimension: int, matrix: torch.Tensor | None = None) -> None:
        super().__init__()
        self.dimension = dimension
        matrix = torch.eye(dimension) if matrix is None else matrix.float().contiguous()
        if matrix.shape != (dimension, dimension):
            raise ValueError(f"the projection's matrix is {tuple(matrix.shape)}, not {(dimension, dimension)}")
        self.register_buffer("matrix", matrix)

    @property
    def fingerprint(self) -> str:
        """Equal fingerprints mean equal matrices."""
        return "fair-" + hashlib.sha256(self.matrix.cpu().numpy().tobytes()).hexdigest()[:16]

    def get_embedding_dimension(self) -> int:
        """Length of a vector, before and after."""
        return self.dimension

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Replace ``features["sentence_embedding"]`` [texts, dimension] by its projection."""
        vectors = features["sentence_embedding"].to(self.matrix.dtype) @ self.matrix.T
        features["sentence_embedding"] = torch.nn.functional.normalize(vectors, dim=-1)
        return features

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Write the module to a folder, as ``SentenceTransformer.save`` asks for."""
        safetensors.torch.save_file({"matrix": self.matrix}, Path(output_path) / "model.safetensors")

    @classmethod
    def load(cls, input_path: str) -> Self:
        """Read the module from a folder, as ``SentenceTransformer`` asks for."""
        matrix = safetensors.torch.load_file(Path(input_path) / "model.safetensors")["matrix"]
        return cls(matrix.shape[0], matrix)


def load_projection(file: Path = FILE) -> LanguageFairProjection:
    """The shipped projection, for vectors of the embedded encoder.

    Raises:
        ModelError: the file is missing or not the one that was shipped.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{file}: {error.strerror}; install kabar again, or set encoder.language_fair: false"
        ) from None
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ModelError(f"{file}: not the projection that was shipped with this version; install kabar again")
    matrix = safetensors.torch.load(content)["matrix"]
    return LanguageFairProjection(matrix.shape[0], matrix)
