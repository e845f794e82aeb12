"""Three shards of two replicas each on a real cluster, against the same index in one folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

TESTS = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}",
    "PYTHONWARNINGS": "ignore",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of each thing that the driver did."""
    done = subprocess.run(
        [sys.executable, TESTS / "sharded_driver.py", tmp_path_factory.mktemp("sharded")],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found |= json.loads(line)
    assert done.returncode == 0, f"{list(found)}\n{done.stderr[-3000:]}"
    return found


def test_hits_and_scores_are_those_of_the_whole_index(said: dict[str, Any]) -> None:
    assert said["same"] == {"searches": 60, "equal": 60, "found": 60, "articles": True}


def test_a_replica_that_is_killed_under_load_fails_no_question(said: dict[str, Any]) -> None:
    assert said["killed"]["wrong"] == []
    assert said["killed"]["replicas"] == 6
    assert said["killed"]["asked"] >= 65


def test_new_generations_come_without_a_failed_question_or_a_mixed_one(said: dict[str, Any]) -> None:
    assert said["rolled_out"] == {"wrong": [], "generations": 4, "different": 4}


def test_another_kabar_on_a_worker_is_refused_by_name(said: dict[str, Any]) -> None:
    refusal = said["skewed"]["said"]
    assert refusal.startswith("ClusterError: kabar-skewed does not start: kabar ")
    assert "on the worker" in refusal
    assert "kabar 9.9.9 (sources feedfeedfeed)" in refusal
    assert "\n" not in refusal


def test_a_shard_that_is_missing_is_named(said: dict[str, Any]) -> None:
    assert said["missing"]["here"].startswith("StoreError: shard 2 of 3 is missing: ")
    assert said["missing"]["there"].startswith("ClusterError: kabar-shard-2b does not start: shard 2 of 3 is missing: ")
