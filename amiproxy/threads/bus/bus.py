# SPDX-License-Identifier: GPL-2.0-or-later
"""Bus: this proxy's part in a cluster.  Makes what belongs to it, starts and stops it."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.basics.base36 import last_digits
from amiproxy.bus.members import PublicSpec
from amiproxy.status.clustervalues import JOINED
from amiproxy.threads.bus.across import Across
from amiproxy.threads.bus.around import Around
from amiproxy.threads.bus.asks import Asks
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.edges import Edges
from amiproxy.threads.bus.keeper import Keeper, Me
from amiproxy.threads.bus.outbox import Outbox
from amiproxy.threads.bus.shared import SharedServer
from amiproxy.threads.bus.sharedlink import SharedLink
from amiproxy.threads.sessions import numbers
from amiproxy.threads.sessions.cluster import BusFigures

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from amiproxy.basics.deadline import Deadline
    from amiproxy.bus.members import Member
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.bus.edges import Learn
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.router import Router

log = logging.getLogger("amiproxy.bus")

#: Characters of the nonce of event ids.
_NONCE = 8
#: Between two looks whether the cluster is known, in seconds.
_LOOK = 0.02
#: Bytes that may wait for the bus.
_QUEUE = 32 * 1024 * 1024


def nonce_of(name: str) -> str:
    """Return the nonce of event ids in the cluster *name*: the same at all its proxies."""
    return last_digits(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big"), _NONCE)


class Bus:
    """What this proxy shares with the others of its cluster.

    The main thread makes, starts and stops it; what else is here any thread may ask.
    """

    def __init__(
        self,
        config: Config,
        router: Router,
        clients: Callable[[], int],
        local: Collection[str],
    ) -> None:
        """Take part in the cluster of *config*; *clients* returns how many there are here.

        The actions *local* are carried out by each proxy itself.  To be made before there is any
        session.
        """
        self.name = config.bus_name
        self.me = Me.made()
        numbers.begin_at(self.me.slot)
        self._router, self._clients = router, clients
        router.nonce = nonce_of(config.bus_name)
        client = BusClient.of(config, name=f"astmanproxy-{os.getpid()}")
        self.keeper = Keeper(client, config, self.me, self._presence)
        self.outbox = Outbox(client, config.bus_name, _QUEUE, config.bus_bytes, config.bus_join)
        self.around = Around(config, self.me.slot, client, self.keeper, self.outbox, router)
        self.asks = Asks(self.around, router.ids, config, self._held, local)

    def reach_across(self, context: ProxyContext) -> None:
        """Take orders of the other proxies' operators, and count with them, for *context*."""
        slot, now = self.me.slot, self.keeper.redis_ms
        self._across = across = Across(context.config, self.around.client, slot, context, now)
        self.order = across.orders.order

    def learn_servers(self, learn: Learn) -> None:
        """Have *learn* know the servers of the other proxies, as they come and go."""
        keeper = self.keeper
        edges = Edges(self.me.slot, keeper.members, lambda: keeper.state == JOINED, learn)
        self.tend = edges.tend

    def start(self) -> None:
        """Start the threads."""
        self.outbox.start()
        self.keeper.start()
        self.asks.start()
        self._across.start()
        log.info("this proxy is %s of the cluster %s", self.me.name, self.name)

    def settle(self, deadline: Deadline) -> None:
        """Wait until the servers of the cluster are known, so that clients find them.

        For who starts the proxy, before anybody else calls ``tend``.
        """
        while not deadline.over:
            knows = self.keeper.knows_members
            self.tend()
            if knows and self._router.servers:
                return
            time.sleep(_LOOK)

    def stop(self, deadline: Deadline) -> None:
        """Send what is left, give all servers up, and end the threads; until *deadline*."""
        self._across.stop(deadline)
        self.asks.stop()
        self.outbox.stop(deadline)
        self.keeper.stop(deadline)
        self.asks.join(deadline.left())

    def configure(self, config: Config) -> None:
        """Take over settings that were read anew."""
        self.around.configure(config)
        self.asks.configure(config)

    def share(self, spec: ServerSpec, address: str) -> SharedServer | None:
        """Return the part of the server *spec*, None if it is not shared: it is another proxy."""
        if spec.proxy:
            return None
        router = self._router
        can_hold = bool(spec.user)
        return SharedServer(spec, router.ids, router, address, self.around, can_hold=can_hold)

    def members(self) -> Sequence[Member]:
        """Return the proxies of the cluster, this one too."""
        return self.keeper.members()

    def holder_of(self, scope: str) -> Member | None:
        """Return the proxy that holds the server *scope*, None if there is none."""
        return next((one for one in self.members() if scope in one.holds), None)

    def epoch_of(self, scope: str) -> int:
        """Return the number of the tenure of the server *scope*, 0: it is not known."""
        return next((link.tenure for link in self._links() if link.scope == scope), 0)

    def figures(self) -> BusFigures:
        """Return how this proxy stands to the bus."""
        keeper, outbox = self.keeper, self.outbox
        dropped = self._across.dropped + self.asks.dropped
        dropped += sum(link.dropped for link in self._links())
        return BusFigures(
            keeper.state,
            keeper.problem or outbox.problem,
            outbox.waiting,
            outbox.counts.sent,
            dropped,
            outbox.dropped,
        )

    def _links(self) -> list[SharedLink]:
        return [link for link in self._router.servers if isinstance(link, SharedLink)]

    def _held(self) -> list[SharedLink]:
        return [link for link in self._links() if not link.reading]

    def _presence(self) -> Mapping[str, Any]:
        """Return what the other proxies are to know of this one now."""
        links = self._links()
        servers = {
            link.scope: PublicSpec(link.host, link.spec.port, link.spec.name, link.spec.events)
            for link in links
            if link.spec.user
        }
        lags = {link.scope: link.lag for link in links if link.reading and link.connected}
        return {"clients": self._clients(), "lags": lags, "servers": servers}
