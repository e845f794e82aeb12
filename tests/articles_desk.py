"""The Articles page alone, over an index that words alone make searchable, on a free port of this machine."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import uvicorn
from fakes import WordEncoder
from starlette.applications import Starlette

from index.config import FetchConfig, IndexConfig
from index.update import sync
from ui.app import listen
from ui.articles import Articles
from ui.articles_work import Work
from ui.config import Settings
from ui.safety import Guard


class GatedEncoder(WordEncoder):
    """Waits while its gate is closed; ``waiting`` says that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        self.waiting.set()
        assert self.gate.wait(30)
        return super().encode_passages(texts)


class Desk:
    """A page with its work and its settings."""

    def __init__(self, folder: Path, *, places: Sequence[Path] = (), editable: bool = True, **server: object) -> None:
        self.settings = Settings(
            index=IndexConfig(path=folder / "index", articles=tuple(places)),
            fetch=FetchConfig(trusted_hosts=("127.0.0.1",), delay=0, tries=1),
            server={"upload_megabytes": 1, **server},
        )
        self.encoder = GatedEncoder()
        self.work = Work(self.settings, lambda: self.encoder)
        self.page = Articles(self.settings, self.work if editable else None)
        self.app = Starlette(routes=self.page.routes())

    def index(self) -> None:
        """Read the places."""
        sync(config=self.settings, encoder=WordEncoder())

    def until_done(self) -> None:
        """Wait for the work."""
        assert self.work.wait(30)


@contextlib.contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The address of the page while the context lasts."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(Guard(desk.app, hosts={"127.0.0.1"}), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/articles"
    finally:
        desk.encoder.gate.set()
        server.should_exit = True
        thread.join(20)
        listener.close()
        desk.work.close()


def wait_for(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")
