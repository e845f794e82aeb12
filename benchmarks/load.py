"""Many users ask at once: errors, throughput, how fairly they wait; and whether memory stays where it is.

python benchmarks/load.py                      50 users for two minutes, after one user alone for half a minute
python benchmarks/load.py --questions 5000     memory over so many questions, too

It starts ``kabar serve`` on a free port of this machine with users of its own, asks through the JSON API, and stops it.
The writer is left out: what is measured is the server and the queue before it. KABAR_... variables reach the server.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import mean, median

import httpx
import psutil
from machine import machine

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "load.json"
PASSWORD = "a password for a benchmark"  # noqa: S105 -- of users who exist for two minutes


@dataclass
class Asked:
    """What came of the questions of one user."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    places: set[int] = field(default_factory=set)


def questions() -> list[str]:
    """Those about the sample articles."""
    listed = json.loads((ROOT / "articles" / "questions.json").read_text(encoding="utf-8"))
    return [entry["question"] for entry in listed]


async def ask(client: httpx.AsyncClient, token: str, question: str, asked: Asked) -> None:
    """One question, streamed; its time, its places in the queue, or what went wrong."""
    began = time.perf_counter()
    try:
        headers = {"authorization": f"Bearer {token}"}
        body = {"question": question, "stream": True}
        async with client.stream("POST", "/api/ask", json=body, headers=headers) as response:
            last: dict[str, object] = {"type": f"status {response.status_code}"}
            if response.is_success:
                async for line in response.aiter_lines():
                    last = json.loads(line)
                    if last["type"] == "waiting":
                        asked.places.add(int(str(last["place"])))
        if last["type"] != "answer":
            asked.errors.append(str(last))
            return
    except httpx.HTTPError as error:
        asked.errors.append(repr(error))
        return
    asked.seconds.append(time.perf_counter() - began)


async def run(address: str, tokens: list[str], *, seconds: float = 0, count: int = 0) -> tuple[list[Asked], float]:
    """Let each user ask one question after the other, for so many seconds or ``count`` questions in all."""
    results = [Asked() for _ in tokens]
    left = count or sys.maxsize
    began = time.perf_counter()

    async def user(number: int) -> None:
        nonlocal left
        mine = cycle(questions()[number:] + questions()[:number])
        while left > 0 and (not seconds or time.perf_counter() - began < seconds):
            left -= 1
            await ask(client, tokens[number], next(mine), results[number])

    limits = httpx.Limits(max_connections=len(tokens))
    async with httpx.AsyncClient(base_url=address, timeout=600, trust_env=False, limits=limits) as client:
        await asyncio.gather(*map(user, range(len(tokens))))
    return results, time.perf_counter() - began


class Server:
    """``kabar serve`` in a process of its own, with an index and users of its own."""

    def __init__(self, folder: Path, users: int) -> None:
        self.environment = {
            "KABAR_WRITER__MODEL": "none",
            **os.environ,
            "KABAR_INDEX__PATH": str(folder / "index"),
            "KABAR_SERVER__QUESTIONS_PER_MINUTE": "0",
            "KABAR_SERVER__PORT": "0",
            "KABAR_CONFIG": str(ROOT / "config.yaml"),
            "PYTHONPATH": str(ROOT),
        }
        self.tokens = self._add_users(users)
        self.process = subprocess.Popen(
            [*self._kabar, "serve"], env=self.environment, cwd=ROOT, text=True, stderr=subprocess.PIPE
        )
        try:
            self.address = self._said()
            self._until_ready()
        except BaseException:
            self.stop()
            raise

    def _said(self) -> str:
        assert self.process.stderr
        said = next((line for line in self.process.stderr if "http://" in line), "")
        found = re.search(r"http://\S+", said)
        assert found, "kabar serve did not say its address"
        # What it says from now on is passed on: a pipe that nobody empties would stop it.
        threading.Thread(target=sys.stderr.writelines, args=(self.process.stderr,), daemon=True).start()
        return found[0]

    _kabar = (sys.executable, "-m", "ui.cli")

    def _add_users(self, count: int) -> list[str]:
        from ui.users import Users

        users = Users(Path(self.environment["KABAR_INDEX__PATH"]).with_name("index-users.sqlite"))
        names = [f"user{number}" for number in range(count)]
        users.add(names[0], PASSWORD)
        hashed = users._connection.execute("SELECT password FROM users").fetchone()[0]  # noqa: SLF001 -- 50 are slow
        users._connection.executemany(  # noqa: SLF001
            "INSERT INTO users VALUES (?, ?, '')", [(name, hashed) for name in names[1:]]
        )
        tokens = [users.add_token(name)[1] for name in names]
        users.close()
        return tokens

    def _until_ready(self) -> None:
        with httpx.Client(headers={"authorization": f"Bearer {self.tokens[0]}"}, trust_env=False) as client:
            while self.process.poll() is None:
                with contextlib.suppress(httpx.TransportError):  # it is busy with its index
                    state = client.get(f"{self.address}ready", timeout=30).json()["status"]
                    if state == "ready":
                        return
                    if state == "failed":
                        break
                time.sleep(0.5)
        sys.exit("kabar serve cannot answer; the reason stands above")

    def megabytes(self) -> float:
        """Memory that the server holds."""
        return round(psutil.Process(self.process.pid).memory_info().rss / 1e6, 1)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)


def waits(results: list[Asked]) -> dict[str, float]:
    """How long users wait for an answer, and how much longer than the mean the most patient has to."""
    means = [mean(asked.seconds) for asked in results if asked.seconds]
    return {
        "mean_seconds": round(mean(means), 3),
        "median_seconds": round(median(second for asked in results for second in asked.seconds), 3),
        "longest_mean_by_mean": round(max(means) / mean(means), 3),
        "users_without_an_answer": sum(not asked.seconds for asked in results),
    }


def figures(results: list[Asked], seconds: float) -> dict[str, object]:
    """What came of one run."""
    answers = sum(len(asked.seconds) for asked in results)
    errors = [error for asked in results for error in asked.errors]
    return {
        "users": len(results),
        "seconds": round(seconds, 1),
        "answers": answers,
        "errors": len(errors),
        "first_errors": errors[:3],
        "answers_per_second": round(answers / seconds, 3),
        "longest_queue_seen": max((place for asked in results for place in asked.places), default=0),
        **waits(results),
    }


def memory(server: Server, count: int) -> dict[str, object]:
    """Memory after a tenth of so many questions, and after all of them."""
    asyncio.run(run(server.address, server.tokens[:4], count=count // 10))
    first = server.megabytes()
    asyncio.run(run(server.address, server.tokens[:4], count=count - count // 10))
    last = server.megabytes()
    return {"questions": count, "first_mb": first, "last_mb": last, "grown": round(last / first - 1, 4)}


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--alone", type=float, default=30, help="seconds for which one user asks alone before")
    parser.add_argument("--questions", type=int, default=0, help="questions over which memory is watched; 0: none")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), options.users)
        try:
            asyncio.run(run(server.address, server.tokens[:1], count=10))  # everything is warm then
            alone = figures(*asyncio.run(run(server.address, server.tokens[:1], seconds=options.alone)))
            together = figures(*asyncio.run(run(server.address, server.tokens, seconds=options.seconds)))
            result: dict[str, object] = {"machine": machine(), "alone": alone, "together": together}
            if options.questions:
                result["memory"] = memory(server, options.questions)
        finally:
            server.stop()
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    print(text)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
