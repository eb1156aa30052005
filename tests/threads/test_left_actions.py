# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of actions that wait for their turn when their client is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.pending import PendingAction
from tests.support import wait_until
from tests.threads.test_client import BANNER, Served

if TYPE_CHECKING:
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
