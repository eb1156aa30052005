# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls of a simulated Asterisk: the events of each, in their time."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Callable

from simulator.channels import ChannelTable
from simulator.dialects import DIALECTS
from simulator.events import write
from simulator.orders import FOREVER, Identities, Order
from simulator.present import Present, given_up
from simulator.scripts import script
from simulator.technologies import PHONE_EVENTS, TECHNOLOGIES, technology_of

if TYPE_CHECKING:
    from simulator.channels import Channel
    from simulator.dialects import Dialect
    from simulator.schedule import Schedule
    from simulator.scripts import Step

_CHANNEL_PLACES = frozenset(letter + half for letter in "abc" for half in "12")


class Call:
    """One call: a script, and the position in it."""

    def __init__(self, exchange: Exchange, order: Order, outcome: str) -> None:
        self.order = order
        self.succeeded = False
        #: Set when the called phone has answered, or will not answer.
        self.decided = threading.Event()
        #: Set when its last event is sent.
        self.finished = threading.Event()
        self._exchange = exchange
        technology = technology_of(order.channel)
        own = "classic_" if exchange.dialect.classic_calls else technology.scripts
        self._script = script(own, outcome)
        if not own and technology.name != "Local":
            self._script = self._script.without({"a2"} if outcome == "queue" else {"a2", "b2"})
        agents = technology.agents
        if own and not technology.members[0].startswith("Local/"):  # that would be one half of it
            agents = technology.members
        if outcome != "queue":
            agents = ("", agents[1])
        self._values = exchange.identities.fill_in(order, *agents)
        self._at = 0
        self._hung_up = False
        self._names: set[str] = set()  # placeholders of live channels

    def start(self) -> None:
        """Begin; returns at once."""
        self._exchange.schedule.plan(0.0, self._play)

    def hang_up(self) -> None:
        """End the call: its last events are sent now."""
        self._exchange.schedule.plan(0.0, self._hang_up)

    def _hang_up(self) -> None:
        if not self._hung_up and self._at <= self._script.hangup:
            self._leave_queue()
            self._hung_up = True
            self._at = self._script.hangup
            self._play()

    def _leave_queue(self) -> None:
        """Send what is sent when somebody hangs up who waits in a queue."""
        exchange, uniqueid = self._exchange, self._values["u1"]
        waits = exchange.present.waits(uniqueid)
        channel = next((one for one in exchange.channels if one.uniqueid == uniqueid), None)
        if waits is None or channel is None:
            return
        for lines in given_up(channel, *waits, classic=exchange.dialect.classic_calls):
            exchange.publish(write(exchange.present.follow(lines)))

    def _play(self) -> None:
        """Send the events that are due, and plan the rest."""
        steps = self._script.steps
        messages: list[bytes] = []
        while self._at < len(steps):
            step = steps[self._at]
            messages += self._perform(step)
            self._at += 1
            if self._at < len(steps) and self._pause(self._at):
                break
        self._exchange.publish(*messages)
        if self._at < len(steps):
            self._plan_next()
        else:
            self.decided.set()
            self.finished.set()

    def _pause(self, index: int) -> bool:
        if self._hung_up:
            return False
        if index == self._script.hangup and self.order.talk is not None:
            return self.order.talk > 0
        return self._script.steps[index].delay != 0.0

    def _plan_next(self) -> None:
        index = self._at
        delay = self._script.steps[index].delay
        talk = self.order.talk if index == self._script.hangup else None

        def go_on() -> None:
            # The call may have been hung up meanwhile.
            if self._at == index and not self._hung_up:
                self._play()

        if talk is not None:
            if talk != FOREVER:
                self._exchange.schedule.plan(talk, go_on)
        elif delay is None:
            self._exchange.schedule.plan(self.order.timeout, go_on)
        else:
            self._exchange.schedule.plan(delay * self._exchange.scale, go_on)

    def _perform(self, step: Step) -> list[bytes]:
        if self._hung_up and not self._lives(step):
            return []
        if not self.order.caller and _sets_caller_id(step):
            return []
        self._values["now"] = time.strftime("%Y-%m-%d %H:%M:%S")
        if step.each_variable:
            return [
                write(step.fill({**self._values, "variable": name, "value": value}))
                for name, value in self.order.variables
            ]
        lines = self._exchange.dialect.event(step.fill(self._values))
        lines = self._exchange.present.follow(lines)
        if not lines:
            return []
        self._exchange.table.follow(self, lines)
        if step.name == "Newchannel":
            self._names |= step.places & _CHANNEL_PLACES
        if step.name == "OriginateResponse":
            self.succeeded = "Response: Success" in lines
            self.decided.set()
            if not self.order.announce:
                return []
        return [write(lines)]

    def _lives(self, step: Step) -> bool:
        return step.places & _CHANNEL_PLACES <= self._names


def _sets_caller_id(step: Step) -> bool:
    """Return whether *step* gives the called phone the CallerID of the Originate."""
    if not step.places & {"a1", "a2"}:
        return False
    if step.name == "NewCallerid":
        return "cidname" in step.places
    return step.name == "NewConnectedLine" and "\nConnectedLineNum: $cidnum" in step.text


class Exchange:
    """All calls of one simulated Asterisk."""

    def __init__(
        self,
        schedule: Schedule,
        publish: Callable[..., None],
        *,
        dialect: Dialect = DIALECTS["22"],
        scale: float = 1.0,
        technology: str = "Local",
        members: int = 8,
        peers: int = 20,
    ) -> None:
        """Play calls in the thread of *schedule* and give their events to *publish*.

        *dialect*: the generation of Asterisk.  *scale*: calls take this many
        times as long as the recorded ones.  *technology*: of the calls and events that come by
        themselves, one of ``TECHNOLOGIES``.  *members*: of its queue; *peers*: its phones.
        """
        self.schedule = schedule
        self.publish = publish
        self.dialect = dialect
        self.scale = scale
        self.technology = TECHNOLOGIES[technology]
        #: Whether phones have events besides their calls.
        self.has_phone_events = self.technology.phones and not dialect.classic_calls
        self.table = ChannelTable()
        #: What there is beside channels.
        self.present = Present(self.technology, members=members, peers=peers)
        #: Calls begun so far.
        self.begun = 0
        self._random = random.Random(1)
        #: Whether agents and queues have calls of their own: other calls leave them alone.
        self.has_centre = False
        self.identities = Identities(self._random)

    @property
    def channels(self) -> list[Channel]:
        """The live channels, oldest first."""
        return self.table.channels

    def call(self, order: Order, outcome: str = "answered") -> Call:
        """Begin a call with *outcome*, one of ``technologies.OUTCOMES``."""
        call = Call(self, order, outcome)
        self.begun += 1
        call.start()
        return call

    def phone(self, number: int | str, event: str) -> Call:
        """Let phone *number* have *event*, one of ``PHONE_EVENTS``: it registers, say.

        Raises:
            ValueError: phones of this technology have no such events.

        """
        if not self.has_phone_events or event not in PHONE_EVENTS:
            raise ValueError(f"no {event} of {self.technology.name} phones")
        device = self.technology.caller.format(number)
        call = Call(self, Order(device), event)
        call.start()
        return call

    def keep_calling(self, rate: float) -> None:
        """Begin *rate* calls a second from now on, of every kind.

        Phones that register do so now and then, and are asked whether they are there.
        """

        def next_call() -> None:
            self.call(*self._random_order())
            if self.has_phone_events:
                number = self._random.randint(101, 120)
                for event in self._random.choice((("qualify",), ("unregister", "register"))):
                    self.phone(number, event)
            self.schedule.plan(self._random.uniform(0.5, 1.5) / rate, next_call)

        self.schedule.plan(0.0, next_call)

    def _random_order(self) -> tuple[Order, str]:
        outcomes = ["answered", "answered", "queue", "queue", "busy", "noanswer"]
        if self.technology.phones:
            outcomes.append("voicemail")
        first = 101
        if self.has_centre:  # whose agents and queues have calls of their own
            outcomes = [each for each in outcomes if each != "queue"]
            first = 112
        outcome = self._random.choice(outcomes)
        number = self._random.randint(first, 120)
        names = ("Ann Baker", "Bob Cole", "Carla Diaz", "Dan Evans", "Eve Fox")
        technology = self.technology
        caller = technology.queue_caller if outcome == "queue" else technology.caller
        order = Order(
            channel=caller.format(number),
            context="queues" if outcome == "queue" else "internal",
            exten="600" if outcome == "queue" else str(self._random.randint(201, 220)),
            caller=f'"{self._random.choice(names)}" <0{self._random.randint(30, 89)}5550{number}>',
            timeout=self._random.uniform(3, 8),
            talk=self._random.uniform(2, 15),
            announce=False,
        )
        return order, outcome
