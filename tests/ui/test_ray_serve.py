"""What stands between the web server and the cluster, with stand-ins for Ray Serve's handles."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import WordEncoder
from ray.exceptions import ActorDiedError, GetTimeoutError, RayTaskError

from index.article import Article
from index.config import IndexConfig, RayConfig, Scale
from index.errors import ClusterError, SupersededError
from index.index import Index
from index.ray_session import installation
from index.sharding.deployment import RayShards, Shard, follow, import_serve, scaled
from index.sharding.index import ShardedIndex
from index.update import add, remove
from qa.errors import QuestionError
from ui.config import Settings
from ui.ray_serve import Answers, RemoteAssistant, _following

ROOT = Path(__file__).parents[2]
EVENTS = ["understand", "retrieve", "a piece", "another", "the answer"]


class Events:
    """What a streaming call gives."""

    def __init__(self, events: Iterator[str]) -> None:
        self.events = events
        self.cancelled = False

    def __iter__(self) -> "Events":
        return self

    def __next__(self) -> str:
        return next(self.events)

    def cancel(self) -> None:
        self.cancelled = True


def streaming(*calls: Iterator[str]) -> tuple[Any, list[Events]]:
    """A handle that gives each call in turn."""
    made: list[Events] = []
    waiting = list(calls)

    def remote(*_: object) -> Events:
        made.append(Events(waiting.pop(0)))
        return made[-1]

    return SimpleNamespace(options=lambda stream: SimpleNamespace(stream=SimpleNamespace(remote=remote))), made


def until(place: int, error: Exception) -> Iterator[str]:
    yield from EVENTS[:place]
    raise error


def said(handle: Any) -> list[Any]:
    return list(RemoteAssistant(handle, None, 5).stream("who?", history=[]))  # type: ignore[arg-type]


def from_worker(error: Exception) -> Exception:
    """As Ray raises what a worker raised."""
    return RayTaskError("stream", "Traceback (most recent call last): ...", error).as_instanceof_cause()


def test_another_replica_goes_on_where_one_has_died() -> None:
    handle, calls = streaming(until(3, ActorDiedError()), until(0, ActorDiedError()), iter(EVENTS))
    assert said(handle) == EVENTS
    assert len(calls) == 3


def test_replicas_that_go_on_dying_are_told_in_one_line() -> None:
    handle, _ = streaming(*(until(1, ActorDiedError()) for _ in range(3)))
    with pytest.raises(ClusterError, match=r"^[^\n]+$"):
        said(handle)


def test_what_the_assistant_refuses_is_refused_here() -> None:
    handle, _ = streaming(until(1, from_worker(QuestionError("The question is empty."))))
    with pytest.raises(QuestionError, match=r"^The question is empty\.$"):
        said(handle)


def test_who_hears_no_more_lets_the_replica_stop() -> None:
    handle, calls = streaming(iter(EVENTS))
    events = RemoteAssistant(handle, None, 5).stream("who?", history=[])  # type: ignore[arg-type]
    assert next(events) == "understand"  # type: ignore[comparison-overlap]
    events.close()  # type: ignore[attr-defined]
    assert calls[0].cancelled


def asking(*answers: Callable[[], Any]) -> Any:
    """A handle whose calls give each answer in turn."""
    waiting = list(answers)

    def remote(*_: object) -> Any:
        answer = waiting.pop(0)
        return SimpleNamespace(result=lambda timeout_s: answer())

    return SimpleNamespace(ask=SimpleNamespace(remote=remote))


def raising(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def test_a_shard_whose_replica_died_is_asked_again() -> None:
    shards = RayShards([asking(lambda: 1), asking(raising(ActorDiedError()), lambda: 2)], 5)
    assert shards.ask("facts") == [1, 2]
    assert RayShards([asking(raising(ActorDiedError()), lambda: 3)], 5).ask_one(0, "facts") == 3


def test_a_shard_that_does_not_answer_is_named() -> None:
    shards = RayShards([asking(lambda: 1), asking(raising(GetTimeoutError("late")))], 5)
    with pytest.raises(ClusterError, match=r"^shard 2 of 2 did not answer within 5 s$"):
        shards.ask("facts")


def test_a_generation_that_is_gone_stays_what_it_is() -> None:
    with pytest.raises(SupersededError, match=r"^shard 1 of 3 does not hold generation 4 any more$"):
        RayShards(
            [asking(raising(from_worker(SupersededError("shard 1 of 3 does not hold generation 4 any more"))))], 5
        ).ask("facts")


def test_copies_come_and_go_as_the_configuration_says() -> None:
    fixed = scaled(Scale(replicas=2, cpus=0.5))
    assert (fixed["num_replicas"], fixed["ray_actor_options"], "autoscaling_config" in fixed) == (
        2,
        {"num_cpus": 0.5},
        False,
    )
    growing = scaled(Scale(replicas=1, most_replicas=6, ongoing=3, up_after=5, down_after=60))
    assert growing["autoscaling_config"] == {
        "min_replicas": 1, "max_replicas": 6, "target_ongoing_requests": 3,
        "upscale_delay_s": 5, "downscale_delay_s": 60,
    }  # fmt: skip
    assert growing["max_ongoing_requests"] == 6
    import_serve().deployment(**growing)(type("Copy", (), {}))  # Ray Serve takes these options


def test_without_the_extra_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        ClusterError, match=r'^Ray Serve is not installed; install it with `pip install "kabar\[ray\]"`$'
    ):
        import_serve()


def test_an_address_where_no_cluster_is_fails_in_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("index: {path: index, articles: [news]}\n", encoding="utf-8")
    command = [sys.executable, "-m", "ui.cli", "serve", "--ray", "127.0.0.1:1", "--config", str(config)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=200)
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("kabar: no Ray cluster at 127.0.0.1:1 ")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(index=IndexConfig(path=tmp_path / "index"), ray=RayConfig(shards=3))
    stories = [
        Article(id=f"story-{number}", title=f"Ferry {number % 4}", text=f"Ferry {number} left Hull.", language="en")
        for number in range(20)
    ]
    add(stories, folder=made.index.path, settings=made, encoder=WordEncoder())
    follow(made, None)
    return made


@pytest.fixture
def shards(settings: Settings) -> RayShards:
    """The deployments of the shards in this process, as Ray Serve runs them for tests."""
    handles = [
        here(Shard, str(settings.shards_folder), shard, installation(), name=f"kabar-shard-{shard + 1}")
        for shard in range(3)
    ]
    return RayShards(handles, 20)


def here(kind: type, *arguments: Any, name: str) -> Any:
    serve = import_serve()
    deployment = serve.deployment(kind)
    return serve.run(deployment.bind(*arguments), name=name, route_prefix=None, _local_testing_mode=True)


def test_shards_find_what_the_whole_index_finds(settings: Settings, shards: RayShards) -> None:
    searched = ShardedIndex(settings.shards_folder, shards, settings, WordEncoder())
    with Index(settings.index.path, settings, WordEncoder()) as whole:
        assert searched.search("ferry 7 in Hull") == whole.search("ferry 7 in Hull") != []
        assert list(searched) == list(whole)


class Echo:
    """An assistant that says what it finds."""

    def __init__(self, index: Index) -> None:
        self.index = index

    def stream(self, question: str, *, history: object, **filters: Any) -> Iterator[str]:
        if not question:
            raise QuestionError("The question is empty.")
        yield "retrieve"
        for hit in self.index.search(question, **filters):
            yield hit.article.id

    def would_answer(self, turn: str) -> bool:
        return "ferry" in turn


def test_assistants_answer_from_the_shards(
    settings: Settings, shards: RayShards, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(given: Settings) -> Echo:
        assert given == settings
        return Echo(ShardedIndex(given.shards_folder, shards, given, WordEncoder()))

    monkeypatch.setattr("ui.ray_serve._open", made)
    handle = here(Answers, settings, installation(), name="kabar-answers")
    searched = ShardedIndex(settings.shards_folder, shards, settings, WordEncoder())
    assistant = RemoteAssistant(handle, searched, 20)
    events = list(assistant.stream("ferry 7 in Hull", history=[], count=3))
    assert events == ["retrieve", *(hit.article.id for hit in searched.search("ferry 7 in Hull", count=3))]
    assert len(events) == 4
    assert assistant.would_answer("which ferry?")  # type: ignore[arg-type]
    assert assistant.index is searched


def test_shards_follow_the_index_in_the_background(settings: Settings, shards: RayShards) -> None:
    searched = ShardedIndex(settings.shards_folder, shards, settings, WordEncoder())
    steps = threading.Event()

    def step() -> None:
        steps.set()
        raise ClusterError("the cluster is lost")

    with _following(step, every=0.01):
        assert steps.wait(10)
    remove(["story-7"], folder=settings.index.path)
    assert searched.article("story-7") is not None
    follow(settings, None)
    assert searched.article("story-7") is None
