# SPDX-License-Identifier: GPL-2.0-or-later
"""Few clients' threads work at a time, in the order in which they came."""

from __future__ import annotations

import functools
import sys
import threading

import pytest

from amiproxy.threads.sessions.turnstile import Queue, Turnstile
from tests.support import wait_until


class Worker:
    """A thread that takes a turn, says so in *order*, and keeps the turn until it is let go."""

    def __init__(self, number: int, queue: Queue, stile: Turnstile, order: list[int]) -> None:
        self.go = threading.Event()

        def work() -> None:
            stile.take(queue)
            order.append(number)
            self.go.wait(10)
            stile.end()

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def finish(self) -> None:
        """Let it end its turn."""
        self.go.set()
        self.thread.join(10)


def has_come(number: int, queue: Queue | None, order: list[int]) -> bool:
    """Return whether more than *number* threads have their turn, or wait in *queue*."""
    return len(order) + (0 if queue is None else len(queue.waiting)) > number


def queue_up(stile: Turnstile, queue: Queue, count: int, order: list[int]) -> list[Worker]:
    """Start *count* threads that want a turn of *queue*, one after the other."""
    workers = []
    for number in range(count):
        workers.append(Worker(number, queue, stile, order))
        wait_until(functools.partial(has_come, number, queue, order))
    return workers


def test_turns_come_in_the_order_of_arrival() -> None:
    """So nobody starves behind those that come back at once."""
    stile, order = Turnstile(places=2), []  # type: Turnstile, list[int]
    workers = queue_up(stile, stile.first, 5, order)
    assert sorted(order) == [0, 1]

    for done in range(1, 4):
        workers[done - 1].finish()
        wait_until(functools.partial(has_come, done + 1, None, order))

    assert order[2:] == [2, 3, 4]
    for worker in workers:
        worker.finish()
    assert not stile.first.holders


def test_who_does_much_holds_up_nobody_who_asks_one_thing() -> None:
    """First blocks and further ones have queues of their own."""
    stile, order = Turnstile(places=1), []  # type: Turnstile, list[int]
    workers = queue_up(stile, stile.further, 3, order)

    stile.take(stile.first)
    stile.end()

    assert order == [0]
    for worker in workers:
        worker.finish()


def test_a_thread_that_goes_on_lets_those_go_first_that_wait() -> None:
    """After each block, however many it has."""
    stile, order = Turnstile(), []  # type: Turnstile, list[int]
    stile.take(stile.first)
    stile.pass_on()
    assert not stile.first.holders
    worker = queue_up(stile, stile.further, 1, order)[0]
    worker.go.set()

    stile.pass_on()

    assert order == [0]
    stile.pass_on()  # nobody waits
    stile.end()
    stile.end()
    worker.finish()
    assert not stile.further.holders


def test_who_waits_for_something_else_has_no_turn_meanwhile() -> None:
    """And has it again after that, whatever it was."""
    stile = Turnstile()
    stile.take(stile.further)

    def fail() -> None:
        with stile.outside():
            assert not stile.further.holders
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert stile.further.holders
    stile.end()
    with stile.outside():
        pass
    assert not stile.further.holders


def test_a_thread_that_never_ends_its_turn_loses_it() -> None:
    """An I/O handler of the administrator's that hangs hurts its own client only."""
    stile, order = Turnstile(patience=0.02), []  # type: Turnstile, list[int]
    hanging = Worker(0, stile.further, stile, order)
    wait_until(lambda: order)

    workers = [Worker(number, stile.further, stile, order) for number in (1, 2, 3)]
    for worker in workers:
        worker.go.set()
    wait_until(lambda: len(order) == 4)

    hanging.finish()
    assert not stile.further.holders
    for worker in workers:
        worker.finish()


def test_a_crowd_changes_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands that have just woken up would else send each other away all the time."""
    said: list[float] = []
    monkeypatch.setattr(sys, "setswitchinterval", said.append)
    queue = Queue(1)
    with queue.lock:
        for thread in range(200):
            queue.join(thread)
        assert said == [0.1]
        for _ in range(200):
            queue.let_in()
    assert said == [0.1, sys.getswitchinterval()]
