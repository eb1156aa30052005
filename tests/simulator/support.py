# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the simulated Asterisk."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support import ManagerClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

USER = "Username: ampuser"
SECRET = "Secret: AmpSecret"


@contextmanager
def logged_in(asterisk: SimulatedAsterisk, *headers: str) -> Iterator[ManagerClient]:
    """Give a client that is logged in and has read the FullyBooted."""
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        client.ask("Action: Login", USER, SECRET, *headers)
        if asterisk.pbx.behaviour.boot and not any("off" in header for header in headers):
            client.read_message()
        yield client
