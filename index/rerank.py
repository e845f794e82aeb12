"""Order the passages that were found by reading each together with the question: any CrossEncoder does that."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from index.compute_thread import in_compute_thread
from index.errors import ModelError
from index.passage import titled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from sentence_transformers import CrossEncoder

    from index.index import Hit

DEPTH = 4
"""So many times the wanted number of passages are reread."""

NO_MODEL = ("none", "reader")
"""Values of ``retriever.rerank`` that name no CrossEncoder; the reader reranks in ``qa``."""

_SCORED = ("ForSequenceClassification", "ForCausalLM")
_BATCH = 16
_LONGEST = 20_000  # characters of a text; the model's own window is far shorter


class Reranker:
    """A sentence-transformers CrossEncoder; safe to use from several threads."""

    def __init__(self, model: "CrossEncoder", name: str) -> None:
        self.model = model
        self.name = name

    @classmethod
    @in_compute_thread
    def open(cls, name: str, device: str = "auto") -> Self:
        """Load the model of that name or in that folder. Raises ModelError, also if it is no CrossEncoder."""
        from sentence_transformers import CrossEncoder

        try:
            model = CrossEncoder(name, device=None if device == "auto" else device)
            kinds = getattr(model.config, "architectures", None) or ()
            outputs = model.num_labels
        except Exception as error:  # whatever the hub, the disk or torch raise
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"retriever.rerank {name!r} cannot be loaded: {reason}") from error
        if kinds and not kinds[0].endswith(_SCORED):
            raise ModelError(f"retriever.rerank {name!r} is no CrossEncoder: its weights are those of a {kinds[0]}")
        if outputs != 1:
            raise ModelError(f"retriever.rerank {name!r} gives {outputs} scores for a passage; a reranker gives one")
        return cls(model, name)

    @in_compute_thread
    def scores(self, question: str, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        """How well each text answers [texts]; greater is better. Raises ModelError."""
        import numpy as np

        from index.tokenizer import encodable

        pairs = [(encodable(question[:_LONGEST]), encodable(text[:_LONGEST])) for text in texts]
        try:
            found = self.model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)
        except Exception as error:  # a model may know no end of its window, or run out of memory
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"retriever.rerank {self.name!r} cannot read the passages: {reason}") from error
        scores = np.asarray(found, dtype=np.float32).reshape(len(texts))
        if not np.isfinite(scores).all():
            raise ModelError(
                f"retriever.rerank {self.name!r} gave scores that are not numbers; its weights are damaged"
            )
        return scores

    def order(self, question: str, hits: "Sequence[Hit]") -> "list[Hit]":
        """``hits``, the best first, with the scores as theirs; the earlier of two with the same score stays so."""
        if not hits:
            return []
        scores = self.scores(question, [titled(hit.article.title, hit.passage.text) for hit in hits])
        best = sorted(range(len(hits)), key=lambda number: -scores[number])
        return [hits[number]._replace(score=float(scores[number])) for number in best]
