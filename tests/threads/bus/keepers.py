# SPDX-License-Identifier: GPL-2.0-or-later
"""Keepers of several proxies in one process, whose servers write down what they are told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.basics.deadline import Deadline
from amiproxy.bus import clock
from amiproxy.settings.config import Config
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.keeper import Keeper, Me, Tenure
from tests.bus.redisserver import remember
from tests.support import wait_until

if TYPE_CHECKING:
    from types import TracebackType

    from benchmarks.redisserver import RedisServer

#: Seconds of a lease in these tests.
LENGTH = 1.0


class Told(NamedTuple):
    """What a server was told: *tenure*, or why it has none any more."""

    at: float
    tenure: Tenure | None
    reason: str = ""


class Server:
    """A server of one keeper, which lets go at once when its tenure ends."""

    def __init__(self, scope: str, keeper: Keeper) -> None:
        self.scope = scope
        self.can_hold, self.not_before = True, 0.0
        self.told: list[Told] = []
        self._keeper = keeper
        self.lets_go, self.epoch = True, 0

    def grant(self, tenure: Tenure) -> None:
        """As HeldServer."""
        self.told.append(Told(clock.now(), tenure))

    def withdraw(self, reason: str) -> None:
        """As HeldServer."""
        epoch = max((each.tenure.epoch for each in self.told if each.tenure is not None), default=0)
        self.told.append(Told(clock.now(), None, reason))
        if self.lets_go:
            self._keeper.release(self.scope, epoch)

    @property
    def tenure(self) -> Tenure | None:
        """Its tenure, if it has one that is valid."""
        tenure = self.told[-1].tenure if self.told else None
        return tenure if tenure is not None and tenure.is_valid else None

    @property
    def reasons(self) -> list[str]:
        """Why tenures ended."""
        return [each.reason for each in self.told if each.tenure is None]


class Proxy:
    """A proxy that is nothing but a keeper."""

    def __init__(
        self, redis: RedisServer, *scopes: str, url: str = "", optional: bool = False,
        length: float = LENGTH, slot: int = 0,
    ) -> None:  # fmt: skip
        self.config = Config(bus=url or redis.url, bus_failover=length, bus_optional=optional)
        me = Me.made()
        self.me = Me(slot or me.slot, me.name)
        self.keeper = Keeper(
            BusClient.of(self.config), self.config, self.me, lambda: {"clients": 7}
        )
        self.servers = {scope: Server(scope, self.keeper) for scope in scopes}
        for server in self.servers.values():
            self.keeper.add(server)
        self.keeper.start()

    @property
    def held(self) -> set[str]:
        """The servers that it may be connected to."""
        return {scope for scope, server in self.servers.items() if server.tenure is not None}

    def stop(self) -> None:
        """Leave the cluster."""
        self.keeper.stop(Deadline(3.0))


class Cluster(contextlib.ExitStack):
    """Proxies at one Redis, which stop at the end."""

    def __init__(self, redis: RedisServer) -> None:
        super().__init__()
        self.redis = redis
        remember(redis)
        self.proxies: list[Proxy] = []

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.redis.go_on()
        return bool(super().__exit__(kind, error, trace))

    def proxy(
        self,
        *scopes: str,
        url: str = "",
        optional: bool = False,
        length: float = LENGTH,
        slot: int = 0,
    ) -> Proxy:
        """Start a proxy for these servers."""
        proxy = Proxy(self.redis, *scopes, url=url, optional=optional, length=length, slot=slot)
        self.callback(proxy.stop)
        self.proxies.append(proxy)
        return proxy

    def wait_held(self, *scopes: str) -> dict[str, Proxy]:
        """Return who has each server, once each has one holder."""
        return wait_until(lambda: self.holders(*scopes))  # type: ignore[no-any-return]

    def holders(self, *scopes: str) -> dict[str, Proxy] | None:
        """Return who has each server; None if one has none."""
        found: dict[str, Proxy] = {}
        for scope in scopes:
            having = [proxy for proxy in self.proxies if scope in proxy.held]
            assert len(having) <= 1, f"two proxies have {scope}"
            if not having:
                return None
            found[scope] = having[0]
        return found
