# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns of log-ins: one at a time for an address, a few in all, and a bounded queue."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.access.lockout import FREE
from amiproxy.threads.sessions.guesses import Guesses
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    Try = Callable[..., "Guess"]

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Guess:
    """One log-in in a thread of its own; it is being tried until *over* is set."""

    def __init__(self, guesses: Guesses, address: str) -> None:
        self.is_tried: bool | None = None
        self.is_gone = False
        self.over = threading.Event()
        self._guesses, self._address = guesses, address
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with self._guesses.turn(self._address, lambda: self.is_gone) as is_heard:
            self.is_tried = is_heard
            if is_heard:
                self.over.wait(20)

    def end(self) -> None:
        """Let it be over."""
        self.is_gone = True
        self.over.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def guesses(stopping: threading.Event) -> Guesses:
    return Guesses(stopping, at_once=2, most_waiting=2)


@pytest.fixture
def begin(guesses: Guesses) -> Iterator[Try]:
    """Begin log-ins; nothing is kept of them after the test."""
    begun: list[Guess] = []

    def start(address: str = HERE) -> Guess:
        before = waiting(guesses, address)
        begun.append(Guess(guesses, address))
        made = begun[-1]
        wait_until(lambda: made.is_tried is not None or waiting(guesses, address) > before)
        return made

    yield start
    for each in begun:
        each.end()
    assert guesses.is_empty


def waiting(guesses: Guesses, address: str) -> int:
    """Return how many guesses of *address* wait or are being tried."""
    return len(guesses._queues.get(address, ()))  # noqa: SLF001 - who waits has no other effect


def fail(guesses: Guesses, times: int, address: str = HERE) -> None:
    """Let *address* fail so often."""
    for _ in range(times):
        guesses.failed(address)


def test_guesses_of_one_address_come_in_turn(begin: Try) -> None:
    """In the order in which they came, each when the one before is over."""
    first, *rest = [begin() for _ in range(5)]
    assert [first.is_tried, *(each.is_tried for each in rest)] == [True, *[None] * 4]

    for before, following in zip([first, *rest], rest):
        before.over.set()
        wait_until(lambda: following.is_tried)  # noqa: B023 - called in this turn of the loop
        assert not any(each.is_tried for each in rest[rest.index(following) + 1 :])


def test_a_network_of_ipv6_is_one_address(guesses: Guesses, begin: Try) -> None:
    """And an IPv4 address is itself, however it is written."""
    assert begin("2001:db8::1").is_tried
    assert begin("192.0.2.1").is_tried

    same = [Guess(guesses, each) for each in ("2001:db8::2", "::ffff:192.0.2.1")]

    wait_until(lambda: waiting(guesses, "2001:db8::") == waiting(guesses, "192.0.2.1") == 2)
    assert [each.is_tried for each in same] == [None, None]
    for each in same:
        each.end()


def test_other_addresses_do_not_wait_for_one(begin: Try) -> None:
    """As long as few enough are tried in all; then the one that came first is next."""
    first, second, third = begin(HERE), begin(HERE), begin(THERE)
    assert (first.is_tried, second.is_tried, third.is_tried) == (True, None, True)
    fourth = begin("192.0.2.3")
    fifth = begin("192.0.2.4")
    assert (fourth.is_tried, fifth.is_tried) == (None, None)

    third.over.set()

    wait_until(lambda: fourth.is_tried)
    assert (second.is_tried, fifth.is_tried) == (None, None)


def test_many_may_wait_where_nobody_has_failed(begin: Try) -> None:
    """A program whose requests bring the right secret is not turned away."""
    guesses = [begin() for _ in range(20)]

    assert [each.is_tried for each in guesses] == [True, *[None] * 19]


def test_few_may_wait_where_many_have_failed(guesses: Guesses, begin: Try) -> None:
    """The last ones that came are not tried, nor who comes then; the others wait their turn."""
    first, *rest = [begin() for _ in range(6)]
    other = begin(THERE)

    fail(guesses, FREE + 1)

    wait_until(lambda: [each.is_tried for each in rest] == [None, None, False, False, False])
    assert begin().is_tried is False
    assert other.is_tried
    first.over.set()
    wait_until(lambda: rest[0].is_tried)
    assert rest[1].is_tried is None


def test_the_delay_is_waited_for_in_turn(guesses: Guesses, begin: Try) -> None:
    """Who comes next waits although nobody is tried, and does not keep others from it."""
    fail(guesses, FREE + 5)
    assert guesses.delay(HERE) > 1
    delayed = begin()

    others = [begin(THERE), begin("192.0.2.3")]

    assert [each.is_tried for each in others] == [True, True]
    assert delayed.is_tried is None
    assert guesses.delay(THERE) == 0


def test_a_client_that_leaves_is_not_tried(guesses: Guesses, begin: Try) -> None:
    """Whether it waits for its turn, for the delay, or until few enough are tried."""
    begin(), begin("192.0.2.3")
    for address in (HERE, THERE):
        leaving = begin(address)
        assert leaving.is_tried is None
        leaving.end()
        assert leaving.is_tried is False
    fail(guesses, FREE + 5, "192.0.2.4")
    leaving = begin("192.0.2.4")
    leaving.end()

    assert leaving.is_tried is False


def test_nobody_waits_when_the_proxy_stops(
    guesses: Guesses, begin: Try, stopping: threading.Event
) -> None:
    """Neither for a turn nor for the delay, nor who is held."""
    begin()
    second = begin()
    fail(guesses, FREE + 5)

    stopping.set()

    wait_until(lambda: second.is_tried)
    guesses.hold(lambda: False, 1000)


def test_who_is_held_goes_when_their_client_has_left(guesses: Guesses) -> None:
    """The thread does not stay for it."""
    asked = []

    def gone() -> bool:
        asked.append(1)
        return len(asked) > 2

    guesses.hold(gone, 1000)

    assert len(asked) == 3


def test_turns_hold_whatever_comes_and_goes() -> None:
    """40 threads, 5 addresses, some that leave: never two of an address, never three in all."""
    guesses = Guesses(threading.Event(), at_once=2)
    lock, tried, most, problems = threading.Lock(), [], [0], []

    def run(number: int) -> None:
        address, asked = f"192.0.2.{number % 5}", iter(range(number % 7))
        for _ in range(20):
            with guesses.turn(address, lambda: number % 4 == 0 and next(asked, None) is None) as go:
                if not go:
                    continue
                with lock:
                    if address in tried:
                        problems.append(address)
                    tried.append(address)
                    most[0] = max(most[0], len(tried))
                time.sleep(0)  # lets others in
                with lock:
                    tried.remove(address)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)

    assert not any(each.is_alive() for each in threads)
    assert (problems, most[0] <= 2) == ([], True)
    assert guesses.is_empty


class Elsewhere:
    """What other proxies know of failures; *found* None: nobody knows."""

    def __init__(self, found: tuple[int, float] | None) -> None:
        self.found = found
        self.asked: list[str] = []

    def failed(self, network: str) -> int:
        self.asked.append(f"failed {network}")
        return 0 if self.found is None else self.found[0] + 1

    def known(self, network: str) -> tuple[int, float] | None:
        self.asked.append(f"known {network}")
        return self.found


def test_who_has_failed_elsewhere_waits_here(guesses: Guesses, begin: Try) -> None:
    """As if it had been here."""
    guesses.elsewhere = Elsewhere((FREE + 2, 0.5))  # a second since the last one
    began = time.monotonic()
    guess = begin(HERE)

    wait_until(lambda: guess.is_tried is not None, 10)

    assert guess.is_tried
    assert 0.4 < time.monotonic() - began < 5


def test_what_fails_here_is_counted_everywhere(guesses: Guesses) -> None:
    """And the sum holds from then on."""
    guesses.elsewhere = elsewhere = Elsewhere((FREE + 1, 0.0))

    guesses.failed(HERE)

    assert elsewhere.asked == [f"failed {HERE}"]
    assert 0.5 < guesses.delay(HERE) <= 1.0


def test_who_is_not_known_to_fail_is_not_asked_about_each_time(
    guesses: Guesses, begin: Try
) -> None:
    """Programs of the web log in with each request; a failure has it looked at again."""
    guesses.elsewhere = elsewhere = Elsewhere((0, 0.0))
    for _ in range(3):
        begin(HERE).end()
    assert elsewhere.asked == [f"known {HERE}"]

    guesses.failed(HERE)
    begin(HERE).end()

    assert elsewhere.asked == [f"known {HERE}", f"failed {HERE}", f"known {HERE}"]


def test_what_is_known_here_holds_where_nobody_else_knows(guesses: Guesses, begin: Try) -> None:
    """As while the bus is away."""
    guesses.elsewhere = Elsewhere(None)
    for _ in range(FREE + 1):
        guesses.failed(HERE)
    assert guesses.delay(HERE) > 0.3
    guess = begin(HERE)

    wait_until(lambda: guess.is_tried is not None, 10)

    assert guess.is_tried
    assert guesses.delay(HERE) == 0.0
