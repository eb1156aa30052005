# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionRecord: how clients' actions for one Asterisk have ended, and how long that took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.metrics.histogram import ANSWERS, Histogram

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.routing.pending import PendingAction

#: How one ended: answered; answered with an error; not answered in time; the connection was lost.
OK, ERROR, TIMEOUT, LOST = "ok", "error", "timeout", "lost"
#: What kinds of answers there are, as they differ in how long they take: a message; a list; that
#: of a call that Asterisk makes.
SINGLE, LIST, ORIGINATE = "single", "list", "originate"


class ActionRecord:
    """The counts of one link.

    The server's thread notes what was answered or lost, the watchdog's what timed out: no two
    threads change one number.  Any thread may read.
    """

    def __init__(self) -> None:
        #: By name and result.
        self.ended: dict[tuple[str, str], int] = {}
        #: How long answers took from when the action went until they were sent on, by their kind.
        self.seconds = {kind: Histogram(ANSWERS) for kind in (SINGLE, LIST, ORIGINATE)}

    def note(self, action: PendingAction, result: str = "") -> None:
        """Note that *action* is over, with *result*, "": as its answer says."""
        if not result:
            last = action.last
            is_event = last is not None and last.raw.startswith(b"Event: ")
            result = OK if is_event else _result(last)
            kind = ORIGINATE if action.ringing else LIST if is_event else SINGLE
            self.seconds[kind].note(time.monotonic() - action.since)
        key = action.name, result
        self.ended[key] = self.ended.get(key, 0) + 1

    def note_answer(self, action: PendingAction, now: float, *, is_success: bool) -> None:
        """Note that one message has answered *action* at *now*, monotonic seconds."""
        self.seconds[ORIGINATE if action.ringing else SINGLE].note(now - action.since)
        key = action.name, OK if is_success else ERROR
        self.ended[key] = self.ended.get(key, 0) + 1


def _result(last: Message | None) -> str:
    """Return how an action ended that *last* answers; None: text, or nothing."""
    if last is None or last.raw.startswith(b"Response: Success"):
        return OK
    return ERROR if last.get("Response").lower() in ("error", "failure") else OK
