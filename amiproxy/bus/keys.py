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

    @property
    def epoch(self) -> str:
        """Return the counter of tenures."""
        return f"{self.prefix}:epoch"

    @property
    def memory(self) -> str:
        """Return what says since when Redis remembers leases, and which process of it."""
        return f"{self.prefix}:memory"

    @property
    def proxies(self) -> str:
        """Return the set of the slots of all proxies."""
        return f"{self.prefix}:proxies"

    def lease(self, scope: str) -> str:
        """Return the lease of the server, whose value is ``SLOT.EPOCH``."""
        return f"{self.prefix}:lease:{scope}"

    def proxy(self, slot: int) -> str:
        """Return what one proxy says of itself, as ``members.encode_member``."""
        return f"{self.prefix}:proxy:{slot_text(slot)}"

    def orders(self, slot: int) -> str:
        """Return the stream of what operators ask of one proxy."""
        return f"{self.prefix}:orders:{slot_text(slot)}"

    def told(self, slot: int) -> str:
        """Return the stream of what others say to the orders of one proxy's operator."""
        return f"{self.orders(slot)}:answers"

    @property
    def clients(self) -> str:
        """Return the hash of how many clients each proxy has, by slot."""
        return f"{self.prefix}:clients"

    def failures(self, network: str) -> str:
        """Return the counter of failed log-ins of *network*."""
        return f"{self.prefix}:failures:{network}"


def key_bytes(key: str) -> bytes:
    """Return *key* as it is sent to Redis."""
    return key.encode("utf-8", "surrogateescape")
