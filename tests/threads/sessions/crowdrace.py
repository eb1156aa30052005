# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that speak at full speed, and clients that come, log in anew and leave, each in a thread.

Each event says its number on its server.  What a client was sent between the answers to two of its
log-ins is judged by who it was: in order, each once, nothing that is not for it, and all that the
servers began to say behind the first answer and had said before the second was asked for.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.message import Message
from amiproxy.routing.eventids import read_id
from amiproxy.wire.framing import Chunk
from tests.threads.sessions.replays import Client, World

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink

_PHONES = 6
_CALLS = 4  # at a time on each server
_USERS = "".join(
    f"[p{n}]\nsecret = s\nread = all\nwrite = all\nchannel = SIP/10{n}-\n" for n in range(_PHONES)
)
_USERS += "[all]\nsecret = s\nread = all\nwrite = all\n"

#: What is said of each call: names of events, and whether they name its channel.
_SCRIPT = (
    ("Newchannel", True), ("VarSet", False), ("Newstate", True), ("VarSet", False),
    ("Newexten", True), ("VarSet", False), ("Hangup", True),
)  # fmt: skip


class Said(NamedTuple):
    """One event: the phone and the call it is about, and whether it names a channel."""

    phone: int
    call: int
    is_named: bool


class Speaker:
    """What one server says: event number n is ``said[n - 1]``."""

    def __init__(self, world: World, place: int) -> None:
        self._server = world.servers[place]
        self.link: AsteriskLink = self._server.link
        self.said: list[Said] = []
        #: Up to which event it has begun to be handed out, and up to which that is done.
        self.begun = self.done = 0
        self._calls = [(0, n) for n in range(_CALLS)]  # how far, and which call
        self._made = _CALLS

    def speak(self, count: int) -> None:
        """Say *count* events."""
        raws = [self._one() for _ in range(count)]
        self.begun = len(self.said)
        self._server.publisher.publish(Chunk(b"".join(raws), only_events=True, number=count))
        self.done = self.begun

    def _one(self) -> bytes:
        at = len(self.said) % _CALLS
        step, call = self._calls[at]
        name, is_named = _SCRIPT[step]
        phone = call % _PHONES
        self.said.append(Said(phone, call, is_named))
        lines = [f"Channel: SIP/10{phone}-{call:x}"] if is_named else []
        if step + 1 < len(_SCRIPT):
            self._calls[at] = step + 1, call
        else:
            self._calls[at] = 0, self._made
            self._made += 1
        lines += [f"Uniqueid: {call}", f"N: {len(self.said)}", f"Server: {self.link.name}"]
        return Message.of(f"Event: {name}", "Privilege: call,all", *lines).raw


@dataclass
class Sight:
    """What a client sees from one answer on to the next one.

    *phone*: of whom, None: everything, -1: nothing.  Of each server all that lies behind *after* is
    wanted, and nothing that does not lie behind *earliest*; all up to *until* is, and nothing
    behind *latest*.
    """

    phone: int | None
    earliest: dict[str, int]
    after: dict[str, int]
    until: dict[str, int] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)


class Race:
    """All of it; *deliveries* events reach clients before it ends."""

    def __init__(self, deliveries: int) -> None:
        self.world = World("one", "two", ring=500_000, users=_USERS)
        self.world.context.router.keeps_calls = True
        self.speakers = [Speaker(self.world, place) for place in range(2)]
        self._left = deliveries
        #: How many events have reached clients that were judged.
        self.delivered = 0
        self.problems: list[str] = []
        #: The clients that are just being sent what they have missed.
        self.catching_up: set[Visit] = set()

    def run(self) -> None:
        """Run, and be done."""
        threads = [threading.Thread(target=self._speak, args=(each,)) for each in self.speakers]
        threads += [threading.Thread(target=self._churn, args=(seed,)) for seed in range(4)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)

    @property
    def _goes_on(self) -> bool:
        return self.delivered < self._left and not self.problems

    def _speak(self, speaker: Speaker) -> None:
        luck = random.Random(speaker.link.name)
        try:
            while self._goes_on:
                for _ in range(luck.choice((1, 1, 1, 2, 20))):
                    speaker.speak(luck.randint(1, 6))
                # Who comes back has to catch up some time.
                time.sleep(0.005 * len(self.catching_up) or 0.0005)
        except Exception as error:  # noqa: BLE001 - the others are to end, too
            self.problems.append(repr(error))

    def _churn(self, seed: int) -> None:
        luck = random.Random(seed)
        try:
            while self._goes_on:
                visit = Visit(self, luck)
                visit.stay()
                self.delivered += visit.judge()
        except Exception as error:  # noqa: BLE001 - as above
            self.problems.append(repr(error))

    def begun(self) -> dict[str, int]:
        """Return up to where each server has begun to hand out events."""
        return {each.link.name: each.begun for each in self.speakers}

    def done(self) -> dict[str, int]:
        """Return up to where each server has handed out its events."""
        return {each.link.name: each.done for each in self.speakers}


class Visit:
    """One client, from its coming to its leaving; it may come back once, to go on where it was."""

    def __init__(self, race: Race, luck: random.Random) -> None:
        self._race, self._luck = race, luck
        self._client = Client(race.world)
        self._sights: list[Sight] = []

    def stay(self) -> None:
        """Come, log in some times, and leave."""
        luck, client = self._luck, self._client
        came = self._race.done()
        client.join("")
        user = self._log_in(came)
        for _ in range(luck.randint(0, 4)):
            time.sleep(luck.choice((0.0, 0.0005, 0.003)))
            luck_of_it = luck.random()
            if luck_of_it < 0.3:
                self._act("ProxyAction: SetEventIDs", f"EventIDs: {luck.choice(('on', 'off'))}")
            elif luck_of_it < 0.4:
                self._act("Action: Events", "EventMask: call")
            else:
                user = self._log_in()
        if luck.random() < 0.4:
            self._come_back(user)
        time.sleep(0.001)
        self._end()
        client.leave()

    def _act(self, *lines: str) -> None:
        """Have the client do what *lines* ask, and let other threads have their turns."""
        self._client.act(*lines)
        self._race.world.context.turnstile.end()

    def _log_in(self, came: dict[str, int] | None = None) -> str:
        """Log in as some user; *came*: what was said when it came may have been held back."""
        user = self._luck.choice(("all",) * 4 + tuple(f"p{n}" for n in range(_PHONES)))
        self._begin(user, "Action: Login", f"Username: {user}", "Secret: s", came=came)
        return user

    def _begin(
        self,
        user: str,
        *lines: str,
        came: dict[str, int] | None = None,
        since: dict[str, int] | None = None,
    ) -> None:
        """Do what *lines* ask, by which the client sees what *user* sees.

        Nothing that stands before *came*, all that stands behind *since*; None: from now on.
        """
        race = self._race
        if self._sights and not self._sights[-1].until:
            self._sights[-1].until = race.done()
        earliest = since or came or race.done()
        self._act(*lines, f"ActionID: sight{len(self._sights)}")
        now = race.begun()
        phone = None if user == "all" else int(user[1:])
        self._finish(now)
        self._sights.append(Sight(phone, earliest, since or now))

    def _finish(self, now: dict[str, int]) -> None:
        if self._sights and not self._sights[-1].latest:
            self._sights[-1].latest = now

    def _end(self) -> None:
        self._sights[-1].until = self._race.done()
        self._act("Action: Events", "EventMask: off", "ActionID: sight-1")
        self._finish(self._race.begun())

    def _come_back(self, user: str) -> None:
        """Leave with an id, and come back with it."""
        client, race = self._client, self._race
        self._act("ProxyAction: SetEventIDs", "EventIDs: on")
        self._end()
        client.leave()
        found = read_id(client.id)
        assert found is not None
        at = {each.link.name: found.numbers.get(each.link.place[0], 0) for each in race.speakers}
        client.join("")
        self._act("Action: Login", f"Username: {user}", "Secret: s", "Events: off")
        race.catching_up.add(self)
        self._begin(user, "ProxyAction: Resume", f"Since: {client.id}", since=at)
        race.catching_up.discard(self)

    # -- whether it was right ---------------------------------------------------------------------

    def judge(self) -> int:
        """Raise AssertionError if something was not right; return how many events have come."""
        client = self._client
        client.read()
        number, count = -1, 0
        parts: list[list[Message]] = [[] for _ in self._sights]
        for message in client.told:
            if message.get("ActionID").startswith("sight"):
                number = int(message.get("ActionID")[5:])
            elif message.get("Event") == "ProxyGap":  # it came back too late: something was dropped
                self._sights[number].until = {}
            elif message.has("N"):
                assert number >= 0, f"without rights: {message.lines}"
                parts[number].append(message)
                count += 1
        for sight, part in zip(self._sights, parts):
            for speaker in self._race.speakers:
                name = speaker.link.name
                _judge(sight, speaker, [each for each in part if each.get("Server") == name])
        return count


def _judge(sight: Sight, speaker: Speaker, part: list[Message]) -> None:
    """Judge *part*, what a client with *sight* was sent of *speaker*."""
    name = speaker.link.name
    last, seen = sight.earliest[name], set[int]()
    known: set[int] = set()
    for message in part:
        number = int(message.get("N"))
        said = speaker.said[number - 1]
        assert sight.phone in (None, said.phone), f"of another: {message.lines}, {sight}"
        if number <= last:  # it is told how a call began that the client sees late
            is_told = message.get("Event") in ("Newchannel", "Newstate") and said.call not in known
            assert is_told, f"again: {message.lines}, {last}, {sight}"
            continue
        last = number
        seen.add(number)
        known.add(said.call)
    assert last <= sight.latest[name], f"later than its end: {last}, {sight}"
    began: set[int] = set()
    for number in range(sight.after[name] + 1, sight.until.get(name, 0) + 1):
        said = speaker.said[number - 1]
        if sight.phone not in (None, said.phone):
            continue
        is_known = sight.phone is None or said.is_named or said.call in began
        assert number in seen or not is_known, f"lost: {name} {number} {said}, {sight}"
        if said.is_named:
            began.add(said.call)
