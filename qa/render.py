"""A part of a sentence in another language: exactly where that can be, else as the writer says it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from qa.check import check
from qa.errors import WriterError
from qa.localise import localise_phrase

if TYPE_CHECKING:
    from qa.writer import Writer


class Rendering(NamedTuple):
    """What a part of a sentence is in another language, and whether the part supports it."""

    text: str
    accepted: bool


def render(part: str, sentence: str, source: str, target: str, writer: "Writer") -> Rendering:
    """Render ``part`` of ``sentence``; ``source`` and ``target`` are ISO 639-1 codes.

    Dates, numbers, quantities, countries and languages are put into words without a model. A writer that says the rest
    in several ways is taken at what they have most in common, and ``check`` decides whether that is accepted. A part
    that the writer fails at is left as it is. Raises ModelError if the writer's weights cannot be used.
    """
    if exact := localise_phrase(part, source, target):
        return Rendering(exact, accepted=True)
    said: list[str] = []
    try:
        for text in writer.renderings(part, sentence, source, target):
            said.append(text)
            if said == [text, text]:  # with the sentence and without it: no more need be asked
                break
    except WriterError:
        return Rendering(part, accepted=False)
    text = agreed(said)
    return Rendering(text, check(text, part, source=source, target=target).supported)


def agreed(said: Sequence[str]) -> str:
    """The one that is most like all others: consensus, or minimum Bayes risk (Kumar and Byrne 2004), by chrF."""
    if len(set(said)) == 1:
        return said[0]
    from sacrebleu.metrics import CHRF

    metric = CHRF()
    return max(said, key=lambda text: sum(metric.sentence_score(text, [other]).score for other in said))
