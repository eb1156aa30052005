# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls of a simulated Asterisk: who is talking, and what happens when.

One thread plays all calls under way; it is started with the first of them, and
sleeps while nothing is due.
"""

from __future__ import annotations

import heapq
import itertools
import random
import re
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from simulator.channels import ChannelTable
from simulator.events import write
from simulator.scripts import script

if TYPE_CHECKING:
    from simulator.channels import Channel
    from simulator.scripts import Step
    from simulator.server import SimulatedAsterisk

OUTCOMES = ("answered", "busy", "noanswer", "queue")
FOREVER = float("inf")
_UNKNOWN = "<unknown>"
_CALLER = re.compile(r'\A\s*"?([^"<]*?)"?\s*(?:<([^>]*)>)?\s*\Z')


@dataclass(frozen=True)
class Order:
    """What an Originate asks for.  *timeout* and *talk* are seconds."""

    channel: str
    context: str = "default"
    exten: str = "s"
    caller: str = ""
    account: str = ""
    action_id: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    channel_id: str = ""
    other_channel_id: str = ""
    peer: str = ""  # the number that the called phone dials then; else *exten*
    timeout: float = 30.0
    talk: float | None = None  # None: as long as in the recording
    announce: bool = True  # send an OriginateResponse


class Call:
    """One call: a script, and how far it is."""

    def __init__(self, exchange: Exchange, order: Order, outcome: str) -> None:
        self.order = order
        self.succeeded = False
        #: Set when it is decided whether the called phone answers.
        self.decided = threading.Event()
        #: Set when its last event is sent.
        self.finished = threading.Event()
        self._exchange = exchange
        classic = "classic_" if exchange.classic else ""
        self._script = script(classic + outcome)
        if not order.channel.lower().startswith("local/"):
            self._script = self._script.without({"a2"} if outcome == "queue" else {"a2", "b2"})
        # In a queue it is agents who are called, and they are Local channels.
        peer = "Local/201@agents" if outcome == "queue" else ""
        self._values = exchange.fill_in(order, peer)
        self._at = 0
        self._hung_up = False
        self._names: set[str] = set()  # places of channels that live

    def start(self) -> None:
        """Begin; returns at once."""
        self._exchange.plan(0.0, self._play)

    def hang_up(self) -> None:
        """End the call: its last events follow now."""
        self._exchange.plan(0.0, self._hang_up)

    def _hang_up(self) -> None:
        if not self._hung_up and self._at <= self._script.hangup:
            self._hung_up = True
            self._at = self._script.hangup
            self._play()

    def _play(self) -> None:
        """Play what is due, and plan the rest."""
        steps = self._script.steps
        messages: list[bytes] = []
        while self._at < len(steps):
            step = steps[self._at]
            messages += self._perform(step)
            self._at += 1
            if self._at < len(steps) and self._pause(self._at):
                break
        self._exchange.publish(messages)
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
            # A hang-up may have overtaken this step.
            if self._at == index and not self._hung_up:
                self._play()

        if talk is not None:
            if talk != FOREVER:
                self._exchange.plan(talk, go_on)
        elif delay is None:
            self._exchange.plan(self.order.timeout, go_on)
        else:
            self._exchange.plan(delay * self._exchange.scale, go_on)

    def _perform(self, step: Step) -> list[bytes]:
        if self._hung_up and not self._lives(step):
            return []
        if not self.order.caller and _tells_caller(step):
            return []
        self._values["now"] = time.strftime("%Y-%m-%d %H:%M:%S")
        if step.each_variable:
            return [
                write(step.fill({**self._values, "variable": name, "value": value}))
                for name, value in self.order.variables
            ]
        lines = step.fill(self._values)
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


def _tells_caller(step: Step) -> bool:
    """Tell whether *step* gives the called phone the CallerID of the Originate."""
    return (
        step.name in ("NewCallerid", "NewConnectedLine")
        and "cidname" in step.places
        and bool(step.places & {"a1", "a2"})
    )


_CHANNEL_PLACES = frozenset(letter + half for letter in "abc" for half in "12")


class Exchange:
    """What goes on inside the simulated Asterisk, in its time."""

    def __init__(self, server: SimulatedAsterisk, scale: float) -> None:
        self.scale = scale
        self.table = ChannelTable()
        self._server = server
        self._uniques = itertools.count(1)
        self._numbers = itertools.count(1)
        self._random = random.Random(1)
        # Guards what follows; notified when something earlier is due.
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False
        #: Calls begun so far.
        self.begun = 0

    @property
    def classic(self) -> bool:
        """Whether calls look as before Asterisk 12."""
        return self._server.dialect.classic_calls

    @property
    def channels(self) -> list[Channel]:
        """The live channels, oldest first."""
        return self.table.channels

    def call(self, order: Order, outcome: str = "answered") -> Call:
        """Begin a call that ends as *outcome*, one of ``OUTCOMES``, says."""
        call = Call(self, order, outcome)
        self.begun += 1
        call.start()
        return call

    def keep_calling(self, rate: float) -> None:
        """Begin *rate* calls a second from now on, with some of every kind."""

        def next_call() -> None:
            self.call(*self._random_order())
            self.plan(self._random.uniform(0.5, 1.5) / rate, next_call)

        self.plan(0.0, next_call)

    def _random_order(self) -> tuple[Order, str]:
        outcome = self._random.choice(
            ("answered", "answered", "queue", "queue", "busy", "noanswer")
        )
        number = self._random.randint(101, 120)
        names = ("Ann Baker", "Bob Cole", "Carla Diaz", "Dan Evans", "Eve Fox")
        channel = f"Local/{number}@phones/n" if outcome == "queue" else f"PJSIP/{number}"
        order = Order(
            channel=channel,
            context="queues" if outcome == "queue" else "internal",
            exten="600" if outcome == "queue" else str(self._random.randint(201, 220)),
            caller=f'"{self._random.choice(names)}" <0{self._random.randint(30, 89)}5550{number}>',
            timeout=self._random.uniform(3, 8),
            talk=self._random.uniform(2, 15),
            announce=False,
        )
        return order, outcome

    # Time ------------------------------------------------------------------------

    def plan(self, seconds: float, do: Callable[[], None]) -> None:
        """Call *do* in *seconds*, in the thread of the calls."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), do))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="simulator-calls", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def start(self) -> None:
        """Be ready for calls, after a ``stop``."""
        self._stopped = False

    def stop(self) -> None:
        """End all calls unheard, and the thread with them; plans are dropped from now on."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._stopped = True
            self._due.clear()
            self._changed.notify()
        if thread is not None:
            thread.join()
        self.table.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and not self._is_due():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._stopped:
                    return
                _, _, do = heapq.heappop(self._due)
            do()  # outside the lock: it may plan more

    def _is_due(self) -> bool:
        return bool(self._due) and self._due[0][0] <= time.monotonic()

    # For calls -------------------------------------------------------------------

    def publish(self, messages: list[bytes]) -> None:
        """Send the events *messages*."""
        self._server.publish(*messages)

    def fill_in(self, order: Order, peer: str = "") -> dict[str, str]:
        """Return the values for the places of a script, with fresh ids.

        *peer* is the device that is dialled; else the one with the wanted number.
        """
        device = order.channel.removesuffix("/n")
        tech, _, rest = device.partition("/")
        local = tech.lower() == "local"
        exten, _, context = rest.partition("@")
        match = _CALLER.match(order.caller)
        name, number = (match[1] or "", match[2] or "") if match else ("", "")
        if match and match[2] is None:
            name, number = "", name
        peer_exten = order.peer or order.exten
        peer = peer or (f"Local/{peer_exten}@phones" if local else f"{tech}/{peer_exten}")
        mark = "/n" if peer.startswith("Local/") else ""
        values = {
            "requested": order.channel,
            "device": device,
            "dial": order.channel.partition("/")[2],
            "peer": peer + mark,
            "peerdevice": peer,
            "peerdial": peer.partition("/")[2] + mark,
            "peerexten": peer_exten,
            "legexten": exten if local else "s",
            "legcontext": context if local else "from-phone",
            "context": order.context,
            "exten": order.exten,
            "cidnum": number or _UNKNOWN,
            "cidname": name or _UNKNOWN,
            "cdrnum": number,
            "cdrname": name,
            "account": order.account,
            "actionid": order.action_id,
            "start": time.strftime("%Y-%m-%d %H:%M:%S"),
            "bridge1": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
        }
        second = int(time.time())
        for place in range(1, 7):
            values[f"u{place}"] = f"{second}.{next(self._uniques)}"
        values["u1"] = order.channel_id or values["u1"]
        values["u2"] = order.other_channel_id or values["u2"]
        for letter, base in (
            ("a", device),
            ("b", peer),
            ("c", "Local/202@agents"),
        ):
            number_ = next(self._numbers)
            for half in "12":
                end = f";{half}" if base.lower().startswith("local/") else ""
                values[letter + half] = f"{base}-{number_:08x}{end}"
        return values
