"""One ranking from nearness in meaning and likeness in words."""

from collections.abc import Mapping, Sequence

Ranking = Sequence[tuple[int, float]]
"""(passage number, score), best first."""

LEXICAL_WEIGHT = 1.0
STRONG_MATCH = 30.0
"""BM25 score from which words count in full. A question in another language shares a name or a number with a passage:
scores of a few points, which should not outweigh what the passage means."""


def fuse(
    dense: Ranking,
    lexical: Ranking,
    *,
    limit: int,
    languages: Mapping[int, str] | None = None,
    lexical_weight: float = LEXICAL_WEIGHT,
) -> list[tuple[int, float]]:
    """The ``limit`` best passages of two rankings, best first, with a fused score.

    ``dense`` holds cosines, scaled here to 0..1 between its least and its greatest; ``lexical`` holds BM25 scores,
    scaled to the greater of its best and ``STRONG_MATCH``. A passage that only one ranking holds gets 0 from the other.

    ``languages`` (passage number to language) keeps the fusion fair: words can only match in the question's own
    language, so they say which passage of a language is the better one, and not which language. Each passage then
    loses what the best match in its language is ahead of it. With one language the order is the same without it.
    """
    floor = min((score for _, score in dense), default=0.0)
    spread = max((score for _, score in dense), default=0.0) - floor
    meaning = {number: (score - floor) / spread if spread > 0 else 1.0 for number, score in dense}
    strong = max([STRONG_MATCH, *(score for _, score in lexical)])
    words = {number: score / strong for number, score in lexical}
    ahead: dict[str, float] = {}
    if languages is not None:
        for number, score in words.items():
            language = languages.get(number, "")
            ahead[language] = max(ahead.get(language, 0.0), score)

    def fused(number: int) -> float:
        behind = ahead.get(languages.get(number, ""), 0.0) if languages is not None else 0.0
        return meaning.get(number, 0.0) + lexical_weight * (words.get(number, 0.0) - behind)

    scores = ((number, fused(number)) for number in meaning | words)
    return sorted(scores, key=lambda item: (-item[1], item[0]))[:limit]
