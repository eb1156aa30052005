# SPDX-License-Identifier: GPL-2.0-or-later
"""The delay after failed log-ins grows per address, and memory is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import lockout
from amiproxy.access.lockout import Lockout


def test_the_wait_grows_after_free_tries():
    """A few mistakes cost nothing, then each doubles the wait up to a bound."""
    book = Lockout()

    waits = [book.failed("192.0.2.7", now=0.0) for _ in range(12)]

    assert waits == [0, 0, 0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_others_do_not_wait():
    """Failures of one address say nothing about another."""
    book = Lockout()
    for _ in range(10):
        book.failed("192.0.2.7", now=0.0)

    assert book.wait("192.0.2.7", now=0.0) == 30.0
    assert book.wait("192.0.2.8", now=0.0) == 0.0
    assert book.failed("192.0.2.8", now=0.0) == 0.0


def test_the_wait_passes_and_the_record_is_forgotten():
    """After the wait one may try; after a long silence all is as at first."""
    book = Lockout()
    for _ in range(5):
        book.failed("192.0.2.7", now=100.0)

    assert book.wait("192.0.2.7", now=100.25) == 0.75
    assert book.wait("192.0.2.7", now=101.5) == 0.0
    assert book.failures("192.0.2.7", now=101.5) == 5
    assert book.failed("192.0.2.7", now=101.0 + lockout.FORGET) == 0.0
    assert book.failures("192.0.2.7", now=101.0 + lockout.FORGET) == 1


def test_ipv6_neighbours_count_as_one():
    """Who has one IPv6 address has its /64, so these share a record."""
    book = Lockout()
    for i in range(9):
        book.failed(f"2001:db8::{i:x}", now=0.0)

    assert book.failures("2001:db8::ffff", now=0.0) == 9
    assert book.failures("2001:db8:0:1::1", now=0.0) == 0
    book.failed("::ffff:192.0.2.7", now=0.0)
    assert book.failures("192.0.2.7", now=0.0) == 1


def test_memory_is_bounded():
    """However many addresses fail, only so many are kept, the latest."""
    book = Lockout(most=10)
    for i in range(100):
        book.failed(f"192.0.2.{i}", now=float(i))

    assert len(book) == 10
    assert book.failures("192.0.2.99", now=100.0) == 1
    assert book.failures("192.0.2.1", now=100.0) == 0


def test_who_goes_on_failing_is_not_the_one_forgotten():
    """Others that fail once do not wash out who fails all the time."""
    book = Lockout(most=10)
    for i in range(100):
        book.failed("192.0.2.200", now=float(i))
        book.failed(f"192.0.2.{i}", now=float(i))

    assert book.failures("192.0.2.200", now=100.0) == 100


@given(st.lists(st.tuples(st.text(max_size=50), st.floats(0, 1000)), max_size=30))
def test_any_address_is_counted(events):
    """Noise as an address neither raises nor waits longer than the bound."""
    book = Lockout(most=5)
    for address, step in events:
        assert 0 <= book.failed(address, step) <= lockout.LONGEST
        assert 0 <= book.wait(address, step) <= lockout.LONGEST
        assert len(book) <= 5
