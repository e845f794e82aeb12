"""The queue before the assistant: its order, its bounds, and what becomes of those who leave."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.errors import LimitError
from ui.fair_queue import FairQueue, Waiting


def served_in_order(queue, tickets):
    """Users in the order in which their tickets are served, each leaving before the next."""
    order, left = [], list(tickets)
    while left:
        (now,) = [ticket for ticket in left if ticket.served]
        order.append(now.user)
        left.remove(now)
        now.leave()
    return order


def test_everybody_who_waits_gets_one_answer_before_anybody_gets_a_second():
    queue = FairQueue(at_once=1)
    tickets = [queue.join(user) for user in "XAAAABBC"]
    assert served_in_order(queue, tickets) == list("XABCABAA")


def test_as_many_as_allowed_are_served_at_once():
    queue = FairQueue(at_once=2)
    first, second, third = (queue.join(user) for user in "ABC")
    assert (first.served, second.served, third.served) == (True, True, False)
    assert (len(queue), queue.serving) == (1, 2)
    second.leave()
    assert third.served
    assert (len(queue), queue.serving) == (0, 2)


def test_more_are_served_when_it_is_widened_and_fewer_when_it_is_narrowed():
    queue = FairQueue()
    first, second, third = (queue.join(user) for user in "ABC")
    queue.widen(1)
    assert (first.served, second.served, third.served) == (True, True, False)
    queue.widen(-1)
    first.leave()
    assert not third.served
    second.leave()
    assert third.served


def test_who_leaves_the_line_is_not_served():
    queue = FairQueue()
    with queue.join("A"):
        gone, stays = queue.join("B"), queue.join("C")
        gone.leave()
        gone.leave()
    assert stays.served
    assert not gone.served
    stays.leave()
    assert (len(queue), queue.serving) == (0, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("ABCD"), min_size=2, max_size=12))
def test_the_place_is_the_number_of_answers_that_come_first(users):
    queue = FairQueue()
    tickets = [queue.join(user) for user in users]
    places = {ticket: queue.place(ticket) for ticket in tickets[1:]}
    tickets[0].leave()
    for number in range(len(places)):
        (now,) = [ticket for ticket in places if ticket.served and not ticket.left]
        assert places[now] == number
        now.leave()


def test_one_user_cannot_fill_the_queue():
    queue = FairQueue(per_user=2)
    tickets = [queue.join("A"), queue.join("A")]
    with pytest.raises(LimitError, match="2 questions of yours wait already"):
        queue.join("A")
    other = queue.join("B")
    tickets[0].leave()
    tickets.append(queue.join("A"))
    assert served_in_order(queue, [*tickets[1:], other]) == ["A", "B", "A"]


def test_a_full_queue_says_when_to_come_back():
    queue = FairQueue(waiting=1)
    queue.join("A")
    queue.join("B")
    with pytest.raises(LimitError, match="too many questions are waiting") as raised:
        queue.join("C")
    assert raised.value.seconds > 0


def test_those_who_wait_are_told_their_place():
    queue = FairQueue()
    tickets = [queue.join(user) for user in "ABC"]
    places = tickets[2].until_served(beat=0.01)
    assert next(places) == Waiting(2)
    tickets[0].leave()
    assert next(places) == Waiting(1)
    tickets[1].leave()
    assert list(places) == []


def test_fifty_users_are_served_alike_and_none_is_lost():
    """Users who ask as often as they can, one of them from ten places at once: all get their share."""
    queue = FairQueue(per_user=10)
    served: list[str] = []
    stop = threading.Event()

    def ask(user: str) -> None:
        while not stop.is_set():
            with queue.join(user) as ticket:
                assert all(isinstance(event, Waiting) for event in ticket.until_served())
                served.append(user)
                if len(served) >= 1000:
                    stop.set()
                time.sleep(0)

    users = [f"user {number}" for number in range(49)] + ["greedy"] * 10
    threads = [threading.Thread(target=ask, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(queue), queue.serving) == (0, 0)
    steady = served[200:1000]
    shares = {user: steady.count(user) for user in set(users)}
    assert max(shares.values()) <= 1.5 * len(steady) / len(shares)
    assert min(shares.values()) > 0
