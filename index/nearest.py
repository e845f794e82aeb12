"""Search in all parts of the FAISS side together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import numpy as np

from index.vectors import Part

Stored = Callable[[Sequence[int]], Mapping[int, np.ndarray]]
"""Stored vectors of passages, by number; those that are gone are left out."""

# So many passages are compared one by one, whatever they are in.
_FEW = 256
# So many more candidates of an approximate part than are wanted; the stored vectors say which are the best of them.
_MORE_CANDIDATES = 30


def nearest(
    parts: Sequence[Part],
    vector: np.ndarray,
    count: int,
    *,
    only: np.ndarray | None,
    without: np.ndarray,
    stored: Stored,
) -> list[tuple[int, float]]:
    """(passage number, cosine) of the ``count`` nearest to a unit vector [dimension], best first.

    ``only``: numbers to choose from (None: all); ``without``: numbers to leave out. Both int64 and sorted. No other is
    ever found. Of exact parts the nearest are found without exception, and so are they of a few passages.
    """
    if count < 1:
        return []
    if only is not None and only.size <= _FEW and any(part.grouped for part in parts):
        return best(compared(vector, np.setdiff1d(only, without).tolist(), stored), count)
    selector = cache(partial(_selector, only, without))  # made if somebody asks
    found: list[tuple[int, float]] = []
    first = 0
    for part in parts:
        chosen = None if only is None else _between(only, first, part.last)
        first = part.last
        if chosen is not None and chosen.size == 0:
            continue
        if part.grouped is None:
            found += search(part.index, vector, count, selector())
            continue
        wanted = count + _MORE_CANDIDATES
        if chosen is None:
            numbers = part.grouped.candidates(vector, wanted, selector())
        else:
            present = chosen[~np.isin(chosen, without)] if without.size else chosen
            numbers = part.grouped.candidates_among(vector, wanted, selector, present)
        found += compared(vector, numbers.tolist(), stored)
    return best(found, count)


@contextmanager
def _alone() -> Iterator[None]:
    """Keep FAISS from waking the other cores for one question to an exact index, which only one of them would answer.

    They would then wait for more, and be kept from what is computed next.
    """
    import faiss

    cores = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # for this thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(cores)


def search(index: Any, vector: np.ndarray, count: int, selector: Any = None) -> list[tuple[int, float]]:
    """(passage number, cosine) of the ``count`` nearest in an exact index that ``selector`` (None: all) allows.

    Of equally near ones the first by number, whatever else is in the index.
    """
    import faiss

    if index.ntotal == 0 or count < 1:
        return []
    make_parameters: Any = faiss.SearchParameters  # its wrapper's keywords are not in its types
    parameters = make_parameters(sel=selector) if selector is not None else None
    asked = count + 1  # whether the last of them has equals outside: FAISS leaves out any of these
    while True:
        with _alone():
            scores, numbers = index.search(vector[np.newaxis, :], min(asked, index.ntotal), params=parameters)
        some = numbers[0] >= 0
        found = list(zip(numbers[0][some].tolist(), scores[0][some].tolist(), strict=True))
        if len(found) < asked or found[count - 1][1] > found[-1][1]:
            return best(found, count)
        asked *= 2


def compared(vector: np.ndarray, numbers: Sequence[int], stored: Stored) -> list[tuple[int, float]]:
    """(passage number, cosine) of passages, one by one, those left out that are gone."""
    rows = stored(numbers)
    if not rows:
        return []
    return list(zip(rows, (np.stack(list(rows.values())) @ vector).tolist(), strict=True))


def best(found: list[tuple[int, float]], count: int) -> list[tuple[int, float]]:
    """The ``count`` of the greatest cosines."""
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:count]


def _between(numbers: np.ndarray, first: int, last: int) -> np.ndarray[Any, Any]:
    begin, end = np.searchsorted(numbers, [first, last], side="right")
    return numbers[begin:end]


def _selector(only: np.ndarray | None, without: np.ndarray) -> Any:
    """What FAISS asks whether a passage may be found; None: all may."""
    import faiss

    if only is None and without.size == 0:
        return None
    named = without if only is None else only
    flags = np.zeros(int(named[-1]) + 1 if named.size else 1, dtype=bool)
    flags[named] = True
    if only is not None:
        flags[without[without < len(flags)]] = False
    make_bitmap: Any = faiss.IDSelectorBitmap  # its wrapper's parameters are not in its types
    bitmap = make_bitmap(np.packbits(flags, bitorder="little"))
    return faiss.IDSelectorNot(bitmap) if only is None else bitmap
