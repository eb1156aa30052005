# SPDX-License-Identifier: GPL-2.0-or-later
"""Who fails to log in waits longer each time, by address.

Bookkeeping only: the clock is passed in, and the waiting is done by the thread of the
client that failed.  Not safe by itself for several threads: whoever shares one guards
it with a lock.

The first ``FREE`` failures cost nothing: people mistype.  After them the wait begins
with ``FIRST`` seconds and doubles up to ``LONGEST``.  A right login does not clear
the record, or who knows one user could try the secrets of the others between his own
log-ins; time does, and a right login is never made to wait longer than the record
says.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import NamedTuple

FREE = 3
FIRST = 0.5  # seconds
LONGEST = 30.0
#: Seconds without a failure after which an address is as good as new.
FORGET = 600.0
#: Addresses kept in mind; beyond, the one that failed longest ago is forgotten.
MOST = 10_000


class _Record(NamedTuple):
    """What is known of one address."""

    failures: int
    last: float
    until: float


class Lockout:
    """The failed logins of all addresses.  Memory is bounded by *most* of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        # The address that failed last is at the end.
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def failed(self, address: str, now: float) -> float:
        """Note a failed login from *address*; return how many seconds it has to wait.

        *now* is seconds of a clock that never goes back.
        """
        key = network_of(address)
        record = self._record(key, now)
        failures = 1 if record is None else record.failures + 1
        wait = _wait(failures)
        self._records[key] = _Record(failures, now, now + wait)
        self._records.move_to_end(key)
        while len(self._records) > self._most:
            self._records.popitem(last=False)
        return wait

    def wait(self, address: str, now: float) -> float:
        """Return how many seconds *address* still has to wait; 0.0: it may try."""
        record = self._record(network_of(address), now)
        return 0.0 if record is None else max(0.0, record.until - now)

    def failures(self, address: str, now: float) -> int:
        """Return how many failures of *address* are remembered."""
        record = self._record(network_of(address), now)
        return 0 if record is None else record.failures

    def _record(self, key: str, now: float) -> _Record | None:
        """Return what is known of *key*, unless it is too long ago."""
        record = self._records.get(key)
        if record is not None and now - record.last > FORGET:
            del self._records[key]
            return None
        return record


def _wait(failures: int) -> float:
    """Return the wait after that many failures."""
    over = failures - FREE
    if over <= 0:
        return 0.0
    # The exponent is bounded: an attacker decides how large failures gets.
    return float(min(LONGEST, FIRST * 2 ** min(over - 1, 16)))


def network_of(address: str) -> str:
    """Return what stands for *address*: itself, or an IPv6 address's /64.

    Whoever has one IPv6 address has the 2**64 beside it.
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
