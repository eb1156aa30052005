# SPDX-License-Identifier: GPL-2.0-or-later
"""Random histories of servers and clients: nothing is lost without notice, nothing comes twice."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.threads.sessions.replay import held
from tests.threads.sessions.replays import Client, Server, World, check, place_of

_MANY = int(os.environ.get("ASTMANPROXY_HISTORIES", "60"))


class Step(NamedTuple):
    """One thing that happens to server or client *who*; *amount* is what kind of thing it is of."""

    what: str
    who: int
    amount: int


_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            ["say"] * 6 + ["leave", "back", "back"] + ["connect", "anew", "read", "ring"]
        ),
        st.integers(0, 2),
        st.integers(0, 10),
    ),
    max_size=60,
)
_RINGS = (0, 700, 1500, 4000, 20_000)


class History:
    """Two servers, three clients, what happens to them, and whether it was right."""

    def __init__(self) -> None:
        self.world = World("one", "two", ring=20_000)
        self.clients = [Client(self.world).join() for _ in range(3)]
        for client in self.clients:
            client.act("ProxyAction: SetEventIDs", "EventIDs: on")
            client.read()

    def say(self, step: Step) -> None:
        """A server says something; what it says at a time may be long."""
        self.server(step).say(1 + step.amount % 4, *["X: " + "x" * 300] * (step.amount > 8))

    def server(self, step: Step) -> Server:
        """Return the server that *step* is about."""
        return self.world.servers[step.who % 2]

    def connect(self, step: Step) -> None:
        """A server is lost, and connected again."""
        self.server(step).connect()

    def anew(self, step: Step) -> None:
        """A server is dropped, and added again; a client may have asked for a snapshot before."""
        server, client = self.server(step), self.clients[step.amount % 3]
        if client.session is None or step.amount < 5:
            server.drop()
            server.add()
            return
        with held(client.session, self.world.context):
            server.say(step.amount % 2)
            server.drop()
            server.add()
            server.say(step.amount % 4)

    def ring(self, step: Step) -> None:
        """SIGHUP changes what is kept."""
        self.server(step).link.remember(_RINGS[step.amount % 5], 3600.0)

    def read(self, step: Step) -> None:
        """A client reads what was sent."""
        if self.clients[step.who].session is not None:
            self.clients[step.who].read()

    def leave(self, step: Step) -> None:
        """A client is cut off, and has not had all that was sent."""
        if self.clients[step.who].session is not None:
            self.clients[step.who].leave(step.amount / 10)

    def back(self, step: Step) -> None:
        """A client comes back, logs in or not, and takes what it is sent slowly or at once."""
        client = self.clients[step.who]
        if client.session is not None:
            client.leave(step.amount / 10)
        client.join("off" if step.amount % 2 else "")
        self.world.servers[step.who % 2].say(1)
        if step.amount > 4:
            client.wire.is_slow = True
            client.wire.max_backlog = 800
            left = [3]

            def meanwhile() -> None:
                if left[0]:
                    left[0] -= 1
                    self.world.servers[left[0] % 2].say(2)
                elif step.amount == 9:
                    self.server(step).connect()
                elif step.amount == 8:
                    self.server(step).drop()
                    self.server(step).add()

            client.wire.while_waiting = meanwhile
        client.resume()
        client.wire.is_slow, client.wire.backlog = False, 0
        client.wire.while_waiting = bool

    def finish(self) -> None:
        """Have all clients come back; see that they know of all that was said."""
        for client in self.clients:
            if client.session is None:
                client.join("off")
                client.resume()
        for server in self.world.servers:
            server.say(1)
        for client in self.clients:
            client.read()
            for server in self.world.servers:
                assert check(client.told, server) == len(server.said)


@settings(max_examples=_MANY, deadline=None)
@given(_STEPS)
def test_each_client_knows_of_all_that_was_said(steps: list[Step]) -> None:
    """In order, each once, or that it is missing; whatever the rings hold."""
    history = History()
    for step in steps:
        getattr(history, step.what)(step)

    history.finish()


class Race:
    """Servers that speak at full speed, and clients that come and go, each in a thread."""

    def __init__(self) -> None:
        self.world = World("one", "two", ring=60_000)
        self._ends = time.monotonic() + 1.2
        #: Each client, and the first id that it was told.
        self.clients: list[tuple[Client, str]] = []

    def run(self) -> None:
        """Run all of it, and be done."""
        threads = [
            threading.Thread(target=self._speak, args=(each,)) for each in self.world.servers
        ]
        threads += [threading.Thread(target=self._come_and_go, args=(each,)) for each in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    def _speak(self, server: Server) -> None:
        number = 0
        while time.monotonic() < self._ends:
            number += 1
            server.say(1 + number % 5)
            if number % 500 == 0:
                server.connect()
            if number % 20 == 0:
                time.sleep(0.001)

    def _come_and_go(self, turn: int) -> None:
        client = Client(self.world).join()
        client.act("ProxyAction: SetEventIDs", "EventIDs: on")
        answer = next(n for n, each in enumerate(client.read()) if each.has("EventIDs"))
        first = client.told[answer].get("ProxyEventID")
        del client.told[:answer]  # what came before bears no ids
        self.clients.append((client, first))
        while time.monotonic() < self._ends:
            turn += 1
            client.leave((turn % 7) / 6)
            client.join("off" if turn % 2 else "")
            client.resume()
            if turn % 3 == 0:
                time.sleep(0.002)


def test_servers_at_full_speed_and_clients_that_come_and_go() -> None:
    """Real threads: each client knows of all that was said while it came and went."""
    interval, race = sys.getswitchinterval(), Race()
    sys.setswitchinterval(1e-5)
    try:
        race.run()
    finally:
        sys.setswitchinterval(interval)
    for server in race.world.servers:
        server.say(1)

    assert len(race.clients) == 3
    for client, first in race.clients:
        client.read()
        for server in race.world.servers:
            assert check(client.told, server, place_of(server, first)) == len(server.said)
