# SPDX-License-Identifier: GPL-2.0-or-later
"""The actions that another proxy passes on: each of them ends."""

from __future__ import annotations

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.askedledger import OTHERS, AskedLedger
from amiproxy.routing.pending import PendingAction

_TIMEOUT = 10.0


class Book:
    """A ledger, and its actions."""

    def __init__(self) -> None:
        self._ids = ActionIds()
        self.ledger = AskedLedger(self._ids, "pbx")

    def ask(self, owner: int, now: float, ringing: float = 0.0) -> PendingAction:
        """Return an action that has gone at *now*."""
        wire_id = self._ids.make(owner, None)
        raw = f"Action: Ping\r\nActionID: {wire_id}\r\n\r\n".encode()
        action = PendingAction(owner, raw, wire_id, since=now, ringing=ringing)
        self.ledger.enter(action)
        return action

    def answer(self, action: PendingAction, now: float) -> None:
        """Answer *action* at *now*."""
        self.ledger.note_part(action, now)
        self.ledger.finish(action, Message.of("Response: Success"))
        self.ledger.note_time(now)

    def over(self, now: float) -> list[int]:
        """Return whose actions are over at *now*, answered or refused."""
        self.ledger.refuse(now, _TIMEOUT)
        return [action.owner for action in self.ledger.take_over()]


def test_what_was_lost_is_refused_though_others_are_answered() -> None:
    """They show that the Asterisk is at work, but not for ever."""
    book = Book()
    book.ask(1, 0.0)
    over = []
    for second in range(60):
        book.answer(book.ask(2, second), second)
        over += [(owner, second) for owner in book.over(second) if owner == 1]

    assert [owner for owner, _ in over] == [1]
    assert _TIMEOUT < over[0][1] <= _TIMEOUT + OTHERS + 1


def test_a_list_that_comes_slowly_is_not_refused() -> None:
    """Each part of it gives it its time anew."""
    book = Book()
    action = book.ask(1, 0.0)
    for second in range(0, 60, 5):
        book.ledger.note_part(action, second)
        book.ledger.note_time(second)
        assert book.over(second) == []
    assert book.over(55 + _TIMEOUT + OTHERS + 1) == [1]


def test_what_is_refused_is_kept_no_more() -> None:
    """Nothing is left of it: what comes late is for nobody."""
    book = Book()
    action = book.ask(1, 0.0)

    assert book.over(_TIMEOUT + 1) == [1]
    assert book.ledger.asked(action.wire_id) is None
    assert book.ledger.in_flight == 0
    assert not book.ledger.owed
