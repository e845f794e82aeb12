"""Parts: what was read from items, split and encoded, as Arrow tables and Parquet files that any machine can merge.

docs/parts.md describes the format. A row is one thing that an item gave, in this order: a row ``item``, its articles
and problems, a row ``end``. So an item that was not read to its end shows, and is never taken for one that lost
articles. An article whose ``passages`` are null was known already and has not been prepared.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from index.article import Article
from index.errors import ArticleError
from index.passage import Passage, titled
from index.passage_dates import Days
from index.place import Item
from index.preparation import Analysis, Prepared, prepare
from index.sources import Problem

if TYPE_CHECKING:
    from index.encoder import Encoder

FORMAT = 1
"""Of the schema; ``kabar.parts`` in its metadata."""

_ARTICLE = pa.struct(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("source", pa.string()),
        pa.field("language", pa.string(), nullable=False),
        pa.field("published", pa.date32()),
        pa.field("published_from", pa.string(), nullable=False),
        pa.field("published_certainty", pa.float64(), nullable=False),
        pa.field("published_reason", pa.string()),
        pa.field("fetched", pa.string()),  # ISO 8601 with the zone as it was stated, which Arrow's timestamps lose
    ]
)
_PROBLEM = pa.struct([("where", pa.string()), ("reason", pa.string()), ("lost", pa.bool_())])
_PASSAGE = pa.struct(
    [
        ("sentences", pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32())]))),
        ("hash", pa.binary(32)),
        ("words", pa.string()),
        ("days", pa.list_(pa.struct([("first", pa.date32()), ("last", pa.date32())]))),
    ]
)
PREPARED = pa.schema(
    [
        pa.field("item", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("digest", pa.string()),
        pa.field("stamp", pa.string()),
        pa.field("problem", _PROBLEM),
        pa.field("article", _ARTICLE),
        pa.field("passages", pa.list_(_PASSAGE)),
    ]
)
"""The columns before encoding; ``with_vectors`` adds the last one."""


class Row(NamedTuple):
    """A row of parts, as Python has it."""

    item: str
    place: str
    kind: str
    digest: str | None = None
    stamp: str | None = None
    found: Article | Problem | None = None
    prepared: list[Prepared] | None = None


# From an item to tables


def read_item(
    item: Item, place: str, *, characters: int, digest: str = "", known: Collection[str] = frozenset()
) -> Iterator[dict[str, Any]]:
    """The rows that an item gives, for ``table_of``.

    If its content has the ``digest`` that is known, it is not read; articles whose content hash is ``known`` are not
    prepared.
    """
    row = {"item": item.name, "place": place}
    try:
        found_digest = item.digest()
    except ArticleError as error:
        yield {**row, "kind": "item", "problem": _problem(Problem(error.where, error.reason))}
        return
    yield {**row, "kind": "item", "digest": found_digest}
    if not (digest and digest == found_digest):
        try:
            for found in item.read():
                if isinstance(found, Problem):
                    yield {**row, "kind": "problem", "problem": _problem(found)}
                    continue
                prepared = None if found.content_hash in known else prepare(found, characters=characters)
                yield {
                    **row,
                    "kind": "article",
                    "article": {**dict(found), "fetched": found.fetched.isoformat() if found.fetched else None},
                    "passages": None if prepared is None else [_passage(one) for one in prepared],
                }
        except ArticleError as error:
            yield {**row, "kind": "broken", "problem": _problem(Problem(error.where, error.reason))}
            return
    yield {**row, "kind": "end", "stamp": item.lasting_stamp()}


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows of ``read_item`` as a table of ``PREPARED``."""
    return pa.Table.from_pylist(list(rows), schema=PREPARED)


def with_vectors(table: pa.Table, encoder: "Encoder") -> pa.Table:
    """The table with a column ``vectors``: 16-bit floats [passages, dimension] for each article, in their order."""
    texts: dict[bytes, str] = {}
    order: list[bytes] = []
    counts: list[int | None] = []
    for article, passages in zip(table["article"].to_pylist(), table["passages"].to_pylist(), strict=True):
        counts.append(None if passages is None else len(passages))
        for passage in passages or ():
            order.append(passage["hash"])
            texts[passage["hash"]] = titled(article["title"], _text(article["text"], passage))
    places = {digest: number for number, digest in enumerate(texts)}
    made = encoder.encode_passages(list(texts.values())) if texts else np.empty((0, encoder.dimension), np.float32)
    flat = made[[places[digest] for digest in order]].astype(np.float16).reshape(-1)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(flat), encoder.dimension)
    ends = np.cumsum([count or 0 for count in counts], dtype=np.int32)
    offsets = [None if count is None else end - count for count, end in zip(counts, ends.tolist(), strict=True)]
    column = pa.ListArray.from_arrays(pa.array([*offsets, len(order)], pa.int32()), rows)
    return table.append_column("vectors", column)


def _text(text: str, passage: dict[str, Any]) -> str:
    return " ".join(text[sentence["start"] : sentence["end"]] for sentence in passage["sentences"])


def _problem(problem: Problem) -> dict[str, Any]:
    return problem._asdict()


def _passage(prepared: Prepared) -> dict[str, Any]:
    return {
        "sentences": [{"start": start, "end": end} for start, end in prepared.passage.sentences],
        "hash": prepared.hash,
        "words": prepared.analysis.words,
        "days": [days._asdict() for days in sorted(prepared.analysis.days)],
    }


# From tables to rows


def rows_of(table: pa.Table) -> Iterator[Row]:
    """The rows of a table that has vectors."""
    vectors = table["vectors"].combine_chunks()
    flat = vectors.flatten().flatten().to_numpy(zero_copy_only=False)
    flat = flat.reshape(-1, vectors.type.value_type.list_size)
    start = 0
    for row in table.drop_columns(["vectors"]).to_pylist():
        found: Article | Problem | None = None
        prepared = None
        if row["article"]:
            found = Article(**row["article"])
            if row["passages"] is not None:
                end = start + len(row["passages"])
                prepared = list(_prepared(found, row["passages"], flat[start:end]))
                start = end
        elif row["problem"]:
            found = Problem(**row["problem"])
        yield Row(row["item"], row["place"], row["kind"], row["digest"], row["stamp"], found, prepared)


def _prepared(article: Article, passages: Sequence[dict[str, Any]], vectors: np.ndarray) -> Iterator[Prepared]:
    for ordinal, (passage, vector) in enumerate(zip(passages, vectors, strict=True)):
        yield Prepared(
            Passage(
                article_id=article.id,
                ordinal=ordinal,
                sentences=tuple((sentence["start"], sentence["end"]) for sentence in passage["sentences"]),
                text=_text(article.text, passage),
            ),
            passage["hash"],
            Analysis(passage["words"], frozenset(Days(**days) for days in passage["days"])),
            vector,
        )
