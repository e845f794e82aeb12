"""What is read around a passage: it is short to be found, and an answer often needs the sentence before or after."""

from collections.abc import Iterator, Mapping, Sequence

from index.passage import Passage


def choose_wider(
    ranked: Sequence[int], neighbours: Mapping[int, Sequence[int]], nearness: Mapping[int, float]
) -> Iterator[tuple[int, int | None]]:
    """Of ``ranked`` (numbers, best first) each with the nearer of its neighbours, so that none is read twice."""
    read: set[int] = set()
    for number in ranked:
        if number in read:
            continue
        free = [one for one in neighbours.get(number, ()) if one not in read]
        other = max(free, key=lambda one: (nearness.get(one, -1.0), -one), default=None)
        read |= {number} if other is None else {number, other}
        yield number, other


def joined(passage: Passage, other: Passage | None) -> Passage:
    """The passage and the one next to it, in the order of the article, under the number of the first."""
    if other is None:
        return passage
    first, second = sorted((passage, other), key=lambda one: one.ordinal)
    return passage.model_copy(
        update={"sentences": first.sentences + second.sentences, "text": f"{first.text} {second.text}"}
    )
