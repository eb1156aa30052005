# SPDX-License-Identifier: GPL-2.0-or-later
"""How a WaitEvent of a client ends that goes on sending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import wait_until
from tests.threads.served import Served
from tests.threads.test_client import BANNER, COMPLETE, PONG, WAITED

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


def test_what_comes_later_ends_a_waitevent(pair: MakePair) -> None:
    """As in Asterisk (action_waitevent), be it only a part of an action."""
    client = Served(pair).start()
    client.expect(BANNER)
    client.sock.sendall(b"Action: WaitEvent\r\n\r\n")
    (session,) = wait_until(client.router.registry.snapshot)
    wait_until(lambda: session.waiting_for_event is not None)

    client.sock.sendall(b"Action: Pi")
    client.expect(WAITED, COMPLETE)
    client.sock.sendall(b"ng\r\n\r\n")
    client.expect(PONG)
    client.stop()
