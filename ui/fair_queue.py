"""Whose question comes next: of those who wait, everybody gets one answer before anybody gets a second.

The order is round-robin over users; within a user's questions, the order in which they were asked. This is fair
queueing with every answer counted as equally long (Nagle, RFC 970).
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from ui.errors import LimitError


class Waiting(NamedTuple):
    """An event before those of the answer: the ``place`` in the queue; 1 is the next to be answered."""

    place: int


class FairQueue:
    """A queue before something that serves ``at_once`` callers at a time. Safe to use from several threads."""

    def __init__(self, *, at_once: int = 1, waiting: int = 200, per_user: int = 10) -> None:
        """``waiting``: questions that may wait in all; ``per_user``: those of one user that may wait or be answered."""
        self.at_once = at_once
        self.waiting = waiting
        self.per_user = per_user
        self._changing = threading.Lock()
        # Users in the order in which they are served next, each with the tickets that wait.
        self._lines: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._served: dict[str, int] = {}

    def __len__(self) -> int:
        """How many wait."""
        with self._changing:
            return sum(map(len, self._lines.values()))

    @property
    def serving(self) -> int:
        """How many are being served."""
        with self._changing:
            return sum(self._served.values())

    def widen(self, more: int) -> None:
        """Serve so many ``more`` callers at a time from now on; fewer if it is negative."""
        with self._changing:
            self.at_once += more
            self._serve()

    def join(self, user: str) -> "Ticket":
        """A ticket for one question, to be used in a ``with`` statement. Raises LimitError."""
        with self._changing:
            line = self._lines.get(user, deque())
            if len(line) + self._served.get(user, 0) >= self.per_user:
                raise LimitError(f"{self.per_user} questions of yours wait already; ask again when one is answered", 5)
            if sum(map(len, self._lines.values())) >= self.waiting:
                raise LimitError("too many questions are waiting; ask again in half a minute", 30)
            ticket = Ticket(self, user)
            line.append(ticket)
            self._lines[user] = line
            self._serve()
        return ticket

    def place(self, ticket: "Ticket") -> int:
        """How many of those who wait are served before this one."""
        with self._changing:
            line = self._lines.get(ticket.user)
            if not line or ticket not in line:
                return 0
            before, seen_own = line.index(ticket), False
            found = before
            for user, others in self._lines.items():
                if user == ticket.user:
                    seen_own = True
                else:
                    found += min(len(others), before if seen_own else before + 1)
            return found

    def leave(self, ticket: "Ticket") -> None:
        """Give the place up, before or after the turn has come; a second time does nothing."""
        with self._changing:
            if ticket.left:
                return
            ticket.left = True
            if ticket.served:
                self._served[ticket.user] -= 1
                if not self._served[ticket.user]:
                    del self._served[ticket.user]
            else:
                line = self._lines[ticket.user]
                line.remove(ticket)
                if not line:
                    del self._lines[ticket.user]
            self._serve()

    def _serve(self) -> None:
        while self._lines and sum(self._served.values()) < self.at_once:
            user, line = self._lines.popitem(last=False)
            line.popleft().turn.set()  # nobody else is woken: fifty may wait
            self._served[user] = self._served.get(user, 0) + 1
            if line:
                self._lines[user] = line  # at the end now: the others come first


class Ticket:
    """A place in the queue, given up at the end of the ``with`` statement."""

    def __init__(self, queue: FairQueue, user: str) -> None:
        self.queue = queue
        self.user = user
        self.turn = threading.Event()
        self.left = False

    @property
    def served(self) -> bool:
        """Whether the turn has come."""
        return self.turn.is_set()

    def until_served(self, beat: float = 2.0) -> Iterator[Waiting]:
        """The place in the queue, told every ``beat`` seconds until the turn has come."""
        while not self.served:
            yield Waiting(self.queue.place(self) + 1)
            self.turn.wait(beat)

    def leave(self) -> None:
        """Let the next one in."""
        self.queue.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
