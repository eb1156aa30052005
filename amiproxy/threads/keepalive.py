# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether an Asterisk that is silent is still there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.errors import PeerGone

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink


def check(link: AsteriskLink, keepalive: float, heard: float, *, pinged: bool) -> bool:
    """Ping an Asterisk that has been silent since *heard*, monotonic seconds.

    *keepalive* is in seconds.  Returns whether a Ping is under way; *pinged*: one is already.

    Raises:
        PeerGone: it has not answered for too long, and makes no call meanwhile.

    """
    now = time.monotonic()
    if now - heard < keepalive * (2 if pinged else 1):
        return pinged
    if not pinged:
        link.ping()
    elif not link.is_busy(now, heard):
        raise PeerGone(f"silent for {now - heard:.0f} s, a Ping was not answered")
    return True
