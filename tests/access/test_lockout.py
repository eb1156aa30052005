# SPDX-License-Identifier: GPL-2.0-or-later
"""The delay after failed log-ins grows per address, and memory is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import lockout
from amiproxy.access.lockout import Lockout


def fail(book: Lockout, address: str, times: int, now: float = 0.0) -> None:
    """Note *times* failures of *address* at the moment *now*."""
    for _ in range(times):
        book.failed(address, now)


def test_the_wait_grows_after_free_tries() -> None:
    """A few mistakes cost nothing, then each doubles the wait up to a limit."""
    book = Lockout()
    waits = []
    for _ in range(12):
        book.failed("192.0.2.7", now=0.0)
        waits.append(book.wait("192.0.2.7", now=0.0))

    assert waits == [0, 0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_other_addresses_do_not_wait() -> None:
    """Failures of one address say nothing about another."""
    book = Lockout()
    fail(book, "192.0.2.7", 10)

    assert book.wait("192.0.2.7", now=0.0) == 30.0
    assert book.wait("192.0.2.8", now=0.0) == 0.0


def test_the_wait_passes_and_the_record_is_forgotten() -> None:
    """After FORGET seconds without a failure the free tries are there again."""
    book = Lockout()
    fail(book, "192.0.2.7", 5, now=100.0)

    assert book.wait("192.0.2.7", now=100.25) == 0.75
    assert book.wait("192.0.2.7", now=101.5) == 0.0
    fail(book, "192.0.2.7", 3, now=101.0 + lockout.FORGET)
    assert book.wait("192.0.2.7", now=101.0 + lockout.FORGET) == 0.0


def test_a_success_after_the_wait_does_not_clear_the_record() -> None:
    """The next failure waits longer than the one before."""
    book = Lockout()
    fail(book, "192.0.2.7", 5)

    book.failed("192.0.2.7", now=2.0)

    assert book.wait("192.0.2.7", now=2.0) == 2.0


def test_ipv6_neighbours_count_as_one() -> None:
    """A client usually has a whole /64, so its addresses share a record."""
    book = Lockout()
    for i in range(9):
        book.failed(f"2001:db8::{i:x}", now=0.0)

    assert book.wait("2001:db8::ffff", now=0.0) == 16.0
    assert book.wait("2001:db8:0:1::1", now=0.0) == 0.0


def test_an_ipv4_address_written_as_ipv6_is_the_same() -> None:
    """A socket for both families names IPv4 clients so."""
    book = Lockout()
    fail(book, "::ffff:192.0.2.7", 4)

    assert book.wait("192.0.2.7", now=0.0) == 0.5


def test_memory_is_bounded() -> None:
    """However many addresses fail, only the latest are remembered."""
    book = Lockout(most=10)
    for i in range(100):
        fail(book, f"192.0.2.{i}", 4)

    assert len(book) == 10
    assert book.wait("192.0.2.99", now=0.0) == 0.5
    assert book.wait("192.0.2.1", now=0.0) == 0.0


def test_an_address_that_goes_on_failing_is_not_forgotten() -> None:
    """Others that fail once do not displace it."""
    book = Lockout(most=10)
    for i in range(100):
        book.failed("192.0.2.200", now=float(i))
        book.failed(f"192.0.2.{i}", now=float(i))

    assert book.wait("192.0.2.200", now=99.0) == lockout.LONGEST


@given(st.lists(st.tuples(st.text(max_size=50), st.floats(0, 1000)), max_size=30))
def test_any_address_is_counted(events: list[tuple[str, float]]) -> None:
    """Noise as an address neither raises nor waits longer than the limit."""
    book = Lockout(most=5)
    for address, step in events:
        book.failed(address, step)
        assert 0 <= book.wait(address, step) <= lockout.LONGEST
        assert len(book) <= 5


def test_failures_elsewhere_count_where_they_are_more() -> None:
    """From when the last one was; what is known here is never made less."""
    book = Lockout()
    book.learn("192.0.2.1", lockout.FREE + 2, 0.25, 1000.0)
    assert book.wait("192.0.2.1", 1000.0) == pytest.approx(2 * lockout.FIRST - 0.25)
    book.learn("192.0.2.1", lockout.FREE + 1, 0.0, 1000.0)
    book.learn("192.0.2.1", lockout.FREE + 3, 300.0, 1000.0)
    assert book.wait("192.0.2.1", 1000.0) == pytest.approx(2 * lockout.FIRST - 0.25)

    book.failed("192.0.2.1", 1000.0)

    assert book.wait("192.0.2.1", 1000.0) == pytest.approx(8 * lockout.FIRST)


def test_failures_elsewhere_that_are_long_ago_do_not_count() -> None:
    """Here they would be forgotten as well; a clock that is wrong is no wait into the future."""
    book = Lockout()
    book.learn("192.0.2.1", lockout.FREE + 9, lockout.FORGET + 1, 1000.0)
    book.learn("192.0.2.2", lockout.FREE + 9, -500.0, 1000.0)

    assert book.wait("192.0.2.1", 1000.0) == 0.0
    assert book.wait("192.0.2.2", 1000.0) <= lockout.LONGEST
