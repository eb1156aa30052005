# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy that is nothing but a keeper, as a process of its own: to be killed, or stopped.

``python -m tests.threads.bus.holder URL LENGTH SCOPE`` writes a line for each thing that it is
told, and for each line that it reads whether its tenure is valid.
"""

from __future__ import annotations

import sys

from amiproxy.settings.config import Config
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.keeper import Keeper, Me, Tenure


class Server:
    """Says what it is told."""

    can_hold, not_before = True, 0.0
    epoch = 0

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.tenure = Tenure(scope, 0)
        self.tenure.end()

    def grant(self, tenure: Tenure) -> None:
        """As HeldServer."""
        self.tenure = tenure
        say(f"granted {tenure.epoch}")

    def withdraw(self, reason: str) -> None:
        """As HeldServer."""
        say(f"withdrawn {reason}")


def say(line: str) -> None:
    """Write *line* at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Keep the lease until the input ends."""
    url, length, scope = sys.argv[1:]
    config = Config(bus=url, bus_failover=float(length))
    me, server = Me.made(), Server(scope)
    keeper = Keeper(BusClient.of(config), config, me, dict)
    say(str(me.slot))
    keeper.add(server)
    keeper.start()
    for _ in sys.stdin:
        say(f"valid {server.tenure.is_valid}")


if __name__ == "__main__":
    main()
