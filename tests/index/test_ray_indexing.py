"""Indexing on a real Ray cluster of three node processes: the same index, whatever dies meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder
from index_contents import contents, farthest

from index.config import IndexSettings
from index.update import sync

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{ROOT}{os.pathsep}{TESTS}",
    "PYTHONWARNINGS": "ignore",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_health_check_failure_threshold": "2",
    "RAY_health_check_period_ms": "500",
}


class Nodes:
    """The cluster's process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, TESTS / "ray_nodes.py"],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        said = self._hear()
        self.address: str = said["address"]
        self.mortal: set[str] = set(said["nodes"])
        """All but the head."""

    def _hear(self) -> dict[str, Any]:
        return next(json.loads(line) for line in self.process.stdout if line.startswith("{"))

    def kill(self, name: str) -> None:
        """Kill a node."""
        self._order(f"kill {name}")
        self.mortal.discard(name)

    def add(self) -> None:
        """Add a node."""
        self.mortal.add(self._order("add"))

    def _order(self, command: str) -> str:
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        name: str = self._hear()["node"]
        return name

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    started = Nodes()
    yield started
    started.close()


@pytest.fixture
def news(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    for number in range(40):
        text = f"Ferry {number} is late\n\nThe ferry number {number} left on Monday. It carried {number} goats."
        (folder / f"{number:02}.txt").write_text(text)
        os.utime(folder / f"{number:02}.txt", (1_700_000_000, 1_700_000_000))
    (folder / "39-copy.txt").write_bytes((folder / "39.txt").read_bytes())
    (folder / "empty.txt").write_text("")
    return folder


def order(nodes: Nodes, news: Path, encoder: str, **more: str) -> dict[str, Any]:
    notes = news.parent / "notes"
    notes.mkdir(exist_ok=True)
    settings = {
        "index": {"path": str(news.parent / "cluster"), "articles": [str(news)]},
        "encoder": {"model": str(notes)},
    }
    return {"address": nodes.address, "encoder": encoder, "settings": settings, **more}


def driver(asked: dict[str, Any]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, TESTS / "ray_driver.py", json.dumps(asked)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(asked: dict[str, Any]) -> dict[str, Any]:
    """The last thing that the driver says."""
    with driver(asked) as process:
        out, errors = process.communicate(timeout=300)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    assert lines, errors
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def is_the_same(news: Path) -> bool:
    """Whether the cluster's index is the one that this machine makes by itself."""
    here = news.parent / "here"
    config = IndexSettings.model_validate({"index": {"path": here, "articles": [news]}})
    sync(config=config, encoder=WordEncoder())
    assert farthest(here, news.parent / "cluster") <= 1e-3
    return contents(here) == contents(news.parent / "cluster")


def test_a_node_is_killed_half_way_and_the_index_is_the_same(nodes: Nodes, news: Path) -> None:
    killed = ""
    with driver(order(nodes, news, "noting")) as process:
        said = {}
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            said = json.loads(line)
            at_work = {note.name.split()[0] for note in (news.parent / "notes").iterdir()} & nodes.mortal
            if not killed and at_work and 8 <= said.get("files", 0) <= 30:
                killed = at_work.pop()
                nodes.kill(killed)
        errors = process.stderr.read()
    assert killed
    nodes.add()
    assert "report" in said, (said, errors)
    assert said["report"]["added"] == 40
    assert is_the_same(news)


def test_what_is_known_is_not_sent_out_again(nodes: Nodes, news: Path) -> None:
    asked = order(nodes, news, "noting")
    sync(config=IndexSettings.model_validate(asked["settings"]), encoder=WordEncoder())
    (news / "07.txt").write_text("The ferry number 7 is on time.")
    (news / "08.txt").unlink()
    (news / "09.txt").touch()
    report = run(asked)["report"]
    assert [report[name] for name in ("changed", "removed", "unchanged", "encoded")] == [1, 1, 39, 1]
    assert len(list((news.parent / "notes").iterdir())) == 1


def test_a_worker_out_of_memory_does_its_part_again(nodes: Nodes, news: Path) -> None:
    assert run(order(nodes, news, "out_of_memory_once"))["report"]["added"] == 40
    assert len(list((news.parent / "notes").iterdir())) == 1
    assert is_the_same(news)


@pytest.mark.parametrize(
    ("encoder", "more", "error", "words"),
    [
        ("without_weights", {}, "ModelError", ("the worker on ", "e5-small-q4.bin: no such file")),
        ("other_model", {}, "ClusterError", ("the worker on ", "has the encoder words/2", "started with words/1")),
        ("noting", {"pretend": "9.9"}, "ClusterError", ("on the worker", "kabar 9.9 (sources 000000000000) where")),
        (
            "noting",
            {"workers_path": str(TESTS / "without_kabar")},
            "ClusterError",
            ("a worker has no kabar", "install the same kabar"),
        ),
        ("always_out_of_memory", {}, "ClusterError", ("a worker died", "memory")),
    ],
)
def test_what_a_worker_lacks_is_one_line(
    nodes: Nodes, news: Path, encoder: str, more: dict[str, str], error: str, words: tuple[str, ...]
) -> None:
    said = run(order(nodes, news, encoder, **more))
    assert said.get("error") == error, said
    assert "\n" not in said["line"]
    for word in words:
        assert word in said["line"]
    assert not (news.parent / "cluster" / "vectors-1.faiss").exists()


@pytest.mark.models
def test_the_command_with_the_real_encoder(nodes: Nodes, tmp_path: Path, encoder) -> None:
    articles = sorted((ROOT / "articles").glob("*.txt"))[:3]
    command = [sys.executable, "-m", "ui.cli", "index", *articles, "--ray", nodes.address, "--json"]
    environment = {**ENVIRONMENT, "KABAR_INDEX__PATH": str(tmp_path / "cluster")}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["added"] == 3
    config = IndexSettings.model_validate({"index": {"path": tmp_path / "here"}})
    sync(*articles, config=config, encoder=encoder)
    assert farthest(tmp_path / "here", tmp_path / "cluster") <= 1e-3
    assert contents(tmp_path / "here") == contents(tmp_path / "cluster")
