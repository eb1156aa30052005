# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that leave while their request waits."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from tests.support import ManagerClient, wait_until
from tests.system.web.support import curl, get, needs_curl

if TYPE_CHECKING:
    from tests.support import ProxyProcess

#: Close with a reset.
_RESET = struct.pack("ii", 1, 0)


def _sessions(process: ProxyProcess) -> int:
    return curl(process, "/?ProxyAction=ListSessions")[2].count("ProxyClientSession")


@needs_curl
@pytest.mark.parametrize(
    "target", ["/?Action=WaitEvent&Timeout=600", "/?Action=Ping&X-Until-Event=Never"]
)
def test_a_request_ends_with_its_connection(web: ProxyProcess, target: str) -> None:
    """Nothing is left of it, however long it might have waited."""
    before = _sessions(web)
    with ManagerClient(web.port) as client:
        client.send_raw(get(target + "&X-Maxtime=600000"))
        wait_until(lambda: _sessions(web) > before)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    wait_until(lambda: _sessions(web) == before)
