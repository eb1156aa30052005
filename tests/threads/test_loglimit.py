# SPDX-License-Identifier: GPL-2.0-or-later
"""How many log lines a client can cause, and that nobody else's are missing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access.auth import failure_line
from amiproxy.threads.loglimit import LineLimit

LISTENER = "Connection received from %s"


def record(text: str, *args: object, thread: str = "MainThread", **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("amiproxy.x", logging.INFO, "x.py", 1, text, args, None)
    made.threadName = thread
    made.__dict__.update(extra)
    return made


class Stage:
    """A limit and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.limit = LineLimit(clock=lambda: self.now)

    def written(self, count: int, *args: Any, **options: Any) -> int:
        """Log *count* such lines at once; return how many are written."""
        return sum(self.limit.admits(record(*args, **options)) for _ in range(count))


@pytest.mark.parametrize(
    ("options", "other"),
    [
        ({"thread": "client-192.0.2.1:4711"}, {"thread": "client-192.0.2.2:4711"}),
        ({"address": "192.0.2.1"}, {"address": "192.0.2.2"}),
        ({"thread": "client-2001:db8::1:80"}, {"thread": "client-2001:db8:0:1::1:80"}),
    ],
)
def test_one_address_has_so_many_lines(options: dict[str, Any], other: dict[str, Any]) -> None:
    """Those of another address, and the proxy's own, are written all the same."""
    stage = Stage()

    assert stage.written(300, LISTENER, "x", **options) == 100
    assert stage.written(20, LISTENER, "x", **other) == 20
    assert stage.written(20, "asterisk@%s: %s", "pbx:5038", "gone") == 20
    stage.now += 3
    assert stage.written(100, LISTENER, "x", **options) == 30


def test_the_audit_has_limits_of_its_own() -> None:
    """Other noise takes no line from it, nor does it from others; what it leaves out is said."""
    stage = Stage()
    audit = {"address": "192.0.2.1", "name": "amiproxy.audit"}

    assert stage.written(300, LISTENER, "x", address="192.0.2.1") == 100
    assert stage.written(1500, "%s", "audit: user=-", **audit) == 1000
    assert stage.written(20, "%s", "login failed from 192.0.2.1 as x") == 20
    stage.now += 1
    assert stage.written(200, "%s", "audit: user=-", **audit) == 100
    said = stage.limit.report()
    assert "log: 600 further lines of the audit at 192.0.2.1 left out" in said


def test_debug_lines_have_limits_of_their_own() -> None:
    """Where they are written to the log, they take no line from what matters more."""
    stage = Stage()
    debug = {"thread": "client-192.0.2.1:4711", "levelno": logging.DEBUG}

    assert stage.written(3000, "%s: %s", "client 192.0.2.1:4711", "'ping'", **debug) == 1000
    assert stage.written(50, LISTENER, "x", address="192.0.2.1") == 50


def test_threads_log_about_the_client_that_they_name() -> None:
    """A server's thread says that a client is dropped."""
    stage = Stage()

    stage.written(300, "%s: dropped: %s", "client 192.0.2.1:4711", "slow", thread="asterisk-a:1")

    assert stage.limit.report() == ["log: 200 further lines about clients at 192.0.2.1 left out"]


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    """Whoever has one has them all."""
    stage = Stage()

    count = sum(
        stage.written(10, LISTENER, "x", address=f"2001:db8::{number:x}") for number in range(30)
    )

    assert count == 100


def test_many_addresses_together_have_so_many_lines() -> None:
    """However many there are; what is remembered of them is bounded, and each line counted."""
    stage = Stage()
    addresses = [f"10.{one}.{two}.1" for one in range(25) for two in range(200)]

    count = sum(stage.written(3, LISTENER, "x", address=each) for each in addresses)
    lines = stage.limit.report()

    assert count == 300
    assert len(lines) == 6
    assert sum(int(line.split()[1]) for line in lines) == 3 * 5000 - 300
    assert stage.written(100, "asterisk@%s: %s", "pbx:5038", "gone") == 100


def test_failed_log_ins_are_not_hidden_by_noise() -> None:
    """fail2ban needs five of an address."""
    stage = Stage()
    stage.written(1000, "%s: %s", "client 192.0.2.1:1", "noise", thread="client-192.0.2.1:1")
    for number in range(100):
        stage.written(100, LISTENER, "x", address=f"10.0.0.{number}")
    line = failure_line("192.0.2.1", "bob", "wrong secret")

    assert stage.written(100, "%s", line, thread="client-192.0.2.1:1") == 20


def test_what_ends_a_client_is_not_hidden_by_its_noise() -> None:
    """Why it was dropped stands in the log, whatever it had logged before."""
    stage = Stage()
    thread = "client-192.0.2.1:1"
    stage.written(1000, "%s: %s", "client 192.0.2.1:1", "refused", thread=thread)

    dropped = stage.written(
        1, "%s: %s", "client 192.0.2.1:1", "dropped", thread=thread, levelno=logging.WARNING
    )

    assert dropped == 1


def test_who_adds_a_server_cannot_hide_that_in_noise() -> None:
    """What a client has changed is found in the log."""
    stage = Stage()
    client = {"thread": "client-192.0.2.1:1"}
    stage.written(1000, "%s: %s", "client 192.0.2.1:1", "noise", **client)

    assert stage.written(5, "%s: added server %s", "client 192.0.2.1:1", change=True, **client) == 5


def test_the_proxys_own_lines_are_bounded_too() -> None:
    """A file full of one error helps nobody."""
    stage = Stage()

    assert stage.written(2000, "thread %s goes on after an error", "listener") == 1000
    assert stage.limit.report() == ["log: 1000 further lines of the proxy's own left out"]
    assert stage.limit.report() == []


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 3)), max_size=200))
def test_no_line_is_lost_without_a_word(events: list[tuple[int, float]]) -> None:
    """Written and reported are together what was logged."""
    stage = Stage()
    logged = written = reported = 0
    for number, pause in events:
        logged += 50
        written += stage.written(50, LISTENER, "x", address=f"192.0.2.{number}")
        stage.now += pause
        if number == 7:
            reported += sum(int(line.split()[1]) for line in stage.limit.report())
    reported += sum(int(line.split()[1]) for line in stage.limit.report())

    assert written + reported == logged
