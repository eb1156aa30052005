# SPDX-License-Identifier: GPL-2.0-or-later
"""Random histories of clients and servers, the same in two worlds.

A history is a list of steps, each of which draws what it does from a number of its own: so one
may be left out, and the others do the same as before.  ``shortest`` looks for the fewest that fail.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.live.requests import Subscription
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.selection import Selection
from amiproxy.threads.sessions.replay import held
from amiproxy.threads.sessions.streamsession import StreamSession
from tests.threads.sessions.crowdservers import TwoWorlds
from tests.threads.sessions.crowdusers import USERS
from tests.threads.sessions.crowdworld import Client, World, worlds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.wire.framing import Chunk
    from tests.threads.sessions.crowdservers import MakeRouter

_MOST_CLIENTS = 9
_KINDS = ("stream", "stream", "stream", "stream", "stream", "live", "kept", "until", "once")
_MASKS = ("on", "on", "off", "call", "call,system", "user", "dialplan")
_FORMATS = ("standard", "standard", "xml", "json", "csv")
_FILTERS = ("!Event: VarSet", "Event: New", "!Uniqueid: 1.3", "PJSIP")
_SELECTIONS = ("*", "*", "new*", "hangup", "bridge*")


class Step(NamedTuple):
    """What happens, and the number that it draws the rest from."""

    what: str
    seed: int


class History(TwoWorlds):
    """What may happen, a method each."""

    def play(self, steps: Sequence[Step]) -> None:
        """Do all *steps*; raise AssertionError where the worlds differ."""
        for step in steps:
            self.luck = random.Random(step.seed)
            getattr(self, step.what)()
            self.compare()
        found, right = self.worlds[0].indexed()
        assert found == right, f"index {found}, not {right}"
        for pbx in self.pbxs:
            self.publish(pbx, pbx.say(self.luck, 3))
        self.compare()

    # -- clients ----------------------------------------------------------------------------------

    def _some_client(self, *kinds: str) -> int:
        """Return the place of a client that is there, of one of *kinds*; -1: there is none."""
        here = [
            place
            for place, client in enumerate(self.worlds[0].clients)
            if client.is_here and not client.session.ended and (not kinds or client.kind in kinds)
        ]
        return self.luck.choice(here) if here else -1

    def _act(self, place: int, *lines: str, until: str = "") -> None:
        self._both(lambda world: world.clients[place].act(*lines, until=until))

    def join(self) -> None:
        """A client comes; most of them log in."""
        clients = self.worlds[0].clients
        if sum(client.is_here for client in clients) >= _MOST_CLIENTS:
            return
        kind = self.luck.choice(_KINDS)
        mode = self.luck.choice(tuple(AutoFilter))
        guarded = self.luck.random() < 0.7
        self._both(lambda world: world.clients.append(Client(world, kind, mode, guarded=guarded)))
        if self.luck.random() < 0.9:
            self._log_in(len(clients) - 1)
        if kind == "live":
            self._select(len(clients) - 1)
        elif kind == "stream" and self.luck.random() < 0.3:
            self._act(len(clients) - 1, "ProxyAction: SetEventIDs", "EventIDs: on")

    def _log_in(self, place: int, user: str = "", mask: str = "") -> None:
        user = user or self.luck.choice(USERS).name
        if self.luck.random() < 0.3 or mask:
            lines = [f"Events: {mask or self.luck.choice(_MASKS)}"]
        else:
            lines = []
        self._act(place, "Action: Login", f"Username: {user}", "Secret: s", *lines)

    def log_in(self) -> None:
        """A client logs in anew, as the same user or another; or tries to, in vain."""
        place = self._some_client()
        if place < 0:
            return
        self.settle()
        luck = self.luck.random()
        if luck < 0.15:
            self._act(place, "Action: Login", "Username: u1", "Secret: wrong")
        elif luck < 0.3:
            user = self.worlds[0].clients[place].session.user
            self._log_in(place, user.name if user is not None else "")
        else:
            self._log_in(place)

    def leave(self, place: int = -1) -> None:
        """A client leaves, the one in *place* or some other."""
        place = self._some_client() if place < 0 else place
        if place >= 0:
            self._both(lambda world: world.clients[place].leave())

    def ask(self) -> None:
        """A client asks a server something."""
        place, pbx = self._some_client(), self._some_pbx()
        if place < 0:
            return
        name = self.luck.choice(pbx.inner) if pbx.inner else pbx.name
        action = self.luck.choice(("Ping", "Status", "Status", "UserEvent", "Originate"))
        lines = [f"Action: {action}", f"Server: {name}"]
        if action == "Originate":
            lines += ["Channel: PJSIP/101", "Application: Wait"]
            lines += ["Async: true"] * (self.luck.random() < 0.5)
        if self.luck.random() < 0.7:
            lines.append(f"ActionID: {self.luck.choice(('1', '2'))}")
        hears = self.worlds[0].clients[place].session.hears
        until = self.luck.choice(("", "", "Hangup", "OriginateResponse", "Newchannel"))
        self._act(place, *lines, until=until * hears)

    def change(self) -> None:
        """A client changes what it is sent, and how."""
        place = self._some_client()
        if place < 0:
            return
        self.settle()
        luck = self.luck
        chosen = luck.choice(
            (
                ("Action: Events", f"EventMask: {luck.choice(_MASKS)}"),
                ("Action: Events", f"EventMask: {luck.choice(_MASKS)}"),
                (
                    "ProxyAction: SetAutoFilter",
                    f"AutoFilter: {luck.choice(('on', 'off', 'unique'))}",
                ),
                (
                    "ProxyAction: SetAutoFilter",
                    f"AutoFilter: {luck.choice(('on', 'off', 'unique'))}",
                ),
                ("Action: Filter", "Operation: Add", f"Filter: {luck.choice(_FILTERS)}"),
                ("ProxyAction: SetOutputFormat", f"OutputFormat: {luck.choice(_FORMATS)}"),
                ("ProxyAction: SetEventIDs", f"EventIDs: {luck.choice(('on', 'on', 'off'))}"),
                ("ProxyAction: SetEventIDs", "EventIDs: on"),
            )
        )
        self._act(place, *chosen)
        if luck.random() < 0.3:
            self._select(self._some_client("live"))

    def wait(self) -> None:
        """A client waits for an event, or has waited for long enough."""
        place = self._some_client("stream", "kept", "until", "once")
        if place < 0:
            return
        self.settle()
        self._both(lambda world: world.clients[place].end_wait())
        if self.luck.random() < 0.7:
            self._act(place, "Action: WaitEvent", "Timeout: 60")

    def release(self) -> None:
        """A client has said nothing for long enough: it is sent what was held back."""
        place = self._some_client("stream")
        if place >= 0:
            self._both(lambda world: _stream(world.clients[place]).release())

    def _select(self, place: int) -> None:
        if place < 0:
            return
        servers = self.luck.choice(((), (), (), ("one",), ("in1",)))
        wanted = Subscription(Selection.of([self.luck.choice(_SELECTIONS)], servers))
        if self.luck.random() < 0.1:
            wanted = Subscription(Selection())
        self._both(lambda world: world.select(place, wanted))

    # -- what is sent from the rings --------------------------------------------------------------

    def _batches(self) -> Callable[[World], None]:
        """Return what says one thing or another, the same in each world, one more at each call."""
        pbx = self._some_pbx()
        chunks: list[Chunk] = [
            pbx.chunk(pbx.say(self.luck, self.luck.randint(1, 5)))
            for _ in range(self.luck.randint(1, 3))
        ]
        left = {world: list(chunks) for world in self.worlds}

        def more(world: World) -> None:
            if left[world]:
                world.servers[pbx.name].publish(left[world].pop(0))

        return more

    def hold(self) -> None:
        """A client is sent nothing for a while, as for a snapshot, and then what it has missed."""
        place, more, again = self._some_client("stream", "live"), self._batches(), self._batches()
        if place < 0:
            return

        def do(world: World) -> None:
            with held(_stream(world.clients[place]), world.context):
                more(world)
                again(world)
            more(world)

        self._both(do)

    def resume(self) -> None:
        """A client comes back, and goes on where it was; more happens while it takes that."""
        clients = self.worlds[0].clients
        told = [
            place for place, client in enumerate(clients) if client.id and client.kind == "stream"
        ]
        if not told or sum(client.is_here for client in clients) > _MOST_CLIENTS:
            return
        place = self.luck.choice(told)
        self.settle()
        if clients[place].is_here:
            self._both(lambda world: world.clients[place].leave())
            self.say()
        mode, user = self.luck.choice(tuple(AutoFilter)), clients[place].session.user
        name, since = "" if user is None else user.name, clients[place].id
        name = self.luck.choice(USERS).name if self.luck.random() < 0.2 else name
        self._both(lambda world: world.clients.append(Client(world, "stream", mode, guarded=True)))
        place = len(clients) - 1
        if self.luck.random() < 0.9:
            self._log_in(place, name, mask="off")
        else:
            self._log_in(place, name)
        more = self._batches()
        slow = self.luck.random() < 0.7

        def do(world: World) -> None:
            client = world.clients[place]
            wire = client.wire
            wire.is_slow, wire.while_waiting = slow, lambda: more(world)
            wire.max_backlog = 400 if slow else 1 << 20
            client.act("ProxyAction: Resume", f"Since: {since}")
            wire.is_slow, wire.backlog, wire.max_backlog = False, 0, 1 << 20

        self._both(do)


def _stream(client: Client) -> StreamSession:
    assert isinstance(client.session, StreamSession)
    return client.session


# -- histories ----------------------------------------------------------------------------------

_STEPS = (
    *["say"] * 14, *["answer"] * 3, *["join"] * 3, "log_in", "log_in", "leave", *["ask"] * 3,
    *["change"] * 4, "wait", "release", "lose", "take_over", "ring", "refuse", "answer_late",
    "hold", "hold", *["resume"] * 4,
)  # fmt: skip


def steps_of(seed: int, most: int = 40) -> list[Step]:
    """Return the steps of the history with the number *seed*."""
    luck = random.Random(seed)
    begin = [Step("join", luck.getrandbits(32)) for _ in range(luck.randint(2, 7))]
    count = luck.randint(5, most)
    return begin + [Step(luck.choice(_STEPS), luck.getrandbits(32)) for _ in range(count)]


def play(makes: tuple[MakeRouter, MakeRouter], seed: int, steps: Sequence[Step]) -> str:
    """Play *steps* in both worlds; return how they came to differ, "" if they did not."""
    with worlds(4 + seed % 7, 5 + seed % 23):
        try:
            History(makes, seed).play(steps)
        except AssertionError as error:
            return str(error) or repr(error)
    return ""


def shortest(makes: tuple[MakeRouter, MakeRouter], seed: int, steps: list[Step]) -> list[Step]:
    """Return *steps*, which fail, without those that are not needed for that."""
    at = len(steps)
    while at > 0:
        at -= 1
        fewer = steps[:at] + steps[at + 1 :]
        if play(makes, seed, fewer):
            steps = fewer
    return steps
