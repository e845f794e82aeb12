"""What Milvus adds to an index: what is there after a kill, what is said when it is away, and who sees what."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import WordEncoder

from index import milvus as store_module
from index.article import Article
from index.compaction import compact
from index.config import IndexConfig, IndexSettings, MilvusConfig
from index.errors import ConfigError, ServiceError, SupersededError
from index.faiss_store import FaissStore
from index.index import Index
from index.integrity import find_damage
from index.milvus import MilvusStore, Record, record_of
from index.milvus_service import Service
from index.repair import repair
from index.snapshot import Snapshot
from index.store import ARTICLES_FILE, Writer, connect
from index.update import add, remove

ROOT = Path(__file__).resolve().parents[2]
NOTHING_LISTENS = "http://127.0.0.1:1"


def article(name: str, text: str) -> Article:
    return Article(id=name, title=name, text=text, language="en")


BRIDGE = article("bridge", "The bridge opened in Hull.")
FERRY = article("ferry", "The ferry sailed from Aomori.")
TRAM = article("tram", "A tram runs in Basel.")
ROBOT = article("robot", "A robot mixes medicine in Chengdu.")


@pytest.fixture
def settings(milvus: str, tmp_path: Path) -> IndexSettings:
    return settings_for(tmp_path / "index", milvus)


def settings_for(folder: Path, address: str, store: str = "milvus") -> IndexSettings:
    return IndexSettings(
        index=IndexConfig.model_validate({"path": folder, "store": store}), milvus=MilvusConfig(uri=address)
    )


def put(settings: IndexSettings, *articles: Article, encoder: WordEncoder | None = None) -> WordEncoder:
    """Index articles; the encoder, which knows what it was asked for."""
    encoder = encoder or WordEncoder()
    add(articles, folder=settings.index.path, settings=settings, encoder=encoder)
    return encoder


def found(settings: IndexSettings, question: str, **filters: object) -> list[str]:
    with Index(settings.index.path, settings, WordEncoder()) as index:
        return [hit.article.id for hit in index.search(question, **filters)]


def named(settings: IndexSettings) -> Record:
    with closing(connect(settings.index.path, ARTICLES_FILE)) as connection:
        record = record_of(connection)
    assert record is not None
    return record


def own_collections(settings: IndexSettings) -> list[str]:
    """Names of the index's collections in the service."""
    begin = f"kabar_{(settings.index.path / 'milvus').read_text()}_"
    return [name for name in Service(settings.milvus.uri).names() if name.startswith(begin)]


def damage(settings: IndexSettings) -> list[str]:
    return [found.what for found in find_damage(settings.index.path, MilvusStore(settings))]


# What is found


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    random = np.random.default_rng(7)
    made = random.normal(size=(400, 16)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made.astype(np.float16).astype(np.float32)


@pytest.mark.parametrize(
    ("count", "chosen", "removed"),
    [
        (5, None, 0),  # one search
        (5, None, 250),  # most of the nearest are gone: deeper, and by name at last
        (1000, None, 3),  # more than there are
        (5, 390, 0),  # a filter that most fit
        (5, 120, 60),  # one that few fit, by name in several lots
        (5, 8, 2),  # so few that each is compared
        (5, 0, 0),
    ],
)
def test_against_brute_force(
    milvus: str, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch, count: int, chosen: int | None, removed: int
) -> None:
    monkeypatch.setattr(store_module, "_FEW", 10)
    monkeypatch.setattr(store_module, "LOT", 50)
    monkeypatch.setattr(store_module, "DEEPEST", 100)
    question = rows[3]
    order = np.argsort(-(rows @ question)) + 1  # numbers, nearest first
    random = np.random.default_rng(count + removed)
    only = None if chosen is None else np.sort(random.permutation(len(rows))[:chosen] + 1)
    gone = np.sort(order[:removed])
    whole = set(range(1, len(rows) + 1)) - set(gone.tolist())
    with MilvusStore(settings_for(Path("unused"), milvus)).trial(rows) as nearest:
        assert isinstance(nearest, store_module.MilvusNearest)
        kept = nearest._generation.stored
        nearest._generation = replace(
            nearest._generation,
            removed=gone,
            stored=lambda numbers: kept([one for one in numbers if one in whole]),
            numbers=lambda: np.asarray(sorted(whole)),
        )
        hits = nearest.nearest(question, count, only)
    fit = [number for number in order.tolist() if number in whole and (only is None or number in only)]
    assert [number for number, _ in hits] == fit[:count]
    np.testing.assert_allclose(
        [score for _, score in hits], [rows[number - 1] @ question for number, _ in hits], atol=1e-6
    )


def test_a_trial_leaves_nothing_and_both_stores_agree(milvus: str, rows: np.ndarray) -> None:
    service = Service(milvus)
    before = service.names()
    with MilvusStore(settings_for(Path("unused"), milvus)).trial(rows) as ours, FaissStore().trial(rows) as theirs:
        assert len(service.names()) == len(before) + 1
        for only in (None, np.arange(100, 300)):
            one, other = ours.nearest(rows[9], 20, only), theirs.nearest(rows[9], 20, only)
            assert [number for number, _ in one] == [number for number, _ in other]
            np.testing.assert_allclose([score for _, score in one], [score for _, score in other], atol=1e-6)
    assert service.names() == before


def test_a_generation_is_searched_whole_or_not_at_all(settings: IndexSettings) -> None:
    put(settings, BRIDGE, FERRY)
    (question,) = WordEncoder().encode_queries(["ferry from Aomori"])
    folder, store = settings.index.path, MilvusStore(settings)
    with closing(Snapshot(folder, store=store)) as early, closing(Snapshot(folder, store=store)) as late:
        before = early.nearest(question, 5)
        put(settings, TRAM)
        assert early.nearest(question, 5) == before, "what is new is not seen"
        remove(["ferry"], folder=folder, settings=settings)
        with pytest.raises(SupersededError):
            late.nearest(question, 5)
    assert set(found(settings, "ferry from Aomori")) == {"bridge", "tram"}


def test_a_question_begins_again_when_its_collection_makes_way(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(settings, BRIDGE, FERRY)
    search = Service.search

    def meanwhile(self: Service, *arguments: Any, **options: Any) -> np.ndarray:
        monkeypatch.setattr(Service, "search", search)
        rebuild(settings)
        return search(self, *arguments, **options)

    with Index(settings.index.path, settings, WordEncoder()) as index:
        monkeypatch.setattr(Service, "search", meanwhile)
        assert [hit.article.id for hit in index.search("ferry from Aomori")] == ["ferry", "bridge"]


def rebuild(settings: IndexSettings) -> None:
    store = MilvusStore(settings)
    with Writer(settings.index.path) as writer:
        store.forget(writer)
        store.refresh(writer)
        writer.commit()
        store.sweep(writer)


# What comes and goes


def test_what_was_removed_is_taken_out_by_the_next_run(settings: IndexSettings) -> None:
    put(settings, BRIDGE, FERRY)
    remove(["ferry"], folder=settings.index.path, settings=settings)
    service, record = Service(settings.milvus.uri), named(settings)
    assert service.count(record.collection, record.last) == 2
    assert found(settings, "ferry") == ["bridge"]
    put(settings, TRAM)
    assert service.count(record.collection, named(settings).last) == 2
    assert damage(settings) == []
    remove(["tram"], folder=settings.index.path, settings=settings)
    compact(settings.index.path, MilvusStore(settings))
    assert service.count(record.collection, named(settings).last) == 1
    assert damage(settings) == []


def test_another_encoder_has_another_collection(settings: IndexSettings) -> None:
    put(settings, BRIDGE)
    first = named(settings).collection
    other = WordEncoder("words/2", dimension=32)
    changed = settings.model_copy(
        update={"encoder": settings.encoder.model_copy(update={"model": "other"})}
    )  # so that the index asks
    put(changed, FERRY, encoder=other)
    record = named(settings)
    assert (record.encoder, record.count, record.former) == ("words/2", 2, first)
    assert sorted(own_collections(settings)) == sorted([first, record.collection])
    put(changed, TRAM, encoder=other)
    assert own_collections(settings) == [record.collection]


def test_two_indexes_share_a_service(milvus: str, tmp_path: Path) -> None:
    one, other = (settings_for(tmp_path / name, milvus) for name in ("one", "other"))
    put(one, BRIDGE)
    put(other, FERRY)
    rebuild(one)
    assert (found(one, "ferry bridge"), found(other, "ferry bridge")) == (["bridge"], ["ferry"])


def test_stores_take_turns_and_nothing_is_encoded_again(settings: IndexSettings) -> None:
    files = settings_for(settings.index.path, settings.milvus.uri, "faiss")
    put(files, BRIDGE, FERRY)
    with pytest.raises(ServiceError, match=r"not in Milvus at http.* yet; run `kabar index`"):
        found(settings, "ferry")
    assert put(settings, TRAM).encoded == ["tram\nA tram runs in Basel."]
    assert list(settings.index.path.glob("*.faiss")) == []
    assert found(settings, "ferry from Aomori")[0] == "ferry"
    remove(["ferry"], folder=settings.index.path, settings=files)
    assert found(files, "ferry") == found(settings_after(settings), "ferry")
    assert damage(settings) == []


def settings_after(settings: IndexSettings) -> IndexSettings:
    """The same, when Milvus has taken over again."""
    assert put(settings).encoded == []
    return settings


# Kills

KILLED = """
import os, signal, sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from fakes import WordEncoder
from index.article import Article
from index.config import IndexConfig, IndexSettings, MilvusConfig
from index.store import Writer
from index.update import add

Writer.commit = lambda self: os.kill(os.getpid(), signal.SIGKILL)
settings = IndexSettings(index=IndexConfig(path=Path({folder!r}), store="milvus"), milvus=MilvusConfig(uri={address!r}))
articles = [Article(id=name, title=name, text=f"The {{name}} sank off Oslo.", language="en") for name in {names!r}]
add(articles, folder=settings.index.path, settings=settings, encoder=WordEncoder())
"""


def killed(settings: IndexSettings, names: list[str]) -> None:
    """A run that dies when the vectors are in the service, before its transaction is committed."""
    script = KILLED.format(
        tests=str(ROOT / "tests"),
        root=str(ROOT),
        folder=str(settings.index.path),
        address=settings.milvus.uri,
        names=names,
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_between_the_service_and_the_commit(settings: IndexSettings) -> None:
    put(settings, BRIDGE, FERRY)
    before = named(settings)
    killed(settings, ["ship", "raft", "kayak"])
    service = Service(settings.milvus.uri)
    assert service.count(before.collection, before.last + 3) == 5, "the vectors were there when it died"
    assert named(settings) == before
    assert damage(settings) == []
    assert set(found(settings, "the ship sank off Oslo")) == {"bridge", "ferry"}
    # The next run has fewer passages: its own take the places of some, and nobody looks for the rest.
    put(settings, TRAM)
    assert set(found(settings, "the tram sank off Oslo")) == {"bridge", "ferry", "tram"}
    assert damage(settings) == []
    again = [article(name, f"The {name} sank off Oslo.") for name in ("ship", "raft", "kayak")]
    assert put(settings, *again).encoded == [], "what was encoded before the kill is kept"
    assert found(settings, "the kayak sank off Oslo")[0] == "kayak"
    assert damage(settings) == []


def test_killed_before_anything_was_committed(settings: IndexSettings) -> None:
    killed(settings, ["ship"])
    (left,) = own_collections(settings)
    put(settings, BRIDGE)
    (kept,) = own_collections(settings)
    assert kept == named(settings).collection != left


# Damage


def without_a_collection(service: Service, record: Record) -> None:
    service.drop(record.collection)


def without_a_row(service: Service, record: Record) -> None:
    service.delete(record.collection, [record.last])


def with_another_vector(service: Service, record: Record) -> None:
    (known,) = service.vectors(record.collection, [record.last]).values()
    service.put(record.collection, [([record.last], known[np.newaxis, ::-1].copy())])


def with_a_stray_row(service: Service, record: Record) -> None:
    (known,) = service.vectors(record.collection, [record.last]).values()
    service.put(record.collection, [([record.last - 3], known[np.newaxis])])


@pytest.mark.parametrize("hurt", [without_a_collection, without_a_row, with_another_vector, with_a_stray_row])
def test_damage_is_found_and_repaired(settings: IndexSettings, hurt: Callable[[Service, Record], None]) -> None:
    put(settings, BRIDGE, FERRY)
    hurt(Service(settings.milvus.uri), named(settings))
    (said,) = find_damage(settings.index.path, MilvusStore(settings))
    assert said.part == "milvus"
    assert "kabar doctor --repair" in said.what
    encoder = WordEncoder()
    repair(settings.index.path, settings, lambda: encoder)
    assert damage(settings) == []
    assert found(settings, "ferry from Aomori")[0] == "ferry"
    assert encoder.encoded == []
    assert own_collections(settings) == [named(settings).collection]


@pytest.mark.parametrize("hurt", [without_a_collection, without_a_row])
def test_the_next_run_makes_again_what_is_missing(
    settings: IndexSettings, hurt: Callable[[Service, Record], None]
) -> None:
    put(settings, BRIDGE, FERRY)
    hurt(Service(settings.milvus.uri), named(settings))
    assert put(settings).encoded == []
    assert damage(settings) == []
    assert found(settings, "ferry from Aomori")[0] == "ferry"


def test_a_search_names_what_is_missing(settings: IndexSettings) -> None:
    put(settings, BRIDGE)
    record = named(settings)
    service = Service(settings.milvus.uri)
    service.drop(record.collection)
    with pytest.raises(ServiceError, match=f"has no collection '{record.collection}'.*`kabar index`"):
        found(settings, "bridge")
    service.make(record.collection, 7)
    with pytest.raises(ServiceError, match="vectors of 7 numbers, the encoder's have 64; run `kabar doctor --repair`"):
        found(settings, "bridge")
    assert put(settings).encoded == []
    assert found(settings, "bridge") == ["bridge"]


def test_a_damaged_record_is_named_and_repaired(settings: IndexSettings) -> None:
    put(settings, BRIDGE)
    with Writer(settings.index.path) as writer:
        writer.set_meta("milvus", json.dumps({"collection": 1}))
        writer.commit_meta()
    assert ["record of the Milvus collection is damaged" in said for said in damage(settings)] == [True]
    repair(settings.index.path, settings, WordEncoder)
    assert found(settings, "bridge") == ["bridge"]


# Services that are away, closed, or of another kind


def test_where_nothing_listens(settings: IndexSettings, tmp_path: Path) -> None:
    away = settings_for(tmp_path / "away", NOTHING_LISTENS)
    encoder = WordEncoder()
    with pytest.raises(ServiceError, match=r"^http://127\.0\.0\.1:1: .*milvus\.uri.*index is as it was$"):
        put(away, BRIDGE, encoder=encoder)
    assert len(encoder.encoded) == 1
    there = settings_for(tmp_path / "away", settings.milvus.uri)
    assert put(there, BRIDGE).encoded == [], "what was encoded is kept"
    assert found(there, "bridge") == ["bridge"]
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1"):
        found(away, "bridge")
    with Index(away.index.path, away, WordEncoder()) as index:
        assert [article.id for article in index] == ["bridge"], "whoever reads articles needs no service"


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[str]:
    """The address of a server that lets in who has the token "right" alone, and refuses others as Milvus does."""
    import base64
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite
    from pymilvus.grpc_gen import milvus_pb2_grpc

    class Guard(grpc.ServerInterceptor):
        def intercept_service(self, go_on, details):
            given = dict(details.invocation_metadata).get("authorization", "")
            if base64.b64decode(given) == b"right":
                return go_on(details)
            reason = "auth check failure, please check api key is correct"
            return grpc.unary_unary_rpc_method_handler(
                lambda _, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, reason)
            )

    database = MilvusLite(str(tmp_path / "closed.db"))
    server = grpc.server(ThreadPoolExecutor(max_workers=2), interceptors=[Guard()])
    milvus_pb2_grpc.add_MilvusServiceServicer_to_server(MilvusServicer(database), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop(grace=0)
    database.close()


def test_a_wrong_token(closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(tmp_path / "index", closed)
    for token in ("", "wrong"):
        monkeypatch.setenv("MILVUS_TOKEN", token)
        with pytest.raises(ServiceError, match="does not let kabar in; set the variable MILVUS_TOKEN"):
            put(settings, BRIDGE)
    monkeypatch.setenv("MILVUS_TOKEN", "right")
    put(settings, BRIDGE)
    assert found(settings, "bridge") == ["bridge"]


def test_without_the_extra(settings: IndexSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(ServiceError, match=r"pip install 'kabar\[milvus\]'"):
        put(settings, BRIDGE)


def test_a_file_is_opened_by_one_process_at_a_time(tmp_path: Path) -> None:
    from milvus_lite import MilvusLite
    from milvus_lite.server_manager import server_manager_instance

    settings = settings_for(tmp_path / "index", "auto")
    file = tmp_path / "index" / "milvus.db"
    file.parent.mkdir()
    with (
        MilvusLite(str(file)),
        pytest.raises(ServiceError, match=r"milvus\.db: Milvus Lite cannot open it.*another process"),
    ):
        put(settings, BRIDGE)
    put(settings, BRIDGE)
    assert found(settings, "bridge") == ["bridge"]
    server_manager_instance.release_server(str(file))
    assert damage(settings_for(tmp_path / "index", str(file))) == [], "it is there when it is opened again"
    server_manager_instance.release_server(str(file))


# Configuration


@pytest.mark.parametrize(
    "uri", ["milvus.sqlite", "localhost:19530", "ftp://host/milvus.db", "http://root:Milvus@host:1"]
)
def test_addresses_that_are_none(tmp_path: Path, uri: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"milvus: {{uri: '{uri}'}}")
    with pytest.raises(ConfigError, match=r"'milvus.uri' is .*http://HOST:PORT, without a token in it, or a file"):
        IndexSettings.load(file)


def test_a_file_counts_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("index: {store: milvus}\nmilvus: {uri: here/milvus.db, collection: news}")
    assert IndexSettings.load(file).milvus == MilvusConfig(uri=str(tmp_path / "here" / "milvus.db"), collection="news")


def test_the_state_is_said_in_one_line(settings: IndexSettings) -> None:
    put(settings, BRIDGE, FERRY)
    with closing(connect(settings.index.path, ARTICLES_FILE)) as connection:
        said = MilvusStore(settings).status(connection)
        assert said == f"2 in collection '{named(settings).collection}' of Milvus at {settings.milvus.uri}"
        with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1"):
            MilvusStore(settings_for(settings.index.path, NOTHING_LISTENS)).status(connection)
