import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import WordEncoder
from web_server import Reply, WebServer

from index.config import FetchConfig, IndexConfig, IndexSettings
from index.errors import ArticleError, FetchError
from index.place import is_address
from index.repeat import repeat
from index.store import Writer
from index.update import SyncReport


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    fetch = FetchConfig(trusted_hosts=("127.0.0.1",), delay=0, tries=1)
    return IndexSettings(index=IndexConfig(path=tmp_path / "index"), fetch=fetch)


def feed(*names: str) -> Reply:
    text = "The long bridge over the river was opened on Wednesday by the mayor of the town of "
    items = "".join(f"<item><title>{name}</title><description>{text}{name}.</description></item>" for name in names)
    return Reply(
        f'<rss version="2.0"><channel>{items}</channel></rss>', headers={"Content-Type": "application/rss+xml"}
    )


def rounds(
    count: int, *places: str | Path, settings: IndexSettings, after_each=lambda: None
) -> tuple[list[SyncReport], list[str]]:
    """Reports and warnings of so many rounds."""
    stop = threading.Event()
    reports: list[SyncReport] = []
    warnings: list[str] = []

    def note(kept: list, what: object) -> None:
        kept.append(what)
        after_each()
        if len(reports) + len(warnings) == count:
            stop.set()

    repeat(
        *places,
        every=0.01,
        config=settings,
        tell=lambda report: note(reports, report),
        warn=lambda line: note(warnings, line),
        stop=stop,
        encoder=WordEncoder(),  # type: ignore[arg-type]
    )
    return reports, warnings


def test_takes_what_is_new_in_each_round(server, settings):
    server.pages = {"/feed": [feed("a"), feed("a", "b"), feed("b", "c")]}
    reports, warnings = rounds(3, server.url("/feed"), settings=settings)
    assert [report.added for report in reports] == [1, 1, 1]
    assert [report.removed for report in reports] == [0, 0, 0]
    assert warnings == []


def test_a_bad_round_does_not_end_it(server, settings):
    server.pages = {"/feed": [Reply(status=500), Reply("<rss"), feed("a")]}
    reports, _ = rounds(3, server.url("/feed"), settings=settings)
    assert [report.added for report in reports] == [0, 0, 1]
    assert [len(report.problems) for report in reports] == [1, 1, 0]


def test_a_busy_index_does_not_end_it(server, settings):
    server.pages = {"/feed": feed("a")}
    with contextlib.ExitStack() as other:
        other.enter_context(Writer(settings.index.path))
        reports, warnings = rounds(2, server.url("/feed"), settings=settings, after_each=other.close)
    assert "another process is writing" in warnings[0]
    assert [report.added for report in reports] == [1]


@pytest.mark.parametrize(("place", "error"), [("/no/such/folder", ArticleError), ("ftp://news.example/", FetchError)])
def test_what_no_round_can_mend_is_raised_at_once(settings, place, error):
    with pytest.raises(error):
        rounds(9, place, settings=settings)


def test_stops_while_it_waits_for_a_host(server, settings):
    stop = threading.Event()
    waiting = settings.model_copy(update={"fetch": settings.fetch.model_copy(update={"delay": 60.0})})
    server.pages = {"/feed": feed("a"), "/robots.txt": lambda handler: (Reply(status=404).send(handler), stop.set())}
    told: list[SyncReport] = []
    repeat(
        server.url("/feed"),
        every=1,
        config=waiting,
        tell=told.append,
        warn=pytest.fail,
        stop=stop,
        encoder=WordEncoder(),
    )
    assert told == []
    assert server.paths == []


@pytest.mark.parametrize(
    ("place", "is_one"),
    [
        ("https://a.example/", True),
        (" HTTP://a", True),
        ("ftp://a", True),
        ("news", False),
        ("c:/news", False),
        ("https:/a", False),
    ],
)
def test_is_address(place, is_one):
    assert is_address(place) is is_one
