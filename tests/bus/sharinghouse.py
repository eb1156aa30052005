# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies that share Asterisks, their clients, and what must be true of all of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.config import Config
from amiproxy.threads.bus import tail
from tests.bus.sharingbus import LEASE, Bus
from tests.bus.sharingjudge import FOR_ALL, Asked, Judge, messages_of, number_of
from tests.bus.sharingpbx import Asterisk
from tests.bus.sharingpeople import Person
from tests.bus.sharingtime import house
from tests.bus.sharingworld import PREFIX, Node
from tests.threads.sessions.crowdworld import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.bus.asks import Ask
    from amiproxy.message import Message
    from amiproxy.routing.ring import Place
    from amiproxy.wire.routed import Routed
    from tests.bus.sharingworld import Server

#: Seconds for an answer.
TIMEOUT = 5.0
#: Bytes of events that are kept; of the most everything is.
RINGS = (0, 3000, 1 << 20)


class House:
    """Proxies, Asterisks, and clients; *lossless*: nothing goes wrong that loses something."""

    def __init__(self, seed: int, *, lossless: bool, people: bool = True) -> None:
        self.luck = luck = random.Random(seed)
        self.lossless, self._has_people = lossless, people
        self._context = house(seed, self._while_asleep)
        self.clock = self._context.__enter__()
        self.bus = Bus(self.clock, PREFIX)
        names = ["one", "two"][: luck.choice((1, 1, 1, 2))]
        self.asterisks = [Asterisk(name, luck) for name in names]
        self.optional = not lossless and luck.random() < 0.3
        ring = 1 << 20 if lossless else luck.choice(RINGS)
        self.config = self.made_config(luck.random() < 0.7, ring)
        tail.COUNT = luck.choice((1, 3, 1 << 30))
        #: What is at each place, and where each event is at each proxy.
        self.truth: dict[Place, bytes] = {}
        self.places: dict[tuple[int, bytes], list[Place]] = {}
        self._scopes: dict[int, str] = {}
        #: What was lost, so far as something may be told as missing.
        self.losses = int(ring < RINGS[-1])
        #: The ActionIDs that Asterisks have seen.
        self.wire_ids: set[str] = set()
        #: What was asked through the bus, by ActionID.
        self.posted: dict[str, Ask] = {}
        #: Behind which event each answer came that went through the bus, by what a client gave.
        self.answered: dict[str, Place] = {}
        self.asks = 0
        self._solos = 0
        self.flushed = 0.0
        self.nodes: list[Node] = []
        self.people: list[Person] = []
        self.asked: dict[str, Asked] = {}
        for _ in range(luck.choice((2, 2, 3))):
            self.start()

    def made_config(self, tells: bool, ring: int) -> Config:
        """Return settings: whether clients are told of servers, and what is kept of events."""
        return Config(
            server_events=tells, replay=ring, action_timeout=TIMEOUT, bus_failover=LEASE,
            keepalive=0.0,
        )  # fmt: skip

    def close(self) -> None:
        """Give the process back what is its own."""
        self._context.__exit__(None, None, None)

    def _while_asleep(self) -> None:
        """A client's thread sleeps: the others go on."""
        if self.luck.random() < 0.1:
            for node in self.running():
                for server in node.servers.values():
                    server.run(1)
                    server.listen()
                node.outbox.flush()

    # -- what is noted --------------------------------------------------------------------------

    @property
    def scopes(self) -> list[str]:
        """The servers."""
        return [each.name for each in self.asterisks]

    def scope_of(self, epoch: int) -> str:
        """Return the server whose connection had the number *epoch*, "" if unknown."""
        return self._scopes.get(epoch, "")

    def note_event(self, node: Node, server: Server, place: Place, raw: bytes) -> None:
        """*node* has handed out *raw* as what stands at *place*."""
        known = self.truth.setdefault(place, raw)
        where = f"proxy {node.slot}, {server.scope} {place}"
        assert known == raw, f"{where}: {raw!r}, elsewhere {known!r}"
        scope = self._scopes.setdefault(place[0], server.asterisk.name)
        assert scope == server.asterisk.name, f"{where} is of {scope}"
        if number_of(raw):
            self.places.setdefault((node.slot, raw), []).append(place)

    def note_reply(self, place: Place, items: Sequence[Routed]) -> None:
        """The holder of a server answers *items* to another proxy behind the event at *place*."""
        for item in items:
            ask = self.posted.get(item.request_id or "")
            if ask is not None and item.final:
                self.answered[ask.given or ""] = place

    def note_gap(self, judge: Judge, message: Message) -> None:
        """A client was told of a gap."""
        if message.get("Reason") == "server_lost":
            return
        assert self.losses, f"{judge.name}: nothing is lost, but told {message.lines}"

    # -- who is there ---------------------------------------------------------------------------

    def start(self) -> Node:
        slot = 1 + len(self.nodes) + 16
        node = Node(self, slot, self.config, optional=self.optional)
        node.keeper.next_solo = self._next_solo
        self.nodes.append(node)
        for asterisk in self.asterisks:
            node.add(asterisk)
        for ids in (True, False) if self._has_people else ():
            self.join_at(node, Judge(self, f"{'ids' if ids else 'plain'} at {slot}", ids=ids))
        return node

    @property
    def was_alone(self) -> bool:
        """Whether some proxy was connected without the bus."""
        return self._solos > 0

    def _next_solo(self) -> int:
        self._solos += 500
        return self._solos % 32000 + 1

    def join_at(self, node: Node, judge: Judge | None, mode: AutoFilter = AutoFilter.UNIQUE,
              since: str = "") -> Person:  # fmt: skip
        node.enter()
        client = Client(node, "stream", mode, guarded=True)  # type: ignore[arg-type]
        client.act(
            "Action: Login", "Username: all", "Secret: s", "Events: " + ("off" if since else "on")
        )
        node.clients.append(client)
        person = Person(client, node, judge, mode)
        self.people.append(person)
        if judge is not None:
            judge.slot = node.slot
            judge.is_told_of_servers = node.config.server_events
            if since:
                client.act("ProxyAction: Resume", f"Since: {since}")
            elif judge.ids:
                client.act("ProxyAction: SetEventIDs", "EventIDs: on")
        return person

    def leave_from(self, person: Person) -> None:
        person.node.enter()
        person.client.leave()
        person.node.clients.remove(person.client)
        self.go(person)

    def go(self, person: Person) -> None:
        person.is_here = False
        self.people.remove(person)
        for asked in person.asked.values():
            asked.is_gone = True

    def running(self) -> list[Node]:
        """Return the proxies that go on."""
        return [node for node in self.nodes if node.runs]

    def alive(self) -> list[Node]:
        """Return the proxies that are there."""
        return [node for node in self.nodes if not node.is_over]

    # -- checks ---------------------------------------------------------------------------------

    def check(self) -> None:
        """See what everybody was sent, and what the Asterisks were asked."""
        for person in list(self.people):
            data = person.client.drain()
            if not data:
                continue
            if person.judge is not None:
                person.judge.take(data)
            self._look_at_answers(person, data)
        self._look_at_asked()

    def _look_at_answers(self, person: Person, data: bytes) -> None:
        for message in messages_of(data):
            given = message.get("ActionID")
            asked = self.asked.get(given)
            if asked is None:
                assert given not in self.wire_ids, f"an ActionID of ours: {message.lines}"
                continue
            if asked.given in person.asked:
                wrong = asked.take(message)
                assert not wrong, f"{wrong}: {message.lines}"
            elif message.get("Event") not in FOR_ALL:
                may = person.mode is AutoFilter.OFF and asked.mode != "UNIQUE"
                assert may, f"{asked!r} is seen by another: {message.lines}"

    def _look_at_asked(self) -> None:
        for asterisk in self.asterisks:
            seen: set[str] = set()
            for wire_id, message, tenure, when in asterisk.heard:
                assert wire_id not in seen, f"twice: {message.lines}"
                seen.add(wire_id)
                ask = self.posted.get(wire_id)
                assert ask is None or ask.epoch == tenure, f"in another tenure: {message.lines}"
                late = when - ask.deadline if ask is not None else 0
                assert late <= 0, f"{late} ms too late: {message.lines}"
            self.wire_ids |= seen

    # -- what goes on ----------------------------------------------------------------------------

    def calm(self, times: int, seconds: float = 0.1) -> None:
        """All threads go on, so many *times*, with so many *seconds* between."""
        for _ in range(times):
            for node in self.running():
                node.run_keeper()
                for server in node.servers.values():
                    server.run(1)
                    server.listen()
                node.outbox.flush()
                node.run_asks()
                self.listen()
                node.outbox.flush()
            self.clock.pass_on(seconds)

    def run_one(self, node: Node) -> None:
        """One of the threads of *node* goes on."""
        luck = self.luck.random()
        if luck < 0.45:
            portion = 1 << 30 if self.luck.random() < 0.7 else self.luck.randint(1, 900)
            server = self.luck.choice(list(node.servers.values()))
            server.run(self.luck.randint(1, 3), portion)
            server.listen()
        elif luck < 0.75:
            most = 1 << 30 if self.luck.random() < 0.5 else self.luck.randint(1, 4)
            node.outbox.joins = self.luck.random() < 0.7
            node.outbox.flush(most, twice=self.luck.random() < 0.1)
        elif luck < 0.9:
            node.run_asks()
            self.listen()
        else:
            node.run_keeper()

    def listen(self) -> None:
        """Have the Asterisks hear what has gone up."""
        for node in self.running():
            for server in node.servers.values():
                server.listen()

    def tend(self) -> None:
        """A second is over for the watchdog."""
        for node in self.running():
            node.tend()

    # -- the end ----------------------------------------------------------------------------------

    def end(self) -> None:
        """Mend everything; then everybody must have everything, and every action must be over."""
        for node in self.nodes:
            node.is_paused = node.way.is_cut = False
        for asterisk in self.asterisks:
            asterisk.is_there = True
        tail.COUNT = 1 << 30
        for number in range(14):
            self._answer_all()
            if number in (8, 11):
                for asterisk in self.asterisks:
                    asterisk.say(1)
        self._await_calls()
        self.calm(6)
        self.check()
        self._check_connected()
        self._check_answered()

    def _answer_all(self) -> None:
        """All goes on for a second, and Asterisks answer what they are asked."""
        for _ in range(3):
            self.calm(1, 0.25)
            for asterisk in self.asterisks:
                for _ in range(3):
                    asterisk.answer(10)
        self.tend()
        self.check()

    def _await_calls(self) -> None:
        """Let pass as much time as a call may take, if anybody waits for one."""
        for _ in range(90):
            links = [each.link for node in self.alive() for each in node.servers.values()]
            if not any(link.ledger.owed for link in links):
                break
            self.calm(1, 1.0)
            self.tend()
            self.check()

    def _check_connected(self) -> None:
        for asterisk in self.asterisks:
            count = len(asterisk.connections)
            assert count == 1, f"{asterisk.name}: {count} connections"
            servers = [node.servers[asterisk.name] for node in self.alive()]
            held = [each for each in servers if not each.link.reading]
            assert len(held) == 1, f"{asterisk.name}: {len(held)} hold it"
            for each in servers:
                assert each.link.connected, f"{each.scope} at {each.node.slot}: not connected"
                place, wanted = each.link.place, held[0].link.place
                if self.was_alone:
                    continue  # the numbers of who was alone are its own
                assert place == wanted, f"{each.scope} at {each.node.slot}: {place}, not {wanted}"
        for person in self.people:
            if person.judge is None or self.was_alone:
                continue
            for asterisk in self.asterisks:
                at = person.judge.at.get(asterisk.name)
                (holder,) = [
                    each.servers[asterisk.name] for each in self.alive()
                    if not each.servers[asterisk.name].link.reading
                ]  # fmt: skip
                place = holder.link.place
                assert at == place, f"{person.judge.name}: at {at}, not {place}"

    def _check_answered(self) -> None:
        for asked in self.asked.values():
            is_silent = asked.action in ("silence", "iaxnetstats")
            if not (asked.is_gone or (is_silent and not asked.finals)):
                assert asked.finals == 1, f"{asked!r} has {asked.finals} ends"
        for node in self.alive():
            for server in node.servers.values():
                ledger, turns = server.link.ledger, server.link.turns
                assert not ledger.owed, f"at {node.slot}: owed {ledger.owed}"
                assert turns.empty, f"at {node.slot}: turns"
