# SPDX-License-Identifier: GPL-2.0-or-later
"""Throttle after failed log-ins, by address.

Bookkeeping only: the clock is passed in, and the client's thread does the waiting.  Not
thread-safe: threads that share one guard it with a lock.

The first ``FREE`` failures cost nothing: people mistype.  After them the wait begins
with ``FIRST`` seconds and doubles up to ``LONGEST``.  A successful log-in does not clear
the record, or somebody with one user could try the secrets of others between log-ins of
their own; only time does.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from amiproxy.basics.bounded import BoundedDict

FREE = 3
FIRST = 0.5  # seconds
LONGEST = 30.0
#: Seconds without a failure after which an address is forgotten.
FORGET = 600.0
#: Addresses remembered; one more, and the one that failed longest ago is forgotten.
MOST = 10_000


class _Record(NamedTuple):
    """What is known of one address."""

    failures: int
    last: float
    until: float


class Lockout:
    """The failed log-ins of all addresses; remembers *most* addresses."""

    def __init__(self, most: int = MOST) -> None:
        # The address that failed last is at the end.
        self._records: BoundedDict[str, _Record] = BoundedDict(most)

    def __len__(self) -> int:
        return len(self._records)

    def failed(self, address: str, now: float) -> None:
        """Note a failed log-in from *address*.

        *now* is seconds of a clock that never goes back.
        """
        key = network_of(address)
        record = self._records.get(key)
        is_recent = record is not None and now - record.last <= FORGET
        failures = record.failures + 1 if record is not None and is_recent else 1
        self._records[key] = _Record(failures, now, now + _wait(failures))
        self._records.move_to_end(key)

    def learn(self, address: str, failures: int, ago: float, now: float) -> None:
        """Note that *address* has failed *failures* times elsewhere, the last time *ago* seconds.

        That counts where it is more than is known here.
        """
        key = network_of(address)
        record = self._records.get(key)
        known = 0 if record is None or now - record.last > FORGET else record.failures
        if failures > known and ago <= FORGET:
            last = now - max(0.0, ago)
            until = last + _wait(failures)
            if record is not None:
                last, until = max(last, record.last), max(until, record.until)
            self._records[key] = _Record(failures, last, until)
            self._records.move_to_end(key)

    def wait(self, address: str, now: float) -> float:
        """Return how many seconds *address* still has to wait; 0.0 if it may try."""
        record = self._records.get(network_of(address))
        return 0.0 if record is None else max(0.0, record.until - now)


def _wait(failures: int) -> float:
    """Return the seconds to wait after that many failures."""
    over = failures - FREE
    if over <= 0:
        return 0.0
    # The exponent is bounded: an attacker decides how large failures gets.
    return float(min(LONGEST, FIRST * 2 ** min(over - 1, 16)))


def network_of(address: str) -> str:
    """Return the key of *address*: itself, or the /64 of an IPv6 address.

    A client with one IPv6 address usually has the whole /64.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_address(int(parsed) >> 64 << 64))
