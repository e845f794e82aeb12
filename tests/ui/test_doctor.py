import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fakes import WordEncoder

from index.article import Article
from index.config import IndexConfig
from index.encoder import Encoder
from index.errors import KabarError
from index.update import add, remove
from qa.config import WriterConfig
from ui import cli, doctor
from ui.config import Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An index of three articles, and an encoder that needs no weights."""
    encoder = WordEncoder()
    monkeypatch.setattr(Encoder, "open", lambda _: encoder)
    monkeypatch.setattr(doctor, "_PACKAGES", ())  # in a checkout kabar itself may not be installed
    found = Settings(index=IndexConfig(path=tmp_path / "index"), writer=WriterConfig(model="none"))
    news = [Article(id=town, title=town, text=f"The bridge of {town} is open.") for town in ("Hull", "Goole", "Cork")]
    add(news, folder=found.index.path, settings=found, encoder=encoder)
    return found


def problems(findings: list[doctor.Finding]) -> list[str]:
    return [f"{finding.name}: {finding.problem}" for finding in findings if finding.problem]


def change(settings: Settings, file: str, statement: str) -> None:
    with closing(sqlite3.connect(settings.index.path / file)) as connection, connection:
        connection.execute(statement)


def test_a_whole_index_has_no_problem(settings: Settings) -> None:
    findings = doctor.examine(settings, deep=True)
    assert problems(findings) == []
    assert "3 (" in next(finding.value for finding in findings if finding.name == "articles")


def test_only_a_deep_look_finds_a_changed_word(settings: Settings) -> None:
    change(settings, "articles.sqlite", "UPDATE articles SET text = 'The bridge of Hell is open.' WHERE id = 'Hull'")
    assert problems(doctor.examine(settings)) == []
    assert problems(doctor.examine(settings, deep=True)) == ["articles: article Hull: its checksum is wrong"]


def test_what_a_stopped_run_left_is_said_and_is_no_problem(settings: Settings) -> None:
    (settings.index.path / "vectors-1.faiss.tmp").touch()
    findings = doctor.examine(settings)
    assert problems(findings) == []
    assert any("vectors-1.faiss.tmp" in finding.value for finding in findings)


def test_repair_says_what_it_did(settings: Settings) -> None:
    change(settings, "vectors.sqlite", "UPDATE vectors SET vector = zeroblob(128) WHERE id = 1")
    done = doctor.repair(settings)
    assert [finding.value for finding in done if "encoded again" in finding.value] == ["1 passages were encoded again"]
    assert problems([*done, *doctor.examine(settings, deep=True)]) == []
    assert [finding.value for finding in doctor.repair(settings)] == ["there was nothing to repair"]


def test_repair_names_what_is_lost(settings: Settings) -> None:
    change(settings, "articles.sqlite", "UPDATE articles SET title = 'Hell' WHERE id = 'Hull'")
    assert problems(doctor.repair(settings)) == ["lost: article Hull was damaged and is dropped; add it again"]
    assert problems(doctor.examine(settings, deep=True)) == []


def test_compaction_says_what_it_gave_back(settings: Settings) -> None:
    remove(["Hull"], folder=settings.index.path)
    (finding,) = doctor.compact(settings)
    assert "MB before" in finding.value


@pytest.mark.parametrize(("statement", "code"), [("SELECT 1", 0), ("UPDATE articles SET title = 'x'", 1)])
def test_exit_code_says_whether_something_is_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], statement: str, code: int
) -> None:
    change(settings, "articles.sqlite", statement)
    monkeypatch.setattr(cli, "_settings", lambda _: settings)
    if code:
        with pytest.raises(KabarError, match="3 things are wrong"):
            cli.examine(repair=True)
    else:
        cli.examine(repair=True)
    assert "\n! lost" in f"\n{capsys.readouterr().out}" or not code
