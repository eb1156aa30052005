# SPDX-License-Identifier: GPL-2.0-or-later
"""Observer: who looks first waits a second, and nobody else does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import Users
from amiproxy.message import Message
from amiproxy.routing.behind import Behind, Inner
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.status import rates
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.threads.status.observer import Observer
from amiproxy.wire.batch import Batch
from tests.threads.sessions.support import EVENT, FORMATS, collector, session_over

if TYPE_CHECKING:
    from typing import Any

    from tests.threads.conftest import MakePair


class World:
    """A proxy without threads; time goes on when somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        router = Router(SessionRegistry())
        self.link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s"), router.ids)
        router.servers = (self.link,)
        nobody: Any = None
        self.context = ProxyContext(Config(), Users(), FORMATS, None, router, nobody)
        self.observer = Observer(self.context, lambda: 3, wait=self.wait)
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.link.record.events += 50


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_who_looks_again_need_not_wait(world: World) -> None:
    """What was looked at before is compared with; after a while that tells nothing any more."""
    first = world.observer.status()
    assert world.waits == [pytest.approx(rates.SHORTEST + 0.1)]
    world.now += 2.0
    world.link.record.events += 100
    second = world.observer.status()
    assert len(world.waits) == 1
    world.now += 100.0
    world.observer.status()

    assert len(world.waits) == 2
    assert first.servers[0].events_per_second == pytest.approx(50.0)
    assert second.servers[0].events_per_second == pytest.approx(50.0)


def test_a_session_keeps_its_figures_when_its_user_changes(world: World, pair: MakePair) -> None:
    """It has another number then; that is no burst of events."""
    transport, _ = pair()
    session = session_over(transport)
    world.context.registry.add(session)
    session.deliver(Batch("pbx", EVENT.raw * 3))
    world.observer.status()
    world.now += 2.0

    world.context.registry.log_out(session)

    (client,) = world.observer.status().clients
    assert client.events == 3
    assert client.events_per_second == 0.0


def test_web_sessions_are_clients_too(world: World) -> None:
    """Without a connection of their own."""
    session = collector(keep_events=True)
    world.context.registry.add(session)
    session.deliver(Batch("pbx", EVENT.raw * 2))

    (client,) = world.observer.status().clients

    assert (client.input, client.listener, client.bytes_sent) == ("http", "", None)
    assert client.events == 2


def test_what_is_counted(world: World) -> None:
    """Tallies, and what only the log knows."""
    for what in (Tallied.DROPPED, Tallied.DROPPED, Tallied.REFUSED):
        world.context.tallies.note(what)

    totals = world.observer.status().totals

    assert (totals.dropped, totals.refused, totals.logins) == (2, 1, 0)
    assert totals.dropped_ago is not None
    assert totals.log_lines_lost == 3


def test_a_server_that_is_down_says_why(world: World) -> None:
    """And when it is tried again; since when does not begin anew with each try."""
    record = world.link.record
    record.since = world.now - 60.0
    record.down("cannot connect: Connection refused", "cannot connect", 30.0)
    record.again_at = world.now + 30.0

    (server,) = world.observer.status().servers

    assert server.state == "waiting"
    assert server.problem == "cannot connect: Connection refused"
    assert server.again_in == pytest.approx(29.0)
    assert server.since == pytest.approx(61.0)


def test_what_is_behind_another_proxy_is_told(world: World, pair: MakePair) -> None:
    """And what of it is not connected there; nothing is, while that proxy itself is away."""
    world.link.behind = Behind()
    told = (Inner(name, frozenset({name})) for name in ("pbx1", "pbx2"))
    world.link.behind.tell(told, frozenset({"pbx2"}))

    (server,) = world.observer.status().servers
    assert (server.behind, server.behind_lost) == (("pbx1", "pbx2"),) * 2

    transport, _ = pair()
    world.link.open(transport)
    world.link.go_live()
    (server,) = world.observer.status().servers
    assert (server.behind, server.behind_lost) == (("pbx1", "pbx2"), ("pbx2",))


def test_threads_of_clients_are_one_line(world: World) -> None:
    """Ten thousand of them would hide the one that hangs."""
    over = threading.Event()
    threads = [threading.Thread(target=over.wait, name=f"client-192.0.2.1:{n}") for n in range(3)]
    for each in threads:
        each.start()
    try:
        found = {each.name: each for each in world.observer.threads()}
    finally:
        over.set()
        for each in threads:
            each.join()

    assert found["clients"].count == 3
    assert "MainThread" in found
    assert not any(name.startswith("client-") for name in found)


def test_actions_under_way_are_those_of_their_client(world: World, pair: MakePair) -> None:
    """At each server, sent or waiting."""
    transport, _ = pair()
    world.link.open(transport)
    world.link.go_live()
    theirs, _ = pair()
    session = session_over(theirs)
    world.context.registry.add(session)
    for _ in range(3):
        world.context.router.forward(
            session, Message.of("Action: Ping"), world.context.limits, hold_back=False
        )

    status = world.observer.status()

    assert status.clients[0].actions_under_way == 3
    assert status.totals.actions_under_way == 3


def test_of_very_many_clients_those_that_cost_most_are_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And how many there are more; nobody else waits for the interpreter meanwhile."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    sessions = [collector(keep_events=True) for _ in range(500)]
    for number, session in enumerate(sessions):
        world.context.registry.add(session)
        session.actions = number
    world.observer.status()
    world.now += 2.0
    for session in sessions[200:210]:
        session.deliver(Batch("pbx", EVENT.raw))
    pauses.clear()

    status = world.observer.status()

    busy = {session.number for session in sessions[200:210]}
    assert {each.number for each in status.clients[:10]} == busy
    assert (len(status.clients), status.clients_left_out) == (100, 400)
    assert len(world.observer.clients()) == 500
    assert status.totals.actions == sum(range(500))
    assert len(pauses) >= 3 * (500 // 32)
