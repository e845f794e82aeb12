"""Whoever asks, one thread computes; and OpenMP makes no threads for any other."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from index.compute_thread import in_compute_thread, share_cores


@in_compute_thread
def where() -> int:
    return threading.get_ident()


@in_compute_thread
def nested() -> tuple[int, int]:
    return threading.get_ident(), where()


def test_all_calls_are_made_in_one_thread_that_is_none_of_the_callers():
    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(lambda _: where(), range(50)))
    assert len(found) == 1
    assert threading.get_ident() not in found


def test_a_call_from_the_thread_itself_is_made_at_once():
    outer, inner = nested()
    assert outer == inner == where()


def test_what_is_raised_and_returned_comes_through():
    @in_compute_thread
    def halved(number: int, *, by: int = 2) -> float:
        """What it is."""
        return number / by

    assert halved(3) == 1.5
    assert halved(3, by=3) == 1
    assert halved.__doc__ == "What it is."
    with pytest.raises(ZeroDivisionError):
        halved(3, by=0)
    assert halved(4) == 2


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="the threads of the system are read from /proc")
def test_openmp_has_a_team_for_one_thread_alone(tmp_path):
    """Encoder, index and reader are used in this thread and in four others: no more threads than those four appear."""
    code = """
import os, threading
from pathlib import Path
import torch  # before FAISS, which then shares its OpenMP
from index.update import sync
from qa.reader import SpanReader
from index.index import Index
from index.config import IndexConfig
from qa.config import Settings

def threads():
    return len(os.listdir("/proc/self/task"))

settings = Settings(index=IndexConfig(path=Path("index")))
Path("a.txt").write_text("Blinken will arrive in Seoul on Wednesday. He will meet the minister. " * 20)
sync(Path("a.txt"), config=settings)
with Index(settings.index.path, settings) as index:
    reader = SpanReader.open(index.encoder)

    def ask():
        hits = index.search("when will Blinken arrive?")
        assert reader.read("when will Blinken arrive?", [hit.passage.text for hit in hits])

    ask()
    before = threads()
    barrier = threading.Barrier(5)

    def work():
        ask()
        barrier.wait()
        barrier.wait()

    for _ in range(4):
        threading.Thread(target=work).start()
    barrier.wait()
    print(threads() - before)
    barrier.wait()
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.strip() == "4", found.stderr


def test_cores_are_shared_among_processes_and_taken_back():
    threads = in_compute_thread(torch.get_num_threads)
    all_of_them = threads()
    try:
        for processes in (2, 3, 2, 1000, 1):
            share_cores(processes)
            assert threads() == max(1, all_of_them // processes)
    finally:
        share_cores(1)
