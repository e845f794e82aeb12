"""Shards on Ray Serve: each is a deployment, whose replicas Ray starts, watches, restarts and shares the work among."""

import asyncio
import logging
import time
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.config import IndexSettings, Scale
from index.errors import ClusterError, KabarError
from index.faiss_store import FaissStore
from index.ray_session import Installation, as_kabar_error, installation, require_same
from index.sharding.layout import Published, name_of, publish, read_published, require_published
from index.sharding.reader import ShardReader
from index.sharding.split import remove_others, split

if TYPE_CHECKING:
    from ray.serve import Application, Deployment
    from ray.serve.handle import DeploymentHandle

_EXTRA = 'Ray Serve is not installed; install it with `pip install "kabar[ray]"`'
_POLL = 0.2
_LEFT = 0.001


class Shard:
    """A replica of a shard."""

    def __init__(self, root: str, shard: int, driver: Installation) -> None:
        """Raises ClusterError if this machine has another kabar, StoreError if it does not have the shard."""
        require_same(driver)
        self._reader = ShardReader(Path(root), shard)

    async def ask(self, method: str, *arguments: Any) -> Any:
        """What the shard answers; Ray goes on watching the replica meanwhile."""
        return await asyncio.to_thread(getattr(self._reader, method), *arguments)

    async def stream(self, method: str, *arguments: Any) -> AsyncIterator[Any]:
        """What the shard gives, one after the other."""
        async for one in in_threads(getattr(self._reader, method)(*arguments)):
            yield one


class RayShards:
    """Asks the deployments; ``seconds`` is the time that an answer may take.

    A question to a replica that dies is asked again: it changes nothing.
    """

    def __init__(self, handles: "Sequence[DeploymentHandle[Any]]", seconds: float) -> None:
        self._handles = handles
        self._seconds = seconds

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        """See ``Shards``."""
        deadline = time.monotonic() + self._seconds
        asked = [handle.ask.remote(method, *arguments) for handle in self._handles]
        return [self._answer(shard, one, deadline, method, *arguments) for shard, one in enumerate(asked)]

    def ask_one(self, shard: int, method: str, *arguments: Any) -> Any:
        """See ``Shards``."""
        asked = self._handles[shard].ask.remote(method, *arguments)
        return self._answer(shard, asked, time.monotonic() + self._seconds, method, *arguments)

    def streams(self, method: str, *arguments: Any) -> list[Iterator[Any]]:
        """See ``Shards``."""
        asked: list[Any] = [handle.options(stream=True) for handle in self._handles]
        return [iter(handle.stream.remote(method, *arguments)) for handle in asked]

    def prepare(self, record: Published) -> None:
        """Let all replicas open a generation, shard by shard. Raises what one of them raises.

        One that dies meanwhile is no obstacle: that which takes its place opens what is asked of it.
        """
        from ray.exceptions import RayActorError

        for shard, handle in enumerate(self._handles):
            with one_line(name_of(shard, len(self._handles)), self._seconds):
                asked = handle.broadcast("ask", "prepare", record.at)
                for answer in asked.results(timeout_s=self._seconds, return_exceptions=True):
                    if isinstance(answer, Exception) and not isinstance(answer, RayActorError):
                        raise answer

    def _answer(self, shard: int, asked: Any, deadline: float, method: str, *arguments: Any) -> Any:
        from ray.exceptions import RayActorError

        while True:
            with one_line(name_of(shard, len(self._handles)), self._seconds):
                try:
                    return asked.result(timeout_s=max(deadline - time.monotonic(), _LEFT))
                except RayActorError:
                    if time.monotonic() > deadline:
                        raise
            asked = self._handles[shard].ask.remote(method, *arguments)


@contextmanager
def one_line(name: str, seconds: float) -> Iterator[None]:
    """Turn what Ray raises for something of this ``name`` into an error of kabar."""
    import_serve()
    from ray.exceptions import RayError
    from ray.serve.exceptions import RayServeException

    try:
        yield
    except TimeoutError:
        raise ClusterError(f"{name} did not answer within {seconds:g} s") from None
    except (RayError, RayServeException) as error:
        raise as_kabar_error(error) from error


async def in_threads(iterator: Iterator[Any]) -> AsyncIterator[Any]:
    """The same one after the other, each worked out in a thread, beside the event loop."""
    end = object()
    try:
        while (one := await asyncio.to_thread(next, iterator, end)) is not end:
            yield one
    finally:
        with suppress(AttributeError):
            await asyncio.to_thread(iterator.close)  # type: ignore[attr-defined]


def follow(settings: IndexSettings, shards: RayShards | None) -> Published:
    """Bring the shards into line with the index and publish that, once all replicas of ``shards`` have it.

    Whatever is raised, what was published stays so. Raises what ``split`` does, and ClusterError.
    """
    root = settings.shards_folder
    store = FaissStore(settings.retriever.exact_up_to)
    record = split(settings.index.path, root, settings.ray.shards, store)
    if record != read_published(root):
        if shards is not None:
            shards.prepare(record)
        publish(root, record)
        remove_others(root, record.shards)
    return record


def run_shards(settings: IndexSettings) -> RayShards:
    """Run what is published, each shard as an application of its own. Raises StoreError if a shard is missing here."""
    serve = import_serve()
    root = settings.shards_folder
    record = require_published(root)
    made: Deployment = serve.deployment(Shard).options(**scaled(settings.ray.search))
    run(
        {name: made.bind(str(root), shard, installation()) for shard, name in enumerate(_names(record.shards))},
        settings,
    )
    return running_shards(settings)


def running_shards(settings: IndexSettings) -> RayShards:
    """The shards that run. Raises what ``require_published`` does."""
    serve = import_serve()
    record = require_published(settings.shards_folder)
    return RayShards([serve.get_app_handle(name) for name in _names(record.shards)], settings.ray.seconds)


def _names(shards: int) -> list[str]:
    return [f"kabar-shard-{shard + 1}" for shard in range(shards)]


def scaled(scale: Scale) -> dict[str, Any]:
    """The options of a deployment."""
    options: dict[str, Any] = {
        "max_ongoing_requests": max(1, round(2 * scale.ongoing)),
        "max_constructor_retry_count": 1,
        "ray_actor_options": {"num_cpus": scale.cpus},
    }
    if scale.most_replicas == scale.replicas:
        return {**options, "num_replicas": scale.replicas}
    autoscaling = {
        "min_replicas": scale.replicas,
        "max_replicas": scale.most_replicas,
        "target_ongoing_requests": scale.ongoing,
        "upscale_delay_s": scale.up_after,
        "downscale_delay_s": scale.down_after,
    }
    return {**options, "autoscaling_config": autoscaling}


def run(applications: "Mapping[str, Application]", settings: IndexSettings) -> None:
    """Start applications, by name, behind no door of Ray's own, and wait until they run.

    Raises ClusterError, or what a replica raised when it started.
    """
    serve = import_serve()
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    serve.start(proxy_location="Disabled", logging_config={"log_level": "ERROR", "enable_access_log": False})
    targets = [serve.RunTarget(target=one, name=name, route_prefix=None) for name, one in applications.items()]
    serve.run_many(targets, wait_for_applications_running=False)
    seconds = settings.ray.start_seconds
    deadline = time.monotonic() + seconds
    while True:
        known = serve.status().applications
        states = {name: known[name] for name in applications if name in known}
        for name, state in states.items():
            if state.status == "DEPLOY_FAILED":
                told = [state.message, *(one.message for one in state.deployments.values())]
                stop(applications)
                raise _refusal(name, "\n".join(told))
        waiting = [name for name in applications if name not in states or states[name].status != "RUNNING"]
        if not waiting:
            return
        if time.monotonic() > deadline:
            stop(applications)
            raise ClusterError(
                f"{', '.join(waiting)}: not started within {seconds:g} s; does the cluster have the CPUs that"
                " ray.search and ray.answers set aside?"
            )
        time.sleep(_POLL)


def _refusal(name: str, told: str) -> KabarError:
    """Why something did not start."""
    found = as_kabar_error(RuntimeError(told))
    return type(found)(f"{name} does not start: {found}")


def stop(names: Iterable[str]) -> None:
    """Stop applications."""
    serve = import_serve()
    for name in names:
        with suppress(Exception):  # the cluster may be gone already
            serve.delete(name, _blocking=False)


def stop_shards(settings: IndexSettings) -> None:
    """Stop the shards."""
    stop(_names(settings.ray.shards))


def import_serve() -> Any:
    """Ray Serve. Raises ClusterError if it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its own use of other libraries
            from ray import serve
    except ImportError:
        raise ClusterError(_EXTRA) from None
    return serve
