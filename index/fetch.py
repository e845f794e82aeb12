"""Fetch from the web as a good guest: what robots.txt allows, slowly, and nothing twice that has not changed.

Which addresses are safe say ``index.addresses`` and ``index.connection``. No cookie is kept, no password sent, no proxy
taken from the environment; redirects and tries are limited here, size and time in ``index.exchange``.
"""

import codecs
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from functools import cache
from http import HTTPStatus
from ssl import SSLCertVerificationError
from typing import NamedTuple

import httpcore
import httpx

from index import addresses
from index.addresses import Resolver, parse_address, printable
from index.config import FetchConfig
from index.errors import FetchError
from index.exchange import Answer, Limits, exchange, user_agent
from index.retry_after import seconds_to_wait
from index.robots import LARGEST as LARGEST_ROBOTS
from index.robots import Robots

_MEGABYTE = 1_000_000
_REDIRECTS = 5
_TRY_AGAIN = (408, 425, 429)
"""Besides 500 and above."""
_FAILED = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpcore.TimeoutException)
_LONGEST_PAUSE = 30.0
"""Seconds that a run waits for a host that asks for patience; where it asks for more, a later run comes back."""
_LONGEST_REST = 86_400.0
_FAILURES = 3
"""Requests to one host that may fail in a row, each after all its tries, before the host is left alone for a while."""
_REST_AFTER_FAILURES = 300.0
_ROBOTS_LIFE = 3600.0
"""Seconds until robots.txt is read again; RFC 9309 allows a day."""
_LONGEST_VALIDATOR = 1024


class Validators(NamedTuple):
    """What a server gave to ask "has it changed since?" with."""

    etag: str | None = None
    modified: str | None = None


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What stood at an address.

    Attributes:
        url: the address, after redirects.
        content: the bytes, unpacked.
        media_type: "text/html"; "" if the server does not say.
        charset: the encoding that the server names, if it is one.
        time: when it was fetched (UTC).
        validators: to ask with next time.
        cut: why this is not all of it, if it is not.
    """

    url: str
    content: bytes
    media_type: str
    charset: str | None
    time: datetime
    validators: Validators = NO_VALIDATORS
    cut: str | None = None


class Fetcher:
    """Fetches, and remembers what each host wants; ``resolve``, ``network`` and ``sleep`` are the system's by default.

    One fetcher serves one thread at a time, as only one run writes to an index.
    """

    def __init__(
        self,
        config: FetchConfig,
        *,
        resolve: Resolver = addresses.resolve,
        network: httpcore.NetworkBackend | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.config = config
        self._resolve = resolve
        self._network = network or httpcore.SyncBackend()
        self._sleep = sleep
        self._robots: dict[str, tuple[float, Robots]] = {}
        self._turns: dict[str, float] = {}
        self._rests: dict[str, tuple[float, str]] = {}
        self._failures: dict[str, int] = {}

    def get(
        self, url: str, *, validators: Validators = NO_VALIDATORS, linked_from: str | None = None
    ) -> Fetched | None:
        """What stands at ``url``, or None if it has not changed since ``validators`` were given.

        ``linked_from`` is the address of the feed that named this one, if no person did: only what a person or a
        trusted host names leads to a trusted host. Raises FetchError.
        """
        asked = {"If-None-Match": validators.etag, "If-Modified-Since": validators.modified}
        headers = {name: value for name, value in asked.items() if value}
        start = parse_address(url)
        where = printable(str(start))
        try:
            address, answer = self._follow(start, headers, linked_from, robots=self.config.robots)
        except FetchError as error:
            if error.where == where:
                raise
            raise FetchError(where, f"leads to {error.where}: {error.reason}", transient=error.transient) from None
        if answer.status == HTTPStatus.NOT_MODIFIED and headers:
            return None
        if answer.status != HTTPStatus.OK:
            raise FetchError(where, f"the server answers {_status(answer.status)}")
        message = Message()
        message["content-type"] = answer.headers.get("content-type", "")
        return Fetched(
            url=str(address),
            content=answer.content,
            media_type=message.get_content_type() if message["content-type"] else "",
            charset=_known_charset(message.get_content_charset()),
            time=datetime.now(tz=UTC),
            validators=Validators(_validator(answer, "etag"), _validator(answer, "last-modified")),
            cut=answer.cut,
        )

    def _follow(
        self, address: httpx.URL, headers: dict[str, str], linked_from: str | None, *, robots: bool, largest: int = 0
    ) -> tuple[httpx.URL, Answer]:
        """The last answer after redirects, each checked like the first address, and the address it came from."""
        limits = Limits(largest or self.config.megabytes * _MEGABYTE, self.config.seconds)
        visited: list[httpx.URL] = []
        while address not in visited:
            if len(visited) > _REDIRECTS:
                raise FetchError(printable(str(visited[0])), f"more than {_REDIRECTS} redirects")
            visited.append(address)
            if robots:
                self._heed_robots(address, linked_from)
            answer = self._ask(address, headers, linked_from, limits)
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
                return address, answer
            linked_from, address = str(address), parse_address(answer.headers["location"], base=str(address))
        raise FetchError(printable(str(visited[0])), "redirects in a circle")

    def _heed_robots(self, address: httpx.URL, linked_from: str | None) -> None:
        origin = _origin(address)
        name = user_agent().partition("/")[0]
        read, rules = self._robots.get(origin, (0.0, None))
        if rules is None or time.monotonic() - read > _ROBOTS_LIFE:
            file = httpx.URL(f"{origin}/robots.txt")
            try:
                _, answer = self._follow(file, {}, linked_from, robots=False, largest=LARGEST_ROBOTS)
            except FetchError as error:
                raise FetchError(printable(str(address)), error.reason, transient=error.transient) from None
            # No answer and one of 500 or more have raised; every other means that there are no rules (RFC 9309, 2.3.1).
            text = answer.content.decode("utf-8", "replace") if answer.status == HTTPStatus.OK else ""
            rules = Robots(text, name)
            self._robots[origin] = time.monotonic(), rules
        if not rules.allows(str(address)):
            raise FetchError(printable(str(address)), "robots.txt of this host does not allow it")

    def _ask(self, address: httpx.URL, headers: dict[str, str], linked_from: str | None, limits: Limits) -> Answer:
        """One answer, after as many tries as it takes and the configuration allows."""
        where, host = printable(str(address)), _server(address)
        trusted = self.config.trusted_hosts
        private = address.host in trusted and (linked_from is None or httpx.URL(linked_from).host in trusted)
        for number in range(1, self.config.tries + 1):
            self._wait_turn(address, where)
            pause = 0.0
            try:
                answer = exchange(
                    address,
                    headers,
                    limits=limits,
                    private=private,
                    resolve=self._resolve,
                    network=self._network,
                    proxy=self.config.proxy,
                )
            except _FAILED as error:
                failure = FetchError(where, _reason(error, limits.seconds), transient=True)
                if isinstance(error.__context__, SSLCertVerificationError):
                    break
            else:
                if answer.status < 500 and answer.status not in _TRY_AGAIN:
                    self._failures.pop(host, None)
                    return answer
                failure = FetchError(where, f"the server answers {_status(answer.status)}", transient=True)
                if (pause := seconds_to_wait(answer.headers.get("retry-after", ""))) > _LONGEST_PAUSE:
                    self._rest(host, pause, "asked for it")
                    break
            if number < self.config.tries:
                # Exponential back-off with jitter: hosts that broke down together are not asked again together.
                self._sleep(max(pause, min(2.0**number, _LONGEST_PAUSE) * random.uniform(0.5, 1)))  # noqa: S311
        self._failures[host] = self._failures.get(host, 0) + 1
        if self._failures[host] >= _FAILURES:
            self._rest(host, _REST_AFTER_FAILURES, f"failed {self._failures[host]} times")
        raise failure

    def _rest(self, host: str, seconds: float, why: str) -> None:
        until = time.monotonic() + min(seconds, _LONGEST_REST)
        if until > self._rests.get(host, (0.0, ""))[0]:
            self._rests[host] = until, why

    def _wait_turn(self, address: httpx.URL, where: str) -> None:
        """Keep the distance between two requests that the configuration and the host want."""
        host, now = _server(address), time.monotonic()
        until, why = self._rests.get(host, (now, ""))
        if until > now:
            minutes = math.ceil((until - now) / 60)
            raise FetchError(where, f"{host} is left alone for {minutes} more minutes: it {why}", transient=True)
        _, rules = self._robots.get(_origin(address), (0.0, None))
        turn = max(now, self._turns.get(host, now))
        self._turns[host] = turn + max(self.config.delay, rules.delay if rules else 0.0)
        if turn > now:
            self._sleep(turn - now)


@cache
def fetcher_for(config: FetchConfig) -> Fetcher:
    """The one fetcher of this process for a configuration: all places and rounds share what it knows of the hosts."""
    return Fetcher(config)


def _server(address: httpx.URL) -> str:
    return address.netloc.decode("ascii")


def _origin(address: httpx.URL) -> str:
    return f"{address.scheme}://{_server(address)}"


def _validator(answer: Answer, name: str) -> str | None:
    value = answer.headers.get(name)
    return value if value and value.isascii() and len(value) <= _LONGEST_VALIDATOR else None


def _known_charset(name: str | None) -> str | None:
    try:
        return codecs.lookup(name).name if name else None
    except (LookupError, ValueError):
        return None


def _status(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _reason(error: Exception, seconds: float) -> str:
    detail = " ".join(str(error).split())
    if isinstance(error, httpcore.ReadTimeout | httpcore.WriteTimeout):
        return f"no answer within {seconds:g} seconds"
    if isinstance(error, httpcore.ConnectTimeout):
        return "the host cannot be reached"
    if isinstance(error.__context__, SSLCertVerificationError):
        return f"its certificate is not valid: {error.__context__.verify_message}"
    if isinstance(error, httpcore.ProtocolError):
        return f"the server does not speak HTTP rightly: {detail}"
    return f"the connection failed: {detail}"
