"""How often one user may ask in a minute."""

import pytest

from ui.errors import LimitError
from ui.limits import RateLimit


def test_so_many_in_any_minute():
    now = [0.0]
    limit = RateLimit(2, clock=lambda: now[0])
    limit.admit("A")
    now[0] = 50
    limit.admit("A")
    with pytest.raises(LimitError, match="at most 2 questions a minute are answered; ask again in 10 s") as raised:
        limit.admit("A")
    assert raised.value.seconds == 10
    limit.admit("B")
    now[0] = 60
    limit.admit("A")
    with pytest.raises(LimitError, match="again in 50 s"):
        limit.admit("A")


def test_users_who_are_gone_are_forgotten():
    now = [0.0]
    limit = RateLimit(1, clock=lambda: now[0])
    for number in range(100):
        limit.admit(f"user {number}")
    now[0] = 61
    limit.admit("A")
    assert list(limit._asked) == ["A"]


def test_none_means_no_limit():
    limit = RateLimit(0)
    for _ in range(1000):
        limit.admit("A")
