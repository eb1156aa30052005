# SPDX-License-Identifier: GPL-2.0-or-later
"""What a plain answer means for those that are to come; all else tests/threads/test_plain_ways.py."""

from __future__ import annotations

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.ledger import Ledger
from amiproxy.routing.pending import PendingAction


def test_the_time_of_later_actions_begins_with_the_answer() -> None:
    """Asterisk serves one after the other: they are not late yet."""
    ids = ActionIds()
    ledger = Ledger(ids, "pbx")
    one, other = (PendingAction(7, b"", ids.make(7, None), since=1.0) for _ in range(2))
    ledger.enter(one)
    ledger.enter(other)
    answer = Message.of("Response: Success", f"ActionID: {one.wire_id}").raw

    assert [found.action for found in ledger.take_plain(answer, 100.0)] == [one]

    ledger.refuse(110.0, 30.0)
    assert not other.refused
    ledger.refuse(131.0, 30.0)
    assert other.refused
