"""Measure what is felt at every use: start-up, the first answer, an answer of a warm process, and memory.

    python benchmarks/small_things.py

Every figure is taken in new processes and in a home folder made for it, so that neither an index nor a cache of the
user's helps. Files that were read before may still be in the operating system's memory. About two minutes.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from machine import machine

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "small_things.json"
QUESTION = "when will Blinken arrive?"
QUESTIONS = json.loads((ROOT / "articles" / "questions.json").read_text(encoding="utf-8"))
KABAR = ["-m", "ui.cli"]
WITHOUT_WRITER = {"KABAR_WRITER__MODEL": "none"}
MODES: list[tuple[str, dict[str, str], float, float]] = [  # name, environment, limit in seconds, limit in GB
    ("without the writer", WITHOUT_WRITER, 0.150, 1.2),
    ("with the writer", {}, 1.5, 2.5),
]

WARM = """
import json, sys, time
from qa import Assistant
questions = json.load(sys.stdin)
seconds = []
with Assistant.open() as assistant:
    assistant.answer(questions[0])
    for question in questions:
        start = time.perf_counter()
        answer = assistant.answer(question)
        # With a writer only the questions that it wrote for count: those in another language than their article.
        if assistant.writer is None or answer.timings.get("phrase", 0) > 0.05:
            seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
"""


def environment(home: str, extra: dict[str, str]) -> dict[str, str]:
    """The environment of a user who has just installed kabar."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KABAR_", "XDG_"))}
    return {**kept, "HOME": home, "PYTHONPATH": str(ROOT), **extra}


def run(*arguments: str, home: str, text: str = "", **extra: str) -> tuple[float, str]:
    """Run Python with ``arguments``: seconds by the clock, and what it printed."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env=environment(home, extra), input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(arguments[:4])} failed:\n{done.stderr}")
    return seconds, done.stdout


def row(what: str, value: float, unit: str, limit: float | None) -> dict[str, Any]:
    """One figure; printed as it comes."""
    print(f"{what}: {value:.3g} {unit} (limit {limit} {unit})", flush=True)
    return {"what": what, "value": float(f"{value:.3g}"), "unit": unit, "limit": limit}


def starts(home: str) -> Iterator[dict[str, Any]]:
    """Start-up, the median of seven."""
    for what, arguments in {"`import qa`": ["-c", "import qa"], "`kabar --help`": [*KABAR, "--help"]}.items():
        yield row(what, statistics.median(run(*arguments, home=home)[0] for _ in range(7)), "s", 0.5)


def cold() -> Iterator[dict[str, Any]]:
    """From the command to the answer, models loaded on the way."""
    with tempfile.TemporaryDirectory() as home:
        seconds, _ = run(*KABAR, "ask", QUESTION, home=home)
        yield row("the first `kabar ask`, which indexes the sample articles", seconds, "s", None)
        seconds = statistics.median(run(*KABAR, "ask", QUESTION, home=home)[0] for _ in range(3))
        yield row("`kabar ask`, from cold to answer", seconds, "s", 12)


def warm(home: str) -> Iterator[dict[str, Any]]:
    """Questions to a process that has answered one before; each question once, and often its pair of languages too."""
    questions = json.dumps([question["question"] for question in QUESTIONS])
    for name, extra, limit, _ in MODES:
        seconds = sorted(json.loads(run("-c", WARM, home=home, text=questions, **extra)[1]))
        yield row(f"a question, warm, {name}: median", statistics.median(seconds), "s", limit)
        yield row(f"a question, warm, {name}: slowest of {len(seconds)}", seconds[-1], "s", None)


@contextlib.contextmanager
def serving(home: str, extra: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running chat page and its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, *KABAR, "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment(home, extra), stdout=subprocess.DEVNULL)
    try:
        yield server, f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def get(address: str, data: Any = None, patience: float = 90) -> bytes:
    """The reply of the server; it is asked again while it does not answer, or says that it is not ready."""
    request = urllib.request.Request(address, headers={"content-type": "application/json"})  # noqa: S310
    request.data = None if data is None else json.dumps(data).encode()
    for _ in range(int(patience / 0.25)):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            reply: bytes = urllib.request.urlopen(request, timeout=60).read()  # noqa: S310
            return reply
        time.sleep(0.25)
    sys.exit(f"{address} does not answer")


def memory(home: str) -> Iterator[dict[str, Any]]:
    """Memory of the chat page after five questions: the process and its children, each shared page counted once."""
    for name, extra, _, limit in MODES:
        with serving(home, extra) as (server, address):
            get(f"{address}/ready")
            for question in QUESTIONS[:5]:
                call = f"{address}/gradio_api/call/ask"
                event = json.loads(get(call, {"data": [question["question"], []]}))["event_id"]
                if b"event: complete" not in get(f"{call}/{event}"):
                    sys.exit(f"the chat page did not answer {question['question']!r}")
            process = psutil.Process(server.pid)
            used = sum(part.memory_full_info().pss for part in [process, *process.children(recursive=True)])
        yield row(f"memory of `kabar serve`, {name}", used / 1e9, "GB", limit)


def main() -> None:
    """Measure, print, and write the result."""
    with tempfile.TemporaryDirectory() as home:
        run(*KABAR, "index", home=home)
        rows = [*starts(home), *cold(), *warm(home), *memory(home)]
    result = {"command": "python benchmarks/small_things.py", "machine": machine(), "rows": rows}
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
