# SPDX-License-Identifier: GPL-2.0-or-later
"""Told: what the log says of the outbox: a line when something begins and when it is over."""

from __future__ import annotations

import logging
import time

from amiproxy.basics.bounded import SmallBoundedDict

log = logging.getLogger("amiproxy.bus")

#: What to do about what Redis says, by its first word.
_REMEDIES = {
    "BUSY": "a script runs there: SCRIPT KILL ends it",
    "LATE": "the readers of that server see a gap",
    "LOADING": "it reads its data, which passes",
    "MISCONF": "it cannot save: look at its log and its disk",
    "MOVED": "that is a Redis Cluster, which cannot be used: name a single Redis, or Sentinels",
    "NOAUTH": "give user and password in bus",
    "NOPERM": "let the user of bus do that: ACL SETUSER there",
    "NOREPLICAS": "its min-replicas-to-write is not met",
    "OOM": "give it more memory (maxmemory), or set a lower busbytes",
    "READONLY": "that is a replica: bus must name the master, or Sentinels",
    "TOOLARGE": "raise its proto-max-bulk-len to 16 MB",
    "WRONGTYPE": "another program has that key: delete it there, or set another busname",
}

#: Seconds until the same is said again.
_AGAIN = 60.0
#: Seconds between two lines about dropped entries.
_DROPPED_AGAIN = 10.0
#: Seconds after which a refusal is no more, if there was no other; and for which it has to last
#: until it is said.
_PASSED, _LASTING = 5.0, 2.0


def remedy(error: str) -> str:
    """Return *error*, what Redis or the network says, with what to do about it."""
    code = "TOOLARGE" if "invalid bulk length" in error else error.partition(" ")[0]
    found = _REMEDIES.get(code)
    return f"{error}; {found}" if found else error


class Told:
    """Logs what happens at the bus *name*.  For one thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._since = 0.0
        # When it was last said that nothing can be sent, 0.0: not since that is so.
        self._said = 0.0
        self._dropped = 0
        self._dropped_said = -_DROPPED_AGAIN
        # By stream and first word of the error.
        self._refused: SmallBoundedDict[tuple[bytes, str], float] = SmallBoundedDict(256)

    def problem(self, problem: str) -> None:
        """Say that nothing can be sent for *problem*; with "" that it can again.

        A connection that was idle for long may be gone: only what fails twice is said.
        """
        now = time.monotonic()
        if not problem:
            if self._said:
                log.warning(
                    "bus: %s takes entries again, after %.1f s", self._name, now - self._since
                )
            self._failures, self._said = 0, 0.0
            return
        if not self._failures:
            self._since = now
        self._failures += 1
        if self._failures >= 2 and (not self._said or now - self._said > _AGAIN):
            self._said = now
            log.warning("bus: entries wait to be sent: %s", remedy(problem))

    def refused(self, key: bytes, error: str) -> None:
        """Say that an entry for the stream *key* was refused for good, for *error*."""
        now, what = time.monotonic(), (key, error.partition(" ")[0])
        if now - self._refused.get(what, -_AGAIN) >= _AGAIN:
            self._refused.pop(what, None)
            self._refused[what] = now
            name = key.decode("utf-8", "replace")[:200]
            log.error("bus: entries for %s are refused: %s", name, remedy(error))

    def dropped(self, total: int) -> None:
        """Say how many entries were dropped, if there are more than last time: *total*."""
        now = time.monotonic()
        if total > self._dropped and now - self._dropped_said >= _DROPPED_AGAIN:
            log.error(
                "bus: %d entries dropped that had waited for too long; readers of those servers"
                " see a gap",
                total - self._dropped,
            )
            self._dropped, self._dropped_said = total, now


class Refusals:
    """Logs that Redis refuses *what*, for as long as it does.  For one thread."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since = self._last = self._said = -_AGAIN
        #: What was refused lately, and why; "" if nothing was.
        self.problem = ""

    def note(self, error: str) -> None:
        """Note that something was refused for *error*, "": nothing; said each minute at the most.

        A Redis that begins refuses much for a moment: only what lasts is said.
        """
        now = time.monotonic()
        if now - self._last > _PASSED:
            self.problem, self._since = "", now
        if not error:
            return
        self.problem, self._last = error, now
        if now - self._since >= _LASTING and now - self._said >= _AGAIN:
            self._said = now
            log.error("bus: %s is refused: %s", self._what, remedy(error))
