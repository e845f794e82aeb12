"""Approximate parts of the FAISS side: inverted files of 8-bit vectors, for more passages than can be compared.

The vectors are grouped around centroids (k-means on a bounded sample), and a search compares those of the groups that
are nearest to the question alone: first by 8-bit copies, then, the best of them, by the stored vectors themselves
(``index.nearest``). FAISS's guidelines say which index fits which size
(https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index); benchmarks/search.py measures it.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from index.compute_thread import in_compute_thread

# Groups for n vectors: this times the root of n, the least that the guidelines name.
_GROUPS = 4
# Groups that a search looks into: this times the root of their number.
_PROBES = 18
# Vectors of the sample for each group, and rounds of k-means. More of either takes longer and finds hardly more.
SAMPLE = 50
_ROUNDS = 8
# The vectors themselves are quantised, not what sets them apart from their centroids: it takes a third less to compare.
_RESIDUAL = False
# From this share of its vectors on, it is quicker to look at all in a group than to ask of each whether it is allowed.
_MANY = 0.2
_AMPLE = 1.5  # times as many are looked for then as should suffice, since the allowed are not spread evenly
_SHARE_GROUPS = 1  # among all cores, for one question
_PAIRS = False  # of groups and places in them, instead of numbers


def groups(count: int) -> int:
    """Into how many groups ``count`` vectors are put."""
    return max(1, round(_GROUPS * sqrt(count)))


def sample_size(count: int) -> int:
    """How many of ``count`` vectors ``train`` wants to see: 200,000 of a million."""
    return min(count, SAMPLE * groups(count))


@in_compute_thread
def train(sample: np.ndarray, count: int) -> Any:
    """An empty index for about ``count`` vectors like those of ``sample`` [n, dimension] float32, of unit length."""
    import faiss

    dimension = sample.shape[1]
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        min(groups(count), len(sample)),
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        _RESIDUAL,
    )
    index.cp.niter = _ROUNDS
    index.cp.spherical = True
    index.cp.min_points_per_centroid = 1  # for what it says on standard error
    index.cp.max_points_per_centroid = SAMPLE
    index.train(sample)
    return index


def read(path: Path) -> Any:
    """The index in a file, mapped: its pages are in memory while they are used. Raises OSError, RuntimeError."""
    import faiss

    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


@in_compute_thread
def without(path: Path, numbers: Iterable[int]) -> Any:
    """A copy in memory of the index in a file that lacks some passages. Raises OSError, RuntimeError."""
    import faiss

    index = faiss.read_index(str(path))
    index.remove_ids(faiss.IDSelectorBatch(np.fromiter(numbers, dtype=np.int64)))
    return index


class Grouped:
    """An approximate index of passages with numbers above ``first``, ready to be searched. Safe to share."""

    def __init__(self, index: Any, first: int) -> None:
        self._index = index
        self._index.parallel_mode = _SHARE_GROUPS
        self._first = first

    @in_compute_thread
    def candidates(self, vector: np.ndarray, count: int, selector: Any) -> np.ndarray[Any, Any]:
        """Numbers (int64) of about the ``count`` nearest vectors that ``selector`` (None: all) allows, in any order.

        For a selector that allows most of them.
        """
        nearness, order = self._index.quantizer.search(vector[np.newaxis, :], self._probes)
        found = self._look(vector, count, selector, order[0], nearness[0])
        if len(found) < min(count, self._index.ntotal):
            nearness, order = self._index.quantizer.search(vector[np.newaxis, :], self._index.nlist)
            found = self._look(vector, count, selector, order[0], nearness[0])
        return found

    @in_compute_thread
    def candidates_among(
        self, vector: np.ndarray, count: int, selector: Callable[[], Any], only: np.ndarray
    ) -> np.ndarray[Any, Any]:
        """The same for ``only`` (int64, sorted), of which ``selector`` makes what allows no other.

        As large a share of them is compared as of all without one, from at least as many groups: that finds as many
        of the nearest, also where those that are allowed are far from the question.
        """
        share = len(only) / self._index.ntotal
        if share > _MANY:
            found = self.candidates(vector, min(ceil(_AMPLE * count / share), self._index.ntotal), None)
            places = np.minimum(np.searchsorted(only, found), len(only) - 1)
            allowed: np.ndarray[Any, Any] = found[only[places] == found]
            if len(allowed) >= count:
                return allowed[:count]  # they are in order
        places = only - self._first - 1
        chosen = self._groups[places[places < len(self._groups)]]
        sizes = np.bincount(chosen[chosen >= 0], minlength=self._index.nlist)
        nearness, order = self._index.quantizer.search(vector[np.newaxis, :], self._index.nlist)
        held = sizes[order[0]]
        compared = np.cumsum(held)
        enough = int(np.searchsorted(compared, max(count, compared[-1] * self._probes / self._index.nlist))) + 1
        some = np.flatnonzero(held[: max(self._probes, enough)])
        return self._look(vector, count, selector(), order[0][some], nearness[0][some])

    @property
    def _probes(self) -> int:
        number = int(self._index.nlist)
        return min(number, ceil(_PROBES * sqrt(number)))

    @cached_property
    def _groups(self) -> np.ndarray[Any, Any]:
        """The group of each passage, by its number from ``first`` on; -1: there is none. Made at the first filter."""
        numbers = [_numbers(self._index, one) for one in range(self._index.nlist)]
        found = np.full(max(int(each.max()) for each in numbers if each.size) - self._first, -1, dtype=np.int32)
        for one, each in enumerate(numbers):
            found[each - self._first - 1] = one
        return found

    def _look(
        self, vector: np.ndarray, count: int, selector: Any, order: np.ndarray, nearness: np.ndarray
    ) -> np.ndarray[Any, Any]:
        import faiss

        count = min(count, self._index.ntotal)
        if order.size == 0 or count < 1:
            return np.empty(0, dtype=np.int64)
        scores, found = np.empty(count, dtype=np.float32), np.empty(count, dtype=np.int64)
        make_parameters: Any = faiss.SearchParametersIVF  # its wrapper's keywords are not in its types
        parameters = make_parameters(nprobe=len(order), sel=selector)
        given = [np.ascontiguousarray(vector, np.float32), np.ascontiguousarray(order), np.ascontiguousarray(nearness)]
        question, groups, distances, scores_out, found_out = map(faiss.swig_ptr, [*given, scores, found])
        # FAISS's Python wrapper of this method takes no parameters.
        self._index.search_preassigned_c(
            1, question, count, groups, distances, scores_out, found_out, _PAIRS, parameters
        )
        return found[found >= 0]


def held(index: Any) -> np.ndarray[Any, Any]:
    """Numbers (int64) of all passages in the index, sorted."""
    return np.sort(np.concatenate([_numbers(index, one) for one in range(index.nlist)]))


def _numbers(index: Any, group: int) -> np.ndarray[Any, Any]:
    import faiss

    numbers: np.ndarray[Any, Any] = faiss.rev_swig_ptr(index.invlists.get_ids(group), index.invlists.list_size(group))
    return numbers
