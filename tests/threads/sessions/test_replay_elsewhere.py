# SPDX-License-Identifier: GPL-2.0-or-later
"""Who comes back to another proxy of a cluster, which is still to have what the first has sent."""

from __future__ import annotations

import pytest

from amiproxy.routing.eventids import base36, read_id
from amiproxy.threads.sessions import resuming
from amiproxy.threads.sessions.catchup import CatchUp
from amiproxy.threads.sessions.elsewhere import Elsewhere
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.track import Track
from tests.threads.sessions.replays import Client, Server, World

#: Epochs that this proxy has not had.
LATER, LATEST = 1 << 40, 1 << 41


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "_MOMENT", 0.0)


@pytest.fixture
def world() -> World:
    """A proxy with two servers that it shares with others; each has said two events."""
    made = World("one", "two")
    for server in made.servers:
        server.link.is_shared = True
        server.say(2)
    return made


def come(world: World, *places: tuple[int, int]) -> Client:
    """Return a client that another proxy has left at *places*, and that has resumed."""
    parts = [f".{base36(epoch)}-{base36(number)}" for epoch, number in places]
    client = Client(world)
    client.id = world.context.router.nonce + "".join(parts)
    client.join("off")
    client.resume()
    client.read()
    return client


def connect(server: Server, epoch: int) -> None:
    """Have *server* be connected anew, as the connection *epoch*."""
    server.connect()
    server.link.go_on_at(epoch)


def test_it_is_sent_no_older_events_again(world: World) -> None:
    """It is told that something may be missing; its ids still say where it was."""
    client = come(world, (LATER, 5), (LATEST, 1))

    assert client.ticks() == ["gap unknown server_lost"] * 2
    found = read_id(client.id)
    assert found is not None
    assert found.numbers.items() >= {LATER: 5, LATEST: 1}.items()


def test_it_goes_on_where_it_was_once_this_proxy_gets_there(world: World) -> None:
    """What it has had is not sent again, nor is a gap told where nothing is missing."""
    one, two = world.servers
    client = come(world, (LATER, 5), (LATEST, 1))
    client.told.clear()
    connect(two, LATER)
    connect(one, LATEST)
    two.say(3)
    two.say(4)
    one.say(2)
    client.read()

    assert client.ticks() == ["2 6", "2 7", "2 2"]
    found = read_id(client.id)
    assert found is not None
    assert (found.numbers[LATER], found.numbers[LATEST]) == (7, 2)


def test_what_was_passed_over_is_no_place_any_more(world: World) -> None:
    """The server has had a connection since that this proxy has nothing of."""
    (one, _) = world.servers
    client = come(world, (LATER, 5))
    connect(one, LATER)
    connect(one, LATEST)
    one.say(1)
    client.read()

    found = read_id(client.id)
    assert found is not None
    assert LATER not in found.numbers
    assert found.numbers[LATEST] == 1


def test_of_two_connections_to_one_server_the_later_one_counts(world: World) -> None:
    """A proxy that did not know the later one has made such an id."""
    (one, two) = world.servers
    before = one.link.epoch
    connect(one, LATER)
    one.say(6)

    client = come(world, (before, 2), (LATER, 5), (two.link.epoch, 2))

    assert client.ticks() == ["2 6"]


def test_a_later_connection_is_sent_from_its_first_event_on(world: World) -> None:
    """Of that one nobody can have been sent anything before."""
    (one, two) = world.servers
    connect(one, LATEST)
    one.say(2)

    client = come(world, (LATER, 5), (two.link.epoch, 2))

    assert client.ticks() == ["gap unknown server_lost", "2 1", "2 2"]


def test_what_is_read_late_is_not_sent(world: World) -> None:
    """This proxy has been away: what it reads at first may have been sent by the other one."""
    (one, two) = world.servers
    client = come(world, (LATER, 5))
    client.told.clear()
    one.say(2)
    one.link.ends += 1
    one.say(1)
    one.link.ends += 1
    one.say(1)
    two.say(1)
    client.read()

    assert client.ticks() == ["1 6"]


def test_what_came_before_and_is_read_later_is_not_sent(world: World) -> None:
    """The proxy has just begun: it learns from the bus what there was."""
    client = come(world, (LATER, 5))
    assert client.session is not None
    (one, _) = world.servers
    track = Track(world.context.router)
    track.shows_ids, track.ahead = True, Elsewhere({LATER: 5})
    catch_up = CatchUp(one.link, track, lambda _: None)
    viewer, form = client.session.viewer, client.session.output

    assert catch_up.next() is not None
    while catch_up.next() is not None:
        assert catch_up.take(viewer, form) == b""
    connect(one, LATER)
    one.say(6)
    told = b""
    while catch_up.next() is not None:
        told += catch_up.take(viewer, form)
    assert told.count(b"N: ") == 1
    assert b"N: 2 6\r\n" in told


@pytest.mark.parametrize("is_current", [True, False])
def test_it_waits_for_what_this_proxy_is_to_have(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_current: bool
) -> None:
    """Most often that is there in a moment, and nothing is missing."""
    one, two = world.servers
    if is_current:
        monkeypatch.setattr(resuming, "_MOMENT", 60.0)
    else:
        monkeypatch.setattr(AsteriskLink, "is_current", False)  # it reads what there is
    monkeypatch.setattr(resuming, "_LONGER", 60.0)

    def come_in(_: float) -> None:
        if one.link.epoch != LATER:
            connect(one, LATER)
            one.say(6)

    monkeypatch.setattr("amiproxy.threads.sessions.resuming.time.sleep", come_in)

    assert come(world, (LATER, 5), (two.link.epoch, 2)).ticks() == ["2 6"]
