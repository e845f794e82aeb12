"""Many users ask at once: errors, throughput, how fairly they wait; and whether memory stays where it is.

python benchmarks/load.py                      50 users for two minutes, one alone for half a minute before and after
python benchmarks/load.py --questions 5000     memory over so many questions, too

Locust's users ask ``kabar serve``, which runs in a process of its own with users and an index of its own, through the
JSON API. All draw the next of the questions about the sample articles, so that one user alone asks nothing else than
many. The writer is left out: what is measured is the server and the queue before it. It fails if a limit is broken.
"""

from locust import HttpUser, task  # before all else: it makes sockets and threads give way to each other
from locust.env import Environment

# isort: split
import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from statistics import mean
from typing import Any

import requests
from machine import machine

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
RESULT = ROOT / "benchmarks" / "results" / "load.json"
FAIR = 1.5
"""A user's mean wait by the mean of all."""
FLAT = 0.05
"""Share by which memory may differ from what it was after the warm-up."""
_PATIENCE = 600
_SAMPLES = 100
_OF_MEMORY = 4
"""Users who ask while memory is watched."""


def questions() -> Iterator[str]:
    """Those about the sample articles, again and again."""
    listed = json.loads((ROOT / "articles" / "questions.json").read_text(encoding="utf-8"))
    return cycle([entry["question"] for entry in listed])


class Reader(HttpUser):
    """Asks one question after the other; waits for nothing but the answers."""

    abstract = True
    tokens: list[str]
    """One for each who has not begun yet."""
    asked: Iterator[str]
    places: list[int]
    """The longest place in the queue that was told for each question that had to wait."""

    def on_start(self) -> None:
        """Take a token."""
        self.client.trust_env = False
        self.name = f"user {len(self.tokens)}"
        self.client.headers["authorization"] = f"Bearer {self.tokens.pop()}"

    @task
    def ask(self) -> None:
        """One question, streamed; its time is that until the answer is whole."""
        body, began, last = {"question": next(self.asked), "stream": True}, time.perf_counter(), {"type": "nothing"}
        place = 0
        with self.client.post(
            "/api/ask", json=body, name=self.name, stream=True, catch_response=True, timeout=_PATIENCE
        ) as response:
            try:
                for line in response.iter_lines() if response.ok else ():
                    last = json.loads(line)
                    place = max(place, last["place"]) if last["type"] == "waiting" else place
            except (requests.RequestException, ValueError) as error:
                last = {"type": repr(error)}
            if response.ok and last["type"] != "answer":
                response.failure(str(last))
            response.request_meta["response_time"] = 1000 * (time.perf_counter() - began)
        if place:
            self.places.append(place)


def ask(
    address: str, tokens: list[str], enough: Callable[[Environment, float], bool], *, beat: float = 0.5
) -> dict[str, Any]:
    """Let a user for each token ask until it is ``enough`` (given the environment and seconds), and answer the rest."""

    class Asking(Reader):
        host = address.rstrip("/")
        asked = questions()

    Asking.tokens, Asking.places = list(reversed(tokens)), []
    environment = Environment(user_classes=[Asking], stop_timeout=_PATIENCE)
    runner = environment.create_local_runner()
    began = time.perf_counter()
    runner.start(len(tokens), spawn_rate=100)
    while not enough(environment, time.perf_counter() - began):
        time.sleep(beat)
    runner.stop()
    seconds = time.perf_counter() - began
    total = environment.stats.total
    users = [entry for entry in environment.stats.entries.values() if entry.num_requests > entry.num_failures]
    means = [entry.avg_response_time / 1000 for entry in users]
    print(f"{len(tokens)} asking: {total.num_requests / seconds:.2f} a second", file=sys.stderr, flush=True)
    return {
        "users": len(tokens),
        "seconds": round(seconds, 1),
        "answers": total.num_requests - total.num_failures,
        "errors": total.num_failures,
        "first_errors": [str(error.error) for error in list(environment.stats.errors.values())[:3]],
        "answers_per_second": round((total.num_requests - total.num_failures) / seconds, 3),
        "mean_seconds": round(mean(means), 3) if means else None,
        "median_seconds": round(total.median_response_time / 1000, 3),
        "longest_mean_by_mean": round(max(means) / mean(means), 3) if means else None,
        "users_without_an_answer": len(tokens) - len(users),
        "told_their_place": len(Asking.places),
        "longest_queue_seen": max(Asking.places, default=0),
    }


def until_ready(address: str, token: str, lives: Callable[[], bool]) -> None:
    """Wait for the models."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["authorization"] = f"Bearer {token}"
        while lives():
            state = session.get(f"{address}ready", timeout=_PATIENCE).json()["status"]
            if state == "ready":
                return
            if state == "failed":
                break
            time.sleep(0.5)
    sys.exit("kabar serve cannot answer; the reason stands above")


def memory(address: str, tokens: list[str], megabytes: Callable[[], float], count: int) -> dict[str, Any]:
    """Memory after a tenth of so many questions, after all, and the farthest that it was from the first in between."""
    seen: list[float] = []

    def enough(environment: Environment, _: float) -> bool:
        done = environment.stats.total.num_requests
        if done >= count / 10 + len(seen) * 0.9 * count / _SAMPLES:
            seen.append(megabytes())
        return done >= count

    asked = ask(address, tokens, enough, beat=0.1)
    seen.append(megabytes())
    farthest = max(seen, key=lambda one: abs(one - seen[0]))
    return {
        "questions": asked["answers"],
        "errors": asked["errors"],
        "samples": len(seen),
        "first_mb": seen[0],
        "last_mb": seen[-1],
        "farthest": round(farthest / seen[0] - 1, 4),
    }


def broken(result: dict[str, Any]) -> list[str]:
    """The limits that are not kept."""
    together, watched = result["together"], result.get("memory")
    alone = [result["alone"], result["alone_again"]]
    phases = [*alone, together, watched] if watched else [*alone, together]
    kept = {
        "no error": not any(phase["errors"] for phase in phases),
        "as many answers a second as one user alone gets": together["answers_per_second"]
        >= mean(phase["answers_per_second"] for phase in alone),
        f"no user waits {FAIR} times the mean": not together["users_without_an_answer"]
        and together["longest_mean_by_mean"] <= FAIR,
        "the place in the queue is told": together["told_their_place"] > 0,
        f"memory stays within {FLAT:.0%}": watched is None or abs(watched["farthest"]) <= FLAT,
    }
    return [limit for limit, holds in kept.items() if not holds]


def main() -> None:
    """Measure, print, and write the result."""
    from serving import Server

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--alone", type=float, default=30, help="seconds that one user asks alone, before and after")
    parser.add_argument("--questions", type=int, default=0, help="questions over which memory is watched; 0: none")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    logging.getLogger("locust").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), options.users, KABAR_WRITER__MODEL="none", KABAR_SERVER__QUESTIONS_PER_MINUTE="0")
        try:
            until_ready(server.address, server.tokens[0], lambda: server.lives)
            ask(server.address, server.tokens[:1], lambda found, _: found.stats.total.num_requests >= 10)  # warm now
            before = ask(server.address, server.tokens[:1], lambda _, seconds: seconds >= options.alone)
            together = ask(server.address, server.tokens, lambda _, seconds: seconds >= options.seconds)
            after = ask(server.address, server.tokens[:1], lambda _, seconds: seconds >= options.alone)
            result: dict[str, Any] = {
                "command": "python benchmarks/load.py"
                + (f" --questions {options.questions}" if options.questions else ""),
                "machine": machine(),
                "alone": before,
                "together": together,
                "alone_again": after,
            }
            if options.questions:
                tokens = server.tokens[:_OF_MEMORY]
                result["memory"] = memory(server.address, tokens, server.megabytes, options.questions)
        finally:
            server.stop()
    result["broken"] = broken(result)
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    print(text)
    options.output.write_text(text, encoding="utf-8")
    if result["broken"]:
        sys.exit(f"not kept: {'; '.join(result['broken'])}")


if __name__ == "__main__":
    main()
