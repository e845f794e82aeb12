"""Connections to addresses that were checked, within a time that no server can stretch.

A name is resolved once, every address that it has is checked, and the connection goes to one of these very addresses:
a name server that would answer differently the second time is not asked a second time. TLS and the Host header carry
the name all the same. What a request does (connection, handshake, every read) shares one deadline, so that a server
that sends a byte a minute cannot hold a run.
"""

import socket
import time
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore

from index.addresses import Resolver, is_public
from index.errors import FetchError

_LONGEST_CONNECT = 10.0
"""Seconds for one address: where there are several, the next may be reachable."""


class Deadline:
    """The moment, ``seconds`` from now, when a request has to be done."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left. Raises httpcore.ReadTimeout if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


class CheckedBackend(httpcore.NetworkBackend):
    """Makes the connections of one request; ``private`` allows hosts whose addresses are not public.

    ``where`` names the request in errors. ``network`` is what connects, to an IP address.
    """

    def __init__(
        self, where: str, resolve: Resolver, deadline: Deadline, network: httpcore.NetworkBackend, *, private: bool
    ) -> None:
        self._where = where
        self._resolve = resolve
        self._deadline = deadline
        self._network = network
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- the deadline decides
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. Raises FetchError, httpcore.ConnectError or ConnectTimeout."""
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in self._addresses(host, port):
            limit = min(self._deadline.left(), _LONGEST_CONNECT)
            try:
                stream = self._network.connect_tcp(address, port, limit, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            if getattr(error, "errno", None) == socket.EAI_AGAIN:
                raise httpcore.ConnectError("the name server does not answer") from None
            raise FetchError(self._where, f"there is no host {host}; check the address", transient=True) from None
        if not self._private:
            refuse_private(self._where, host, addresses)
        return addresses


def refuse_private(where: str, host: str, addresses: Iterable[str]) -> None:
    """Raise FetchError if one of a host's addresses is not public."""
    for address in addresses:
        if not is_public(address):
            raise FetchError(
                where,
                f"the host {host} is at {address}, not on the public internet; if it is to be trusted, name it in"
                " fetch.trusted_hosts",
            )


class _Stream(httpcore.NetworkStream):
    """A stream whose every step has only the time that is left."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 -- the deadline decides
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._deadline.left())

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
