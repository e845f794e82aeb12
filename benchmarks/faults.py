"""Kill a process that adds, changes, removes and compacts, at random moments, and look at the index after each kill.

    nice python benchmarks/faults.py [--kills 200] [--articles 24] [--seed 1] [--result FILE]

After every kill: what was acknowledged is there; every article is wholly in its old version or wholly in its new one;
a deep check finds no damage; what is there is found; and no passage whose vector had been stored is encoded again. The
first promise that is broken ends the run with exit code 1. The encoder is a quick stand-in, which writes down every
text it is given.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import numpy as np
from machine import machine

from index import background
from index.article import Article
from index.compaction import compact
from index.config import IndexConfig, IndexSettings
from index.encoder import Encoder
from index.errors import KabarError
from index.index import Index
from index.integrity import find_damage
from index.store import VECTORS_FILE, connect, exists
from index.update import Change, add, remove, sync

RESULT = Path(__file__).resolve().parent / "results" / "faults.json"
FIRST = 3  # kills that come early: the first of them meets an index in the making
OPERATIONS = ("change files", "change files", "add", "remove", "compact", "make approximate")
EXACT_UP_TO = 20
# Small, so that a small index has many lots, parts and publications for a kill to fall between.
SMALL: list[tuple[str, dict[str, Any]]] = [
    ("index.update", {"_LOT": 8, "_SECONDS": 0.05}),
    ("index.vectors", {"_SMALL": 10, "_LARGEST": 40}),
    ("index.compaction", {"_PAGES": 20, "_PATIENCE": 0.2}),
    ("index.background", {"start": lambda *_: None}),  # it is an operation of its own here
]


class BrokenPromiseError(Exception):
    """Something that must hold after a kill does not."""


class QuickEncoder:
    """Vectors from hashes of words; every text is written down once its vector is made."""

    fingerprint = "quick/1"

    def __init__(self, log: Path) -> None:
        self.log = log

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors [n, 32] float32."""
        vectors = self.encode_queries(texts)
        time.sleep(0.005)  # a real one takes longer than all else: kills have to meet it, too
        with self.log.open("a", encoding="utf-8") as file:
            file.write("".join(f"{digest(text)}\n" for text in texts))
        return vectors

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors [n, 32] float32."""
        rows = np.full((len(texts), 32), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.sha256(word.encode()).digest()[0] % 32] += 1
        return cast("np.ndarray", rows / np.linalg.norm(rows, axis=1, keepdims=True))


def digest(text: str) -> str:
    """The key under which the index keeps a text's vector."""
    return hashlib.sha256(text.encode()).hexdigest()


def text_of(name: str, version: int) -> str:
    """What a version of an article says: three passages, none of which is in any other version."""
    mark = f"{name}x{version}"
    return "\n".join(
        f"On {day} May 2021 {mark}x{day} happened in the town of {name}, as was said." for day in (1, 2, 3)
    )


def article_of(name: str, version: int) -> Article:
    """The same as an article that comes from no file."""
    return Article(id=name, title=f"News of {name}", text=text_of(name, version), language="en")


@dataclass
class Operation:
    """One thing to do: new versions by name (0: it is to go), and whether they are in files."""

    kind: str
    versions: dict[str, int] = field(default_factory=dict)


class Bench:
    """The index under test, and what it must hold."""

    def __init__(self, folder: Path, articles: int, seed: int) -> None:
        self.articles = articles
        self.news, self.index, self.log, self.said = (folder / name for name in ("news", "index", "encoded", "said"))
        self.news.mkdir()
        self.log.touch()
        self.settings = IndexSettings(index=IndexConfig(path=self.index, passage_characters=100))
        self.encoder = cast("Encoder", QuickEncoder(self.log))
        self.random = random.Random(seed)
        self.now: dict[str, int] = {}
        self.made = 0
        self.stored: set[str] = set()
        self.read = 0
        self.counts: Counter[str] = Counter()
        self.seconds = [0.1]

    # What is done

    def plan(self, state: dict[str, int]) -> Operation:
        """Something to do, at random, when the index holds ``state``."""
        kind = self.random.choice(OPERATIONS) if state else "change files"
        prefix = "file" if kind == "change files" else "added"
        here = sorted(name for name in state if name.startswith(prefix))
        operation = Operation(kind)
        if kind in ("change files", "add"):
            for number in self.random.sample(range(self.articles), self.random.randint(1, self.articles // 2)):
                self.made += 1
                goes = kind == "change files" and f"{prefix}{number}" in here and self.random.random() < 0.4
                operation.versions[f"{prefix}{number}"] = 0 if goes else self.made
        elif kind == "remove":
            operation.versions = dict.fromkeys(self.random.sample(here, self.random.randint(0, len(here))), 0)
        return operation

    def perform(self, operation: Operation) -> None:
        """Do it, in the process that is to be killed."""
        versions = operation.versions
        if operation.kind == "change files":
            self.write_files(versions)
            sync(self.news, config=self.settings, encoder=self.encoder, changes=self.tell)
        elif operation.kind == "add":
            articles = [article_of(name, version) for name, version in versions.items()]
            add(articles, folder=self.index, settings=self.settings, encoder=self.encoder)
        elif operation.kind == "remove":
            remove(versions, folder=self.index)
        elif operation.kind == "compact":
            compact(self.index)
        else:
            background.work(self.index, EXACT_UP_TO)

    def write_files(self, versions: dict[str, int]) -> None:
        """Put the articles' files as an editor would: each is whole at every moment."""
        for name, version in versions.items():
            file = self.news / f"{name}.txt"
            if version:
                temporary = file.with_suffix(".part")
                temporary.write_text(text_of(name, version), encoding="utf-8")
                temporary.replace(file)
            else:
                file.unlink(missing_ok=True)

    def tell(self, change: Change) -> None:
        """The index has said that a change can be found."""
        self.say(f"article {change.article_id}")

    def say(self, line: str) -> None:
        """Write down what was promised, in one step."""
        handle = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{line}\n".encode())
        os.close(handle)

    # What is checked

    def kill_once(self) -> bool:
        """Let a process work and kill it; whether it was still at work."""
        self.said.unlink(missing_ok=True)
        state = dict(self.now)
        operations = []
        for _ in range(6):
            operations.append(self.plan(state))
            state.update(operations[-1].versions)
            state = {name: version for name, version in state.items() if version}
        child = os.fork()
        if child == 0:
            self.work(operations)
        time.sleep(self.random.uniform(0, 1.5 * statistics.fmean(self.seconds)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        said = self.said.read_text(encoding="utf-8").splitlines() if self.said.exists() else []
        if any(line.startswith("failed") for line in said):
            raise BrokenPromiseError(f"an operation failed: {said[-1]}")
        done = sum(line == "done" for line in said)
        for operation in operations[:done]:
            self.counts[f"{operation.kind}, finished"] += 1
            self.now.update(operation.versions)
        killed = os.WIFSIGNALED(status) and done < len(operations)
        under_way = operations[done] if killed else Operation("nothing")
        if killed:
            self.counts[f"{under_way.kind}, killed"] += 1
        last = max((number for number, line in enumerate(said) if line == "done"), default=-1)
        self.check(under_way, {line.removeprefix("article ") for line in said[last + 1 :]})
        return killed

    def work(self, operations: Sequence[Operation]) -> None:
        """What the child does; it never returns."""
        try:
            for operation in operations:
                self.perform(operation)
                self.say("done")
        except BaseException as error:  # noqa: BLE001 -- the parent says it
            self.say(f"failed: {type(error).__name__}: {error}")
        os._exit(0)

    def check(self, under_way: Operation, told: set[str]) -> None:
        """Everything that must hold; then let the files be what they were to become."""
        if not exists(self.index):
            if any(self.now.values()):
                raise BrokenPromiseError("the index is gone")
        else:
            self.check_articles(under_way, told)
            if damage := find_damage(self.index):
                raise BrokenPromiseError(f"damage: {damage}")
        self.check_encodings()
        if under_way.kind == "change files":
            self.write_files(under_way.versions)
            # The next run has to finish what this one began.
            sync(self.news, config=self.settings, encoder=self.encoder)
            self.now.update(under_way.versions)
            self.check_articles(Operation("nothing"), set())
            self.check_encodings()

    def check_articles(self, under_way: Operation, told: set[str]) -> None:
        """Every article is there in one of the versions that it may have, and can be found."""
        with Index(self.index, self.settings, self.encoder) as index:
            held = {article.id.removesuffix(".txt"): article.text for article in index}
            for name in sorted(self.now | under_way.versions | dict.fromkeys(held, 0)):
                old, new = self.now.get(name, 0), under_way.versions.get(name, self.now.get(name, 0))
                promised = f"{name}.txt" in told
                allowed = {new} if promised else {old, new}
                found = [
                    version for version in allowed if held.get(name) == (text_of(name, version) if version else None)
                ]
                if not found:
                    raise BrokenPromiseError(f"{name}: {held.get(name)!r} instead of version {allowed}")
                if under_way.kind in ("add", "remove"):
                    self.now[name] = found[0]
            some = self.random.choice(sorted(held) or [""])
            if held and not any(hit.article.text == held[some] for hit in index.search(held[some], count=100)):
                raise BrokenPromiseError(f"{some}: it is there but is not found")

    def check_encodings(self) -> None:
        """No text has been encoded whose vector was there after an earlier kill."""
        encoded = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        if again := [text for text in encoded[self.read :] if text in self.stored]:
            raise BrokenPromiseError(f"{len(again)} passages were encoded again")
        self.read = len(encoded)
        if (self.index / VECTORS_FILE).is_file():
            try:
                with closing(connect(self.index, VECTORS_FILE)) as connection:
                    self.stored |= {row[0].hex() for row in connection.execute("SELECT hash FROM vectors")}
            except sqlite3.OperationalError:
                pass  # killed before it had a table


def run(kills: int, articles: int, seed: int) -> dict[str, Any]:
    """Kill ``kills`` times, or until a promise is broken; the figures."""
    started = time.perf_counter()
    killed = 0
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for module, values in SMALL:
            stack.enter_context(patch.multiple(module, **values))
        bench = Bench(Path(folder), articles, seed)
        while killed < kills and not broken:
            try:
                if killed == FIRST and len(bench.seconds) == 1:
                    measure(bench)
                killed += bench.kill_once()
            except (BrokenPromiseError, KabarError) as error:
                broken.append(str(error))
            print(f"\r{killed} kills", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        encoded = bench.log.read_text(encoding="utf-8").split("\n")[:-1]
        return {
            "kills": killed,
            "broken_promises": broken,
            "operations": dict(sorted(bench.counts.items())),
            "passages_encoded": len(encoded),
            "of_them_again_because_killed_before_stored": len(encoded) - len(set(encoded)),
            "seconds": round(time.perf_counter() - started),
        }


def measure(bench: Bench) -> None:
    """Do some work without a kill, to learn how long an operation takes here."""
    for _ in range(4):
        operation = bench.plan(bench.now)
        started = time.perf_counter()
        bench.perform(operation)
        bench.seconds.append(time.perf_counter() - started)
        bench.now.update(operation.versions)
    bench.check(Operation("nothing"), set())


def main() -> None:
    """Run, print and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--articles", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", type=Path, default=RESULT)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # a process that forks has to have one thread
    figures = run(arguments.kills, arguments.articles, arguments.seed)
    result = {"command": "python benchmarks/faults.py", "machine": machine(), **figures}
    arguments.result.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
    sys.exit(1 if figures["broken_promises"] else 0)


if __name__ == "__main__":
    main()
