# SPDX-License-Identifier: GPL-2.0-or-later
"""What reaches across a cluster beside its servers: orders of operators, limits for all."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Callable

from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.counts import Counts
from amiproxy.threads.bus.failures import PATIENCE, ClusterFailures
from amiproxy.threads.bus.orders import Orders
from amiproxy.threads.control.table import obey

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline
    from amiproxy.settings.config import Config
    from amiproxy.threads.sessions.context import ProxyContext


class Across:
    """All of that for the proxy *slot*; *now* is Redis' clock in milliseconds.

    The main thread makes, starts and stops it.
    """

    def __init__(
        self,
        config: Config,
        client: BusClient,
        slot: int,
        context: ProxyContext,
        now: Callable[[], int],
    ) -> None:
        name = config.bus_name
        self.orders = Orders(client, name, slot, functools.partial(obey, context), now)
        self._counts = Counts(client, name, slot, context.admission)
        quick = BusClient(config.bus, connect_seconds=PATIENCE, name="astmanproxy-log-ins")
        self._failures = ClusterFailures(quick, name)
        self._context = context

    def start(self) -> None:
        """Start the threads; failed log-ins are counted together from now on."""
        self.orders.start()
        self._counts.start()
        self._context.guesses.elsewhere = self._failures

    def stop(self, deadline: Deadline) -> None:
        """End the threads, until *deadline*."""
        self._context.guesses.elsewhere = None
        self._counts.stop(deadline)
        self.orders.stop(deadline)
        self._failures.close()

    @property
    def dropped(self) -> int:
        """Entries that could not be read."""
        return self.orders.dropped
