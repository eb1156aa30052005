# SPDX-License-Identifier: GPL-2.0-or-later
"""Share: whether the thread of a server is to connect, and with what.

A proxy that belongs to no cluster connects to all its servers, always.  In a cluster one proxy is
connected to each (threads/bus/turn.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from amiproxy.threads.sessions.chainpublisher import publisher_for
from amiproxy.threads.sessions.proxylink import link_to

if TYPE_CHECKING:
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.settings.config import ServerSpec
    from amiproxy.threads.net.watched import Work
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.publisher import Audience, Publisher


class Share(Protocol):
    """One server's part in what proxies share; ``wake`` and those before it, any thread calls."""

    @property
    def link(self) -> AsteriskLink:
        """The way to the server."""

    @property
    def publisher(self) -> Publisher:
        """What makes batches of what it says."""

    @property
    def is_ours(self) -> bool:
        """Whether this proxy may be connected now."""

    def tend(self) -> None:
        """Do what is to be done once a second.  Never waits."""

    def try_again(self) -> None:
        """Forget what was tried in vain.  Never waits."""

    def wake(self) -> None:
        """Have the thread end, which is to stop.  Never waits."""

    def await_turn(self, work: Work) -> bool:
        """Wait until this proxy is to connect; return False if it is to stop."""

    def over(self, tries: int, pause: float) -> float:
        """Return the pause, in seconds, after so many *tries* in vain, or a connection (0)."""

    def pass_on(self) -> bool:
        """The server lets this proxy in no more; return whether the thread is to go on."""

    def end(self) -> None:
        """The thread ends."""


class Alone:
    """A server that this proxy connects to by itself."""

    is_ours = True

    def __init__(
        self, spec: ServerSpec, ids: ActionIds, audience: Audience, address: str = ""
    ) -> None:
        self.link = link_to(spec, ids, address)
        self.publisher = publisher_for(self.link, audience)

    def tend(self) -> None:
        """There is nothing to do."""

    def try_again(self) -> None:
        """Nothing keeps it from trying."""

    def wake(self) -> None:
        """Nothing waits."""

    def await_turn(self, work: Work) -> bool:
        """It is always this proxy's turn."""
        del work
        return True

    def over(self, tries: int, pause: float) -> float:
        """There is nobody else who may try."""
        del tries
        return pause

    def pass_on(self) -> bool:
        """There is nobody else: the server is given up."""
        return False

    def end(self) -> None:
        """Nothing is left."""
