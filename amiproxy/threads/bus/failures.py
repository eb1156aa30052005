# SPDX-License-Identifier: GPL-2.0-or-later
"""Failed log-ins, counted together by the proxies of a cluster: a counter in Redis by address.

Each client's own thread asks, for a fifth of a second at most; where the bus does not answer in
that time nobody asks it for a while, and what each proxy knows itself holds.
"""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING, Any

from amiproxy.access.lockout import FORGET
from amiproxy.bus.keys import Keys
from amiproxy.threads.bus.client import BusError, BusRefused

if TYPE_CHECKING:
    from amiproxy.threads.bus.client import BusClient, Line

#: Seconds that one question may take: people wait for it, and it is not needed.
PATIENCE = 0.2

#: For how many seconds a bus that did not answer is not asked.
_PAUSE = 1.0

#: Connections that are kept for who asks next, and how many there may be.
_KEPT = 2
_MOST = 16

_FORGET_MS = int(FORGET * 1000)

# In one step: a counter that was counted and never forgotten would lock an address out for good.
_FAILED = b"local n = redis.call('INCR', KEYS[1]) redis.call('PEXPIRE', KEYS[1], ARGV[1]) return n"
_KNOWN = b"return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}"


class ClusterFailures:
    """The counters below *prefix*.  Any thread may call that may wait.

    *client* should give up a connection as soon as ``PATIENCE``.
    """

    def __init__(self, client: BusClient, prefix: str) -> None:
        self._client = client
        self._keys = Keys(prefix)
        # Connections that nobody uses; one item for each that there may be beyond those.  append
        # and pop are one step each.
        self._idle: list[Line] = []
        self._free: list[None] = [None] * _MOST
        self._asked_from = 0.0  # monotonic; a number is written in one step

    def failed(self, network: str) -> int:
        """See ``Failures.failed``."""
        count = self._ask(network, _FAILED, _FORGET_MS)
        return count if isinstance(count, int) else 0

    def known(self, network: str) -> tuple[int, float] | None:
        """See ``Failures.known``."""
        found = self._ask(network, _KNOWN)
        if not isinstance(found, list) or len(found) != 2:
            return None
        count, left = found
        if count is None:
            return 0, 0.0
        if not (isinstance(count, bytes) and count.isdigit() and len(count) < 10):
            return None
        return int(count), max(0, _FORGET_MS - int(left)) / 1000

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, network: str, script: bytes, *args: int) -> Any:
        """Return what *script* says of *network*; None: nobody knows."""
        if time.monotonic() < self._asked_from or not is_shared(network):
            return None
        try:
            self._free.pop()
        except IndexError:  # many log in at once: they do not wait for each other
            return None
        try:
            return self._asked(script, self._keys.failures(network), *args)
        except BusError:
            self._asked_from = time.monotonic() + _PAUSE
            return None
        finally:
            self._free.append(None)

    def _asked(self, script: bytes, key: str, *args: int) -> Any:
        line = self._idle_line() or self._client.connection()
        try:
            return line.command("EVAL", script, 1, key, *args, timeout=PATIENCE)
        except BusRefused:
            return None
        finally:
            if line.is_open:
                self._keep(line)

    def _idle_line(self) -> Line | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _keep(self, line: Line) -> None:
        if len(self._idle) < _KEPT:
            self._idle.append(line)
        else:
            line.close()


def is_shared(network: str) -> bool:
    """Return whether *network* means the same host to all proxies."""
    try:
        address = ipaddress.ip_address(network)
    except ValueError:  # of a Unix socket
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
