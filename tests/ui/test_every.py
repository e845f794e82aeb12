import os
import signal
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder
from typer.testing import CliRunner
from web_server import Reply, WebServer

from ui.cli import app
from ui.every import interval


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), (" 1d ", 86_400)])
def test_interval(text, seconds):
    assert interval(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "10", "m", "-1m", "1.5h", "10 m", "1w", "99999999d", "١m"])
def test_what_is_no_interval(text):
    with pytest.raises(ValueError, match="no interval like 30s, 10m, 2h or 1d"):
        interval(text)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """The command in this process; what it sets for the whole process is left alone."""
    for name in ("_quiet", "_let_others_go_first"):
        monkeypatch.setattr(f"ui.cli.{name}", lambda: None)
    monkeypatch.setattr("index.encoder.Encoder.open", lambda *_: WordEncoder())
    return CliRunner().invoke(app, ["index", *arguments])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_line_a_round_until_a_signal(tmp_path: Path, monkeypatch, number):
    config = tmp_path / "config.yaml"
    config.write_text("index: {path: index}\nfetch: {trusted_hosts: [127.0.0.1], delay: 0, tries: 1}\n")
    text = "<description>The long bridge over the river was opened on Wednesday by the mayor of the town.</description>"
    feed = Reply(f'<rss version="2.0"><channel><item><title>A</title>{text}</item></channel></rss>')

    def last(handler):
        feed.send(handler)
        os.kill(os.getpid(), number)

    with WebServer() as server:
        server.pages = {"/feed": [Reply(status=500), Reply(status=500), feed, last]}
        result = run(monkeypatch, server.url("/feed"), "--every", "1s", "--config", str(config))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert 3 <= len(lines) <= 4
    assert [" 0 added" in line for line in lines[:2]] == [True, True]
    assert " 1 added" in lines[2]
    assert result.stderr.count("500 (Internal Server Error)") == 1


@pytest.mark.parametrize(
    "arguments",
    [["--every", "often"], ["--every", "1m", "--watch"], ["--watch", "--dry-run"], ["https://a.example/", "--watch"]],
)
def test_wrong_use(monkeypatch, arguments):
    assert run(monkeypatch, *arguments).exit_code == 2
