"""One ranking from nearness in meaning and likeness in words."""

from collections.abc import Callable, Mapping, Sequence

Ranking = Sequence[tuple[int, float]]
"""(passage number, score), best first."""

Likeness = Callable[[int, Sequence[int]], Sequence[float]]
"""Cosines of one passage to others, by their numbers."""

LEXICAL_WEIGHT = 1.0
STRONG_MATCH = 30.0
"""BM25 score from which words count in full. A question in another language shares a name or a number with a passage:
scores of a few points, which should not outweigh what the passage means."""
ECHO_WEIGHT = 0.3
OWN_LANGUAGE = 1.08
"""A language's best match of words is taken from its passages so many times: a little more than words can give. The
encoder still prefers the question's own language somewhat, and words tell which one that is."""

LEAST_SPREAD = 0.15
"""Between the cosines of the best passage and the least of those found, as far as they are scaled up: the more passages
there are, the nearer those found are to one another, and what parts them means no more for that."""

NEIGHBOURS = 0.5
"""Weight of the mean nearness of a passage and those before and after it, beside that of the passage alone: they are
short, lest what surrounds an answer hide it, but what surrounds it says what it is about."""

SINGLED_OUT = 3
"""At most so many passages can be those that words single out, as a name or a number does that few passages hold."""
LEAD = 1.5
"""So many times the score of the next passage have those that words single out."""


def fuse(
    dense: Ranking,
    lexical: Ranking,
    *,
    limit: int,
    languages: Mapping[int, str] | None = None,
    lexical_weight: float = LEXICAL_WEIGHT,
    likeness: Likeness | None = None,
    neighbours: Mapping[int, Sequence[int]] | None = None,
) -> list[tuple[int, float]]:
    """The ``limit`` best passages of two rankings, best first, with a fused score.

    ``dense`` holds cosines, scaled here to 0..1 between its least and its greatest, or to less if they are hardly apart
    (``LEAST_SPREAD``); ``lexical`` holds BM25 scores, scaled to the greater of its best and ``STRONG_MATCH``. A passage
    that only one ranking holds gets 0 from the other.

    With ``neighbours`` (passage number to those before and after it in its article, found or not) a passage means more
    if they are near to the question too.

    ``languages`` (passage number to language) keeps the fusion fair: words can only match in the question's own
    language, so they say which passage of a language is the better one, and not which language. Each passage then
    loses what the best match in its language is ahead of it, and a little more. With one language the order is the same
    without it.

    With ``likeness`` as well, passages in other languages than the best hit's gain if they say what the best hit says
    (a translation is nearer to it than to the question) and lose if they do not; the best hit stays first, and the
    order within its language stays as it was.

    Passages that words single out are among the first ``2 * SINGLED_OUT``, whatever they seem to mean: the question may
    ask for a name that the encoder does not know.
    """
    floor = min((score for _, score in dense), default=0.0)
    spread = max(LEAST_SPREAD, max((score for _, score in dense), default=0.0) - floor)
    meaning = {number: (score - floor) / spread for number, score in dense}
    if neighbours is not None:
        meaning = _with_neighbours(meaning, [*meaning, *(number for number, _ in lexical)], neighbours)
    strong = max([STRONG_MATCH, *(score for _, score in lexical)])
    words = {number: score / strong for number, score in lexical}
    ahead: dict[str, float] = {}
    if languages is not None:
        for number, score in words.items():
            language = languages.get(number, "")
            ahead[language] = max(ahead.get(language, 0.0), score)

    def fused(number: int) -> float:
        behind = ahead.get(languages.get(number, ""), 0.0) if languages is not None else 0.0
        return meaning.get(number, 0.0) + lexical_weight * (words.get(number, 0.0) - OWN_LANGUAGE * behind)

    ranked = _ordered({number: fused(number) for number in meaning | words})
    if ranked and languages is not None and likeness is not None:
        ranked = _echo(ranked, languages, likeness, ECHO_WEIGHT / spread)
    if lexical_weight:
        ranked = _within_reach(ranked, singled_out(lexical))
    return ranked[:limit]


def _with_neighbours(
    meaning: Mapping[int, float], numbers: Sequence[int], neighbours: Mapping[int, Sequence[int]]
) -> dict[int, float]:
    found: dict[int, float] = {}
    for number in numbers:
        near = [meaning.get(one, 0.0) for one in (number, *neighbours.get(number, ()))]
        found[number] = (near[0] + NEIGHBOURS * sum(near) / len(near)) / (1 + NEIGHBOURS)
    return found


def singled_out(lexical: Ranking) -> list[int]:
    """The passages whose words match far better than those of all others; best first, often none."""
    scores = [*(score for _, score in lexical[: SINGLED_OUT + 1]), 0.0]
    for count in range(1, min(SINGLED_OUT, len(lexical)) + 1):
        if scores[count - 1] > LEAD * scores[count]:
            return [number for number, _ in lexical[:count]]
    return []


def _within_reach(ranked: list[tuple[int, float]], numbers: Sequence[int]) -> list[tuple[int, float]]:
    """``ranked`` with ``numbers`` not behind the first ``SINGLED_OUT``, which they follow."""
    late = [number for number, _ in ranked[SINGLED_OUT:] if number in numbers]
    if not late:
        return ranked
    first = ranked[:SINGLED_OUT]
    lifted = [(number, first[-1][1]) for number in late]
    return [*first, *lifted, *(item for item in ranked[SINGLED_OUT:] if item[0] not in late)]


def _echo(
    ranked: list[tuple[int, float]], languages: Mapping[int, str], likeness: Likeness, weight: float
) -> list[tuple[int, float]]:
    best, highest = ranked[0]
    others = [number for number, _ in ranked if languages.get(number) != languages.get(best)]
    if not others:
        return ranked
    cosines = likeness(best, others)
    mean = sum(cosines) / len(cosines)
    scores = dict(ranked)
    for number, cosine in zip(others, cosines, strict=True):
        scores[number] = min(scores[number] + weight * (cosine - mean), highest)
    del scores[best]
    return [(best, highest), *_ordered(scores)]


def _ordered(scores: Mapping[int, float]) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
