"""Which addresses may be fetched from: public ones, so that no feed can make kabar ask this computer or its network.

The blocks are those that IANA's special-purpose registries call not globally reachable. They are written out because
``ipaddress.is_global`` differs between versions of Python and calls some of them global (fec0::/10, 2002::/16).
"""

import re
import socket
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from index.errors import FetchError

Resolver = Callable[[str, int], list[str]]
"""Host and port -> the host's IP addresses; raises OSError."""

_NOT_PUBLIC_4 = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "168.63.129.16/32"  # public by number, but it serves machines in Azure their own metadata
)
# Of IPv6 only 2000::/3 is handed out. Not public within it: protocol assignments (Teredo among them), documentation,
# and 6to4, which would carry an IPv4 address past this list.
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
_NAT64 = IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9._:-]+")
_LONGEST_ADDRESS = 4096


@lru_cache(maxsize=1)
def _blocks() -> tuple[list[IPv4Network], list[IPv6Network]]:
    return [IPv4Network(block) for block in _NOT_PUBLIC_4.split()], [IPv6Network(b) for b in _NOT_PUBLIC_6.split()]


def is_public(address: str) -> bool:
    """Whether an IP address (dotted or with colons) belongs to a host on the internet. False for what is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        elif parsed in _NAT64:
            parsed = IPv4Address(parsed.packed[-4:])
    blocks_4, blocks_6 = _blocks()
    if isinstance(parsed, IPv4Address):
        return not any(parsed in block for block in blocks_4)
    return parsed in _PUBLIC_6 and not any(parsed in block for block in blocks_6)


def parse_address(text: str, *, base: str | None = None) -> httpx.URL:
    """A web address, made absolute with ``base`` and without its fragment.

    Raises FetchError if it is none, is neither http nor https, or holds a user name or a password.
    """
    text = text.strip()
    shown = printable(text)
    if len(text) > _LONGEST_ADDRESS:
        raise FetchError(shown, f"an address of {len(text)} characters; at most {_LONGEST_ADDRESS} are taken")
    try:
        url = httpx.URL(base).join(text) if base else httpx.URL(text)
        url = url.copy_with(fragment=None)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise FetchError(
            shown, f"not a web address ({' '.join(str(error).split())}); write https://host/path"
        ) from None
    if url.scheme not in ("http", "https"):
        raise FetchError(shown, "only http and https addresses are fetched")
    if host and (not _HOST.fullmatch(host) or not 0 < (80 if url.port is None else url.port) < 65536):
        raise FetchError(shown, "not a web address (no host is called so); write https://host/path")
    if not host:
        raise FetchError(shown, "an address without a host; write https://host/path")
    if url.userinfo:
        raise FetchError(shown, "an address with a user name or password; kabar sends none, take it out")
    return url


def printable(address: str) -> str:
    """An address as it may stand in a message: one line, no password, not too long."""
    scheme, found, rest = address.partition("//")
    if found:
        authority, slash, path = rest.partition("/")
        rest = authority.rpartition("@")[2] + slash + path
    line = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in scheme + found + rest
    )
    return line if len(line) <= 200 else line[:199] + "…"


def same_site(one: str, other: str) -> bool:
    """Whether two addresses are on the same host, or one's host is below the other's (www, m and amp aside)."""
    try:
        hosts = [httpx.URL(address).host.removesuffix(".") for address in (one, other)]
    except (httpx.InvalidURL, ValueError):
        return False
    first, second = (
        host.split(".", 1)[1]
        if host.split(".", 1)[0] in ("www", "m", "mobile", "amp") and host.count(".") > 1
        else host
        for host in hosts
    )
    return bool(first) and (first == second or first.endswith(f".{second}") or second.endswith(f".{first}"))


def resolve(host: str, port: int) -> list[str]:
    """The system's answer: IP addresses of ``host`` in the order to try them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
