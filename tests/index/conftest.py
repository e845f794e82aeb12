"""The stores that the tests of the index run over."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.config import IndexConfig, IndexSettings, MilvusConfig


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Milvus server, as a cluster has one."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)
    server, database, port = start_server_in_thread(str(tmp_path_factory.mktemp("milvus") / "server.db"))
    yield f"http://127.0.0.1:{port}"
    server.stop(grace=0)
    database.close()


@pytest.fixture(params=["faiss", "milvus"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> IndexSettings:
    """The settings of a new index, once for each store."""
    address = request.getfixturevalue("milvus") if request.param == "milvus" else "auto"
    return IndexSettings(
        index=IndexConfig(path=tmp_path / "index", store=request.param), milvus=MilvusConfig(uri=address)
    )
