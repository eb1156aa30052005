# SPDX-License-Identifier: GPL-2.0-or-later
"""Many clients whose threads wait for an event (WaitEvent)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.net.transport import Transport
from tests.support import wait_until
from tests.threads.served import Served
from tests.threads.test_client import BANNER, COMPLETE, WAITED

if TYPE_CHECKING:
    import pytest

    from tests.threads.conftest import MakePair


def test_many_that_wait_look_less_often(pair: MakePair, monkeypatch: pytest.MonkeyPatch) -> None:
    """All together they look as often as a few."""
    client = Served(pair).start()
    client.expect(BANNER)
    (session,) = wait_until(client.router.registry.snapshot)
    wait_until(lambda: session.until_release(None) is None)
    client.context.waiters.update(range(5000))
    waits: list[float | None] = []

    def recv(_: Transport, __: int, timeout: float | None = None) -> bytes:
        waits.append(timeout)
        return b""

    monkeypatch.setattr(Transport, "recv", recv)

    client.sock.sendall(b"Action: WaitEvent\r\n\r\n")

    client.expect_end(WAITED, COMPLETE)
    assert waits[0] is not None
    assert waits[0] >= 2.5
    assert len(client.context.waiters) == 5000
