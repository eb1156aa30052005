# SPDX-License-Identifier: GPL-2.0-or-later
"""SharedServer: one server's part in what the proxies of a cluster share.

For threads/asterisk.py, whose thread it tells when to connect (threads/share.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.bus.sharedlink import SharedLink
from amiproxy.threads.bus.sharedpublisher import SharedPublisher
from amiproxy.threads.bus.turn import Turn

if TYPE_CHECKING:
    from amiproxy.bus.asks import Ask
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.settings.config import ServerSpec
    from amiproxy.threads.bus.around import Around
    from amiproxy.threads.sessions.publisher import Audience


class SharedServer:
    """A server that one proxy of the cluster is connected to for all."""

    def __init__(
        self,
        spec: ServerSpec,
        ids: ActionIds,
        audience: Audience,
        address: str,
        around: Around,
        *,
        can_hold: bool,
    ) -> None:
        """Share the server of *spec*; *can_hold*: this proxy knows its user and secret."""
        self._around = around
        link = SharedLink(spec, ids, address, around.slot, self._ask, around.deadline)
        self.link = link
        self.publisher = SharedPublisher(link, audience, around)
        turn = self._turn = Turn(link, self.publisher, around, can_hold=can_hold)
        self.await_turn, self.over, self.pass_on = turn.await_turn, turn.over, turn.pass_on
        self.wake, self.try_again, self.end = turn.wake, turn.try_again, turn.end

    def _ask(self, ask: Ask) -> None:
        self._around.ask(self.link.scope, ask)

    @property
    def is_ours(self) -> bool:
        """Whether this proxy may be connected now."""
        return self._turn.is_ours

    def tend(self) -> None:
        """Say where it stands, and refuse what had no turn in time.  Once a second; never waits."""
        self.publisher.mark()
        stale = self.link.take_stale()
        if stale:
            self.publisher.refuse(stale, f"Server {self.link.name} had no turn for it in time")
