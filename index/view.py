"""What a search reads: one generation of an index, whether it lies in one folder or in shards."""
# ruff: noqa: D102 -- index.snapshot says what each method does

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np

from index.article import Article
from index.errors import SupersededError
from index.passage import Passage
from index.passage_dates import Days
from index.rows import Summary

Given = ParamSpec("Given")
Found = TypeVar("Found")
_TRIES = 5
Ranking = list[tuple[int, float]]
"""(passage number, score), best first."""


class View(Protocol):
    """The methods of ``index.snapshot.Snapshot`` that say what they do."""

    generation: int
    encoder: str

    def is_empty(self) -> bool: ...

    def choose(
        self,
        after: date | None,
        before: date | None,
        sources: Sequence[str] | None,
        languages: Sequence[str] | None,
        days: Sequence[Days] | None = None,
        articles: Sequence[str] | None = None,
    ) -> Any:
        """What ``only`` is given, to find no other articles; None if there is no condition."""

    def candidates(self, text: str, vector: np.ndarray, count: int, only: Any = None) -> tuple[Ranking, Ranking]: ...

    def neighbours_of(self, numbers: Sequence[int]) -> Mapping[int, list[int]]: ...

    def languages_of(self, numbers: Sequence[int]) -> Mapping[int, str]: ...

    def likeness(self, passage: int, others: Sequence[int]) -> list[float]: ...

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]: ...

    def read(self, numbers: Sequence[int], article_ids: Sequence[str]) -> tuple[dict[int, Passage], list[Article]]: ...

    def articles(self, ids: Sequence[str]) -> list[Article]: ...

    def openings(self, count: int, only: Any = None) -> list[int]: ...

    def passages_of(self, article_id: str) -> list[tuple[Passage, set[Days]]]: ...

    def each(self) -> Iterator[Article]: ...

    def summaries(self) -> Iterator[Summary]: ...

    def count(self, table: str) -> int: ...

    def languages(self) -> Mapping[str, int]: ...

    def period(self) -> tuple[date, date] | None: ...


def whole(method: Callable[Given, Found]) -> Callable[Given, Found]:
    """Let a method that reads one generation begin again, with the newest, when that one is gone meanwhile."""

    @wraps(method)
    def again(*arguments: Given.args, **options: Given.kwargs) -> Found:
        for _ in range(_TRIES - 1):
            with suppress(SupersededError):
                return method(*arguments, **options)
        return method(*arguments, **options)

    return again
