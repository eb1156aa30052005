# SPDX-License-Identifier: GPL-2.0-or-later
"""A call centre: callers wait in queues, agents ring, talk, hold, transfer, pause.

Beside the recorded calls (``keep_calling``) it is what people look at: nobody rings a member who
talks, and who waits long hangs up.  Events are those of Asterisk 22 with PJSIP phones; lists tell
the same, since both follow the events.
"""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.events import write
from simulator.legs import UNKNOWN, Leg, bridge, event
from simulator.present import given_up

if TYPE_CHECKING:
    from simulator.calls import Exchange

#: Queue -> the numbers of its agents' phones; one has nobody, as at night.
QUEUES = {
    "support": (103, 104, 105, 106, 107),
    "sales": (107, 108, 109),
    "billing": (110, 111),
    "night": (),
}
_AGENTS = {
    103: "Anna", 104: "Bert", 105: "Caro", 106: "Dora", 107: "Emil", 108: "Fritz", 109: "Grete",
    110: "Hanna", 111: "Igor",
}  # fmt: skip
_CALLERS = (
    "Ann Baker", "Bob Cole", "Carla Diaz", "Dan Evans", "Eve Fox", "Gul Sahin", "Hugo Nunez",
    "Ivy Jones", "Jo Kramer", UNKNOWN,
)  # fmt: skip
_REASONS = ("Lunch", "Training", "Meeting", "Coffee")
#: Seconds: what an agent needs to answer, talks, and does after a call; how long a caller waits.
_ANSWER, _TALK, _AFTER, _PATIENCE = (1.5, 6.0), (12.0, 60.0), (2.0, 8.0), (40.0, 180.0)
_RING = 8.0


@dataclass
class _Agent:
    number: int
    queues: list[str] = field(default_factory=list)
    busy: bool = False
    paused: str = ""
    taken: int = 0
    last_call: int = 0

    @property
    def device(self) -> str:
        return f"PJSIP/{self.number}"

    @property
    def name(self) -> str:
        return f"Agent {_AGENTS[self.number]}"


class Visit:
    """One caller, from the first ring to the last Hangup.  It is a call for ChannelTable."""

    def __init__(self, centre: Centre, queue: str, caller: Leg) -> None:
        self.centre, self.queue, self.caller = centre, queue, caller
        self.began = time.time()
        self.agent: _Agent | None = None
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

    def ring(self, agent: _Agent) -> None:
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


class Centre:
    """The queues, their agents, and who comes: *rate* callers a second.

    All runs in the thread of the calls of *exchange*.
    """

    def __init__(self, exchange: Exchange, rate: float) -> None:
        self.exchange, self._rate = exchange, rate
        self.random = random.Random(2)
        self._numbers = itertools.count(1)
        self._agents = {number: _Agent(number) for number in _AGENTS}
        for queue, numbers in QUEUES.items():
            for number in numbers:
                self._agents[number].queues.append(queue)
        self._waiting: list[Visit] = []

    def open(self) -> None:
        """Begin; returns at once."""
        self.exchange.present.staff(
            {
                queue: {self._agents[each].device: self._agents[each].name for each in numbers}
                for queue, numbers in QUEUES.items()
            },
            level=20,
        )
        for _ in range(6):  # there is something to see at once
            self.exchange.schedule.plan(0.0, self._arrive)
        self.exchange.schedule.plan(0.0, self._next)
        self.plan((5.0, 8.0), self._pause_somebody)

    # -- what visits ask of it --------------------------------------------------------------------

    def plan(self, between: tuple[float, float], do: object) -> None:
        """Call *do* in so many seconds."""
        assert callable(do)
        self.exchange.schedule.plan(self.random.uniform(*between) * self.exchange.scale, do)

    def tell(self, visit: Visit, *events: list[str]) -> None:
        """Send *events* of a visit, one behind the other."""
        found = []
        for lines in events:
            known = self.exchange.present.follow(lines)
            if known:
                self.exchange.table.follow(visit, known)
                found.append(write(known))
        self.exchange.publish(*found)

    def uniqueid(self) -> str:
        """Return a new unique id."""
        return f"{int(time.time())}.{9000 + next(self._numbers)}"

    def channel(self, device: str) -> str:
        """Return the name of a new channel of *device*."""
        return f"{device}-{0x9000 + next(self._numbers):08x}"

    def bridge(self) -> str:
        """Return the id of a new bridge."""
        return f"{self.random.getrandbits(32):08x}-7a1c-4e65-9d2b-{next(self._numbers):012x}"

    def device(self, agent: _Agent, state: str) -> None:
        """Tell that the phone of *agent* is in *state*, a word of DeviceStateChange."""
        status = {"NOT_INUSE": "1", "INUSE": "2", "RINGING": "6"}[state]
        number, word = str(agent.number), {"1": "0", "2": "1", "6": "8"}[status]
        text = {"0": "Idle", "1": "InUse", "8": "Ringing"}[word]
        told = [
            event("DeviceStateChange", Device=agent.device, State=state),
            event("ExtensionStatus", Exten=number, Context="from-phones",
                  Hint=f"{agent.device},CustomPresence:p{number}", Status=word, StatusText=text),
            *(self._member(agent, queue, status) for queue in agent.queues),
        ]  # fmt: skip
        self.exchange.publish(*[write(self.exchange.present.follow(lines)) for lines in told])

    def free(self, agent: _Agent) -> None:
        """Note that *agent* can take a call again."""
        agent.busy = False
        self._distribute()

    def gone(self, visit: Visit) -> None:
        """Note that *visit* is over."""
        if visit in self._waiting:
            self._waiting.remove(visit)

    # -- what happens by itself -------------------------------------------------------------------

    def _next(self) -> None:
        self._arrive()
        self.exchange.schedule.plan(self.random.uniform(0.5, 1.5) / self._rate, self._next)

    def _arrive(self) -> None:
        choice = self.random
        queue = choice.choices(list(QUEUES), weights=[6, 3, 2, 0.3])[0]
        number = f"+49{choice.randint(30, 89)}{choice.randint(1_000_000, 9_999_999)}"
        uniqueid = self.uniqueid()
        caller = Leg(
            self.channel("PJSIP/provider"), uniqueid, uniqueid, number, choice.choice(_CALLERS),
            "from-outside", "60" + str(list(QUEUES).index(queue)), state=4,
        )  # fmt: skip
        visit = Visit(self, queue, caller)
        self._waiting.append(visit)
        visit.join()
        self._distribute()

    def _distribute(self) -> None:
        """Have free agents ring for who waits longest."""
        for visit in [each for each in self._waiting if each.agent is None]:
            free = [
                each
                for each in self._agents.values()
                if visit.queue in each.queues and not (each.busy or each.paused)
            ]
            if free:
                visit.ring(min(free, key=lambda each: each.last_call))

    def _pause_somebody(self) -> None:
        agent = self.random.choice(list(self._agents.values()))
        if agent.paused or sum(bool(each.paused) for each in self._agents.values()) < 3:
            agent.paused = "" if agent.paused else self.random.choice(_REASONS)
            status = "2" if agent.busy else "1"
            for queue in agent.queues:
                lines = self._member(agent, queue, status, "QueueMemberPause")
                self.exchange.publish(write(self.exchange.present.follow(lines)))
            self._distribute()
        self.plan((6.0, 14.0), self._pause_somebody)

    def _member(
        self, agent: _Agent, queue: str, status: str, name: str = "QueueMemberStatus"
    ) -> list[str]:
        return event(
            name, Queue=queue, MemberName=agent.name, Interface=agent.device,
            StateInterface=agent.device, Membership="static", Penalty=0, CallsTaken=agent.taken,
            LastCall=agent.last_call, LastPause=int(time.time()) if agent.paused else 0,
            LoginTime=0, InCall=int(status == "2"), Status=status, Paused=int(bool(agent.paused)),
            PausedReason=agent.paused, Ringinuse=0, Wrapuptime=0,
        )  # fmt: skip
