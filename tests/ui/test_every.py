import os
import signal
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder
from typer.testing import CliRunner
from web_server import Reply, WebServer

from ui.cli import app


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """The command in this process; what it sets for the whole process is left alone."""
    for name in ("cli.quiet", "indexing.let_others_go_first"):
        monkeypatch.setattr(f"ui.{name}", lambda: None)
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
    assert [line.startswith("0 added") for line in lines[:2]] == [True, True]
    assert lines[2].startswith("1 added")
    assert result.stderr.count("500 (Internal Server Error)") == 2
