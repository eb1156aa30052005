# SPDX-License-Identifier: GPL-2.0-or-later
"""Sending an action to an Asterisk for which nothing waits: the quick way of ``submit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.routing.pending import PendingAction
    from amiproxy.threads.sessions.link import AsteriskLink


def send_at_once(link: AsteriskLink, action: PendingAction, most: int) -> bool:
    """Send *action* to *link*, if neither it nor any other one has to wait; else do nothing.

    Return whether it has gone.  It is no Originate that is held back; *most* is as for
    ``AsteriskLink.submit``, which it is for otherwise.
    """
    with link.lock:
        ledger, turns, transport = link.ledger, link.turns, link.transport
        in_flight = ledger.in_flight
        if (
            transport is None
            or not link.connected
            or link.gate.holds
            or turns.count
            or turns.held
            or 0 < most <= ledger.owed.get(action.owner, 0)
            or (in_flight and in_flight + len(action.raw) > link.window)
        ):
            return False
        raw = ledger.enter(action)
        with transport.lock:
            transport.send(raw)
        return True
