"""``kabar index`` besides its plain run; processes of their own where signals and output matter."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import KabarError
from ui.indexing import seconds_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "news"
    place.mkdir()
    (place / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Hull.", encoding="utf-8")
    (place / "broken.txt").write_bytes(b"\0\0\0")
    return place


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ui.cli", "index", *arguments]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(folder: Path, own_data_folder: Path) -> None:
    result = subprocess.run(command(str(folder), "--dry-run"), cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "new      bridge.txt  Bridge opens",
        "1 new, 0 changed, 0 gone, 0 the same; nothing was done",
    ]
    assert "broken.txt: binary file, not text" in result.stderr
    assert not own_data_folder.exists()
    result = subprocess.run(command(str(folder), "--dry-run", "--json"), cwd=ROOT, capture_output=True, text=True)
    planned = json.loads(result.stdout)
    assert (planned["new"], planned["same"]) == ([["bridge.txt", "Bridge opens", str(folder / "bridge.txt")]], 0)


def test_a_dry_run_of_nothing_is_one_clear_error(tmp_path: Path) -> None:
    result = subprocess.run(command(str(tmp_path / "none"), "--dry-run"), cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"kabar: {tmp_path / 'none'}: no such file or folder\n"


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2H", 7200), ("1.5d", 129600)])
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0s", "-5m", "10 years", "99999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(KabarError, match="write a time between 1s and 31d"):
        seconds_of(text)


@pytest.mark.models
def test_watching_follows_the_folder_until_it_is_told_to_end(folder: Path) -> None:
    with subprocess.Popen(
        command(str(folder), "--watch"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "added bridge.txt: Bridge opens\n"
        assert process.stdout.readline() == f"watching {folder}\n"
        (folder / "ferry.txt").write_text("Ferry sails\nThe ferry sailed from Aomori.", encoding="utf-8")
        assert process.stdout.readline() == "added ferry.txt: Ferry sails\n"
        os.kill(process.pid, signal.SIGTERM)
        _, errors = process.communicate()
    assert process.returncode == 0
    assert "broken.txt: binary file, not text" in errors


def test_a_run_lets_others_go_first():
    script = (
        "import os; from ui.indexing import let_others_go_first as polite; polite(); "
        "print(os.nice(0), hasattr(os, 'SCHED_BATCH') and os.sched_getscheduler(0) != os.SCHED_BATCH)"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(min(19, os.nice(0) + 5)), "False"]
