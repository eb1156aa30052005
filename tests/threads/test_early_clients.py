# SPDX-License-Identifier: GPL-2.0-or-later
"""What is held back from a client before its first block is answered: it is sent, and when."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.wire.batch import Batch
from tests.support import wait_until
from tests.threads.served import Served
from tests.threads.test_client import BANNER, block_of

if TYPE_CHECKING:
    import pytest

    from tests.threads.conftest import MakePair

EVENT = b"Event: Tick\r\nPrivilege: call,all\r\n\r\n"


def test_a_half_close_loses_no_event(pair: MakePair) -> None:
    """Though no answer has come that it could stand behind."""
    client = Served(pair)
    link, theirs = client.asterisk()
    client.start()
    client.sock.sendall(b"Action: Lost\r\n\r\n")
    client.sock.shutdown(socket.SHUT_WR)
    asked = block_of(theirs)
    (session,) = client.router.registry.snapshot()
    session.deliver(Batch("pbx:5038", EVENT))

    with link.lock:  # what it was is not published: the client never hears of it
        action_id = Message(asked).get("ActionID")
        link.ledger.classify(Message.of("Response: Success", f"ActionID: {action_id}"))
        link.advance()

    client.expect_end(BANNER, EVENT)


def sent_an_event(pair: MakePair) -> Served:
    """Return a client that has been greeted and has asked nothing; an event has come for it."""
    client = Served(pair).start()
    client.expect(BANNER)
    (session,) = wait_until(client.router.registry.snapshot)
    session.deliver(Batch("pbx:5038", EVENT))
    return client


def test_an_event_waits_for_the_first_answer(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes behind it, however early it came."""
    monkeypatch.setattr("amiproxy.threads.sessions.early.HOLD", 60.0)
    client = sent_an_event(pair)

    client.sock.sendall(b"ProxyAction: SetAutoFilter\r\nAutoFilter: off\r\n\r\n")

    client.expect(b"ProxyResponse: Success\r\nAutoFilter: 0\r\n\r\n", EVENT)
    client.stop()


def test_who_asks_nothing_gets_what_was_held_back(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its time is over; nothing else has to come."""
    monkeypatch.setattr("amiproxy.threads.sessions.early.HOLD", 0.3)
    client = sent_an_event(pair)

    client.expect(EVENT)
    client.stop()
