"""Indexing on Ray Data: a cluster reads, cleans, splits and encodes files; one machine writes the index.

What is new or has changed is planned as ``sync`` does. Files go out in lots, in their order, and come back as tables
(see ``index.parts``) in the same order; the run takes them as if it had read the files itself, so the index is the
same. A worker or a node that is lost costs the lots that it held: Ray starts them again elsewhere. Files are read by
the workers, so every machine has to see them under the same names, and has to have the same kabar and models.
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from index.config import EncoderConfig, IndexSettings
from index.errors import ClusterError, KabarError, ModelError
from index.folder import File
from index.parts import PREPARED, read_item, table_of, with_vectors
from index.ray_session import Installation, as_kabar_error, installation, require_same
from index.read_ahead import ReadAhead
from index.store import Writer

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

    from index.encoder import Encoder
    from index.merge import ReadFiles

OpenEncoder = Callable[[EncoderConfig], "Encoder"]

# A lot is read and encoded as one task: this many files, or bytes, whichever is reached first.
_FILES = 64
_BYTES = 4_000_000
# Articles that are encoded together, and bytes of a table: a file of a million articles is many tables.
_ARTICLES = 64
_TABLE = 8_000_000
# A lot that has killed its worker so often is not tried again.
_RETRIES = 3


def open_configured(config: EncoderConfig) -> "Encoder":
    """The encoder that the configuration names. Raises ModelError."""
    from index.encoder import Encoder

    return Encoder.open(config)


class Task(NamedTuple):
    """A file to read, as it was listed; and what it was in the last run: its digest, the hashes of its articles."""

    path: bytes
    root: bytes
    size: int
    stamp: str
    place: str
    digest: str = ""
    known: tuple[str, ...] = ()


class Job(NamedTuple):
    """What every worker needs to know; ``encoder`` is the fingerprint that its encoder has to have."""

    settings: IndexSettings
    driver: Installation
    encoder: str
    open_encoder: OpenEncoder
    threads: int
    gpus: int


def ahead_on_ray(
    settings: IndexSettings,
    *,
    open_encoder: OpenEncoder = open_configured,
    cpus: float = 1.0,
    workers: int | None = None,
) -> ReadAhead:
    """What has the cluster that is connected read and encode for ``sync``; for its argument ``ahead``.

    ``cpus`` of each worker process, which holds one encoder; ``workers`` at most (default: as many as there is room
    for). A worker has a GPU where the cluster has some. What is raised while it is used: ClusterError, ModelError.
    """

    def read(files: Sequence[File], writer: Writer) -> "Iterator[pa.Table]":
        catalog = writer.catalog
        tasks = []
        for file in files:
            known = catalog.known(file.name)
            hashes = tuple(link.content_hash for link in catalog.links(file.name)) if known else ()
            tasks.append(task_of(file, digest=known.digest if known else "", known=hashes))
        fingerprint = writer.meta("encoder") or ""
        return read_on_ray(tasks, settings, fingerprint, open_encoder=open_encoder, cpus=cpus, workers=workers)

    return ReadAhead(read)


def parts_on_ray(
    settings: IndexSettings,
    *,
    open_encoder: OpenEncoder = open_configured,
    cpus: float = 1.0,
    workers: int | None = None,
) -> "ReadFiles":
    """What has the cluster read and encode for ``make_parts``, as its ``read_files``; see ``ahead_on_ray``."""

    def read(files: Sequence[tuple[str, File]], encoder: "Encoder") -> "Iterator[pa.Table]":
        tasks = [task_of(file, place) for place, file in files]
        return read_on_ray(tasks, settings, encoder.fingerprint, open_encoder=open_encoder, cpus=cpus, workers=workers)

    return read


def task_of(file: File, place: str = "", *, digest: str = "", known: tuple[str, ...] = ()) -> Task:
    """The task of reading a file of a place."""
    return Task(os.fsencode(file.path), os.fsencode(file.root), file.size, file.stamp, place, digest, known)


def read_on_ray(
    tasks: Sequence[Task],
    settings: IndexSettings,
    encoder: str,
    *,
    open_encoder: OpenEncoder = open_configured,
    cpus: float = 1.0,
    workers: int | None = None,
) -> "Iterator[pa.Table]":
    """Tables with vectors, in the order of ``tasks``; see ``ahead_on_ray``. Raises ClusterError, ModelError."""
    import ray

    lots = list(_lots(tasks))
    resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
    gpus = resources.get("GPU", 0) >= 1 and settings.encoder.device in ("auto", "cuda")
    room = int(resources["GPU"]) if gpus else int(resources.get("CPU", 0) // cpus)
    if not room:
        raise ClusterError(f"the cluster has no room for a worker of {cpus:g} CPUs; start one with more")
    if open_encoder is open_configured and not gpus:
        settings = _with_precision(settings)
    job = Job(settings, installation(), encoder, open_encoder, max(1, int(cpus)), gpus=int(gpus))
    most = min(workers or len(lots), len(lots))
    with _settled():
        try:
            encoded = _pipeline(lots, job, sizes=(1, min(most, room), most), cpus=cpus)
            yield from encoded.iter_batches(batch_size=None, batch_format="pyarrow")
        except KabarError:
            raise
        except Exception as error:  # whatever Ray raises, of its own and of the workers
            raise as_kabar_error(error) from error


def _with_precision(settings: IndexSettings) -> IndexSettings:
    """Settings that name the precision which this machine would choose: others, left to choose, give other vectors."""
    config = settings.encoder
    if config.model != "embedded" or config.precision != "auto":
        return settings
    from index.precision import remembered

    precision = remembered() or getattr(open_configured(config).pipeline, "precision", None)
    if precision is None:
        return settings
    return settings.model_copy(update={"encoder": config.model_copy(update={"precision": precision})})


def _pipeline(lots: Sequence[Sequence[Task]], job: Job, *, sizes: tuple[int, int, int], cpus: float) -> "Dataset":
    """``sizes``: least, first and greatest number of encoding workers."""
    import ray
    from ray.data import ActorPoolStrategy

    least, first, most = sizes
    gpus = job.gpus
    with warnings.catch_warnings():
        # max_restarts and max_task_retries have no other way in yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        read: Dataset = ray.data.from_arrow([_table(lot) for lot in lots])
        if gpus:
            # The processors read ahead while the GPUs encode.
            read = read.map_batches(_Reader(job), batch_size=None, batch_format="pyarrow", num_cpus=cpus)
        return read.map_batches(
            EncodingWorker if gpus else ReadingWorker,
            fn_constructor_args=(job,),
            batch_size=_ARTICLES if gpus else None,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(min_size=least, initial_size=first, max_size=most),
            num_cpus=0 if gpus else cpus,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=_RETRIES,
        )


class _Reader:
    """Reads the files of a lot, and prepares their articles."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __call__(self, lot: "pa.Table") -> "Iterator[pa.Table]":
        require_same(self.job.driver)
        rows: list[dict[str, Any]] = []
        size = 0
        for task in (Task(**row) for row in lot.to_pylist()):
            for row in self._rows(task):
                rows.append(row)
                size += len(row["article"]["text"]) if "article" in row else 0
                if len(rows) >= 4 * _ARTICLES or size > _TABLE:
                    yield table_of(rows)
                    rows, size = [], 0
        yield table_of(rows)

    def _rows(self, task: Task) -> Iterator[dict[str, Any]]:
        settings = self.job.settings
        path = Path(os.fsdecode(task.path))
        file = File(path, Path(os.fsdecode(task.root)), settings, task.size, task.stamp)
        characters = settings.index.passage_characters
        return read_item(file, task.place, characters=characters, digest=task.digest, known=frozenset(task.known))


class EncodingWorker:
    """One encoder, in a process of its own."""

    def __init__(self, job: Job) -> None:
        """Load it. Raises ClusterError if it is not the driver's, or this kabar is not."""
        import ray

        require_same(job.driver)
        os.environ["OMP_NUM_THREADS"] = str(job.threads)  # for what is loaded from here on
        where = f"the worker on {ray.util.get_node_ip_address()}"  # type: ignore[no-untyped-call]
        try:
            if not job.gpus:
                _check_precision(job.settings.encoder)
            self.encoder = job.open_encoder(job.settings.encoder)
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from None
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(job.threads)
        if self.encoder.fingerprint != job.encoder:
            raise ClusterError(
                f"{where} has the encoder {self.encoder.fingerprint}, the run was started with {job.encoder}; "
                "install the same models on every machine of the cluster"
            )

    def __call__(self, table: "pa.Table") -> "pa.Table":
        """The table with vectors."""
        try:
            return with_vectors(table.cast(PREPARED), self.encoder)
        except MemoryError:
            # Ray starts a worker again that has died, with empty memory, and has it do the table again.
            os.kill(os.getpid(), signal.SIGKILL)
            raise


def _check_precision(config: EncoderConfig) -> None:
    if config.model == "embedded" and config.precision not in ("auto", "float32"):
        from index.precision import available

        if config.precision not in available():
            raise ModelError(f"its processor is not made for {config.precision}; set encoder.precision to float32")


class ReadingWorker(EncodingWorker):
    """One encoder in a process of its own, which reads too: workers that hold all processors leave none to readers."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._reader = _Reader(job)

    def __call__(self, lot: "pa.Table") -> "Iterator[pa.Table]":
        """The tables of a lot's files, with vectors."""
        for table in self._reader(lot):
            yield super().__call__(table)


def _lots(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    lot: list[Task] = []
    for task in tasks:
        lot.append(task)
        if len(lot) >= _FILES or sum(one.size for one in lot) >= _BYTES:
            yield lot
            lot = []
    if lot:
        yield lot


def _table(lot: Sequence[Task]) -> "pa.Table":
    import pyarrow as pa

    types = (pa.binary(), pa.binary(), pa.int64(), pa.string(), pa.string(), pa.string(), pa.list_(pa.string()))
    schema = pa.schema(zip(Task._fields, types, strict=True))
    return pa.Table.from_pylist([task._asdict() for task in lot], schema=schema)


@contextmanager
def _settled() -> Iterator[None]:
    """Ray Data keeps the order, says nothing, and gives up at the first worker that cannot begin."""
    from ray.data import DataContext

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of this Ray's own defaults
        context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.raise_original_map_exception = True
    context.max_consecutive_actor_init_deaths = 0
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
