# SPDX-License-Identifier: GPL-2.0-or-later
"""Visit: one caller of a call centre, from the first ring to the last Hangup; and its agents."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Protocol

from simulator.legs import Leg, bridge, event
from simulator.present import given_up

if TYPE_CHECKING:
    import random

    from simulator.calls import Exchange

#: Seconds: what an agent needs to answer, talks, and does after a call; how long a caller waits.
_ANSWER, _TALK, _AFTER, _PATIENCE = (1.5, 6.0), (8.0, 40.0), (1.0, 4.0), (40.0, 150.0)
_RING = 8.0


class Place(Protocol):
    """What a visit asks of the call centre."""

    exchange: Exchange
    random: random.Random

    def plan(self, between: tuple[float, float], do: Callable[[], None]) -> None:
        """Call *do* in so many seconds."""

    def tell(self, visit: Visit, *events: list[str]) -> None:
        """Send *events* of a visit, one behind the other."""

    def uniqueid(self) -> str:
        """Return a new unique id."""

    def channel(self, device: str) -> str:
        """Return the name of a new channel of *device*."""

    def bridge(self) -> str:
        """Return the id of a new bridge."""

    def device(self, agent: Agent, state: str) -> None:
        """Tell that the phone of *agent* is in *state*."""

    def free(self, agent: Agent) -> None:
        """Note that *agent* can take a call again."""

    def gone(self, visit: Visit) -> None:
        """Note that *visit* is over."""


@dataclass
class Agent:
    """One agent, who has one phone."""

    number: int
    first_name: str
    queues: list[str] = field(default_factory=list)
    busy: bool = False
    taken: int = 0
    last_call: int = 0

    @property
    def device(self) -> str:
        """The device: what a queue calls its interface."""
        return f"PJSIP/{self.number}"

    @property
    def name(self) -> str:
        """What queues call the member."""
        return f"Agent {self.first_name}"


class Visit:
    """One caller, from the first ring to the last Hangup.  It is a call for ChannelTable."""

    def __init__(self, centre: Place, queue: str, caller: Leg) -> None:
        self.centre, self.queue, self.caller = centre, queue, caller
        self.began = time.time()
        self.agent: Agent | None = None
        self.leg: Leg | None = None
        self.bridge = ""
        self.over = False

    def hang_up(self) -> None:
        """End it: somebody has hung up, or an action asks for it."""
        self.centre.exchange.schedule.plan(0.0, self.end)

    # Each of these runs in the thread of the calls.

    def join(self) -> None:
        """The caller comes, and waits."""
        caller, centre = self.caller, self.centre
        self._tell(event("Newchannel", caller.block()))
        caller.state = 6
        caller.priority = 2
        self._tell(
            event("Newstate", caller.block()),
            event("Newexten", caller.block(), Extension=caller.exten, Application="Queue",
                  AppData=self.queue),
            event("QueueCallerJoin", caller.block(), Queue=self.queue, Position=1, Count=1),
            event("MusicOnHoldStart", caller.block(), Class="default"),
        )  # fmt: skip
        centre.plan(_PATIENCE, self._lose_patience)

    def ring(self, agent: Agent) -> None:
        """Have the phone of *agent* ring."""
        self.agent, agent.busy = agent, True
        caller = self.caller
        self.leg = leg = Leg(
            self.centre.channel(agent.device), self.centre.uniqueid(), caller.linkedid,
            str(agent.number), f"Phone {agent.number}", "from-phones", caller.exten,
        )  # fmt: skip
        leg.connected_number, leg.connected_name = caller.number, caller.name
        self._tell(
            event("Newchannel", leg.block()),
            event("AgentCalled", caller.block(), leg.block("Dest"), self._member()),
            event("DialBegin", caller.block(), leg.block("Dest"), DialString=str(agent.number)),
        )
        leg.state = 5
        self._tell(event("Newstate", leg.block()))
        self.centre.device(agent, "RINGING")
        if self.centre.random.random() < 0.85:
            self.centre.plan(_ANSWER, self._answered)
        else:
            self.centre.plan((_RING, _RING), self._not_answered)

    def _answered(self) -> None:
        agent, leg, caller = self.agent, self.leg, self.caller
        if self.over or agent is None or leg is None or self.bridge:
            return
        leg.state = 6
        leg.meet(caller)
        held = int(time.time() - self.began)
        self.bridge = leg.bridge = caller.bridge = self.centre.bridge()
        self._tell(
            event("Newstate", leg.block()),
            event("DialEnd", caller.block(), leg.block("Dest"), DialStatus="ANSWER"),
            event("MusicOnHoldStop", caller.block()),
            event("QueueCallerLeave", caller.block(), Queue=self.queue, Position=1, Count=0),
            event("AgentConnect", caller.block(), leg.block("Dest"), self._member(),
                  HoldTime=held, RingTime=2),
            event("BridgeCreate", bridge(self.bridge, 0)),
            event("BridgeEnter", bridge(self.bridge, 1), leg.block()),
            event("BridgeEnter", bridge(self.bridge, 2), caller.block()),
        )  # fmt: skip
        self.centre.device(agent, "INUSE")
        if self.centre.random.random() < 0.25:
            self.centre.plan((4.0, 9.0), self._hold)
        self.centre.plan(_TALK, self.end)

    def _hold(self) -> None:
        if not self.over and self.leg is not None:
            self._tell(event("Hold", self.leg.block(), MusicClass="default"),
                       event("MusicOnHoldStart", self.caller.block(), Class="default"))  # fmt: skip
            self.centre.plan((3.0, 7.0), self._unhold)

    def _unhold(self) -> None:
        if not self.over and self.leg is not None:
            self._tell(event("Unhold", self.leg.block()),
                       event("MusicOnHoldStop", self.caller.block()))  # fmt: skip

    def _not_answered(self) -> None:
        agent, leg = self.agent, self.leg
        if self.over or agent is None or leg is None or self.bridge:
            return
        self._stop_ringing("NOANSWER")
        self._tell(event("AgentRingNoAnswer", self.caller.block(), leg.block("Dest"),
                         self._member(), RingTime=int(_RING * 1000)))  # fmt: skip
        self._tell(_hangup(leg, 0))
        self.agent = self.leg = None
        self.centre.device(agent, "NOT_INUSE")
        self.centre.plan((3.0, 6.0), lambda: self.centre.free(agent))

    def _stop_ringing(self, status: str) -> None:
        if self.leg is not None:
            self._tell(event("DialEnd", self.caller.block(), self.leg.block("Dest"),
                             DialStatus=status))  # fmt: skip

    def _lose_patience(self) -> None:
        if not self.bridge:
            self.end()

    def end(self) -> None:
        """End it, whatever it is at."""
        if self.over:
            return
        self.over = True
        if self.bridge:
            self._part()
        else:
            self._give_up()
        self._tell(_hangup(self.caller, 16))
        self.centre.gone(self)

    def _part(self) -> None:
        agent, leg, caller = self.agent, self.leg, self.caller
        assert agent is not None
        assert leg is not None
        talked = int(time.time() - self.began)
        agent.taken, agent.last_call = agent.taken + 1, int(time.time())
        self._tell(
            event("AgentComplete", caller.block(), leg.block("Dest"), self._member(),
                  HoldTime=1, TalkTime=talked, Reason="caller"),
            event("BridgeLeave", bridge(self.bridge, 1), leg.block()),
            event("BridgeLeave", bridge(self.bridge, 0), caller.block()),
            event("BridgeDestroy", bridge(self.bridge, 0)),
            _hangup(leg, 16),
        )  # fmt: skip
        self.centre.device(agent, "NOT_INUSE")
        self.centre.plan(_AFTER, lambda: self.centre.free(agent))

    def _give_up(self) -> None:
        exchange = self.centre.exchange
        waits = exchange.present.waits(self.caller.uniqueid)
        shown = next((one for one in exchange.channels if one.call is self), None)
        if waits is not None and shown is not None:
            self._tell(*given_up(shown, *waits, classic=False))
        agent, leg = self.agent, self.leg
        if agent is not None and leg is not None:
            self._stop_ringing("CANCEL")
            self._tell(_hangup(leg, 26))
            self.centre.device(agent, "NOT_INUSE")
            self.centre.free(agent)

    def _member(self) -> list[str]:
        assert self.agent is not None
        return [
            f"Queue: {self.queue}",
            f"Interface: {self.agent.device}",
            f"MemberName: {self.agent.name}",
        ]

    def _tell(self, *events: list[str]) -> None:
        self.centre.tell(self, *events)


def _hangup(leg: Leg, cause: int) -> list[str]:
    text = {0: "Unknown", 16: "Normal Clearing", 26: "Answered elsewhere"}[cause]
    return event("Hangup", leg.block(), Cause=cause, Cause_txt=text)
