# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that sends its blocks in very many pieces."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from amiproxy.threads import commandloop
from amiproxy.threads.commandloop import Times
from tests.threads.served import Served
from tests.threads.test_client import BANNER, PONG

if TYPE_CHECKING:
    import pytest

    from tests.threads.conftest import MakePair


def test_a_block_in_very_many_pieces_is_read_less_often(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read is one more thread that wants the interpreter; the block is read all the same."""
    paused = threading.Event()

    def sleep(seconds: float) -> None:
        assert seconds == Times().breath
        paused.set()

    monkeypatch.setattr(commandloop, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    client = Served(pair).start()
    client.sock.sendall(b"Action: Ping\r\n\r\n")
    client.expect(BANNER, PONG)
    assert not paused.is_set()

    client.sock.sendall(b"Action: Ping\r\nX: ")
    while not paused.wait(0.001):
        client.sock.sendall(b"x")
    client.sock.sendall(b"\r\n\r\n")

    client.expect(PONG)
    client.stop()
