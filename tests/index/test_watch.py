"""The real thing: a process that follows a folder, files written into it, and the index that answers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import WordEncoder

from index.config import IndexConfig, IndexSettings
from index.errors import NoIndexError
from index.index import Index
from index.store import Writer

ROOT = Path(__file__).parents[2]
WATCHER = f"""
import sys
from pathlib import Path
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from fakes import WordEncoder
from index.config import IndexConfig, IndexSettings
from index.watch import stopped_by_signals, watch
with stopped_by_signals() as stop:
    watch(
        *sys.argv[2:],
        config=IndexSettings(index=IndexConfig(path=Path(sys.argv[1]))),
        encoder=WordEncoder(),
        stop=stop,
        tell=lambda line: print(line, flush=True),
        warn=lambda line: print("!", line, flush=True),
    )
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "news"
    place.mkdir()
    (place / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Hull.", encoding="utf-8")
    return place


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    return IndexSettings(index=IndexConfig(path=tmp_path / "index"))


@pytest.fixture
def watcher(folder: Path, settings: IndexSettings) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(settings.index.path), str(folder)], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def read_until(process: subprocess.Popen[str], words: str) -> list[str]:
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if words in line:
            return lines
    pytest.fail(f"it ended before it said {words!r}: {lines}")


def wait_for(check: Callable[[], bool]) -> None:
    while not check():  # pytest's limit ends it
        time.sleep(0.02)


def found(settings: IndexSettings, question: str) -> list[str]:
    with Index(settings.index.path, settings, WordEncoder()) as index:
        return [hit.article.id for hit in index.search(question, count=20)]


def test_what_is_written_is_found_and_what_is_removed_is_not(
    watcher: subprocess.Popen[str], folder: Path, settings: IndexSettings
) -> None:
    assert read_until(watcher, "watching") == ["added bridge.txt: Bridge opens", f"watching {folder}"]
    with Index(settings.index.path, settings, WordEncoder()) as index:
        (folder / "tram.txt").write_text("Trams\nA tram runs in Basel.", encoding="utf-8")
        assert read_until(watcher, "tram.txt") == ["added tram.txt: Trams"]
        assert index.search("tram in Basel")[0].article.id == "tram.txt"
        (folder / "tram.txt").write_text("Trams\nA tram runs in Bern.", encoding="utf-8")
        assert read_until(watcher, "tram.txt") == ["changed tram.txt: Trams"]
        assert index.search("tram in Bern")[0].passage.text == "A tram runs in Bern."
        (folder / "bridge.txt").rename(folder / "crossing.txt")
        (folder / "tram.txt").unlink()
        assert read_until(watcher, "tram.txt") == ["removed tram.txt: Trams"]
        assert [article.id for article in index] == ["bridge.txt"]


def test_folders_that_are_moved_in_and_out(
    watcher: subprocess.Popen[str], folder: Path, settings: IndexSettings, tmp_path: Path
) -> None:
    read_until(watcher, "watching")
    new = tmp_path / "new"
    new.mkdir()
    (new / "ferry.txt").write_text("Ferry sails\nThe ferry sailed from Aomori.", encoding="utf-8")
    (new / ".hidden.txt").write_text("Not seen.", encoding="utf-8")
    new.rename(folder / "2024")
    assert read_until(watcher, "ferry") == ["added 2024/ferry.txt: Ferry sails"]
    (folder / "2024").rename(tmp_path / "away")
    assert read_until(watcher, "ferry") == ["removed 2024/ferry.txt: Ferry sails"]


def test_errors_end_nothing(watcher: subprocess.Popen[str], folder: Path, settings: IndexSettings) -> None:
    read_until(watcher, "watching")
    (folder / "broken.txt").write_bytes(b"\0\0\0")
    assert "binary file" in read_until(watcher, "broken.txt")[0]
    with Writer(settings.index.path):
        (folder / "ferry.txt").write_text("Ferry sails\nThe ferry sailed from Aomori.", encoding="utf-8")
        assert "another process is writing" in read_until(watcher, "!")[-1]
    assert read_until(watcher, "ferry.txt")[-1] == "added ferry.txt: Ferry sails"
    shutil.rmtree(folder)
    read_until(watcher, "no such file or folder")
    folder.mkdir()
    (folder / "robot.txt").write_text("Robot heals\nA robot mixes medicine.", encoding="utf-8")
    read_until(watcher, "added robot.txt: Robot heals")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(
    watcher: subprocess.Popen[str], folder: Path, settings: IndexSettings, number: signal.Signals
) -> None:
    read_until(watcher, "watching")
    watcher.send_signal(number)
    assert watcher.wait() == 0
    assert found(settings, "bridge in Hull") == ["bridge.txt"]
    with Writer(settings.index.path):
        pass  # nobody holds the lock


def test_an_empty_folder_waits_to_be_filled(tmp_path: Path, settings: IndexSettings) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    command = [sys.executable, "-c", WATCHER, str(settings.index.path), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert "no articles here" in read_until(watcher, "watching")[0]
        (folder / "tram.txt").write_text("Trams\nA tram runs in Basel.", encoding="utf-8")
        read_until(watcher, "added tram.txt")
        os.kill(watcher.pid, signal.SIGTERM)
    assert found(settings, "tram in Basel") == ["tram.txt"]


def test_a_folder_that_is_not_there(tmp_path: Path, settings: IndexSettings) -> None:
    command = [sys.executable, "-c", WATCHER, str(settings.index.path), str(tmp_path / "nowhere")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert "no such file or folder" in result.stderr
    with pytest.raises(NoIndexError):
        found(settings, "anything")
