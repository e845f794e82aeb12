"""All that an index holds, to compare two."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

TABLES = ("articles", "passages", "terms", "passage_dates", "items", "item_articles")


def contents(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table, but vectors: those are close and no more."""
    with closing(sqlite3.connect(folder / "articles.sqlite")) as connection:
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


def vectors(folder: Path) -> dict[tuple[str, bytes], np.ndarray]:
    """Vectors by encoder and passage hash."""
    with closing(sqlite3.connect(folder / "vectors.sqlite")) as connection:
        rows = connection.execute("SELECT encoder, hash, vector FROM vectors").fetchall()
    return {(encoder, digest): np.frombuffer(vector, "<f2").astype(np.float32) for encoder, digest, vector in rows}


def farthest(one: Path, other: Path) -> float:
    """Greatest difference of a number in the vectors of two indexes, which are of the same passages."""
    first, second = vectors(one), vectors(other)
    assert first.keys() == second.keys()
    return max((float(np.abs(first[key] - second[key]).max()) for key in first), default=0.0)
