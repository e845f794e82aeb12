"""Connecting to a Ray cluster that is not there, and what Ray's errors say in one line."""

import socket
import sys

import pytest

from index import ray_session
from index.errors import ClusterError, ConfigError, ModelError
from index.ray_session import Installation, as_kabar_error, connect, installation, require_same


@pytest.mark.parametrize("address", ["nonsense", "http://head:6379", "ray://head:10001", "head:99999", "head:0", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with (
        pytest.raises(ClusterError, match="is no address of a Ray cluster; name its head as HOST:PORT"),
        connect(address),
    ):
        pass


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    refused = rf"no Ray cluster at 127\.0\.0\.1:{port} \(Connection refused\)"
    with pytest.raises(ClusterError, match=refused), connect(f"127.0.0.1:{port}"):
        pass


def test_what_listens_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        late = "what listens there did not answer within 1 s"
        with pytest.raises(ClusterError, match=late), connect(address, seconds=1):
            pass


def test_ray_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r'pip install "kabar\[ray\]"'), connect("auto"):
        pass


def test_ray_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    with pytest.raises(ClusterError), connect("nonsense"):
        pass
    from ray._common.usage import usage_lib

    assert not usage_lib.usage_stats_enabled()


def test_the_same_kabar_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    require_same(installation())
    other = Installation("9.9", "0" * 12)
    with pytest.raises(ClusterError) as caught:
        require_same(other)
    assert str(installation()) in str(caught.value)
    assert "kabar 9.9 (sources 000000000000)" in str(caught.value)


def test_one_changed_line_is_another_kabar(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "__init__.py").write_text("")
    monkeypatch.setattr(ray_session, "find_spec", lambda name: _Spec(tmp_path / name))
    first = installation.__wrapped__()
    (tmp_path / "index" / "__init__.py").write_text("CHANGED = 1")
    assert installation.__wrapped__().sources != first.sources


class _Spec:
    def __init__(self, folder) -> None:
        self.submodule_search_locations = [str(folder)]


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        (
            "The actor died\n  Traceback\nindex.errors.ModelError: no weights; install\n",
            ModelError,
            "no weights; install",
        ),
        ("x\n\x1b[36mindex.errors.ConfigError: unknown key\x1b[39m", ConfigError, "unknown key"),
        ("x\nindex.errors.StoreError: no disk", ClusterError, "no disk"),
        ("x\nModuleNotFoundError: No module named 'index.ray_indexing'", ClusterError, "a worker has no kabar"),
        (
            "died because of an error raised in its creation task\nOSError: no disk",
            ClusterError,
            "failed: OSError: no disk",
        ),
        ("Lost the head.\n\nSee the logs", ClusterError, "the cluster failed: Lost the head."),
    ],
)
def test_errors_of_ray_are_one_line(text: str, kind: type[Exception], line: str) -> None:
    error = as_kabar_error(RuntimeError(text))
    assert type(error) is kind
    assert line in str(error)
    assert "\n" not in str(error)


def test_an_error_of_kabar_comes_through() -> None:
    error = RuntimeError("wrapped")
    error.cause = ModelError("no weights")
    assert as_kabar_error(error) is error.cause
