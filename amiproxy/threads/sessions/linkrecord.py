# SPDX-License-Identifier: GPL-2.0-or-later
"""LinkRecord: what an administrator wants to know of the way to one Asterisk."""

from __future__ import annotations

import time


class LinkRecord:
    """Since when a link is up or down, how often it has connected, why it is down.

    The server's thread writes it, any thread reads it: each field is one number or one reference,
    and an old one will do.  Times are monotonic seconds.
    """

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
        #: How many events have come, since the proxy began.
        self.events = 0

    def trying(self) -> None:
        """It is being connected; why it was down stays to be read."""
        self.live_since = self.again_at = 0.0

    def up(self) -> None:
        """It is logged in and booted."""
        self.since = self.live_since = time.monotonic()
        self.problem, self.again_at = "", 0.0
        self.connects += 1

    def down(self, problem: str, pause: float) -> None:
        """It could not be connected, or is lost; it is tried again in *pause* seconds."""
        now = time.monotonic()
        if self.live_since:
            self.since = now
        self.problem, self.again_at = problem, now + pause

    def past(self, lost: int) -> str:
        """Return what to say of the connection that is over, "" if it was never live.

        *lost* is how many actions will not be answered.
        """
        if not self.live_since:
            return ""
        lasted = time.monotonic() - self.live_since
        return f" (it was connected for {lasted:.0f} s; {lost} actions unanswered)"
