"""The command line, as a user runs it: in a process of its own. Commands that need models are in test_sample.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.store import Writer

ROOT = Path(__file__).parents[2]


def kabar(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
    )


def refused(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr


def test_help_names_the_commands() -> None:
    result = kabar("--help")
    assert result.returncode == 0
    for command in ("ask", "index", "articles", "serve", "eval", "doctor"):
        assert command in result.stdout


@pytest.mark.parametrize("question", ["", "   ", "\t\n"])
def test_an_empty_question_is_wrong_use(question: str) -> None:
    refused(kabar("ask", question), 2, "empty")


def test_a_question_of_100000_characters_is_wrong_use() -> None:
    refused(kabar("ask", "a" * 100_000), 2, "100,000 characters")


def test_unknown_option_is_wrong_use() -> None:
    assert kabar("ask", "--nonsense", "x").returncode == 2


def test_misspelt_key_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("index:\n  pth: here\n", encoding="utf-8")
    refused(kabar("ask", "who?", "--config", str(config)), 1, "unknown key 'index.pth'", str(config))
    config.write_text("indx:\n  path: here\n", encoding="utf-8")
    refused(kabar("doctor", "--config", str(config)), 1, "unknown key 'indx'")


def test_missing_configuration_is_named(tmp_path: Path) -> None:
    refused(kabar("index", "--config", str(tmp_path / "none.yaml")), 1, "none.yaml", "--config")


def test_no_index_and_no_articles(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("index: {path: idx, articles: nowhere}\n", encoding="utf-8")
    refused(kabar("ask", "who?", "--config", str(config)), 1, "no index yet", "kabar index FOLDER")
    refused(kabar("articles", "list", "--config", str(config)), 1, "no index here yet")
    refused(kabar("index", "--config", str(config)), 1, "nowhere", "no such file or folder")
    (tmp_path / "empty").mkdir()
    refused(kabar("index", str(tmp_path / "empty"), "--config", str(config)), 1, "no articles here")


def test_history_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text('{"a": 1}', encoding="utf-8")
    refused(kabar("ask", "who?", "--history", str(tmp_path / "history.json")), 1, "history.json", "JSON list")


@pytest.mark.parametrize("option", ["--after", "--today"])
def test_a_date_that_is_none(option: str) -> None:
    result = kabar("ask", "who?", option, "yesterday")
    assert result.returncode == 2
    assert "2023-11-08" in result.stderr


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    result = kabar("doctor", "--json", KABAR_INDEX__PATH=str(tmp_path / "idx"), KABAR_WRITER__MODEL="none")
    assert result.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert "1571fc98" in findings["encoder"]["value"]
    assert "kabar index" in findings["index"]["problem"]


def test_a_second_process_indexing_is_refused(tmp_path: Path) -> None:
    with Writer(tmp_path / "idx"):
        refused(kabar("index", "articles", KABAR_INDEX__PATH=str(tmp_path / "idx")), 1, "another process is writing")
