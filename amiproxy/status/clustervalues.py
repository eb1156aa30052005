# SPDX-License-Identifier: GPL-2.0-or-later
"""The cluster as one of its proxies sees it, as values; see values.py for what holds of names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

#: How a proxy stands to the bus: it has it; it has lost it, and serves no Asterisk; it has lost it,
#: and goes on by itself (``busoptional = yes``).
JOINED, CUT_OFF, ALONE = "joined", "cut off", "alone"


@dataclass(frozen=True)
class MemberStatus:
    """One proxy of the cluster."""

    #: What it is on the bus, five digits of base 36; and for people: host and pid.
    slot: str
    name: str
    host: str
    pid: int
    version: str
    state: str
    #: It stops: it takes no server any more.
    stopping: bool
    #: When it was started, unix time.
    started: float
    clients: int
    #: The servers that it is connected to, for all.
    holds: tuple[str, ...]


@dataclass(frozen=True)
class ReaderStatus:
    """One proxy that follows a server which another one holds."""

    proxy: str
    #: How long what it read last took to come, from the holder on, in seconds.
    lag: float


@dataclass(frozen=True)
class HoldingStatus:
    """One server of the cluster: who holds it, and how far behind the others are."""

    server: str
    #: The name of the proxy that is connected to it, "": none; and its slot.
    holder: str
    slot: str
    #: The number of its tenure, which only rises; 0: it is not known.
    epoch: int
    readers: tuple[ReaderStatus, ...]

    @property
    def lag(self) -> Optional[float]:
        """How far behind the last of the readers is; None: there is none."""
        return max((each.lag for each in self.readers), default=None)


@dataclass(frozen=True)
class ClusterStatus:
    """The cluster, and how this proxy stands to it."""

    #: The key ``busname``.
    name: str
    #: This proxy.
    slot: str
    proxy: str
    state: str
    #: Why it is not joined, "" where it is.
    problem: str
    members: tuple[MemberStatus, ...]
    servers: tuple[HoldingStatus, ...]
    #: Of all its proxies.
    clients: int
    #: What waits to be sent to the bus, in bytes; and since the start: entries that were sent,
    #: those of others that could not be read, and how often so much waited that it was dropped.
    queued: int
    sent: int
    dropped: int
    overruns: int
    #: How long ago it was first seen that one of the last two has risen; None: they never did.
    trouble_ago: Optional[float] = None
