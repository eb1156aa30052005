# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that only write down what they are told."""

from __future__ import annotations

import dataclasses

from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.servers import Servers
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router


def spec(host: str, *, user: str = "ann") -> ServerSpec:
    return ServerSpec(host, 5038, user, "secret", "on", False)


ONE, TWO, THREE = spec("192.0.2.1"), spec("192.0.2.2"), spec("192.0.2.3")


class Fake:
    """A server that writes down what it is told."""

    def __init__(self, made: ServerSpec, config: Config, address: str) -> None:
        self.link = AsteriskLink(made, ActionIds(), address)
        self.config = config
        self.did: list[str] = []
        self.is_alive = False  # since it has ended at once

    def configure(self, config: Config) -> None:
        self.config = config

    def try_now(self) -> None:
        self.did.append("try now")

    def reconnect(self, reason: str) -> None:
        self.did.append(reason)

    def refuse_overdue(self) -> None:
        self.did.append("refuse overdue")

    def start(self) -> None:
        self.did.append("start")

    def stop(self, reason: str, told: str = "") -> None:
        self.did.append(reason)
        self.told = told

    def join(self, timeout: float) -> None:
        self.did.append(f"join {timeout:g}")


class Stage:
    """Servers that are started, and everything that was made."""

    def __init__(self, *specs: ServerSpec) -> None:
        self.router = Router(SessionRegistry())
        self.made: list[Fake] = []
        self.config = Config(servers=specs)
        self.servers = Servers(self.config, self.router, self._make)
        self.servers.start()

    def _make(self, made: ServerSpec, config: Config, address: str) -> Fake:
        self.made.append(Fake(made, config, address))
        return self.made[-1]

    def listed(self) -> list[ServerSpec]:
        """Return the servers that clients may use, in order."""
        return [link.spec for link in self.router.servers]

    def reload(self, *specs: ServerSpec) -> None:
        self.config = dataclasses.replace(self.config, servers=specs)
        self.servers.reload(self.config)

    def did(self) -> list[list[str]]:
        return [fake.did for fake in self.made]
