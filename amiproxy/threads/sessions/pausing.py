# SPDX-License-Identifier: GPL-2.0-or-later
"""Pausing: the operator has clients' actions wait for an Asterisk (gate.py), and lets them go.

What a pause is for: to restart an Asterisk without an error for anybody.  Actions that went
before are answered; later ones wait, also while the connection is gone, until it is resumed and
Asterisk has booted.  Nobody's waits for longer than WAITS (overdue.py), and a client's only up to
the same number and size as behind others' actions (``MOST_WAITING`` of routing/turns.py): then it
is read no further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.sessions.gate import State

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink

#: Seconds that an action may wait for a pause to end; then it is answered with an error.
WAITS = 120.0


def pause(link: AsteriskLink) -> None:
    """Let no further action go up to *link*."""
    with link.lock:
        link.gate.set(State.SHUT)


def resume(link: AsteriskLink) -> None:
    """Let the actions that wait go up to *link*, as soon as it is connected."""
    with link.lock:
        # One that is to connect anew opens by itself, and not before it has.
        if link.gate.is_shut:
            link.gate.set(State.OPEN if link.connected else State.OPENING)
            link.advance()


def wait_for_connect(link: AsteriskLink) -> None:
    """Let no further action go up on this connection of *link*, if it is not paused anyway."""
    with link.lock:
        if not link.gate.is_shut:
            link.gate.set(State.OPENING)


def open_for_good(link: AsteriskLink) -> None:
    """Let nothing wait for *link* any more: there will be no further connection."""
    with link.lock:
        link.gate.set(State.OPEN)


def is_idle(link: AsteriskLink) -> bool:
    """Return whether all that went up to *link* is answered.

    Asks it now and then, for some actions are never answered: then that shows.
    """
    with link.lock:
        ledger = link.ledger
        idle = not ledger.in_flight and ledger.open_list is None and not ledger.held
    if not idle:
        link.ping()
    return idle
