"""A connection to a Ray cluster, for as long as something runs on it; Ray itself comes with ``kabar[ray]``.

Ray tells nobody of its use (RAY_USAGE_STATS_ENABLED=0), opens no dashboard and leaves the terminal alone.
"""

import hashlib
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from index import errors
from index.errors import ClusterError, KabarError

SECONDS = 20.0
"""How long a cluster has to answer."""

_LOGGER = logging.getLogger(__name__)
_EXTRA = 'Ray is not installed; install it with `pip install "kabar[ray]"`'
_ADDRESS = re.compile(r"(?P<host>[^\s/:\[\]]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")
_OURS = re.compile(r"\b(?:index|qa)\.errors\.(\w+): (.+)")
_ASK = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"  # what `ray health-check` does


class Installation(NamedTuple):
    """Which kabar a process runs: its version, and a hash of its source files, which tells two checkouts apart."""

    version: str
    sources: str

    def __str__(self) -> str:
        return f"kabar {self.version} (sources {self.sources})"


@cache
def installation() -> Installation:
    """This process's kabar."""
    try:
        number = version("kabar")
    except PackageNotFoundError:
        number = "of no version"
    digest = hashlib.sha256()
    for package in ("index", "qa", "ui"):
        spec = find_spec(package)
        for folder in map(Path, (spec.submodule_search_locations if spec else None) or ()):
            for file in sorted(folder.rglob("*.py")):
                digest.update(f"{package}/{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes())
    return Installation(number, digest.hexdigest()[:12])


def require_same(driver: Installation) -> None:
    """To be called first in a worker. Raises ClusterError if it runs another kabar than the ``driver``."""
    if (here := installation()) != driver:
        raise ClusterError(
            f"{here} on the worker {socket.gethostname()}, {driver} where the run was started; "
            "install the same kabar on every machine of the cluster"
        )


@contextmanager
def connect(address: str = "auto", *, seconds: float = SECONDS) -> Iterator[None]:
    """Be a driver of the cluster at ``address`` ("head:6379") within ``with``.

    "auto" is the cluster that RAY_ADDRESS names or that runs on this machine; if there is none, one is started on this
    machine alone and ends with the run. "local" always starts one. A connection that is open already is used, and left
    open. What goes wrong in a worker is raised as it would be here, in one line.

    Raises ClusterError if Ray is not installed, if there is no cluster at ``address`` or it does not answer within
    ``seconds``, if it runs another Ray, or if it is lost.
    """
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_DATA_DISABLE_PROGRESS_BARS="1")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray will do, and warns of until then
    ray = _import_ray()
    ours = not ray.is_initialized()
    if ours:
        _start(address, seconds)
    try:
        with _quiet_workers():
            yield
    except ray.exceptions.RayError as error:
        raise as_kabar_error(error) from error
    finally:
        if ours:
            ray.shutdown()


def as_kabar_error(error: BaseException) -> KabarError:
    """What an error of Ray says in one line: the error of kabar that a worker raised, if it is that."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, KabarError):
        return cause
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    if found := list(_OURS.finditer(text)):
        kind = getattr(errors, found[-1][1], ClusterError)
        return kind(found[-1][2]) if kind in (errors.ConfigError, errors.ModelError) else ClusterError(found[-1][2])
    if missing := re.search(r"No module named '(?:index|qa|ui)\b[^']*'", text):
        return ClusterError(f"a worker has no kabar ({missing[0]}); install the same kabar on every machine")
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    if cause or "its creation task" in text:
        return ClusterError(f"a worker failed: {lines[-1]}")
    if isinstance(error, _deaths()):
        return ClusterError(
            "a worker died and so did those that took its place, most often for want of memory: "
            f"have fewer workers on a machine ({lines[0][:200]})"
        )
    return ClusterError(f"the cluster failed: {lines[0]}")


def _deaths() -> tuple[type[BaseException], ...]:
    from ray import exceptions

    lost = (exceptions.ActorDiedError, exceptions.ActorUnavailableError)
    return (*lost, exceptions.OutOfMemoryError, exceptions.WorkerCrashedError)


@contextmanager
def _quiet_workers() -> Iterator[None]:
    """Log what Ray prints of failed tasks: it goes to standard output, whatever ``log_to_driver`` says."""
    from ray._private import worker

    def log(data: Any, ignore_prefix: bool) -> None:  # noqa: ARG001, FBT001
        _LOGGER.debug("%s", "\n".join(map(str, data.get("lines", ()))))

    shown = worker.print_to_stdstream  # it has no public name
    worker.print_to_stdstream = log
    try:
        yield
    finally:
        worker.print_to_stdstream = shown


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError:
        raise ClusterError(_EXTRA) from None
    import ray.exceptions

    return ray


def _start(address: str, seconds: float) -> None:
    import ray

    if address not in ("auto", "local"):
        address = _checked(address, seconds)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == "auto":
            try:
                ray.init("auto", **quiet)
            except ConnectionError:  # none is running
                _start_here(quiet)
        elif address == "local":
            _start_here(quiet)
        else:
            ray.init(address, **quiet)
    except Exception as error:  # noqa: BLE001 -- whatever Ray raises here
        ray.shutdown()
        reason = " ".join(str(error).split())[:300]
        raise ClusterError(f"no connection to the Ray cluster {address}: {reason}") from None


def _start_here(options: dict[str, Any]) -> None:
    """Start a cluster of this machine. A first start after a boot can take longer than Ray waits for it."""
    import ray

    # Ray would have its own processes interrupt the workers whenever they wake.
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        ray.init("local", include_dashboard=False, **options)
    except Exception:  # noqa: BLE001 -- Ray has no class of its own for it
        ray.shutdown()
        ray.init("local", include_dashboard=False, **options)


def _checked(address: str, seconds: float) -> str:
    """The address, if a cluster answers there: Ray itself waits for minutes and then ends the process."""
    parts = _ADDRESS.fullmatch(address.strip())
    if parts is None or not 0 < int(parts["port"]) < 65536:
        raise ClusterError(
            f"{address!r} is no address of a Ray cluster; name its head as HOST:PORT (6379 is usual), or auto"
        )
    where = f"no Ray cluster at {address.strip()}"
    advice = "start one with `ray start --head`, or ask for --ray auto"
    try:
        socket.create_connection((parts["host"].strip("[]"), int(parts["port"])), timeout=seconds).close()
    except OSError as error:
        raise ClusterError(f"{where} ({error.strerror or error}); {advice}") from None
    try:
        # In a process of its own, which can be given up.
        asked = subprocess.run(
            [sys.executable, "-c", _ASK, address.strip()], timeout=seconds, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{where}: what listens there did not answer within {seconds:g} s; {advice}") from None
    if b"AuthenticationError" in asked.stderr:
        raise ClusterError(
            f"the Ray cluster at {address.strip()} asks for a token; set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN_PATH "
            "to the file that holds it"
        )
    if asked.returncode:
        raise ClusterError(f"{where}: what listens there is no Ray; {advice}")
    return address.strip()
