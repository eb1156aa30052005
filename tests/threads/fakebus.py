# SPDX-License-Identifier: GPL-2.0-or-later
"""A bus without Redis: it says what the test wants, and keeps what it was asked for."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from amiproxy.status.clustervalues import JOINED
from amiproxy.threads.sessions.cluster import BusFigures, Told

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HERE, THERE, DEAD = 0x0A0B0C, 0x123456, 0x777777


class FakeMember(NamedTuple):
    """One proxy of the cluster."""

    slot: int
    name: str
    clients: int = 0
    holds: tuple[str, ...] = ()
    lags: Mapping[str, int] = MappingProxyType({})
    host: str = "kiel"
    pid: int = 4711
    version: str = "3.0.0"
    started: float = 1_700_000_000.0
    state: str = JOINED
    stopping: bool = False


class FakeMe(NamedTuple):
    """This proxy."""

    slot: int = HERE
    name: str = "kiel:4711"


class FakeBus:
    """Use it as ``context.bus``; *answers* is what each slot says, by the line that it is asked."""

    name = "astmanproxy"
    me = FakeMe()

    def __init__(self, *members: FakeMember, state: str = JOINED, problem: str = "") -> None:
        self.all = members or (
            FakeMember(HERE, "kiel:4711", 3, ("pbx1",), {"pbx2": 3}),
            FakeMember(THERE, "bonn:12", 39, ("pbx2",), {"pbx1": 12}, "bonn", 12),
        )
        self.state, self.problem = state, problem
        self.epochs = {"pbx1": 65536, "pbx2": 131072}
        self.queued, self.sent, self.dropped, self.overruns = 0, 1200, 0, 0
        self.orders: list[tuple[tuple[int, ...], str, str]] = []
        self.answers: dict[tuple[int, str], Told] = {}

    def figures(self) -> BusFigures:
        return BusFigures(
            self.state, self.problem, self.queued, self.sent, self.dropped, self.overruns
        )

    def members(self) -> tuple[FakeMember, ...]:
        return self.all

    def holder_of(self, scope: str) -> FakeMember | None:
        return next((each for each in self.all if scope in each.holds), None)

    def epoch_of(self, scope: str) -> int:
        return self.epochs.get(scope, 0)

    def order(self, slots: Collection[int], line: str, who: str) -> Mapping[int, Optional[Told]]:
        self.orders.append((tuple(slots), line, who))
        return {slot: self.answers.get((slot, line)) for slot in slots}


def on_bus(context: Any, bus: FakeBus) -> FakeBus:
    """Give *context* the *bus*, and return that."""
    context.bus = bus
    return bus
