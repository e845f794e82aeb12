"""The unit for systemd and the Dockerfile: what they run, set and copy is there, and they are as closed as they say."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ui.config import Settings

ROOT = Path(__file__).resolve().parent.parent
UNIT = (ROOT / "deploy" / "kabar.service").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """Name and arguments of each instruction of the Dockerfile."""
    lines = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in lines.splitlines() if line.strip()]


def check_variable(name: str, value: str) -> None:
    """A variable of kabar's sets a key that there is, to a value that it takes."""
    if name.startswith("KABAR_") and name != "KABAR_CONFIG":
        section, key = name.removeprefix("KABAR_").lower().split("__")
        assert key in type(getattr(Settings(), section)).model_fields
        Settings(**{section: {key: value}})


def test_the_unit_runs_a_command_that_there_is():
    from typer.testing import CliRunner

    from ui.cli import app

    (command,) = re.findall(r"^ExecStart=(.+)$", UNIT, re.MULTILINE)
    program, name, *options = shlex.split(command)
    assert Path(program).name == "kabar"
    shown = CliRunner().invoke(app, [name, "--help"]).stdout
    assert all(option in shown for option in options if option.startswith("--"))


def test_the_units_variables_are_keys_of_the_configuration():
    (line,) = re.findall(r"^Environment=(.+)$", UNIT, re.MULTILINE)
    for setting in shlex.split(line):
        check_variable(*setting.split("=", 1))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_takes_the_unit(tmp_path):
    file = tmp_path / "kabar.service"
    file.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", UNIT, flags=re.MULTILINE), encoding="utf-8")
    file.write_text(re.sub(r"^Documentation=.*\n", "", file.read_text(), flags=re.MULTILINE), encoding="utf-8")
    checked = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_little_exposed():
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", ROOT / "deploy" / "kabar.service"]
    checked = subprocess.run(command, capture_output=True, text=True)
    if "Unknown" in checked.stderr or "unrecognized" in checked.stderr:
        pytest.skip("this systemd cannot check a file")
    assert checked.returncode == 0, checked.stdout[-500:]


def test_the_dockerfile_copies_what_there_is():
    known = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "STOPSIGNAL", "USER"}
    found = instructions()
    assert {name for name, _ in found} <= known | {"VOLUME", "WORKDIR"}
    sources = [
        source
        for name, arguments in found
        if name == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    ]
    assert len(sources) > 5
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert all(re.search(r":\d", arguments) for name, arguments in found if name == "FROM"), "versions are named"


def test_the_container_serves_as_nobody_with_its_own_configuration():
    found = instructions()
    by_name = dict(found)
    assert by_name["USER"] == "kabar"
    assert [name for name, _ in found].index("USER") > max(
        number for number, (name, _) in enumerate(found) if name in ("RUN", "COPY")
    )
    assert json.loads(by_name["ENTRYPOINT"]) == ["kabar"]
    assert json.loads(by_name["CMD"]) == ["serve"]
    for setting in shlex.split(by_name["ENV"]):
        check_variable(*setting.split("=", 1))
    assert by_name["EXPOSE"] == str(Settings().server.port)
