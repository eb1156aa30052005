# SPDX-License-Identifier: GPL-2.0-or-later
"""Overdue: the actions that one Asterisk has not answered in time, and those that got no turn.

The watchdog's thread asks each second, whatever the server's own thread does.  Where nothing is
overdue that takes a look at the oldest action.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.threads.sessions import pausing

if TYPE_CHECKING:
    from amiproxy.routing.pending import PendingAction
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.publisher import Publisher

log = logging.getLogger("amiproxy.asterisk")


class Overdue(NamedTuple):
    """Actions that are over for who asked; why those that *waited* did so, for clients."""

    waited: list[PendingAction]
    why: str
    unanswered: list[PendingAction]

    def __bool__(self) -> bool:
        return bool(self.waited or self.unanswered)


def refuse_overdue(link: AsteriskLink, publisher: Publisher, timeout: float) -> None:
    """Tell who asked *link* what is overdue, by *timeout* in seconds, 0: none.  Never waits."""
    found = take(link, time.monotonic(), timeout)
    if not found:
        return
    late, waited = len(found.unanswered), len(found.waited)
    link.record.timeouts += late
    try:
        if found.unanswered:
            log.warning("asterisk@%s: %d actions not answered in time", link.scope, late)
            publisher.refuse(found.unanswered, f"Server {link.name} did not answer in time")
        if found.waited:
            log.warning("asterisk@%s: %s: %d actions refused", link.scope, found.why, waited)
            publisher.refuse(found.waited, f"Server {link.name} {found.why}")
    finally:
        link.refusing = ()


def take(link: AsteriskLink, now: float, timeout: float) -> Overdue:
    """Return what is overdue at *now*, monotonic seconds; it is over with that.

    Clear ``refusing`` of *link* when their clients have been told.
    """
    with link.lock:
        ledger, turns = link.ledger, link.turns
        waited, why = _take_waiting(link, now, timeout)
        if timeout:
            ledger.refuse(now, timeout + link.grace)
        late = link.take_over(now)
        if late and turns.count:
            link.advance()
        link.refusing = {action.owner for action in (*waited, *late)}
        return Overdue(waited, why, late)


def _take_waiting(
    link: AsteriskLink, now: float, timeout: float
) -> tuple[list[PendingAction], str]:
    """Return the actions that have waited too long for their turn, and why they did."""
    assert link.lock.locked()
    turns = link.turns
    if link.gate.holds:
        turns.blocked_until = now
        return turns.take_older(now - pausing.WAITS), "is paused"
    if not link.connected:
        # They waited for a pause to end, and it was given up meanwhile.
        return turns.clear(), "is not connected"
    if link.ledger.patience(now, 0.0) > 0:
        turns.blocked_until = now  # it makes a call, say, and answers nothing else
    if not timeout or now - turns.blocked_until <= timeout:
        return [], ""
    return turns.take_older(now - timeout), "did not answer in time"
