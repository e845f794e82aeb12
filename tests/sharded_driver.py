"""Shards on a Ray cluster of this machine, for tests: does one thing after the other, and prints what came of each.

The argument is a folder for the index. Three shards of two replicas each; words are the encoder.
"""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig, IndexSettings, RayConfig, Scale
from index.errors import KabarError
from index.index import Hit, Index
from index.ray_session import Installation, connect, installation
from index.sharding.deployment import RayShards, Shard, follow, import_serve, run, run_shards, scaled, stop, stop_shards
from index.sharding.index import ShardedIndex
from index.update import add

WORDS = ("ferry", "bridge", "tunnel", "harbour", "robot", "medicine", "election", "storm", "river", "market")
PLACES = ("Aomori", "Hull", "Basel", "Chengdu", "Seoul", "Jakarta", "Lima")
QUESTIONS = [f"{word} in {place}" for word in WORDS[::2] for place in PLACES[::2]]
ENCODER = WordEncoder()


def story(number: int, revision: int = 0) -> Article:
    word, place = WORDS[number % len(WORDS)], PLACES[number % len(PLACES)]
    other, seen = PLACES[(number + revision) % len(PLACES)], WORDS[(3 * number + revision) % len(WORDS)]
    return Article(
        id=f"story-{number}",
        title=f"The {word} of {place}",
        text=f"The {word} in {place} opened a {number}th time. Nobody in {other} saw a {seen}, say {number % 13}.",
        language="en",
        source=("Wire", "Post")[number % 2],
    )


def put(settings: IndexSettings, articles: list[Article]) -> None:
    add(articles, folder=settings.index.path, settings=settings, encoder=ENCODER)


@contextmanager
def asking(search: Callable[[str], list[Hit]], questions: list[str], threads: int) -> Iterator[list[tuple[str, Any]]]:
    """Ask the questions again and again within ``with``; what came back, or what was raised."""
    answers: list[tuple[str, Any]] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            for question in questions:
                try:
                    answers.append((question, search(question)))
                except Exception as error:  # noqa: BLE001 -- whatever it is, a question has failed
                    answers.append((question, repr(error)))

    working = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in working:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in working:
            thread.join()


def wait_for(count: int, answers: list[Any]) -> None:
    aim = len(answers) + count
    while len(answers) < aim:
        threading.Event().wait(0.02)


def processes() -> list[int]:
    """Processes of the replicas, as Ray says."""
    details = import_serve().context._get_global_client().get_serve_details()
    return [
        replica["pid"]
        for application in details["applications"].values()
        for deployment in application["deployments"].values()
        for replica in deployment["replicas"]
    ]


def same(settings: IndexSettings, shards: RayShards, whole: Index) -> dict[str, Any]:
    searched = ShardedIndex(settings.shards_folder, shards, settings, ENCODER)
    filters: list[dict[str, Any]] = [{}, {"sources": ["Post"]}, {"count": 30}]
    pairs = [
        (searched.search(question, **one), whole.search(question, **one)) for question in QUESTIONS for one in filters
    ]
    return {
        "searches": len(pairs),
        "equal": sum(found == expected for found, expected in pairs),
        "found": sum(bool(found) for found, _ in pairs),
        "articles": list(searched) == list(whole),
    }


def killed(settings: IndexSettings, shards: RayShards, whole: Index) -> dict[str, Any]:
    searched = ShardedIndex(settings.shards_folder, shards, settings, ENCODER)
    expected = {question: whole.search(question) for question in QUESTIONS}
    before = processes()
    with asking(searched.search, QUESTIONS, 3) as answers:
        wait_for(5, answers)
        os.kill(before[0], signal.SIGKILL)
        wait_for(60, answers)
    wrong = [answer for question, answer in answers if answer != expected[question]]
    return {"replicas": len(before), "asked": len(answers), "wrong": [str(one)[:300] for one in wrong]}


def rolled_out(settings: IndexSettings, shards: RayShards, whole: Index) -> dict[str, Any]:
    searched = ShardedIndex(settings.shards_folder, shards, settings, ENCODER)
    question = QUESTIONS[0]
    allowed = [whole.search(question)]
    with asking(searched.search, [question], 1) as answers:
        for revision in (1, 2, 3):
            put(settings, [story(number, revision) for number in range(0, 200, 10)])
            follow(settings, shards)
            allowed.append(whole.search(question))
            wait_for(3, answers)
    wrong = [answer for _, answer in answers if answer not in allowed]
    return {
        "wrong": [str(one)[:300] for one in wrong],
        "generations": sum(any(answer == one for _, answer in answers) for one in allowed),
        "different": len({str(one) for one in allowed}),
    }


def refused(what: Callable[[], object]) -> str:
    try:
        what()
    except KabarError as error:
        return f"{type(error).__name__}: {error}"
    return "not refused"


def skewed(settings: IndexSettings) -> dict[str, Any]:
    one = Scale(cpus=0.1)
    other = Installation("9.9.9", "feedfeedfeed")
    deployment = import_serve().deployment(Shard).options(**scaled(one))
    said = refused(lambda: run({"kabar-skewed": deployment.bind(str(settings.shards_folder), 0, other)}, settings))
    stop(["kabar-skewed"])
    return {"said": said}


def missing(settings: IndexSettings) -> dict[str, Any]:
    """A shard that the driver sees and the machine of the replica does not."""
    deployment = import_serve().deployment(Shard).options(**scaled(Scale(cpus=0.1)))
    lost = settings.shards_folder / f"2-of-{settings.ray.shards}"
    lost.rename(lost.with_name("elsewhere"))
    there = refused(
        lambda: run({"kabar-shard-2b": deployment.bind(str(settings.shards_folder), 1, installation())}, settings)
    )
    here = refused(lambda: run_shards(settings))
    stop(["kabar-shard-2b"])
    return {"here": here, "there": there}


def main() -> None:
    import ray

    folder = Path(sys.argv[1])
    settings = IndexSettings(
        index=IndexConfig(path=folder / "index"),
        ray=RayConfig(shards=3, search=Scale(replicas=2, cpus=0.1), start_seconds=400),
    )
    put(settings, [story(number) for number in range(200)])
    ray.init(
        "local", num_cpus=4, object_store_memory=80_000_000, include_dashboard=False, log_to_driver=False,
        logging_level=logging.ERROR,
    )  # fmt: skip
    with connect("auto"), Index(settings.index.path, settings, ENCODER) as whole:
        follow(settings, None)
        shards = run_shards(settings)
        tell("same", same(settings, shards, whole))
        tell("killed", killed(settings, shards, whole))
        tell("rolled_out", rolled_out(settings, shards, whole))
        tell("skewed", skewed(settings))
        stop_shards(settings)
        tell("missing", missing(settings))
        import_serve().shutdown()
    ray.shutdown()


def tell(name: str, said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({name: said}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
