# SPDX-License-Identifier: GPL-2.0-or-later
"""The quick way of plain answers from one Asterisk to those who asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.wire.routed import Routed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.threads.sessions.link import AsteriskLink

#: Bytes of a read whose answers may be plain: clients wait for the lock while it is looked at.
LONGEST = 16384


def take(link: AsteriskLink, wire: bytes) -> list[PlainAnswer]:
    """Return the answers in *wire*, from *link*, if it holds nothing but plain ones; else nothing.

    As ``AsteriskLink.classify``, which it is for otherwise: nothing has changed then.
    """
    with link.lock:
        found = link.ledger.take_plain(wire, time.monotonic())
        if found:
            link.delivering = [action.owner for action, _, _ in found]
            if link.turns.count:
                link.advance()  # answers have made room
        return found


def private(answers: Sequence[PlainAnswer]) -> Mapping[int, Sequence[PlainAnswer]]:
    """Return *answers* by the session that they are for; none if others may see any of them."""
    found: dict[int, list[PlainAnswer]] = {}
    for answer in answers:
        action = answer.action
        if not action.is_private():
            return {}
        found.setdefault(action.owner, []).append(answer)
    return found


def routed(answers: Sequence[PlainAnswer]) -> list[Routed]:
    """Return *answers* as parts of a batch."""
    return [
        Routed(
            Message(raw),
            owner=action.owner,
            action_id=action.given,
            request_id=action.wire_id,
            final=True,
            private=action.is_private(),
        )
        for action, raw, _ in answers
    ]
