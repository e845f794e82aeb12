"""A reader that needs no training of its own: the sentence nearest in meaning to the question."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.reading import Reading, Unfit

if TYPE_CHECKING:
    from index.encoder import Encoder

# Sentences encoded for one question: about 60 ms of work for two cores.
_SENTENCES = 24
_REMEMBERED = 5000
# Probability of a right answer by the cosine of question and sentence: logistic regression on articles/questions.json.
_SLOPE, _MIDDLE = 17.5, 0.70


class SentenceReader:
    """Picks sentences by the encoder; it cannot name the very words, and knows little about when to be silent."""

    def __init__(self, encoder: "Encoder") -> None:
        self._encoder = encoder
        self._vectors: OrderedDict[str, np.ndarray[Any, Any]] = OrderedDict()

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:  # noqa: ARG002
        """See ``qa.reading.Reader``; every sentence of the first passages is one reading."""
        from sentencex import get_sentence_boundaries

        places = [
            (number, boundary["start_index"], boundary["start_index"] + len(boundary["text"].rstrip()))
            for number, passage in enumerate(passages)
            for boundary in get_sentence_boundaries("und", passage)
        ][:_SENTENCES]
        if not places:
            return []
        vectors = self._encode([passages[number][start:end] for number, start, end in places])
        similarities = vectors @ self._encoder.encode_queries([question])[0]
        readings = [
            Reading(number, start, end, float(1 / (1 + np.exp(-_SLOPE * (similarity - _MIDDLE)))), exact=False)
            for (number, start, end), similarity in zip(places, similarities, strict=True)
        ]
        return sorted(readings, key=lambda reading: -reading.probability)

    def _encode(self, sentences: list[str]) -> "np.ndarray[Any, Any]":
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._encoder.encode_passages(new), strict=True))
        rows = np.stack([self._vectors[sentence] for sentence in sentences])
        while len(self._vectors) > _REMEMBERED:
            self._vectors.popitem(last=False)
        return rows
