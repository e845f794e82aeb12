"""Three shards of two replicas each on a real cluster, against the same index in one folder."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig, IndexSettings, RayConfig, Scale
from index.errors import ClusterError, StoreError
from index.index import Index
from index.ray_session import Installation, connect, installation
from index.sharding import deployment
from index.sharding.deployment import RayShards, follow, run, run_shards, scaled, stop, stop_shards
from index.sharding.index import ShardedIndex
from index.sharding.layout import read_published
from index.update import add

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

WORDS = "ferry bridge tunnel harbour robot medicine election storm river market".split()
PLACES = "Aomori Hull Basel Chengdu Seoul Jakarta Lima".split()


def story(number: int, revision: int = 0) -> Article:
    word, place = WORDS[number % len(WORDS)], PLACES[number % len(PLACES)]
    return Article(
        id=f"story-{number}",
        title=f"The {word} of {place}",
        text=f"The {word} in {place} opened for the {number}th time. "
        f"Nobody in {PLACES[(number + revision) % 7]} saw a {WORDS[(3 * number + revision) % 10]}, say {number % 13}.",
        language="en",
        source=("Wire", "Post")[number % 2],
    )


QUESTIONS = [f"{word} in {place}" for word in WORDS[::2] for place in PLACES[::2]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    import ray

    ray.init(
        "local", num_cpus=4, object_store_memory=80_000_000, include_dashboard=False, log_to_driver=False,
        logging_level="ERROR",
    )  # fmt: skip
    with connect("auto"):
        yield
    from ray import serve

    serve.shutdown()
    ray.shutdown()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> IndexSettings:
    folder = tmp_path_factory.mktemp("ray-shards")
    made = IndexSettings(
        index=IndexConfig(path=folder / "index"),
        ray=RayConfig(shards=3, search=Scale(replicas=2, cpus=0.1), start_seconds=120),
    )
    add([story(number) for number in range(200)], folder=made.index.path, settings=made, encoder=WordEncoder())
    return made


@pytest.fixture(scope="module")
def shards(cluster: None, settings: IndexSettings) -> Iterator[RayShards]:
    follow(settings, None)
    yield run_shards(settings)
    stop_shards(settings)


def sharded(settings: IndexSettings, shards: RayShards) -> ShardedIndex:
    return ShardedIndex(settings.shards_folder, shards, settings, WordEncoder())


def test_answers_are_those_of_the_whole_index(settings: IndexSettings, shards: RayShards) -> None:
    searched = sharded(settings, shards)
    with Index(settings.index.path, settings, WordEncoder()) as whole:
        for question in QUESTIONS:
            assert searched.search(question) == whole.search(question) != []
            assert searched.search(question, sources=["Post"]) == whole.search(question, sources=["Post"])
        assert list(searched) == list(whole)


def replicas() -> list[tuple[str, int]]:
    """Application and process of each replica, as Ray Serve says."""
    from ray import serve

    return [
        (name, replica.pid)
        for name, application in serve._private.api._get_global_client().get_serve_details()["applications"].items()
        for part in application["deployments"].values()
        for replica in part["replicas"]
    ]


def test_a_replica_that_is_killed_under_load_fails_no_question(settings: IndexSettings, shards: RayShards) -> None:
    searched = sharded(settings, shards)
    with Index(settings.index.path, settings, WordEncoder()) as whole:
        expected = {question: whole.search(question) for question in QUESTIONS}
    failed: list[object] = []
    asked = [0]
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            for question in QUESTIONS:
                try:
                    if searched.search(question) != expected[question]:
                        failed.append(question)
                except Exception as error:  # noqa: BLE001 -- any failure counts
                    failed.append(error)
                asked[0] += 1

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    while asked[0] < 5:
        ended.wait(0.05)
    before = asked[0]
    os.kill(replicas()[0][1], signal.SIGKILL)
    while asked[0] < before + 60:
        ended.wait(0.05)
    ended.set()
    for thread in threads:
        thread.join()
    assert failed == []


def test_new_generations_are_rolled_out_without_a_failed_or_mixed_question(
    settings: IndexSettings, shards: RayShards
) -> None:
    searched = sharded(settings, shards)
    answers: list[Any] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                answers.append(searched.search("ferry in Aomori"))
            except Exception as error:  # noqa: BLE001
                answers.append(error)

    thread = threading.Thread(target=ask)
    allowed = []
    with Index(settings.index.path, settings, WordEncoder()) as whole:
        allowed.append(whole.search("ferry in Aomori"))
        thread.start()
        for revision in (1, 2, 3):
            new = [story(number, revision) for number in range(0, 200, 10)]
            add(new, folder=settings.index.path, settings=settings, encoder=WordEncoder())
            record = follow(settings, shards)
            assert read_published(settings.shards_folder) == record
            allowed.append(whole.search("ferry in Aomori"))
            assert searched.search("ferry in Aomori") == allowed[-1]
    ended.set()
    thread.join()
    assert len(answers) > 3
    assert [answer for answer in answers if answer not in allowed] == []


def test_a_shard_that_is_missing_is_named_before_anything_starts(
    cluster: None, settings: IndexSettings, tmp_path: Path
) -> None:
    import shutil

    own = settings.model_copy(update={"ray": settings.ray.model_copy(update={"folder": tmp_path / "shards"})})
    follow(own, None)
    shutil.rmtree(tmp_path / "shards" / "2-of-3")
    for attempt in (lambda: follow(own, None), lambda: run_shards(own)):
        with pytest.raises(StoreError, match="shard 2 of 3 is missing"):
            attempt()


def test_another_kabar_on_a_worker_is_refused_by_name(shards: RayShards, settings: IndexSettings) -> None:
    serve = deployment.import_serve()
    other = Installation("9.9.9", "feedfeedfeed")
    one = settings.ray.search.model_copy(update={"replicas": 1, "most_replicas": 1})
    skewed = serve.deployment(deployment.Shard).options(**scaled(one)).bind(str(settings.shards_folder), 0, other)
    with pytest.raises(
        ClusterError, match=r"kabar-skewed does not start: kabar .*on the worker.*9\.9\.9.*every machine"
    ):
        run({"kabar-skewed": skewed}, settings)
    assert installation() != other
    stop(["kabar-skewed"])
