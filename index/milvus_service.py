"""What is asked of Milvus: the same of Milvus Lite in a file, of one server, and of a cluster.

Everything is asked with strong consistency: what was put in before is seen. No answer holds more than 16,384 rows
(https://milvus.io/docs/limitations.md), so nothing here asks for more at once.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.errors import ServiceError

if TYPE_CHECKING:
    from pymilvus import MilvusClient

DEEPEST = 16_384
"""A search finds no more than so many, and a query gives no more."""
LOT = 10_000
"""So many numbers stand in one condition."""

_NUMBER, _VECTOR = "number", "vector"
_STRONG = "Strong"
_ROWS = 1_000  # that are put in at once: 1.5 MB of 384 numbers each
_ENOUGH_TO_FLUSH = 1_000
_NO_COLLECTION = 100
# Seconds for an answer; a lot of rows or a flush of a large collection may take long.
_SECONDS, _LONG = 15.0, 300.0


class MissingCollectionError(ServiceError):
    """The service has no collection of this name."""


class Service:
    """A connection to Milvus, made when it is first needed. Safe to share between threads.

    Methods raise ServiceError, and MissingCollectionError where they are about one that is not there.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._lock = threading.Lock()
        self._made: MilvusClient | None = None

    def names(self) -> list[str]:
        """Names of all collections."""
        with self._asking() as client:
            return list(client.list_collections(timeout=_SECONDS))

    def make(self, collection: str, dimension: int) -> None:
        """A new collection for vectors of ``dimension``, ready to be searched by inner product."""
        with self._asking(collection) as client:
            from pymilvus import DataType

            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field(_NUMBER, DataType.INT64, is_primary=True)
            schema.add_field(_VECTOR, DataType.FLOAT_VECTOR, dim=dimension)
            index = client.prepare_index_params()
            index.add_index(_VECTOR, index_type="AUTOINDEX", metric_type="IP")
            client.create_collection(collection, schema=schema, consistency_level=_STRONG, timeout=_SECONDS)
            client.create_index(
                collection, index, timeout=_SECONDS, sync=False
            )  # of nothing there is nothing to wait for
            client.load_collection(collection, timeout=_LONG)

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        with self._asking(collection) as client:
            client.drop_collection(collection, timeout=_SECONDS)

    def load(self, collection: str) -> int:
        """Have a collection ready to be searched; how long its vectors are, 0 if it has none of ``make``'s kind."""
        with self._asking(collection) as client:
            fields = client.describe_collection(collection, timeout=_SECONDS)["fields"]
            client.load_collection(collection, timeout=_LONG)
        return next((int(field["params"].get("dim", 0)) for field in fields if field["name"] == _VECTOR), 0)

    def count(self, collection: str, last: int) -> int:
        """How many rows have a number up to ``last``."""
        with self._asking(collection) as client:
            rows = client.query(
                collection,
                filter=f"{_NUMBER} <= {last}",
                output_fields=["count(*)"],
                consistency_level=_STRONG,
                timeout=_LONG,
            )
        return int(rows[0]["count(*)"])

    def put(self, collection: str, lots: Iterable[tuple[Sequence[int], np.ndarray]]) -> int:
        """Put in rows, or others in their place; how many there were. Each lot is numbers and vectors float32."""
        done = 0
        for numbers, vectors in lots:
            rows = [{_NUMBER: int(one), _VECTOR: vector} for one, vector in zip(numbers, vectors, strict=True)]
            for start in range(0, len(rows), _ROWS):
                with self._asking(collection) as client:
                    client.upsert(collection, rows[start : start + _ROWS], timeout=_LONG)
            done += len(rows)
        if done >= _ENOUGH_TO_FLUSH:  # a cluster wants few of these; without any its own rules say when
            with self._asking(collection) as client:
                client.flush(collection, timeout=_LONG)
        return done

    def delete(self, collection: str, numbers: Sequence[int]) -> None:
        """Take out rows; those that are not there do not matter."""
        for start in range(0, len(numbers), LOT):
            with self._asking(collection) as client:
                client.delete(collection, ids=list(numbers[start : start + LOT]), timeout=_LONG)

    def vectors(self, collection: str, numbers: Sequence[int]) -> dict[int, np.ndarray]:
        """Vectors float32 by number, of those that are there; at most ``LOT`` are asked for."""
        with self._asking(collection) as client:
            rows = client.query(
                collection,
                filter=_among(numbers),
                output_fields=[_NUMBER, _VECTOR],
                consistency_level=_STRONG,
                timeout=_LONG,
            )
        return {row[_NUMBER]: np.asarray(row[_VECTOR], dtype=np.float32) for row in rows}

    def search(
        self, collection: str, vector: np.ndarray, count: int, *, last: int, among: Sequence[int] | None = None
    ) -> np.ndarray[Any, Any]:
        """Numbers (int64) of the ``count`` nearest up to ``last``, or of ``among``, at most ``LOT``; best first."""
        with self._asking(collection) as client:
            (hits,) = client.search(
                collection,
                data=[np.asarray(vector, dtype=np.float32)],
                anns_field=_VECTOR,
                limit=count,
                filter=f"{_NUMBER} <= {last}" if among is None else _among(among),
                output_fields=[_NUMBER],
                consistency_level=_STRONG,
                timeout=_SECONDS,
            )
        return np.fromiter((hit[_NUMBER] for hit in hits), dtype=np.int64)

    @contextlib.contextmanager
    def _asking(self, collection: str = "") -> "Iterator[MilvusClient]":
        """The client; what it raises becomes one clear error."""
        client = self._client()
        from grpc import RpcError
        from pymilvus.exceptions import MilvusException

        try:
            yield client
        except MilvusException as error:
            if error.code == _NO_COLLECTION:
                raise MissingCollectionError(
                    f"{self.uri}: Milvus has no collection '{collection}', which should hold the index's vectors; "
                    "`kabar index` or `kabar doctor --repair` makes it again and encodes nothing"
                ) from error
            raise self._refusal(error) from error
        except RpcError as error:
            raise self._refusal(error) from error

    def _client(self) -> "MilvusClient":
        with self._lock:
            if self._made is None:
                try:
                    import pymilvus
                except ImportError:
                    raise ServiceError(
                        "index.store is milvus, whose client is not installed; pip install 'kabar[milvus]'"
                    ) from None
                if "://" not in self.uri:
                    Path(self.uri).parent.mkdir(parents=True, exist_ok=True)
                for name in ("pymilvus", "milvus_lite"):  # they log at length what is raised here in one line
                    logging.getLogger(name).setLevel(logging.CRITICAL + 1)
                try:
                    self._made = pymilvus.MilvusClient(
                        self.uri, token=os.environ.get("MILVUS_TOKEN", ""), timeout=_SECONDS
                    )
                except pymilvus.MilvusException as error:
                    raise self._refusal(error) from error
            return self._made

    def _refusal(self, error: Exception) -> ServiceError:
        """What an exception of the client means for the user."""
        reason = " ".join(str(getattr(error, "message", "") or error).split())[:300]
        cause = " ".join(str(error.__cause__ or "").split())
        if "UNAUTHENTICATED" in reason + cause or "auth check failure" in reason + cause:
            return ServiceError(
                f"{self.uri}: Milvus does not let kabar in; set the variable MILVUS_TOKEN to a token that may use it, "
                "or to USER:PASSWORD"
            )
        if "milvus-lite is required" in reason:
            return ServiceError(f"{self.uri}: Milvus Lite is not installed; pip install 'kabar[milvus]'")
        if "Open local milvus failed" in reason:
            return ServiceError(
                f"{self.uri}: Milvus Lite cannot open it. Either another process has it open: only one can, and for "
                "more milvus.uri has to name a server; or it is damaged: remove it, and `kabar index` makes it again"
            )
        return ServiceError(
            f"{self.uri}: Milvus does not do what it is asked ({reason}); see that it runs and that milvus.uri is "
            "right. The index is as it was"
        )


def _among(numbers: Sequence[int]) -> str:
    return f"{_NUMBER} in [{','.join(map(str, numbers))}]"
