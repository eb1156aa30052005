# SPDX-License-Identifier: GPL-2.0-or-later
"""Probe: finds out whether the connection to an Asterisk leads back to this proxy.

What looks as if it had come round may be forged: a client can have Asterisk say anything (Getvar
of ``URIDECODE(...)``).  So the proxy asks something there that nobody can guess.  Where that comes
from a client of its own it is reached through itself.  It does not come where a proxy between
sends it to another server, as it does with any action: then messages that have come round are
left out, and the connection stays.
"""

from __future__ import annotations

import secrets

#: The header that a question bears.  Asterisk ignores it, other proxies pass it on.
HEADER = "ProxyProbe"

#: The shortest time between two questions, in seconds.
_INTERVAL = 1.0


class Probe:
    """What is asked of one Asterisk.  Any thread may call ``note``, its own thread the rest."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(16)
        self._again = 0.0  # when one may ask again, monotonic seconds
        #: Whether the question has come back; a client's thread sets it.
        self.came_back = False

    def question(self, now: float) -> str:
        """Return the header that is to be asked at *now*, monotonic seconds; "" if not yet."""
        if now < self._again:
            return ""
        self._again = now + _INTERVAL
        return f"{HEADER}: {self._token}"

    def note(self, token: str) -> bool:
        """Return whether a client's *token* is that of this question."""
        self.came_back = self.came_back or secrets.compare_digest(
            token.encode("utf-8", "replace"), self._token.encode()
        )
        return self.came_back
