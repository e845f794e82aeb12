"""How often one user may ask."""

import threading
import time
from collections import deque
from collections.abc import Callable

from ui.errors import LimitError

_MINUTE = 60.0


class RateLimit:
    """At most so many questions of one user in any minute. Safe to use from several threads."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``per_minute``: 0 for any number."""
        self.per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[str, deque[float]] = {}

    def admit(self, user: str) -> None:
        """Count one question. Raises LimitError if it is one too many."""
        if not self.per_minute:
            return
        with self._lock:
            now = self._clock()
            self._forget(now)
            asked = self._asked.setdefault(user, deque())
            if len(asked) >= self.per_minute:
                seconds = asked[0] + _MINUTE - now
                raise LimitError(
                    f"at most {self.per_minute} questions a minute are answered; ask again in {seconds:.0f} s", seconds
                )
            asked.append(now)

    def _forget(self, now: float) -> None:
        for user in list(self._asked):
            asked = self._asked[user]
            while asked and asked[0] <= now - _MINUTE:
                asked.popleft()
            if not asked:
                del self._asked[user]
