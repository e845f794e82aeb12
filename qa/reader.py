"""The trained reader: the exact words that answer a question, in a hundred languages, and whether they are there."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from index.compute_thread import in_compute_thread
from qa.reading import Reading, Unfit
from qa.spans import TokenSpan, best_span

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from index.encoder import Encoder
    from index.network import Network

WEIGHTS = Path(__file__).parent / "data" / "reader.safetensors"
MAX_TOKENS = 320
"""Of question and passage together: what the reader was trained on. Longer passages are read in windows."""

OVERLAP = 96
"""Tokens that neighbouring windows share."""

MAX_QUESTION = 64
MAX_ANSWER = 48
BATCH_TOKENS = 1024
MAX_CHARACTERS = 50_000
"""Of a passage; what lies behind is not read."""

ALTERNATIVES = 2
"""Places of a passage that the chain weighs; the right one is often the second."""

APART = 12
"""Tokens between the beginnings of two such places."""

UNFIT = 4
"""Places of a passage that are passed over because their words cannot be the answer."""

EDGES = " \t\r\n\u00a0\u3000,;:"


class Span(BaseModel):
    """Words of a passage that may answer; ``passages[passage][start:end] == text``.

    ``score`` says how much better the words are than no answer; ``probability`` (0..1, calibrated) that the question
    is answerable and these words answer it.
    """

    model_config = ConfigDict(frozen=True)

    passage: int
    start: int
    end: int
    text: str
    score: float
    probability: float


class Calibration(NamedTuple):
    """Logistic regression from a span's likelihood (the product of its two softmax values) to being right."""

    log_likelihood: float
    likelihood: float
    constant: float

    def probability(self, log_likelihood: float) -> float:
        """0..1, of a span of this likelihood."""
        value = self.log_likelihood * log_likelihood + self.likelihood * np.exp(log_likelihood) + self.constant
        return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


@dataclass(frozen=True)
class Window:
    """A stretch of a passage, ready for the network; ``offsets`` are the characters of its tokens in the passage."""

    passage: int
    ids: list[int]
    first: int
    offsets: list[tuple[int, int]]


class Found(NamedTuple):
    """The best span of one window."""

    passage: int
    start: int
    end: int
    margin: float
    log_likelihood: float


class SpanReader:
    """Finds the words that answer a question in passages; safe to use from several threads."""

    def __init__(
        self, network: "Network", head: "torch.nn.Linear", tokenizer: "Tokenizer", calibration: Calibration
    ) -> None:
        self.network = network
        self.head = head
        self.tokenizer = tokenizer
        self.calibration = calibration

    @classmethod
    def open(cls, encoder: "Encoder | None" = None, *, path: Path = WEIGHTS) -> Self:
        """Load the shipped weights; what ``encoder`` (if it is the embedded one) has in memory is shared with it.

        Raises:
            ModelError: the weights are missing, damaged or of another kind.
        """
        from qa.reader_weights import open_network

        network, head, tokenizer, metadata = open_network(path, encoder)
        return cls(network, head, tokenizer, Calibration(*json.loads(metadata["calibration"])))

    def read(self, question: str, passages: Sequence[str], *, limit: int = 5) -> list[Span]:
        """The spans of best score, best first, at most ``limit`` and at most one of each passage.

        Offsets count characters of the passage as given. A passage without a word gives no span; odd input (empty,
        very long, an unknown script) never raises.
        """
        best: dict[int, Found] = {}
        for found in sorted(self.search(question, passages), key=_by_score):
            best.setdefault(found.passage, found)
        return [
            Span(
                passage=found.passage,
                start=found.start,
                end=found.end,
                text=passages[found.passage][found.start : found.end],
                score=found.margin,
                probability=self.calibration.probability(found.log_likelihood),
            )
            for found in list(best.values())[:limit]
        ]

    def find(self, question: str, passages: Sequence[str], unfit: Unfit | None = None) -> list[Reading]:
        """For the chain, which weighs more than one place in a passage: see ``qa.reading.Reader``."""
        readings: dict[tuple[int, int, int], Reading] = {}
        for found in sorted(self.search(question, passages, spans=ALTERNATIVES, unfit=unfit), key=_by_score):
            place = (found.passage, found.start, found.end)
            readings.setdefault(place, Reading(*place, self.calibration.probability(found.log_likelihood)))
        return list(readings.values())

    def search(
        self, question: str, passages: Sequence[str], *, spans: int = 1, unfit: Unfit | None = None
    ) -> Iterator[Found]:
        """The best ``spans`` of each window of each passage, with their two scores, in no particular order."""
        from index.network import batches

        def cannot_be(found: Found) -> bool:
            words = passages[found.passage][found.start : found.end]
            return unfit is not None and unfit(found.passage, words)

        windows = sorted(self._windows(question, passages), key=lambda window: len(window.ids))
        for part in batches([len(window.ids) for window in windows], BATCH_TOKENS):
            batch = windows[part]
            scores = self._scores([window.ids for window in batch])
            for window, row in zip(batch, scores, strict=True):
                for found in alternatives(window, row, spans, cannot_be if unfit else None):
                    start, end = trim(passages[found.passage], found.start, found.end)
                    if start < end:
                        yield found._replace(start=start, end=end)

    @in_compute_thread
    def _scores(self, rows: Sequence[Sequence[int]]) -> list[npt.NDArray[np.float32]]:
        """For each of ``rows`` of token ids: of each token that the answer begins, and that it ends there."""
        import torch

        with torch.inference_mode():
            found = self.head(self.network(rows)).cpu().split([len(row) for row in rows])
            return [scores.numpy() for scores in found]

    def _windows(self, question: str, passages: Sequence[str]) -> Iterator[Window]:
        from index.tokenizer import encodable

        asked = self.tokenizer.encode(encodable(question[:MAX_CHARACTERS]), add_special_tokens=False)
        head = [0, *asked.ids[:MAX_QUESTION], 2, 2]
        room = MAX_TOKENS - len(head) - 1
        cleaned = [encodable(passage[:MAX_CHARACTERS]) for passage in passages]
        for number, encoding in enumerate(self.tokenizer.encode_batch(cleaned, add_special_tokens=False)):
            ids, offsets = encoding.ids, encoding.offsets
            for start in window_starts(len(ids), room):
                part = slice(start, start + room)
                yield Window(number, [*head, *ids[part], 2], len(head), offsets[part])


def _by_score(found: Found) -> tuple[float, int, int]:
    """Best first: the score compares passages better than the likelihood, which knows only its own window."""
    return -found.margin, found.passage, found.start


def window_starts(tokens: int, room: int) -> list[int]:
    """Where windows of ``room`` tokens begin, so that they cover ``tokens`` and share at least ``OVERLAP``."""
    if tokens == 0:
        return []
    if tokens <= room:
        return [0]
    count = -(-(tokens - room) // (room - OVERLAP)) + 1
    return [round(number * (tokens - room) / (count - 1)) for number in range(count)]


def decode(window: Window, scores: npt.NDArray[np.float32]) -> Found:
    """The best span of ``window``; ``scores`` [tokens, 2] are those of its tokens, the first one meaning no answer."""
    return next(alternatives(window, scores, 1))


def alternatives(
    window: Window,
    scores: npt.NDArray[np.float32],
    count: int,
    cannot_be: Callable[[Found], bool] | None = None,
) -> Iterator[Found]:
    """The best ``count`` spans of ``window`` that begin at least ``APART`` tokens from one another, best first.

    Of those that ``cannot_be`` the answer as many as ``UNFIT`` are taken away, tokens and all, and the rest is as
    likely as if they had not been there.
    """
    part = slice(window.first, window.first + len(window.offsets))
    starts, ends = scores[part, 0].copy(), scores[part, 1].copy()
    nothing = float(scores[0, 0] + scores[0, 1])

    def found(span: TokenSpan, total: float) -> Found:
        start, end = window.offsets[span.first][0], window.offsets[span.last][1]
        return Found(window.passage, start, max(start, end), span.score - nothing, span.score - total)

    for _ in range(UNFIT):
        span = best_span(starts, ends, MAX_ANSWER)
        if cannot_be is None or not np.isfinite(span.score) or not cannot_be(found(span, 0.0)):
            break
        starts[span.first : span.last + 1] = ends[span.first : span.last + 1] = -np.inf
    total = _log_sum(np.append(starts, scores[0, 0])) + _log_sum(np.append(ends, scores[0, 1]))
    for _ in range(count):
        span = best_span(starts, ends, MAX_ANSWER)
        if not np.isfinite(span.score):
            return
        yield found(span, total)
        starts[max(0, span.first - APART) : span.last + 1 + APART] = -np.inf


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """``start`` and ``end`` without the spaces and separators at the edges of ``text[start:end]``."""
    while start < end and text[end - 1] in EDGES:
        end -= 1
    while start < end and text[start] in EDGES:
        start += 1
    return start, end


def _log_sum(values: npt.NDArray[np.float32]) -> float:
    highest = values.max()
    return float(highest + np.log(np.exp(values - highest).sum()))
