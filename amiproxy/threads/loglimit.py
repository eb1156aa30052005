# SPDX-License-Identifier: GPL-2.0-or-later
"""LineLimit: how many log lines a second there may be about clients, and about one address.

What a client does may be worth a line, and it may do that as fast as it can: lines beyond a
limit are left out and counted.  Failed log-ins have limits of their own, so that other
noise cannot hide them from fail2ban, and so have warnings about clients, servers that clients add
and drop, the proxy's own lines, those of the audit and of debugging.
"""

from __future__ import annotations

import enum
import logging
import time
from typing import Callable, NamedTuple

from amiproxy.access.auth import FAILURE
from amiproxy.access.lockout import network_of
from amiproxy.basics.bounded import BoundedDict
from amiproxy.logs.levels import AUDIT

#: Addresses that are known apart; of more, those that came first are forgotten.
_MOST_ADDRESSES = 4096

#: How many addresses a report names; it has one line for all others.
_NAMED = 5


class Rate(NamedTuple):
    """So many lines at once, then so many a second."""

    burst: int
    a_second: float


class Kind(enum.Enum):
    """What a line is about: its limits for one address, and for all."""

    OWN = "of the proxy's own", Rate(1000, 50.0), Rate(1000, 50.0)
    CLIENT = "about clients", Rate(100, 10.0), Rate(300, 30.0)
    TROUBLE = "of warnings about clients", Rate(100, 10.0), Rate(300, 30.0)
    CHANGE = "about servers added and dropped by clients", Rate(100, 5.0), Rate(300, 30.0)
    LOGIN = "about failed log-ins", Rate(20, 1.0), Rate(300, 30.0)
    AUDIT = "of the audit", Rate(1000, 100.0), Rate(5000, 500.0)
    DETAIL = "of debugging", Rate(1000, 100.0), Rate(5000, 500.0)

    def __init__(self, words: str, one: Rate, everybody: Rate) -> None:
        self.words = words
        self.one = one
        self.everybody = everybody


class _Bucket:
    """What may be written at the moment, and what was left out."""

    __slots__ = ("_rate", "at", "left", "left_out")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self.left = float(rate.burst)
        self.at = now
        self.left_out = 0

    def refill(self, now: float) -> bool:
        """Return whether a line may be written at *now*."""
        rate = self._rate
        self.left = min(rate.burst, self.left + (now - self.at) * rate.a_second)
        self.at = now
        return self.left >= 1.0


class LineLimit:
    """Says which records are written.  One thread at a time; *clock* returns seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        now = clock()
        self._everybody = {kind: _Bucket(kind.everybody, now) for kind in Kind}
        self._addresses: BoundedDict[tuple[Kind, str], _Bucket] = BoundedDict(_MOST_ADDRESSES)
        #: How many lines were left out and have not been reported.
        self.left_out = 0

    def admits(self, record: logging.LogRecord) -> bool:
        """Return whether *record* is written; if not it is counted."""
        kind, address = subject(record)
        now, key = self._clock(), (kind, address)
        bucket = self._addresses.get(key)
        if bucket is None:
            bucket = self._addresses[key] = _Bucket(kind.one, now)
        everybody = self._everybody[kind]
        # Both, without "and": each must know what time it is.
        may = bucket.refill(now), everybody.refill(now)
        if all(may):
            bucket.left -= 1.0
            everybody.left -= 1.0
            return True
        bucket.left_out += 1
        self.left_out += 1
        return False

    def report(self) -> list[str]:
        """Return lines that say what was left out since the last report, a few at the most."""
        rows = [(bucket.left_out, *key) for key, bucket in self._addresses.items()
                if bucket.left_out]  # fmt: skip
        rows.sort(key=lambda row: -row[0])
        named, total = rows[:_NAMED], self.left_out
        for _, kind, address in rows:
            self._addresses[kind, address].left_out = 0
        self.left_out = 0
        rest = total - sum(row[0] for row in named)  # those that were forgotten, too
        lines = [
            f"log: {count} further lines {kind.words}{address and f' at {address}'} left out"
            for count, kind, address in named
        ]
        return [*lines, f"log: {rest} further lines about others left out"] if rest else lines


def subject(record: logging.LogRecord) -> tuple[Kind, str]:
    """Return what *record* is about, with the client's network, "" for none."""
    kind, address = _about(record)
    if record.levelno < logging.INFO:
        kind = Kind.DETAIL
    return kind, network_of(address) if address else ""


def _about(record: logging.LogRecord) -> tuple[Kind, str]:
    """Return what *record* is about, with the client's address, "" for none."""
    first = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
    if first.startswith(FAILURE):
        return Kind.LOGIN, first[len(FAILURE) :].split(" ", 1)[0]
    address = getattr(record, "address", "")
    if record.name == AUDIT:
        return Kind.AUDIT, address
    thread = record.threadName or ""
    if not address and thread.startswith("client-"):
        address = thread[len("client-") :].rpartition(":")[0]
    elif not address and first.startswith("client "):
        # What a transport is called, at the head of what another thread says of it.
        address = first[len("client ") :].split(" ", 1)[0].rstrip(":").rpartition(":")[0]
    if not address:
        return Kind.OWN, ""
    if getattr(record, "change", False):
        return Kind.CHANGE, address
    return (Kind.TROUBLE if record.levelno >= logging.WARNING else Kind.CLIENT), address
