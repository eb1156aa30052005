# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether an Asterisk owes somebody an answer that a Ping may show not to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink


def owes_response(link: AsteriskLink, number: int) -> bool:
    """Return whether a Ping to *link* may show that an action of session *number* gets no answer.

    It does not show that of an Originate that Asterisk has accepted.
    """
    with link.lock:
        unanswered, originate = link.ledger.unanswered(number), link.turns.holder(number)
        if originate is None:
            return unanswered + link.turns.waiting(number) > 0
        # What waits behind it has not been asked yet.
        return unanswered > (1 if originate.key in link.ledger.held else 0)
