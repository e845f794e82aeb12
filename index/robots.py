"""What robots.txt allows (RFC 9309), read by protego."""

from protego import Protego

LARGEST = 512_000
"""Bytes of a robots.txt that are read; RFC 9309 asks for at least 500 KiB."""

_LONGEST_DELAY = 60.0
"""Seconds between two requests, whatever a host asks for: a delay of a day would hold the run for ever."""


class Robots:
    """The rules of one host for one robot, which ``name`` is."""

    def __init__(self, text: str, name: str) -> None:
        self._rules = Protego.parse(text)
        self._name = name

    def allows(self, url: str) -> bool:
        """Whether the address may be fetched."""
        return self._rules.can_fetch(url, self._name)

    @property
    def delay(self) -> float:
        """Seconds that the host wants between two requests; 0 if it does not say."""
        wanted = self._rules.crawl_delay(self._name) or 0.0
        return min(max(wanted, 0.0), _LONGEST_DELAY) if wanted == wanted else 0.0  # noqa: PLR0124 -- not a number
