"""One request and its answer, within limits of time and size."""

import contextlib
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, metadata
from ssl import SSLContext
from typing import NamedTuple

import httpcore
import httpx

from index.addresses import Resolver, printable
from index.connection import CheckedBackend, Deadline, refuse_private
from index.errors import FetchError
from index.unpacking import unpack

_HEADERS = {
    "Accept": "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, application/xml, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",
}
_ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}


class Answer(NamedTuple):
    """What a server answered; ``content`` only with status 200, unpacked; ``cut`` says why it is not all of it."""

    status: int
    headers: dict[str, str]
    content: bytes = b""
    cut: str | None = None


class Limits(NamedTuple):
    """Bytes that are read, unpacked, and seconds that a request may take in all."""

    size: int
    seconds: float


@cache
def user_agent() -> str:
    """Name, version and home page of kabar, as far as its package tells them."""
    try:
        package = metadata("kabar")
    except PackageNotFoundError:
        return "kabar"
    home = dict(entry.split(", ", 1) for entry in package.get_all("Project-URL") or ()).get("Homepage")
    return f"kabar/{package['Version']}" + (f" (+{home})" if home else "")


@cache
def _tls() -> SSLContext:
    return httpcore.default_ssl_context()


def _text(header: bytes) -> str:
    """A header's characters; addresses in it that are not in ASCII are UTF-8 more often than anything else."""
    try:
        return header.decode("utf-8").strip()
    except UnicodeDecodeError:
        return header.decode("latin-1").strip()


def exchange(
    address: httpx.URL,
    headers: Mapping[str, str],
    *,
    limits: Limits,
    private: bool,
    resolve: Resolver,
    network: httpcore.NetworkBackend,
    proxy: str | None = None,
) -> Answer:
    """Ask for ``address`` once. ``private``: its host may have an address that is not public.

    A ``proxy`` resolves names itself and has to see to where they lead; what they are here is checked all the same.
    Raises FetchError, and httpcore's NetworkError, ProtocolError, ProxyError and TimeoutException.
    """
    deadline = Deadline(limits.seconds)
    where = printable(str(address))
    if proxy and not private:
        with contextlib.suppress(OSError, UnicodeError):
            refuse_private(where, address.host, resolve(address.host, address.port or 80))
    backend = CheckedBackend(where, resolve, deadline, network, private=private or proxy is not None)
    through = httpcore.Proxy(proxy) if proxy else None
    target = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=address.raw_path)
    sent = {
        "Host": address.netloc.decode("ascii"),
        "User-Agent": user_agent(),
        **_HEADERS,
        **headers,
    }
    with (
        httpcore.ConnectionPool(_tls(), through, max_keepalive_connections=0, network_backend=backend) as pool,
        pool.stream("GET", target, headers=list(sent.items())) as response,
    ):
        received = {_text(name).lower(): _text(value) for name, value in response.headers}
        if response.status != HTTPStatus.OK:
            return Answer(response.status, received)
        pieces: Iterable[bytes] = response.iter_stream()
        if (encoding := received.get("content-encoding", "").lower()) not in ("identity", ""):
            if encoding not in _ENCODINGS:
                raise FetchError(where, f"sent packed as {encoding[:40]!r}, which was not asked for")
            pieces = unpack(pieces, _ENCODINGS[encoding])
        content = bytearray()
        cut = None
        try:
            for piece in pieces:
                content += piece
                if len(content) > limits.size:
                    del content[limits.size :]
                    cut = f"larger than {limits.size / 1e6:g} MB"
                    break
        except httpcore.TimeoutException:
            if not content:
                raise
            cut = f"not complete within {limits.seconds:g} s"
        except zlib.error:
            raise FetchError(where, "damaged on the way: it cannot be unpacked", transient=True) from None
        return Answer(response.status, received, bytes(content), cut)
