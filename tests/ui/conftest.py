"""A server as others reach it: with users, an index, and all its doors."""

import contextlib
from dataclasses import dataclass

import httpx
import pytest
from fakes import WordEncoder
from scripted import QUOTE, Scripted, served

from index import Article, Index
from index.config import IndexSettings
from index.update import add
from ui.loader import Loader
from ui.metrics import Metrics
from ui.users import Users

PASSWORD = "a long enough password"
ARTICLES = [
    Article(
        id="news/blinken.txt", title="Blinken ke Seoul", text=f"Menlu Blinken bertolak pekan ini. {QUOTE}",
        language="id", source="VOA Indonesia", published="2023-11-01", published_from="metadata",
        url="https://example.org/blinken",
    ),
    Article(
        id="marapi", title="Marapi erupts", text="Mount Marapi erupted on Sunday.", language="en",
        source="Example Daily", published="2023-12-03", published_from="metadata",
    ),
    Article(id="undated", title="Nobody knows when", text="A bridge was opened.", language="en"),
]  # fmt: skip


class Indexed(Scripted):
    """The scripted assistant with an index."""

    def __init__(self, index: Index) -> None:
        super().__init__()
        self.index = index


@dataclass
class Doors:
    """What is served, to whom, and a client with a token."""

    address: str
    token: str
    users: Users
    loader: Loader
    assistant: Indexed
    index: Index
    client: httpx.Client


@pytest.fixture(scope="session")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("indexed") / "index"
    settings = IndexSettings(index={"path": folder})
    add(ARTICLES, folder=folder, settings=settings, encoder=WordEncoder())
    with Index(folder, settings, WordEncoder()) as opened:
        yield opened


@pytest.fixture(scope="session")
def doors(index, tmp_path_factory):
    assistant = Indexed(index)
    loader = Loader(lambda: assistant, metrics=Metrics())
    loader.metrics.observe(loader.queue, index.folder)
    loader.start()
    with contextlib.closing(Users(tmp_path_factory.mktemp("users") / "users.sqlite")) as users:
        users.add("ana", PASSWORD)
        _, token = users.add_token("ana")
        with (
            served(loader, folder=index.folder, users=users, body_seconds=2, head_seconds=2) as address,
            httpx.Client(
                base_url=address, headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=30
            ) as client,
        ):
            yield Doors(address, token, users, loader, assistant, index, client)
