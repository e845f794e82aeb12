"""Install kabar and the locked versions of all it needs into .venv: with uv if it is on PATH, else with venv and pip.

    python3 tools/install.py         what kabar runs on
    python3 tools/install.py --dev   and what tests and checks need

It installs packages as they are listed, resolving nothing. Where a folder or page of CPU builds of torch is known to
pip (its setting find-links), that build is taken, and the several GB of CUDA packages are left out.
"""

import os
import re
import shutil
import subprocess
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this very line tells the user of an older Python
    sys.exit("kabar needs Python 3.11 or newer, and this is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2])  # noqa: UP031

from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NEEDS_CUDA = """
import importlib.metadata, re
print(any(re.match(r"(nvidia|cuda)-|triton\\b", needed) for needed in importlib.metadata.requires("torch") or ()))
"""


def succeeds(*command: str | Path, quiet: bool = False) -> bool:
    """Whether the command runs and ends well; ``quiet`` hides what it prints."""
    stream = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=ROOT, check=False, stdout=stream, stderr=stream).returncode == 0


def fail(what: str) -> NoReturn:
    """Leave; the command that failed has printed why."""
    sys.exit(f"kabar is not installed: {what} failed; the reason stands above")


def find_links() -> list[str]:
    """Where pip is set to look for more packages; uv does not read pip's settings."""
    settings = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    values = re.findall(r"^(?:global|install|:env:)\.find-links='(.*)'$", settings, re.MULTILINE)
    values.append(os.environ.get("PIP_FIND_LINKS", ""))
    return list(dict.fromkeys(place for value in values for place in re.split(r"\s+|\\n", value) if place))


def main() -> None:
    """Make .venv unless it is there, and install what is missing in it."""
    with_uv = shutil.which("uv") is not None
    print(f"kabar: installing into {VENV} with {'uv' if with_uv else 'pip'}; this takes a few minutes the first time")
    sys.stdout.flush()

    # A .venv made by uv holds no pip, and one whose Python was removed does not run.
    works = succeeds(PYTHON, "-c", "" if with_uv else "import pip", quiet=True) if PYTHON.exists() else False
    create = ("uv", "venv", "--quiet", "--python", sys.executable) if with_uv else (sys.executable, "-m", "venv")
    if not works and not succeeds(*create, "--clear", VENV):
        fail(f"making {VENV}")

    install: tuple[str | Path, ...] = (
        ("uv", "pip", "install", "--python", PYTHON) if with_uv else (PYTHON, "-m", "pip", "install")
    )
    install += ("--quiet", "--no-deps")
    places = [f"--find-links={place}" for place in find_links()]
    locks = ["requirements.lock", *(["requirements-dev.lock"] if "--dev" in sys.argv[1:] else [])]
    if places and not succeeds(
        *install, "--no-index", *places, "--require-hashes", "-r", "requirements-cpu.lock", quiet=True
    ):
        print("kabar: no CPU build of torch at hand for this Python, so the registry's build is taken")
    for lock in locks:
        if not succeeds(*install, *places, "--require-hashes", "-r", lock):
            fail(f"installing {lock}")
    needs_cuda = subprocess.run([PYTHON, "-c", NEEDS_CUDA], capture_output=True, text=True, check=True).stdout
    if needs_cuda.strip() == "True" and not succeeds(*install, "--require-hashes", "-r", "requirements-cuda.lock"):
        fail("installing requirements-cuda.lock")
    if not succeeds(*install, "--no-build-isolation", "--editable", "."):
        fail("installing kabar itself")


if __name__ == "__main__":
    main()
