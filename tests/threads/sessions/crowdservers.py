# SPDX-License-Identifier: GPL-2.0-or-later
"""Two worlds in which the servers say the same at random, and whether clients can tell them apart."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Callable

from amiproxy.message import Message
from amiproxy.threads.sessions.overdue import take
from tests.threads.sessions.crowdpbx import Pbx
from tests.threads.sessions.crowdusers import USERS
from tests.threads.sessions.crowdworld import World

if TYPE_CHECKING:
    from amiproxy.threads.sessions.registry import SessionRegistry
    from amiproxy.threads.sessions.router import Router
    from tests.threads.sessions.crowdworld import Client

    MakeRouter = Callable[[SessionRegistry], Router]

#: Bytes of events that a server keeps.
RINGS = (0, 3000, 60_000)


class TwoWorlds:
    """A router of ours in the first world, a plain one in the second; the Asterisks are the same."""

    def __init__(self, makes: tuple[MakeRouter, MakeRouter], seed: int) -> None:
        self.luck = luck = random.Random(seed)
        self.worlds = tuple(World(make, USERS) for make in makes)
        for world in self.worlds:
            world.router.keeps_calls = seed % 16 != 15
        self.pbxs = [Pbx("one"), Pbx("two"), Pbx("far", ("in1", "in2", "one"))]
        ring = luck.choice(RINGS)
        for pbx in self.pbxs:
            self._add(pbx, ring)

    def _add(self, pbx: Pbx, ring: int) -> None:
        """Add the server *pbx*, in the place of one that is called so, and connect."""
        self._both(lambda world: world.add_server(pbx.name, ring, proxy=bool(pbx.inner)))
        self._connect(pbx)

    def _both(self, do: Callable[[World], object]) -> None:
        for world in self.worlds:
            world.enter()
            do(world)
        self._listen()

    def _listen(self) -> None:
        """Have the Asterisks hear what has gone up: the same in both worlds."""
        for pbx in self.pbxs:
            first, *rest = [
                world.servers[pbx.name].wire.take() if pbx.name in world.servers else b""
                for world in self.worlds
            ]
            assert rest == [first], f"to {pbx.name}: {first!r} and {rest!r}"
            if first:
                pbx.hear(first)

    # -- what can be seen -------------------------------------------------------------------------

    def compare(self) -> None:
        """Compare what each client was sent, and is known of."""
        crowd, plain = self.worlds
        for number, (one, other) in enumerate(zip(crowd.clients, plain.clients)):
            sent, wanted = one.drain(), other.drain()
            assert sent == wanted, f"client {number} {_named(one)}: {_differing(sent, wanted)}"
            if one.is_here:
                found, right = one.state(), other.state()
                assert found == right, f"client {number} {_named(one)}: {found}, not {right}"
        assert crowd.sessions() == plain.sessions()

    # -- servers ----------------------------------------------------------------------------------

    def _some_pbx(self) -> Pbx:
        return self.luck.choice(self.pbxs)

    def publish(self, pbx: Pbx, data: bytes) -> None:
        """Have *pbx* say *data*."""
        if data:
            chunk = pbx.chunk(data)
            self._both(lambda world: world.servers[pbx.name].publish(chunk))

    def say(self) -> None:
        """A server says something."""
        pbx = self._some_pbx()
        few = self.luck.random() < 0.5
        self.publish(pbx, pbx.say(self.luck, self.luck.randint(1, 3 if few else 20)))

    def answer(self) -> None:
        """A server answers something, perhaps among events."""
        pbx = self._some_pbx()
        data = b""
        for _ in range(self.luck.randint(1, 4)):
            data += pbx.answer(self.luck)
            data += pbx.say(self.luck, self.luck.randrange(3))
        self.publish(pbx, data)

    def settle(self) -> None:
        """Answer all that was asked."""
        for pbx in self.pbxs:
            for _ in range(300):
                if not pbx.owes:
                    break
                self.publish(pbx, b"".join([pbx.answer(self.luck) for _ in range(10)]))
            else:
                raise AssertionError("it goes on for ever")
        for world in self.worlds:
            assert not any(world.router.unanswered(each.session.number) for each in world.clients)

    def _connect(self, pbx: Pbx) -> None:
        pbx.open()
        self._both(lambda world: world.servers[pbx.name].connect())

    def lose(self) -> None:
        """A connection is lost; soon there is another one, and clients are told of it."""
        pbx, told = self._some_pbx(), self.luck.random() < 0.6
        self._both(lambda world: world.servers[pbx.name].lose())
        if told:
            self._notice(pbx, "ProxyServerLost")
        if self.luck.random() < 0.5:
            pbx.calls = {name: type(calls)() for name, calls in pbx.calls.items()}
        self._connect(pbx)
        if told:
            self._notice(pbx, "ProxyServerConnected")

    def _notice(self, pbx: Pbx, name: str) -> None:
        lines = (f"Event: {name}", "Privilege: system,all", f"Server: {pbx.name}")
        self._both(lambda world: world.servers[pbx.name].publisher.notice(Message.of(*lines)))

    def take_over(self) -> None:
        """A server is dropped and added anew, and the threads of both are there for a moment."""
        pbx, ring = self._some_pbx(), self.luck.choice(RINGS)
        before = [world.servers[pbx.name] for world in self.worlds]
        # Where clients with ids stand on a server that was dropped is told only as far as known.
        early = self.luck.random() < 0.5 or any(
            getattr(each.session, "track", None) for each in self.worlds[0].clients
        )
        last = pbx.chunk(pbx.say(self.luck, self.luck.randint(1, 4)))
        if early:
            self._both(lambda world: before[self.worlds.index(world)].lose())
        self._add(pbx, ring)
        self.say()
        if not early:
            self._both(lambda world: before[self.worlds.index(world)].publish(last))
            self.say()
            self._both(lambda world: before[self.worlds.index(world)].lose())

    def ring(self) -> None:
        """SIGHUP changes how much is kept."""
        pbx, ring = self._some_pbx(), self.luck.choice(RINGS)
        self._both(lambda world: world.servers[pbx.name].link.remember(ring, 3600.0))

    def refuse(self) -> None:
        """Nobody waits any longer for what a server was asked."""
        pbx = self._some_pbx()

        def expire(world: World) -> None:
            server = world.servers[pbx.name]
            overdue = take(server.link, 1e9, 1.0)
            if overdue:
                server.publisher.refuse([*overdue.waited, *overdue.unanswered], "is late")
            server.link.refusing = ()

        self._both(expire)

    def answer_late(self) -> None:
        """Calls take too long: who asked for them is answered."""
        pbx = self._some_pbx()
        self._both(lambda world: world.servers[pbx.name].publisher.answer_late(1e9))


def _named(client: Client) -> str:
    user = client.session.user
    return f"{client.kind} {client.session.mode.name} {user.name if user else None}"


def _differing(sent: bytes, wanted: bytes) -> str:
    """Return where *sent* begins to be something else than what was *wanted*."""
    at = next(
        (n for n, (a, b) in enumerate(zip(sent, wanted)) if a != b), min(len(sent), len(wanted))
    )
    begin = max(0, sent.rfind(b"\r\n\r\n", 0, at))
    return f"at {at}: {sent[begin : at + 200]!r}, not {wanted[begin : at + 200]!r}"
