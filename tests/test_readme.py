"""README holds: its commands run, its sessions print what is shown, its links lead somewhere."""

import contextlib
import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
MAKE = [command for command in COMMANDS if command.startswith("make")]
ENDLESS = [command for command in COMMANDS if "--watch" in command]
KABAR = [
    command
    for command in COMMANDS
    if not command.startswith("make") and command != "kabar serve" and command not in ENDLESS
]


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def own_article() -> str:
    (text,) = (text for text in blocks("text") if text.startswith("---\n"))
    return text


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A folder with what a reader has at hand: the configuration, the sample articles, and some of their own."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "config.yaml", folder)
    shutil.copytree(ROOT / "articles", folder / "articles")
    (folder / "news").mkdir()
    (folder / "news" / "marapi.md").write_text(own_article(), encoding="utf-8")
    return folder


@pytest.fixture
def environment(checkout, monkeypatch) -> dict[str, str]:
    """One data folder for all that is tried here, so that the samples are indexed once."""
    monkeypatch.setenv("XDG_DATA_HOME", str(checkout / "user-data"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return dict(os.environ)


def kabar(command: str, checkout: Path, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command as a list, and its environment, from a line of README."""
    words = shlex.split(command)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment = {**environment, name: value}
    assert words[0] == "kabar"
    return [sys.executable, "-m", "ui.cli", *words[1:]], environment


@pytest.mark.models
@pytest.mark.parametrize("command", KABAR)
def test_command_runs(command, checkout, environment):
    arguments, environment = kabar(command, checkout, environment)
    done = subprocess.run(arguments, cwd=checkout, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if "--json" in command:
        answer = json.loads(done.stdout)
        citation = answer["citations"][0]
        text = (checkout / "articles" / citation["article_id"]).read_bytes().decode("utf-8")
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert "Rabu depan" in citation["quote"]
    elif "Blinken" in command or "블링컨" in command:
        assert "Rabu depan" in done.stdout


@pytest.mark.models
@pytest.mark.parametrize("command", ENDLESS)
def test_command_goes_on_until_it_is_stopped(command, checkout, environment):
    arguments, environment = kabar(command, checkout, {**environment, "PYTHONUNBUFFERED": "1"})
    running = subprocess.Popen(
        arguments, cwd=checkout, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert running.stdout
        assert running.stdout.readline()
        assert running.poll() is None
    finally:
        running.terminate()
        said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said


@pytest.mark.models
def test_chat_page_opens(checkout, environment):
    environment["KABAR_SERVER__PORT"] = "0"  # README's own port may be taken on this machine
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "ui.cli", "serve"], cwd=checkout, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert server.stdout
        said = next(line for line in server.stdout if "http://127.0.0.1:" in line)
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", said)
        with contextlib.closing(urllib.request.urlopen(address, timeout=20)) as page:
            assert "kabar" in page.read().decode()
    finally:
        server.terminate()
        server.communicate(timeout=30)
    assert "kabar serve" in COMMANDS


@pytest.mark.models
def test_python_sessions_print_what_is_shown(checkout, environment, monkeypatch):
    monkeypatch.chdir(checkout)
    session = "\n".join(blocks("python"))
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
    said: list[str] = []
    result = runner.run(test, out=said.append)
    test.globs.clear()
    assert result.attempted > 5
    assert result.failed == 0, "".join(said)


@pytest.mark.models
def test_demo_prints_what_is_shown(checkout, environment):
    (command, shown) = re.findall(r"<!-- output: (.+?) -->\n+```text\n(.*?)```\n", README, re.DOTALL)[0]
    arguments, environment = kabar(command, checkout, environment)
    said = subprocess.run(arguments, cwd=checkout, env=environment, capture_output=True, text=True, check=True).stdout
    # The words of a translation may turn on the processor, so that of them the fact alone is compared.
    (shown_first, *shown_rest), (said_first, *said_rest) = shown.strip().split("\n\n"), said.strip().split("\n\n")
    assert said_first.split(".")[0] == shown_first.split(".")[0]
    assert said_rest[: len(shown_rest)] == shown_rest


@pytest.mark.parametrize("command", MAKE)
def test_make_commands_are_run_by_ci(command):
    assert f"\n{command}\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make (\w+)", README)) | {command.split()[1] for command in MAKE}
    assert len(named) > 3
    assert [target for target in named if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("text", blocks("yaml"))
def test_configuration_is_accepted(text, tmp_path):
    from ui.config import Settings

    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    settings = Settings.load(tmp_path / "config.yaml").model_dump()
    for section, values in yaml.safe_load(text).items():
        assert settings[section] == settings[section] | values


def test_head_of_an_article_is_read(checkout):
    from index.sources import read_file

    (article,) = read_file(checkout / "news" / "marapi.md", root=checkout)
    head, text = own_article().removeprefix("---\n").split("---\n")
    for name, value in yaml.safe_load(head).items():
        assert getattr(article, name) == value
    assert article.published_from == "metadata"
    assert article.text.strip() == text.strip()


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(links) > 3
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_tables_show_the_results():
    check = [sys.executable, "benchmarks/tables.py", "--check"]
    assert subprocess.run(check, cwd=ROOT).returncode == 0


def test_a_stale_table_is_noticed(tmp_path):
    for part in ("benchmarks", "docs", "README.md"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    result = next((tmp_path / "benchmarks" / "results").glob("small_things.json"))
    result.write_text(result.read_text(encoding="utf-8").replace('"value": ', '"value": 9'), encoding="utf-8")
    run = [sys.executable, "benchmarks/tables.py"]
    assert subprocess.run([*run, "--check"], cwd=tmp_path, capture_output=True).returncode == 1
    assert subprocess.run(run, cwd=tmp_path).returncode == 0
    assert subprocess.run([*run, "--check"], cwd=tmp_path).returncode == 0
