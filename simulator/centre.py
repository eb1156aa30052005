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
from typing import TYPE_CHECKING, Callable

from simulator.events import write
from simulator.legs import UNKNOWN, Leg, event
from simulator.visit import Agent, Visit

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


class Centre:
    """The queues, their agents, and who comes: *rate* callers a second.

    All runs in the thread of the calls of *exchange*.
    """

    def __init__(self, exchange: Exchange, rate: float) -> None:
        self.exchange, self._rate = exchange, rate
        self.random = random.Random(2)
        self._numbers = itertools.count(1)
        self._agents = {number: Agent(number, name) for number, name in _AGENTS.items()}
        for queue, numbers in QUEUES.items():
            for number in numbers:
                self._agents[number].queues.append(queue)
        self._waiting: list[Visit] = []

    def open(self) -> None:
        """Begin; returns at once."""
        self.exchange.has_centre = True
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

    def plan(self, between: tuple[float, float], do: Callable[[], None]) -> None:
        """Call *do* in so many seconds."""
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

    def device(self, agent: Agent, state: str) -> None:
        """Tell that the phone of *agent* is in *state*, a word of DeviceStateChange."""
        status = {"NOT_INUSE": "1", "INUSE": "2", "RINGING": "6"}[state]
        paused = self._paused(agent)
        number, word = str(agent.number), {"1": "0", "2": "1", "6": "8"}[status]
        text = {"0": "Idle", "1": "InUse", "8": "Ringing"}[word]
        told = [
            event("DeviceStateChange", Device=agent.device, State=state),
            event("ExtensionStatus", Exten=number, Context="from-phones",
                  Hint=f"{agent.device},CustomPresence:p{number}", Status=word, StatusText=text),
            *(self._member(agent, queue, status, paused) for queue in agent.queues),
        ]  # fmt: skip
        self.exchange.publish(*[write(self.exchange.present.follow(lines)) for lines in told])

    def free(self, agent: Agent) -> None:
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
                if visit.queue in each.queues and not (each.busy or self._paused(each))
            ]
            if free:
                visit.ring(min(free, key=lambda each: each.last_call))

    def _pause_somebody(self) -> None:
        agent = self.random.choice(list(self._agents.values()))
        paused = self._paused(agent)
        if paused or sum(bool(self._paused(each)) for each in self._agents.values()) < 2:
            paused = "" if paused else self.random.choice(_REASONS)
            status = "2" if agent.busy else "1"
            for queue in agent.queues:
                lines = self._member(agent, queue, status, paused, "QueueMemberPause")
                self.exchange.publish(write(self.exchange.present.follow(lines)))
            self._distribute()
        self.plan((6.0, 14.0), self._pause_somebody)

    def _paused(self, agent: Agent) -> str:
        """Return why *agent* is paused, or "": by itself, or by an action."""
        return self.exchange.present.paused(agent.device)

    def _member(
        self, agent: Agent, queue: str, status: str, paused: str, name: str = "QueueMemberStatus"
    ) -> list[str]:
        return event(
            name, Queue=queue, MemberName=agent.name, Interface=agent.device,
            StateInterface=agent.device, Membership="static", Penalty=0, CallsTaken=agent.taken,
            LastCall=agent.last_call, LastPause=int(time.time()) if paused else 0,
            LoginTime=0, InCall=int(status == "2"), Status=status, Paused=int(bool(paused)),
            PausedReason=paused, Ringinuse=0, Wrapuptime=0,
        )  # fmt: skip
