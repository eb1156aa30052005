# SPDX-License-Identifier: GPL-2.0-or-later
"""Random histories of proxies that share Asterisks.

A history is a list of steps, each of which draws what it does from a number of its own: so one
may be left out, and the others do the same as before.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from amiproxy.bus.entries import EVENTS, MIXED, NOTICE, PLACE
from amiproxy.routing.autofilter import AutoFilter
from tests.bus.sharingbus import LEASE
from tests.bus.sharinghouse import RINGS, House
from tests.bus.sharingjudge import Asked, Judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bus.sharingworld import Node

_MODES = (AutoFilter.OFF, AutoFilter.ON, AutoFilter.UNIQUE)


class Step(NamedTuple):
    """What happens, and the number that it draws the rest from."""

    what: str
    seed: int


class History(House):
    """What may happen, a method each."""

    # -- steps: what goes well --------------------------------------------------------------------

    def play(self, steps: Sequence[Step]) -> None:
        """Do all *steps*, mend everything, and look whether all is well then."""
        self.calm(12)
        self.check()
        for step in steps:
            self.luck = random.Random(step.seed)
            for asterisk in self.asterisks:
                asterisk.draw_from(self.luck)
            getattr(self, step.what)()
            self.check()
        self.end()

    def say(self) -> None:
        """An Asterisk says something."""
        few = self.luck.random() < 0.6
        self.luck.choice(self.asterisks).say(self.luck.randint(1, 3 if few else 15))

    def run(self) -> None:
        """Some threads of some proxies go on."""
        for _ in range(self.luck.randint(1, 6)):
            nodes = self.running()
            if nodes:
                self.run_one(self.luck.choice(nodes))

    def run_all(self) -> None:
        """All threads go on for a moment, and time does."""
        self.calm(self.luck.randint(1, 3))

    def answer(self) -> None:
        """An Asterisk answers something, among events."""
        asterisk = self.luck.choice(self.asterisks)
        for _ in range(self.luck.randint(1, 4)):
            asterisk.answer(self.luck.randint(1, 2))
            if self.luck.random() < 0.3:
                asterisk.say(1)

    def ask(self) -> None:
        """A client asks something."""
        people = [each for each in self.people if each.node.runs and not each.client.session.ended]
        if not people:
            return
        person, asterisk = self.luck.choice(people), self.luck.choice(self.asterisks)
        action = self.luck.choice(
            ("Ping", "Status", "Status", "UserEvent", "Originate", "Originate", "Silence",
             "IAXnetstats")
        )  # fmt: skip
        self.asks += 1
        given = f"q{self.asks}" + "y" * self.luck.choice((0, 0, 60))
        lines = [f"Action: {action}", f"Server: {asterisk.name}", f"ActionID: {given}"]
        if action == "Originate":
            lines += ["Channel: PJSIP/101", "Application: Wait"]
            lines += ["Async: true"] * (self.luck.random() < 0.4)
        if action == "UserEvent":
            lines.append("UserEvent: asked")
        asked = Asked(given, action.lower(), person.mode.name, asterisk.name, person.node.slot)
        if person.mode is AutoFilter.ON:  # it sees what answers its last action alone
            for earlier in person.asked.values():
                earlier.is_gone = True
        self.asked[given] = person.asked[given] = asked
        person.node.enter()
        person.client.act(*lines)
        self.listen()

    def join(self) -> None:
        """A client comes."""
        nodes = self.running()
        if not nodes or len(self.people) > 4 * len(self.nodes) + 4:
            return
        node = self.luck.choice(nodes)
        ids = self.luck.random() < 0.6
        mode = self.luck.choice(_MODES)
        judge = Judge(self, f"client {len(self.people)} at {node.slot}", ids=ids)
        # With autofilter on it sees what bears its last ActionID alone.
        self.join_at(node, None if mode is AutoFilter.ON else judge, mode)

    def leave(self) -> None:
        """A client leaves."""
        people = [each for each in self.people if each.node.runs]
        if len(people) > 4:
            self.leave_from(self.luck.choice(people))

    def move(self) -> None:
        """A client with ids leaves, and goes on at the same proxy or another."""
        self.check()
        people = [
            each
            for each in self.people
            if each.node.runs and each.judge and each.judge.ids and each.client.id
            and each.mode is AutoFilter.UNIQUE
        ]  # fmt: skip
        nodes = self.running()
        if not people or not nodes:
            return
        person = self.luck.choice(people)
        judge, since = person.judge, person.client.id
        assert judge is not None
        self.leave_from(person)
        for _ in range(self.luck.randrange(3)):
            self.luck.choice((self.say, self.run))()
        node = self.luck.choice(nodes)
        judge.name += f", then at {node.slot}"
        other = self.join_at(node, judge, since=since)
        data = other.client.wire.parts[:]
        if any(b"ProxyResponse: Error" in part for part in data):
            assert not self.lossless, f"{judge.name}: {since} is refused: {data[-1]!r}"
            judge.begin_again()
            other.client.wire.parts.clear()
            other.client.act("Action: Events", "EventMask: on")
            other.client.act("ProxyAction: SetEventIDs", "EventIDs: on")

    def move_lease(self) -> None:
        """A proxy gives a server up, for another to take it."""
        nodes = [node for node in self.running() if not node.way.is_cut]
        if nodes:
            node = self.luck.choice(nodes)
            node.keeper.give_up(self.luck.choice(list(node.servers.values())).scope)

    def drop(self) -> None:
        """An Asterisk ends a connection."""
        for connection in self.luck.choice(self.asterisks).connections[:1]:
            connection.is_open = False

    # -- steps: what goes wrong -------------------------------------------------------------------

    def pass_time(self) -> None:
        """Nobody does anything for a while."""
        self.clock.pass_on(self.luck.choice((0.2, 1.0, 2.5, 4.0)))

    def cut(self) -> None:
        """A proxy cannot reach the bus, or can again."""
        node = self.luck.choice(self.nodes)
        node.way.is_cut = not node.way.is_cut
        self.losses += 1

    def pause(self) -> None:
        """A proxy is stopped (SIGSTOP), or goes on."""
        node = self.luck.choice(self.nodes)
        node.is_paused = not node.is_paused

    def kill(self) -> None:
        """A proxy is killed; another one comes."""
        nodes = self.alive()
        if len(nodes) < 2 or len(self.nodes) > 8:
            return
        node = self.luck.choice(nodes)
        self.losses += 1
        node.kill()
        self._forget(node)
        self.start()

    def stop(self) -> None:
        """A proxy stops as it should; another one comes."""
        nodes = [node for node in self.running() if not node.way.is_cut]
        if len(nodes) < 2 or len(self.nodes) > 8:
            return
        node = self.luck.choice(nodes)
        self._forget(node)
        node.stop()
        self.start()

    def _forget(self, node: Node) -> None:
        for person in [each for each in self.people if each.node is node]:
            self.go(person)

    def overrun(self) -> None:
        """What a proxy has queued is too much."""
        node = self.luck.choice(self.nodes)
        lanes = {each[0] for each in node.outbox.queue if each[0] is not None}
        for lane in sorted(lanes, key=lambda lane: lane.epoch):
            self.losses += node.outbox.lose(lane) > 0

    def trim(self) -> None:
        """Redis forgets old entries."""
        for key, stream in self.bus.streams.items():
            if ":events:" in key:
                stream.trim(self.luck.choice((0, 1, 2, 5)))
                self.losses += 1

    def corrupt(self) -> None:
        """Entries get damaged."""
        for key in sorted(self.bus.streams):
            stream = self.bus.streams[key]
            if stream.bodies and ":events:" in key:
                at = self.luck.randrange(len(stream.bodies))
                stream.bodies[at] = self.luck.choice(
                    (b"", b"x", stream.bodies[at][:-1], stream.bodies[at] + b"\r\n")
                )
                self.losses += 1

    def ask_again(self) -> None:
        """An action comes twice on the bus, as an entry that was sent again."""
        for key in sorted(self.bus.streams):
            stream = self.bus.streams[key]
            if stream.bodies and ":asks:" in key:
                self.bus.add(key, self.luck.choice(stream.bodies[-3:]))

    def send_again(self) -> None:
        """A holder sends entries again, and says where it was a moment ago."""
        for node in self.running():
            for server in node.servers.values():
                lane = server.publisher.lane
                bodies = self.bus.stream(self.bus.keys.events(server.scope)).bodies
                if lane is not None and bodies:
                    body = self.luck.choice(bodies[-3:])
                    if body[5:6] in (EVENTS, MIXED, NOTICE, PLACE):
                        lane.put(body)
                        self.losses += 1  # of an entry that is joined to it, its events are dropped

    def lapse(self) -> None:
        """A holder loses the connection, has another one, and nothing of that gets to the bus."""
        for node in self.running():
            for server in node.servers.values():
                lane = server.publisher.lane
                if lane is None or server.connection is None:
                    continue
                server.connection.is_open = False
                server.run()
                self.clock.pass_on(1.1)
                server.run()
                self.losses += 1
                node.outbox.lose(cast("Any", lane))
                server.asterisk.say(2)
                server.run()

    def flush_bus(self) -> None:
        """Redis forgets all; not twice while a proxy believes in what it said before the first."""
        if self.clock.now < self.flushed + 4 * LEASE:
            return
        self.flushed = self.clock.now
        self.bus.flush()
        self.losses += 1

    def shut(self) -> None:
        """An Asterisk lets nobody in, or does again."""
        asterisk = self.luck.choice(self.asterisks)
        asterisk.is_there = not asterisk.is_there

    def sighup(self) -> None:
        """Settings are read anew."""
        node = self.luck.choice(self.running() or self.nodes)
        config = self.made_config(self.luck.random() < 0.5, self.luck.choice(RINGS))
        self.losses += 1
        node.configure(config)
        for person in self.people:
            if person.node is node and person.judge is not None:
                person.judge.is_told_of_servers = False  # what is on its way was made before


# -- histories ----------------------------------------------------------------------------------

_GOOD = (
    *["say"] * 8, *["run"] * 8, *["run_all"] * 3, *["answer"] * 4, *["ask"] * 5, "join", "leave",
    *["move"] * 3, "tend",
)  # fmt: skip
_CALM = (*_GOOD, "move_lease", "drop", "stop")
_BAD = (
    *_GOOD, *_CALM, *["pass_time"] * 3, *["cut"] * 3, *["pause"] * 3, "kill", "overrun", "overrun",
    "trim", "corrupt", "ask_again", "send_again", "lapse", "flush_bus", "shut", "sighup",
)  # fmt: skip


def steps_of(seed: int, *, lossless: bool, most: int = 60) -> list[Step]:
    """Return the steps of the history with the number *seed*."""
    luck = random.Random(seed)
    kinds = _CALM if lossless else _BAD
    return [Step(luck.choice(kinds), luck.getrandbits(32)) for _ in range(luck.randint(5, most))]


def play(seed: int, steps: Sequence[Step], *, lossless: bool) -> str:
    """Play *steps*; return what is wrong, "" if nothing is."""
    found = History(seed, lossless=lossless)
    try:
        found.play(steps)
    except AssertionError as error:
        return str(error) or repr(error)
    finally:
        found.close()
    return ""


def shortest(seed: int, steps: list[Step], *, lossless: bool) -> list[Step]:
    """Return *steps*, which fail, without those that are not needed for that."""
    at = len(steps)
    while at > 0:
        at -= 1
        fewer = steps[:at] + steps[at + 1 :]
        if play(seed, fewer, lossless=lossless):
            steps = fewer
    return steps
