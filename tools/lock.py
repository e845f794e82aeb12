"""Write the lock files anew: exact versions and hashes of everything that ``make`` installs. Needs uv on PATH.

requirements.lock       what kabar runs on, and what builds it
requirements-dev.lock   what tests and checks need besides
requirements-cpu.lock   CPU builds of torch, which are no files of the main package registry
requirements-cuda.lock  what a CUDA build of torch needs besides; a CPU build installs without it
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Made by `make lock` from pyproject.toml; every version is exact and every file is checked by its hash.\n"
CUDA = re.compile(r"(nvidia|cuda)-|triton$")
CPU_BUILDS = """\
torch==2.13.0+cpu \\
    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
"""


def compile_requirements(*options: str) -> dict[str, list[str]]:
    """The resolved requirements by package name; a package has several where versions differ by platform."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", *options]
    lines = subprocess.run([*command, "pyproject.toml"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    requirements: dict[str, list[str]] = {}
    for requirement in re.split(r"\n(?! )", lines.strip()):
        requirements.setdefault(requirement.split("==")[0], []).append(requirement + "\n")
    return requirements


def main() -> None:
    """Resolve everything together, then share it out among the files."""
    everything = compile_requirements("--generate-hashes", "--group", "build", "--group", "dev")
    needed = compile_requirements("--group", "build")
    shares: dict[str, list[str]] = {"requirements.lock": [], "requirements-dev.lock": [], "requirements-cuda.lock": []}
    for name, requirements in everything.items():
        is_cuda = CUDA.match(name)
        file = f"requirements{'-cuda' if is_cuda else '' if name in needed else '-dev'}.lock"
        shares[file] += requirements
    shares["requirements-cpu.lock"] = [CPU_BUILDS]
    for file, requirements in shares.items():
        (ROOT / file).write_text(HEADER + "".join(requirements), encoding="utf-8")
        print(f"{file}: {len(requirements)} requirements", file=sys.stderr)


if __name__ == "__main__":
    main()
