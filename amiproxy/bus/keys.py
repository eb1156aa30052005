# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys: what the cluster's things are called in Redis."""

from __future__ import annotations

from typing import NamedTuple

from amiproxy.bus.members import slot_text


class Keys(NamedTuple):
    """The keys of the cluster *prefix* (``busname``).

    A *scope* names a server (``ServerSpec.scope``), a *slot* a proxy.
    """

    prefix: str

    def events(self, scope: str) -> str:
        """Return the stream of what the server sends to everybody."""
        return f"{self.prefix}:events:{scope}"

    def asks(self, scope: str) -> str:
        """Return the stream of actions for the server's holder."""
        return f"{self.prefix}:asks:{scope}"

    def answers(self, slot: int, scope: str) -> str:
        """Return the stream of what the server's holder answers to sessions of one proxy."""
        return f"{self.prefix}:answers:{slot_text(slot)}:{scope}"

    def orders(self, slot: int) -> str:
        """Return the stream of what operators ask of one proxy."""
        return f"{self.prefix}:orders:{slot_text(slot)}"
