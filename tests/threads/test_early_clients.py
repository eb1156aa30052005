# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that leaves before it is answered still gets what was held back."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.wire.batch import Batch
from tests.threads.test_client import BANNER, Served, block_of

if TYPE_CHECKING:
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
