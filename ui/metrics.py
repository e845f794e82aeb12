"""What is counted while kabar serves, in Prometheus' format."""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from index.errors import KabarError
from qa.answer import Answer
from ui.errors import LimitError
from ui.fair_queue import Waiting

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from ui.fair_queue import FairQueue
    from ui.loader import Event

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one server, apart from those of any other in the process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.questions = Counter(
            "kabar_questions",
            "Questions by door, and by what came of them: answered, refused (the articles do not say), invalid, "
            "limited, failed, left.",
            ["door", "outcome"],
            registry=self.registry,
        )
        self.steps = Histogram(
            "kabar_step_seconds",
            "Seconds of each step to an answer.",
            ["step"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.answers = Histogram(
            "kabar_answer_seconds", "Seconds from a question to its answer, waiting and all.", ["door"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.waits = Histogram(
            "kabar_queue_seconds",
            "Seconds that a question waited for its turn.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.requests = Counter(
            "kabar_http_requests", "HTTP requests by their part of the address and status.", ["part", "status"],
            registry=self.registry,
        )  # fmt: skip

    def watch(self, events: "Generator[Event]", door: str) -> "Generator[Event]":
        """The same events, counted and timed."""
        outcome, began, waited = "left", time.perf_counter(), 0.0
        try:
            with closing(events):
                for event in events:
                    if isinstance(event, Waiting):
                        waited = time.perf_counter() - began
                    elif isinstance(event, Answer):
                        outcome = "answered" if event.answerable else "refused"
                        for step, seconds in event.timings.items():
                            self.steps.labels(step).observe(seconds)
                        self.waits.observe(waited)
                        self.answers.labels(door).observe(time.perf_counter() - began)
                    yield event
        except LimitError:
            outcome = "limited"
            raise
        except KabarError:
            outcome = "invalid"
            raise
        except Exception:
            outcome = "failed"
            raise
        finally:
            self.questions.labels(door, outcome).inc()

    def observe(self, queue: "FairQueue", folder: Path | None) -> None:
        """Tell of the queue and of the index in a folder, as they are whenever they are asked for."""
        waiting = Gauge("kabar_queue_waiting", "Questions that wait for their turn.", registry=self.registry)
        waiting.set_function(lambda: len(queue))
        served = Gauge("kabar_queue_served", "Questions that are being answered.", registry=self.registry)
        served.set_function(lambda: queue.serving)
        if folder is not None:
            self.registry.register(_IndexCollector(folder))

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)


class _IndexCollector(Collector):
    """Size and age of the index, read when they are asked for; nothing while there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> "Iterable[Metric]":
        with suppress(KabarError, OSError):
            yield from self._collected()

    def _collected(self) -> "Iterator[Metric]":
        from index.store import ARTICLES_FILE, connect

        with closing(connect(self.folder, ARTICLES_FILE)) as connection:
            for table in ("articles", "passages"):
                count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 -- constants
                yield GaugeMetricFamily(f"kabar_index_{table}", f"Number of {table} in the index.", value=count)
        # What SQLite shares between readers (-shm) changes when somebody reads, too.
        files = [path.stat() for path in self.folder.rglob("*") if path.is_file() and not path.match("*-shm")]
        size = sum(file.st_size for file in files)
        yield GaugeMetricFamily("kabar_index_bytes", "Size of the index on disk.", value=size)
        changed = max((file.st_mtime for file in files), default=0.0)
        yield GaugeMetricFamily(
            "kabar_index_age_seconds", "Seconds since the index last changed.", value=max(0.0, time.time() - changed)
        )
