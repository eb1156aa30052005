# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts: how many clients the proxies of a cluster have together, for ``maxclients``.

The thread ``bus-counts`` tells the own count when it has changed, at most each 50 ms, and is told
the others' at the same time.  So the cluster has at most as many clients too many as come within
that time at all proxies.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING

from amiproxy.bus.keys import Keys
from amiproxy.bus.members import slot_text
from amiproxy.threads.bus.client import BusError
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.starting import StartingThread

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline
    from amiproxy.threads.bus.client import BusClient, Line
    from amiproxy.threads.sessions.admission import Admission

#: Seconds between two looks at the own count; within which it is told though it has not changed;
#: and for which the others' hold when they are told no more.
INTERVAL = 0.05
AGAIN = 0.5
GOOD_FOR = 3.0

#: No cluster has more clients.
_MOST = 2**31

# The clock is Redis' own: those of the proxies may differ.
_SCRIPT = b"""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], 60000)
local sum = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local count, at = string.match(all[i + 1], '^(%d+) (%d+)$')
  if not count or now - tonumber(at) > tonumber(ARGV[3]) then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then
    sum = sum + tonumber(count)
  end
end
return sum
"""


class Counts:
    """Keeps ``elsewhere`` of *admission*, as long as there is a ``maxclients``."""

    def __init__(self, client: BusClient, prefix: str, slot: int, admission: Admission) -> None:
        self._client = client
        self._key = Keys(prefix).clients
        self._slot = slot_text(slot)
        self._admission = admission
        self._stopping = threading.Event()
        self._line: Line | None = None
        self._told, self._told_at = -1, 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = StartingThread(
            "bus-counts", functools.partial(endless, "bus-counts", self._step)
        )
        self._thread.start()

    def stop(self, deadline: Deadline) -> None:
        """End the thread, and tell no more; waits until *deadline*."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(deadline.left())

    def _step(self) -> bool:
        """Tell the count if need be; return False once stopped."""
        admission = self._admission
        if self._stopping.wait(INTERVAL if admission.most_clients else AGAIN):
            self._leave()
            return False
        now = time.monotonic()
        if not admission.most_clients:
            admission.elsewhere = 0
        elif admission.clients != self._told or now - self._told_at >= AGAIN:
            self._tell(admission.clients, now)
        return True

    def _tell(self, count: int, now: float) -> None:
        try:
            if self._line is None or not self._line.is_open:
                self._line = self._client.connection()
            found = self._line.command(
                "EVAL", _SCRIPT, 1, self._key, self._slot, count, int(GOOD_FOR * 1000)
            )
        except BusError:  # the keeper says so
            if now - self._told_at > GOOD_FOR:
                self._admission.elsewhere = 0
            self._stopping.wait(AGAIN)
            return
        self._admission.elsewhere = min(max(0, found), _MOST) if isinstance(found, int) else 0
        self._told, self._told_at = count, now

    def _leave(self) -> None:
        """Have the others count without this proxy."""
        line = self._line
        if line is not None and line.is_open:
            try:
                line.command("HDEL", self._key, self._slot)
            except BusError:
                return
            line.close()
