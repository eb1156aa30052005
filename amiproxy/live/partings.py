# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a live connection ends: what its client is told last, and the code of a WebSocket's close."""

from __future__ import annotations

from typing import NamedTuple


class Parting(NamedTuple):
    """One reason; *reason* is the word of the document ``bye``, *text* that of the close."""

    code: int
    reason: str
    text: str
    #: After how many milliseconds it is worth while to come back; None: it is not.
    retry: int | None = None


STOP = Parting(1001, "stop", "the proxy stops", 2000)
RESTART = Parting(1012, "restart", "the proxy restarts", 500)
RIGHTS = Parting(1008, "rights", "log in again: the rights have changed", 1000)
KICKED = Parting(1008, "kicked", "ended by the operator", 5000)
SLOW = Parting(1013, "slow", "what is sent is read too slowly", 1000)
FAULT = Parting(1011, "fault", "a fault in the proxy: see its log", 5000)
LOGOFF = Parting(1000, "logoff", "logged off")
