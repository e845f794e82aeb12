"""``kabar index --ray``, ``--to-parts`` and ``--from-parts``: what does not go together, and parts end to end."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from index.errors import KabarError
from ui import indexing

ROOT = Path(__file__).parents[2]
NOTHING = {"ray": None, "to_parts": None, "from_parts": None, "places": None, "once": True}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "ui.cli", "index", *map(str, arguments)]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"ray": "auto", "once": False}, "do one run"),
        ({"to_parts": Path("parts"), "once": False}, "do one run"),
        ({"from_parts": [Path("parts")], "places": ["news"]}, "leave out places"),
        ({"from_parts": [Path("parts")], "ray": "auto"}, "leave out places, --ray"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict, line: str) -> None:
    with pytest.raises(KabarError, match=line):
        indexing.check_options(**{**NOTHING, **options})


def test_the_extra_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        indexing, "find_spec", lambda name: None if name == "pyarrow" else importlib.util.find_spec(name)
    )
    with pytest.raises(KabarError, match=r'pip install "kabar\[ray\]"'):
        indexing.check_options(**{**NOTHING, "to_parts": Path("parts")})
    indexing.check_options(**NOTHING)


def test_no_cluster_is_one_clear_line(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path, "--ray", "127.0.0.1:1"), cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kabar: no Ray cluster at 127.0.0.1:1 (")
    assert done.stderr.count("\n") == 1


@pytest.mark.models
def test_parts_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_article: Path) -> None:
    monkeypatch.setenv("KABAR_INDEX__PATH", str(tmp_path / "index"))
    made = subprocess.run(
        command(sample_article, "--to-parts", tmp_path / "parts", "--json"), cwd=ROOT, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["articles"] == 1
    assert not (tmp_path / "index").exists()
    merged = subprocess.run(
        command("--from-parts", tmp_path / "parts", "--json"), cwd=ROOT, capture_output=True, text=True
    )
    assert merged.returncode == 0, merged.stderr
    report = json.loads(merged.stdout)
    assert (report["added"], report["problems"]) == (1, [])
