import shutil
from pathlib import Path

import pytest
from fakes import WordEncoder

from index.config import IndexConfig, IndexSettings
from index.errors import ArticleError
from index.planning import SyncPlan, plan
from index.store import Writer
from index.update import sync


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "news"
    place.mkdir()
    (place / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Hull.", encoding="utf-8")
    (place / "ferry.txt").write_text("Ferry sails\nThe ferry sailed from Aomori.", encoding="utf-8")
    return place


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    return IndexSettings(index=IndexConfig(path=tmp_path / "index"))


def ids(planned: SyncPlan) -> tuple[list[str], list[str], list[str], int]:
    return (*([one.id for one in part] for part in (planned.new, planned.changed, planned.gone)), planned.same)


def test_a_plan_of_a_first_run_makes_no_index(folder: Path, settings: IndexSettings) -> None:
    assert ids(plan(folder, config=settings)) == (["bridge.txt", "ferry.txt"], [], [], 0)
    assert not settings.index.path.exists()


def test_the_run_does_what_was_planned(folder: Path, settings: IndexSettings) -> None:
    sync(folder, config=settings, encoder=WordEncoder())
    (folder / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Goole.", encoding="utf-8")
    shutil.copy(folder / "ferry.txt", folder / "boat.txt")
    (folder / "tram.txt").write_text("Tram\nA tram runs in Basel.", encoding="utf-8")
    (folder / "broken.txt").write_bytes(b"\0\0\0")
    planned = plan(folder, config=settings)
    assert ids(planned) == (["tram.txt"], ["bridge.txt"], [], 2)
    assert planned.new[0] == ("tram.txt", "Tram", str(folder / "tram.txt"))
    report = sync(folder, config=settings, encoder=WordEncoder())
    assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 0, 2)
    assert planned.problems == report.problems
    (folder / "ferry.txt").unlink()
    (folder / "tram.txt").unlink()
    planned = plan(folder, config=settings)
    assert ids(planned) == ([], [], ["tram.txt"], 2)
    assert planned.gone[0].title == "Tram"


def test_a_plan_can_be_made_while_another_process_writes(folder: Path, settings: IndexSettings) -> None:
    sync(folder, config=settings, encoder=WordEncoder())
    with Writer(settings.index.path):
        assert ids(plan(folder, config=settings)) == ([], [], [], 2)


def test_a_place_that_does_not_exist(tmp_path: Path, settings: IndexSettings) -> None:
    with pytest.raises(ArticleError, match="no such file or folder"):
        plan(tmp_path / "nowhere", config=settings)
