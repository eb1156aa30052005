# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether an Asterisk that is silent is still there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.errors import PeerGone

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink

#: The least that is waited, in seconds: clocks are not that exact; and the most: SIGHUP may
#: have changed ``keepalive`` meanwhile.
_LEAST, _MOST = 0.001, 60.0
#: How much of ``keepalive`` a Ping has, as a share: a bit less, for timers are late.
_SHARE = 0.98


class Keepalive:
    """The silence of one connection.  For its server's thread; times are monotonic seconds.

    After ``keepalive`` seconds of silence a Ping goes; without any byte for as long again the
    connection is over: twice ``keepalive`` after the last byte at the latest.
    """

    def __init__(self, link: AsteriskLink) -> None:
        self._link = link
        self._heard = time.monotonic()
        self._over_at = 0.0  # when the Ping under way is overdue; 0.0: there is none

    def hear(self, now: float) -> None:
        """Note that something has come."""
        self._heard, self._over_at = now, 0.0

    def patience(self, keepalive: float, now: float) -> float:
        """Return for how many seconds from *now* nothing needs to be done, as far as is known.

        Right behind a byte that is *keepalive* itself: a socket keeps its time limit then.
        """
        if not keepalive:
            return _MOST
        if now == self._heard:
            return min(keepalive, _MOST)
        return min(max(_LEAST, (self._over_at or self._heard + keepalive) - now), _MOST)

    def check(self, keepalive: float, now: float) -> None:
        """Ping an Asterisk that has been silent for *keepalive* seconds, if it is time.

        Raises:
            PeerGone: it has not answered for too long, and makes no call meanwhile.

        """
        if not keepalive or now < (self._over_at or self._heard + keepalive):
            return
        if not self._over_at:
            self._link.ping()
            self._over_at = now + _SHARE * keepalive
        elif self._is_busy(now):
            self._over_at = now + keepalive
        else:
            silent = f"silent for {now - self._heard:.0f} s, a Ping was not answered"
            raise PeerGone(silent, told=f"no answer to a Ping for {keepalive:g} s")

    def _is_busy(self, now: float) -> bool:
        """Return whether Asterisk may be silent because it makes a call, or loads anew."""
        with self._link.lock:
            return self._link.ledger.patience(now, self._heard) > 0
