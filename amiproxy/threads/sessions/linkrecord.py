# SPDX-License-Identifier: GPL-2.0-or-later
"""LinkRecord: what an administrator wants to know of the way to one Asterisk."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from amiproxy.threads.net.traffic import take_traffic
from amiproxy.threads.sessions.actionrecord import ActionRecord

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.meter import Meter

#: Seconds by which the time when an Asterisk began may differ, told twice: it rounds.
_TOLERANCE = 3.0


class LinkRecord:
    """Since when a link is up or down, how often it has connected, why it is down.

    The server's thread writes it, any thread reads it: each field is one number or one reference,
    and an old one will do.  Times are monotonic seconds.
    """

    #: How the model of what is there is, and its figures; its own thread (threads/state/) writes
    #: them, once a client has asked for a snapshot.
    model = ""
    model_rows = model_corrections = model_gaps = 0
    #: What its events have said, as far as its model is kept: since when it stops, in unix time;
    #: how often it has reloaded something.  The thread of the model writes them, too.
    stopping_since: float | None = None
    reloads = 0

    #: What is measured since somebody has asked for metrics; that thread puts it here.
    meter: Meter | None = None

    def __init__(self) -> None:
        #: Since when it has been up, or down whatever was tried meanwhile.
        self.since = time.monotonic()
        #: Since when the connection that there is, or was last, was live; 0.0: it never was.
        self.live_since = 0.0
        #: How often it has been up.
        self.connects = 0
        #: Why it is down, "" while that is not known; and when it is tried again, 0.0: now.
        self.problem = ""
        self.again_at = 0.0
        #: Why it is down in the fixed words that clients may read, "" as for ``problem``.
        self.reason = ""
        #: How often a connection that was live has been lost; when it was last, and why.
        self.losses, self.lost_at, self.lost_because = 0, 0.0, ""
        #: When a live connection was last heard, 0.0: never; and when it was first tried.
        self.heard = self.began = 0.0
        #: How many actions were not answered in time.  The watchdog's thread writes it.
        self.timeouts = 0
        #: How many events have come, since the proxy began.
        self.events = 0
        #: How often a connection was lost, by why, in fixed words.
        self.losses_by: dict[str, int] = {}
        #: How clients' actions have ended.
        self.actions = ActionRecord()
        #: Bytes received and sent on connections that are over; the link's lock guards them.
        self.received = self.sent = 0
        # Guards _gaps, which any client's thread counts up; held for that.
        self._lock = threading.Lock()
        self._gaps: dict[str, int] = {}
        #: When that Asterisk began, None: it does not say (before 13, and without ``system`` in
        #: ``read``); and how often it was seen to have begun anew.
        self.booted: float | None = None
        self.restarts = 0

    def trying(self) -> None:
        """It is being connected; why it was down stays to be read."""
        self.live_since = self.again_at = 0.0
        self.began = self.began or time.monotonic()

    def up(self) -> None:
        """It is logged in and booted."""
        self.since = self.live_since = self.heard = time.monotonic()
        self.problem, self.reason, self.again_at = "", "", 0.0
        self.connects += 1
        self.stopping_since = None

    def note_uptime(self, uptime: int) -> None:
        """Asterisk has been up for *uptime* seconds."""
        booted = time.monotonic() - uptime
        if self.booted is not None and booted > self.booted + _TOLERANCE:
            self.restarts += 1
        self.booted = booted

    def lose(self, reason: str) -> None:
        """The connection that was live is over, for *reason*."""
        self.since = self.lost_at = time.monotonic()
        self.reason = self.lost_because = reason
        self.losses += 1
        words = reason.partition(" for ")[0]  # seconds are configured
        self.losses_by[words] = self.losses_by.get(words, 0) + 1

    def note_traffic(self, transport: Transport | None) -> None:
        """Add the bytes of *transport*, which is over; the caller holds the link's lock."""
        found = None if transport is None else take_traffic(transport)
        if found is not None:
            self.received += found.received
            self.sent += found.sent

    def note_gap(self, reason: str) -> None:
        """Note that a client was told of events that it is not sent, for *reason*."""
        with self._lock:
            self._gaps[reason] = self._gaps.get(reason, 0) + 1

    def gaps(self) -> dict[str, int]:
        """Return how often clients were told of missing events, by reason."""
        with self._lock:
            return self._gaps.copy()

    def down(self, problem: str, reason: str, pause: float) -> None:
        """It could not be connected, or is lost; it is tried again in *pause* seconds."""
        self.problem, self.reason = problem, reason
        self.again_at = time.monotonic() + pause

    @property
    def heard_at(self) -> float:
        """When a live connection was last heard, unix time; 0.0: never."""
        return self.unix(self.heard)

    @property
    def missing(self) -> float:
        """For how many seconds it has not been heard: since it was tried first, if it never was."""
        return time.monotonic() - (self.heard or self.began)

    def follow(self, earlier: LinkRecord) -> None:
        """Go on where the *earlier* record of the same server ended, which was given up."""
        self.since, self.connects, self.events = earlier.since, earlier.connects, earlier.events
        self.losses, self.lost_at = earlier.losses, earlier.lost_at
        self.lost_because, self.losses_by = earlier.lost_because, earlier.losses_by
        self.actions, self.meter = earlier.actions, earlier.meter
        self.received, self.sent = earlier.received, earlier.sent
        self.heard, self.began = earlier.heard, earlier.began
        self.booted, self.restarts, self.reloads = earlier.booted, earlier.restarts, earlier.reloads

    @staticmethod
    def unix(moment: float) -> float:
        """Return the monotonic *moment* as a unix time; 0.0, for never, stays."""
        return moment and time.time() - time.monotonic() + moment

    def past(self, lost: int) -> str:
        """Return what to say of the connection that is over, "" if it was never live.

        *lost* is how many actions will not be answered.
        """
        if not self.live_since:
            return ""
        lasted = time.monotonic() - self.live_since
        return f" (it was connected for {lasted:.0f} s; {lost} actions unanswered)"
