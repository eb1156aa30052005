# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rest of the proxy asks the bus for, where it has one (``context.bus``).

Nothing here imports the bus: who has none never loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Protocol

from amiproxy.status.clustervalues import CUT_OFF

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Identity(Protocol):
    """This proxy on the bus."""

    @property
    def slot(self) -> int:
        """Its number, 24 bits, never 0."""

    @property
    def name(self) -> str:
        """For people: host and pid."""


class Member(Protocol):
    """A live proxy of the cluster, as it says of itself."""

    @property
    def slot(self) -> int:
        """As ``Identity.slot``."""

    @property
    def name(self) -> str:
        """As ``Identity.name``."""

    @property
    def host(self) -> str:
        """The machine that it runs on."""

    @property
    def pid(self) -> int:
        """Its process there."""

    @property
    def version(self) -> str:
        """Its release."""

    @property
    def started(self) -> float:
        """When, unix time."""

    @property
    def clients(self) -> int:
        """How many it has."""

    @property
    def state(self) -> str:
        """How it stands to the bus."""

    @property
    def holds(self) -> Sequence[str]:
        """The servers that it is connected to."""

    @property
    def lags(self) -> Mapping[str, int]:
        """By server that it follows: how old is what it has read last, in milliseconds."""

    @property
    def stopping(self) -> bool:
        """Whether it is about to end."""


class BusFigures(NamedTuple):
    """How this proxy stands to the bus."""

    #: One of those of amiproxy.status.clustervalues.
    state: str
    #: Why it is not joined; without any secret.
    problem: str
    #: Bytes that wait to be sent.
    queued: int
    #: Since the start: entries sent, those of others that could not be read, and queues that were
    #: dropped since they had become too long.
    sent: int
    dropped: int
    overruns: int


class Told(NamedTuple):
    """What another proxy said to an order: *lines* of text and, of what shows something, *data*."""

    is_good: bool
    lines: Sequence[str]
    data: Any = None


class Bus(Protocol):
    """The bus.  Any thread may call; none of it waits, but ``order``."""

    @property
    def name(self) -> str:
        """What the keys of the cluster begin with (``busname``)."""

    @property
    def me(self) -> Identity:
        """This proxy."""

    def figures(self) -> BusFigures:
        """Return how it stands."""

    def members(self) -> Sequence[Member]:
        """Return the live proxies, this one among them, as they were a moment ago."""

    def holder_of(self, scope: str) -> Member | None:
        """Return who holds the server *scope*, None: nobody, as far as is known."""

    def epoch_of(self, scope: str) -> int:
        """Return the number of the tenure of the server *scope*, 0: it is not known."""

    def order(self, slots: Collection[int], line: str, who: str) -> Mapping[int, Optional[Told]]:
        """Have the proxies *slots* carry out the command *line* for *who*; return what they say.

        None stands for one that does not answer.  Waits; never in a server's thread.
        """


def is_cut_off(bus: Bus | None) -> bool:
    """Return whether a proxy with that *bus* serves no Asterisk, since it has lost it."""
    return bus is not None and bus.figures().state == CUT_OFF
