# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of servers share: a Ping, and waiting for its answer."""

from __future__ import annotations

from tests.support import ManagerClient, wait_until
from tests.system.peers import (
    is_response,
)

NOT_CONNECTED = "Message: No Asterisk server connected"


def ping(client: ManagerClient, *lines: str) -> list[str]:
    """Send a Ping and return its answer."""
    client.send("Action: Ping", *lines)
    return client.read_until(is_response)


def wait_served(client: ManagerClient, timeout: float = 10.0) -> None:
    """Wait until a Ping is answered by Asterisk."""
    wait_until(lambda: "Ping: Pong" in ping(client), timeout, "a Pong")
