# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of every kind, each at all proxies that share Asterisks: all of a kind are sent the same."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any, Callable

from tests.bus.sharinghouse import House
from tests.threads.sessions import crowdhistory
from tests.threads.sessions.crowdhistory import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bus.sharingpbx import Asterisk
    from tests.bus.sharingworld import Node
    from tests.threads.sessions.crowdworld import Client, World


_IDS = re.compile(rb'ProxyEventID: [^\r]*\r\n|"id":"[^"]*"')


class Twins(crowdhistory.History):
    """What may happen to clients, as at one proxy (crowdhistory.py), and what may to proxies."""

    def __init__(self, seed: int) -> None:
        self.house = House(seed, lossless=True, people=False)
        self.luck = self.house.luck
        self._answers = 0
        self._has_asked = self._must_settle = False
        self._kinds: tuple[str, ...] = ()
        self._bring()

    def _bring(self) -> None:
        """Have the worlds of the history be the proxies that there are."""
        self.nodes: list[Node] = self.house.alive()
        worlds: Any = tuple(self.nodes)
        self.worlds = worlds
        pbxs: Any = self.house.asterisks
        self.pbxs = pbxs

    def play(self, steps: Sequence[Step]) -> None:
        """Do all *steps*; raise AssertionError where clients differ."""
        self.house.calm(12)
        for step in steps:
            self.luck = self.house.luck = random.Random(step.seed)
            for asterisk in self.house.asterisks:
                asterisk.draw_from(self.luck)
            getattr(self, step.what)()
            self.settle()
            self.compare()

    def compare(self) -> None:
        """Compare what each client was sent, and is known of."""
        first, *others = self.nodes
        # Each has asked for itself: its answer may stand before that of the other, or behind it.
        has_asked, self._has_asked = self._has_asked, False
        sent = [client.drain() for client in first.clients]
        for node in others:
            assert len(node.clients) == len(sent)
            for number, (client, wanted) in enumerate(zip(node.clients, sent)):
                one = first.clients[number]
                where = f"client {number} {_named(one)} at {node.slot}"
                found = client.drain()
                same = _shuffled(found) == _shuffled(wanted) if has_asked else found == wanted
                assert same, f"{where}: {found!r}, at {first.slot} {wanted!r}"
                if one.is_here:
                    state, right = _of_all(client), _of_all(one)
                    assert state == right, f"{where}: {state}, at {first.slot} {right}"

    # -- what the servers do ----------------------------------------------------------------------

    def _both(self, do: Callable[[World], object]) -> None:
        for node in self.nodes:
            node.enter()
            world: Any = node
            do(world)
        self.house.listen()

    def _some_asterisk(self) -> Asterisk:
        return self.luck.choice(self.house.asterisks)

    def say(self) -> None:
        """A server says something, which gets to the proxies in some way."""
        self._some_asterisk().say(self.luck.randint(1, 12))
        for _ in range(self.luck.randrange(6)):
            self.house.run_one(self.luck.choice(self.nodes))
        if self._must_settle:
            self._catch_up()

    def settle(self) -> None:
        """Answer all that was asked: the same in the same way."""
        for _ in range(40):
            self._catch_up()
            if not any(asterisk.owes for asterisk in self.house.asterisks):
                break
            for asterisk in self.house.asterisks:
                for connection in asterisk.connections:
                    for _ in range(8):
                        luck = random.Random(self._answers)
                        connection.coming += connection.answer(luck)
        else:
            raise AssertionError("it goes on for ever")
        self._answers += 1
        for node in self.nodes:
            for client in node.clients:
                assert not node.router.unanswered(client.session.number), "it is not answered"

    def _catch_up(self) -> None:
        """Have all proxies get all that was said, at the pace of each."""
        self.house.calm(3, 0.02)
        for _ in range(200):
            self.house.calm(1, 0.005)
            if not any(node.is_behind for node in self.nodes):
                return
        raise AssertionError("a proxy does not catch up")

    def ask(self) -> None:
        """A client asks something, at each proxy."""
        for asterisk in self.house.asterisks:
            calls = asterisk.calls[asterisk.name]
            if not calls.alive:
                calls.begin(self.luck)
        super().ask()
        self._has_asked = True
        self.settle()

    def log_in(self) -> None:
        """A client logs in anew; a live one does so before it subscribes alone."""
        self._kinds = ("stream", "kept", "until", "once")
        super().log_in()
        self._kinds = ()

    def _some_client(self, *kinds: str) -> int:
        return super()._some_client(*(kinds or self._kinds))

    def resume(self) -> None:
        """A client comes back, and goes on where it was."""
        self._must_settle = True
        super().resume()
        self._must_settle = False

    def drop(self) -> None:
        """An Asterisk ends its connection; there is another one soon."""
        for connection in self._some_asterisk().connections[:1]:
            connection.is_open = False
        self._pass_time()

    def move_lease(self) -> None:
        """Another proxy is to connect."""
        node = self.luck.choice(self.nodes)
        node.keeper.give_up(self.luck.choice(list(node.servers.values())).scope)
        self._pass_time()

    def _pass_time(self) -> None:
        self.house.calm(12, 0.15)

    def _batches(self) -> Callable[[World], None]:
        """Return what says nothing: not all proxies would have it at the same moment."""
        return lambda _world: None


def _named(client: Client) -> str:
    """Return what kind of client *client* is."""
    user = client.session.user
    return f"{client.kind} {client.session.mode.name} {user.name if user else None}"


def _shuffled(data: bytes) -> list[int]:
    """Return what is the same of *data* in whatever order it comes."""
    return sorted(_IDS.sub(b"", data))


def _of_all(client: Client) -> dict[str, object]:
    """Return what is the same of *client* at all proxies."""
    found = client.state()
    del found["number"], found["listed"]
    return found


_STEPS = (
    *["say"] * 14, *["join"] * 3, "log_in", "log_in", "leave", *["ask"] * 4, *["change"] * 4,
    "wait", "release", "drop", "move_lease", *["resume"] * 3,
)  # fmt: skip


def twin_steps(seed: int, most: int = 35) -> list[Step]:
    """Return the steps of the history with the number *seed*."""
    luck = random.Random(seed)
    begin = [Step("join", luck.getrandbits(32)) for _ in range(luck.randint(2, 7))]
    count = luck.randint(5, most)
    return begin + [Step(luck.choice(_STEPS), luck.getrandbits(32)) for _ in range(count)]


def play_twins(seed: int, steps: Sequence[Step]) -> str:
    """Play *steps*; return how clients came to differ, "" if they did not."""
    found = Twins(seed)
    try:
        found.play(steps)
    except AssertionError as error:
        return str(error) or repr(error)
    finally:
        found.house.close()
    return ""
