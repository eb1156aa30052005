# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyLink: the way to another proxy, and to the servers behind it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.routing.behind import Behind
from amiproxy.routing.chainledger import ChainLedger
from amiproxy.routing.pending import own_action
from amiproxy.routing.turns import WINDOW
from amiproxy.threads.sessions.chain import Chain
from amiproxy.threads.sessions.link import AsteriskLink

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction
    from amiproxy.settings.config import ServerSpec


class ProxyLink(AsteriskLink):
    """The way to another proxy (``proxy=yes``)."""

    #: Several Asterisks serve the actions that go there.
    window = 16 * WINDOW
    grace = 5.0

    def __init__(self, spec: ServerSpec, ids: ActionIds, address: str = "") -> None:
        super().__init__(spec, ids, address)
        self.behind = Behind()
        self.chain = Chain(ids, self.scope, self.behind)
        self.chain_ledger = ChainLedger(ids, self.name, self._note)
        self.ledger = self.chain_ledger

    # -- any thread -------------------------------------------------------------------------

    def ask(self, path: str) -> None:
        """Ask what is behind the proxy; *path* says who asks.  Never waits."""
        with self.lock:
            if self.connected:
                self._send(self.chain.question(time.monotonic(), path))

    def announce(self, path: str) -> None:
        """Say who is before the proxy now, if it was told otherwise.  Never waits."""
        with self.lock:
            now = time.monotonic()
            if self.connected and self.chain.announces(path, now):
                self._send(self.chain.question(now, path))

    def ping(self) -> None:
        """As any link; and a sign of life of the proxy itself, which no Asterisk has to give."""
        super().ping()
        with self.lock:
            if self.connected:
                self._send(self.chain.sign_of_life(time.monotonic()))

    def ask_round(self, name: str) -> None:
        """Ask what comes back if the server *name* behind the proxy is this proxy.  Never waits."""
        if question := self.probe.question(time.monotonic()):
            action = own_action(self._ids, "Ping", question, f"Server: {name}")
            action.target = name
            self.submit(action)

    # -- the server's thread ------------------------------------------------------------------

    def lose(self) -> list[PendingAction]:
        """As any link."""
        lost = super().lose()
        with self.lock:
            self.chain.clear()
        return lost

    def _note(self, answer: Message) -> None:
        """Take what the proxy answers; with the lock, as all that is classified."""
        assert self.lock.locked()
        path = self.chain.note(answer)
        if path is not None:
            self.proxy_path = path


def link_to(spec: ServerSpec, ids: ActionIds, address: str = "") -> AsteriskLink:
    """Return a link to the server *spec*."""
    return (ProxyLink if spec.proxy else AsteriskLink)(spec, ids, address)
