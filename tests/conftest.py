"""What holds for every test: the user's folders are out of reach, and so is the network."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from index import Encoder

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(tempfile.mkdtemp(prefix="kabar-tests-"))
FOLDERS = {
    "HOME": HOME,
    "XDG_CACHE_HOME": HOME / "cache",  # shared by all tests: the writer's weights are put together there once
    "XDG_CONFIG_HOME": HOME / "config",
    "XDG_DATA_HOME": HOME / "data",
}
SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "NO_COLOR": "1",
    "OMP_NUM_THREADS": "2",
    "TOKENIZERS_PARALLELISM": "false",
}

# Before any test module is imported: some libraries read the environment once, when they are imported.
for _name in [name for name in os.environ if name.startswith("KABAR_")]:
    del os.environ[_name]
os.environ.update({name: str(folder) for name, folder in FOLDERS.items()})
os.environ.update(SETTINGS)


class NetworkRefusedError(AssertionError):
    """A test tried to reach beyond this machine."""


def _is_local(connection: socket.socket, address: Any) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    if host in ("localhost", ""):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if not _is_local(self, address):
            raise NetworkRefusedError(f"a test tried to connect to {address}; tests do without the network")
        return connect(self, address)

    return guarded


def pytest_configure() -> None:
    """Refuse connections from here on, those made while test modules are imported too."""
    socket.socket.connect = _guarded(socket.socket.connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder for this test alone, so that an index of one test is not there in the next."""
    folder = tmp_path / "user-data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder


@pytest.fixture
def sample_article() -> Path:
    """The article about Blinken's visit to Seoul."""
    return ROOT / "articles" / "blinken-korea-selatan.txt"


@pytest.fixture(scope="session")
def encoder() -> "Encoder":
    """The embedded encoder, with its real weights; loaded once, by the first test that asks for it."""
    from index import Encoder

    return Encoder.open()
