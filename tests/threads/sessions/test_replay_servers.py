# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that are dropped and added again, and limits that change, while clients are told."""

from __future__ import annotations

import contextlib
from typing import Callable

import pytest

from amiproxy.message import Message
from amiproxy.routing.ring import Ring
from amiproxy.threads.sessions import replay
from amiproxy.threads.sessions.replay import held, track_exactly
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import Routed
from tests.threads.sessions.replays import Client, Server, World


def known(world: World) -> Client:
    """Return a client of *world* that has been told an id."""
    client = Client(world).join()
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    client.read()
    return client


def test_a_server_dropped_and_added_while_a_client_is_held_is_a_gap() -> None:
    """What the dropped one has said to the last is told as well."""
    world = World("one", "two")
    one = world.servers[0]
    client = known(world)
    one.say(1)
    assert client.session is not None
    with held(client.session, world.context):
        one.say(1)
        one.drop()
        one.say(1)
        one.add()
        one.say(1)
    one.say(1)
    client.read()

    assert client.ticks() == ["1 1", "1 2", "1 3", "gap unknown server_lost", "2 1", "2 2"]


def test_a_server_that_comes_back_after_another_was_added_is_a_gap() -> None:
    """However many were added meanwhile."""
    world = World("one", "two")
    one = world.servers[0]
    client = known(world)
    one.say(1)
    one.drop()
    three = Server(world.context.router, "three", 10**6)
    three.add()
    three.say(1)
    one.add()
    one.say(1)
    client.read()

    assert client.ticks() == ["1 1", "1 1", "gap unknown server_lost", "2 1"]


def test_a_client_is_held_though_its_last_snapshot_is_just_over() -> None:
    """A batch that comes between finds that nobody tracks it any more."""
    world = World("pbx")
    (server,) = world.servers
    client = Client(world).join()
    session = client.session
    assert session is not None
    with held(session, world.context):
        pass
    track = track_exactly(session, world.context.turnstile)
    server.say(1)
    hold = replay.Held(session, track, world.context)
    server.say(1)
    hold.release()
    server.say(1)
    client.read()

    assert client.ticks() == ["1 1", "1 2", "1 3"]


def test_what_sighup_wants_kept_holds_though_the_state_wants_something_just_then() -> None:
    """Two threads set it."""

    class Between(Ring):
        """A ring that has something happen before its limit is set."""

        def __setattr__(self, name: str, value: object) -> None:
            if name == "limit" and sighup:
                sighup.pop()()
            super().__setattr__(name, value)

    world = World("pbx")
    link = world.servers[0].link
    sighup: list[Callable[[], object]] = []
    link.ring = Between()
    sighup.append(lambda: link.remember(10, 7200.0))
    link.remember_for_state(20)

    assert (link.ring.limit, link.ring.seconds) == (20, 7200.0)


def test_the_first_event_of_a_server_says_where_the_client_is_at_others() -> None:
    """It has come after the client, which goes on behind that event."""
    world = World("one")
    (one,) = world.servers
    client = known(world)
    one.say(1)
    two = Server(world.context.router, "two", 10**6)
    two.add()
    two.say(1)
    client.leave()
    client.join("off")
    client.resume()
    one.say(1)
    client.read()

    assert client.ticks() == ["1 1", "1 1", "1 2"]


def test_a_server_that_is_added_and_dropped_while_a_client_is_held_is_replayed() -> None:
    """However soon."""
    world = World("one")
    client = known(world)
    assert client.session is not None
    with held(client.session, world.context):
        two = Server(world.context.router, "two", 10**6)
        two.add()
        two.say(1)
        two.drop()
        two.say(1)
    two.say(1)  # the last words of one that was dropped
    client.read()

    assert client.ticks() == ["1 1", "1 2", "1 3"]


def test_a_connection_of_which_the_ring_has_nothing_is_a_gap_without_ids_too() -> None:
    """It came and went while the client was held."""
    world = World("pbx", ring=1200)
    (server,) = world.servers
    client = Client(world).join()
    server.say(1)
    assert client.session is not None
    with held(client.session, world.context):
        for count in (1, 2, 4):
            server.say(count)
            server.connect()
        for _ in range(4):
            server.say(1)
    client.read()

    assert client.ticks() == ["1 1", "gap 7 ring", "gap 2 ring", "4 3", "4 4"]


def test_the_calls_of_a_server_outlive_the_end_of_the_one_before_it() -> None:
    """SIGHUP has changed its secret: the new connection may be there before the old one ends."""
    world = World("pbx", users="phone=secret,sip/1\n", auth_required=True)
    world.context.router.keeps_calls = True
    (server,) = world.servers
    client = Client(world, login="phone secret").join()
    before = server.publisher
    server.drop()
    server.add()
    server.say(1, "Channel: SIP/1-1", "Uniqueid: 1.1")
    before.abandon([])
    server.say(1, "Uniqueid: 1.1")
    client.read()

    assert client.ticks() == ["2 1", "2 2"]


@pytest.mark.parametrize("is_held", [False, True])
def test_answers_that_come_with_events_are_sent_once_and_in_order(is_held: bool) -> None:
    """Before the first event of a read, between, and behind the last one; with ids too."""
    world = World("pbx")
    (server,) = world.servers
    client = known(world)
    session = client.session
    assert session is not None
    answers = [
        Routed(Message.of(f"Response: {n}"), owner=session.number, private=True) for n in "abc"
    ]
    ticks = [
        Routed(Message.of("Event: Tick", "Privilege: call,all", f"N: {n}")) for n in ("1 1", "1 2")
    ]
    items = [answers[0], ticks[0], answers[1], ticks[1], answers[2]]
    batch = Batch.of_items(server.link.scope, items)
    with held(session, world.context) if is_held else contextlib.nullcontext():
        server.publisher._hand_out(batch)  # noqa: SLF001 - as each batch goes
    new = client.read()

    assert [each.get("Response") for each in new if each.has("Response")] == ["a", "b", "c"]
    assert [each.get("N") for each in new if each.has("N")] == ["1 1", "1 2"]
    if not is_held:
        assert [each.get("Response") or each.get("N") for each in new] == [
            "a", "1 1", "b", "1 2", "c",
        ]  # fmt: skip
