# SPDX-License-Identifier: GPL-2.0-or-later
"""Around: what the thread of a shared server needs of the bus and of the proxy."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.bus import clock
from amiproxy.bus.asks import Ask, encode_ask
from amiproxy.bus.fields import Malformed
from amiproxy.bus.keys import Keys
from amiproxy.status.clustervalues import JOINED

if TYPE_CHECKING:
    from amiproxy.settings.config import Config
    from amiproxy.threads.bus.client import BusClient
    from amiproxy.threads.bus.keeper import Keeper
    from amiproxy.threads.bus.outbox import Outbox
    from amiproxy.threads.sessions.publisher import Audience

log = logging.getLogger("amiproxy.bus")

#: For how many seconds what is asked may be on its way to Asterisk, if nothing is configured.
_UNLIMITED = 30.0


class Around:
    """The bus of one proxy, *slot*, for all its servers.  Any thread may call."""

    def __init__(
        self,
        config: Config,
        slot: int,
        client: BusClient,
        keeper: Keeper,
        outbox: Outbox,
        audience: Audience,
    ) -> None:
        self.slot, self.keys, self.client = slot, Keys(config.bus_name), client
        self.keeper, self.outbox = keeper, outbox
        self.failover = config.bus_failover
        self._audience = audience
        #: Since when a server has had no holder, by scope.  Each entry is its server's thread's.
        self._unheld: dict[str, float] = {}
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Take over settings that were read anew."""
        #: Whether clients are told that servers are lost, or connected.
        self.tells = config.server_events
        self._patience = config.action_timeout or _UNLIMITED

    @property
    def keeps_calls(self) -> bool:
        """Whether Newchannel and Newstate are kept for clients that see a call late."""
        return self._audience.keeps_calls

    def now(self) -> int:
        """Return the time of the bus, in milliseconds."""
        return self.keeper.redis_ms()

    def deadline(self) -> int:
        """Return until when what is asked now may go to its Asterisk, as ``now``."""
        return self.now() + int(self._patience * 1000)

    def ask(self, scope: str, ask: Ask) -> None:
        """Send *ask* to the holder of the server *scope*.  Never waits."""
        try:
            self.outbox.send(self.keys.asks(scope), encode_ask(ask))
        except Malformed as error:
            log.warning("asterisk@%s: an action does not go to the bus: %s", scope, error)

    def heard(self, scope: str) -> None:
        """Some proxy holds the server *scope*, as far as is known.  For the server's thread."""
        self._unheld.pop(scope, None)

    def is_held(self, scope: str, more: float) -> bool:
        """Return whether some proxy holds the server *scope*, or did so until a moment ago.

        That is the time of a lease and *more* seconds.  For the server's thread.
        """
        keeper = self.keeper
        if keeper.state != JOINED or any(scope in one.holds for one in keeper.members()):
            self._unheld.pop(scope, None)
            return True
        since = self._unheld.setdefault(scope, clock.now())
        return clock.now() - since < self.failover + more
