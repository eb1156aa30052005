# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of actions that wait when their client is gone, or sends no more."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from amiproxy.routing.pending import PendingAction
from tests.support import wait_until
from tests.threads.served import QUICK, Served
from tests.threads.test_client import BANNER, answer, block_of

if TYPE_CHECKING:
    import pytest

    from tests.threads.conftest import MakePair


def test_what_has_not_gone_up_when_a_client_is_let_go_never_does(pair: MakePair) -> None:
    """Who comes and goes all the time would fill the memory with it."""
    client = Served(pair)
    link, _ = client.asterisk()
    for _ in range(40):
        wire_id = client.router.ids.make(99, None)
        link.submit(PendingAction(99, b"x" * 100, wire_id))
    waiting = link.turns.count
    client.start()
    client.sock.sendall(b"Action: Ping\r\n\r\n" * 5)
    wait_until(lambda: link.turns.count == waiting + 5)

    client.router.registry.snapshot()[0].end("let go")

    client.expect_end(BANNER)
    assert link.turns.count == waiting


def test_a_half_closed_client_stays_for_as_long_as_its_call_takes(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon it would be let go otherwise; what waits behind the call is asked then."""
    monkeypatch.setattr("tests.threads.served.QUICK", QUICK._replace(linger=0.01))
    client = Served(pair)
    link, theirs = client.asterisk()
    client.start()

    client.sock.sendall(b"Action: Originate\r\nChannel: a/1\r\nApplication: Wait\r\n\r\n")
    client.sock.sendall(b"Action: CoreStatus\r\n\r\n")
    client.sock.shutdown(socket.SHUT_WR)

    call = block_of(theirs)
    answer(client, link, call)  # accepted
    client.thread.join(0.1)
    answer(client, link, call, event="OriginateResponse")
    answer(client, link, block_of(theirs))
    said = b"Response: Success\r\nMessage: Originate successfully queued\r\nServer: pbx\r\n\r\n"
    client.expect_end(BANNER, said, b"Response: Success\r\nServer: pbx\r\n\r\n")
