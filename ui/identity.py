"""Who makes a request, as the layer before all routes has found out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Stands in the ASGI scope as "user"; ``address`` is that of the machine that asks.

    ``display_name`` is what was signed in with, as with Starlette's users; "" where nobody has to sign in.
    """

    display_name: str = ""
    address: str = ""

    @property
    def key(self) -> str:
        """What turns and limits are counted by."""
        return f"user {self.display_name}" if self.display_name else f"address {self.address}"


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Who makes the request of this ASGI scope."""
    found = scope.get("user")
    return found if isinstance(found, Caller) else Caller()
