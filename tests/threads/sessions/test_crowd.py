# SPDX-License-Identifier: GPL-2.0-or-later
"""A batch costs what it delivers: who gets nothing of it is not even looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.message import Message
from amiproxy.threads.sessions.replay import held
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.wire.framing import Chunk
from tests.threads.sessions.replays import Client, Server, World

if TYPE_CHECKING:
    from amiproxy.wire.batch import Batch

    #: Tells which of some clients were handed something since it was asked last, by their place.
    Handed = Callable[[list[Client]], list[int]]

AGENTS = "".join(f"agent{number}=x,PJSIP/10{number}-\n" for number in range(10))
READERS = "".join(
    f"[agent{number}]\nsecret = x\nwrite = all\nread = {read}\n"
    for number, read in enumerate(("call", "call", "agent", "cdr"))
)


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Handed:
    """Note whom batches are handed to."""
    found: list[StreamSession | None] = []
    deliver = StreamSession.deliver

    def noted(session: StreamSession, batch: Batch) -> None:
        found.append(session)
        deliver(session, batch)

    def taken(clients: list[Client]) -> list[int]:
        sessions = [client.session for client in clients]
        numbers = [sessions.index(session) for session in found]
        found.clear()
        return numbers

    monkeypatch.setattr(StreamSession, "deliver", noted)
    return taken


def centre(
    users: str, *names: str, count: int = 10, ids: bool = False, ring: int = 10**6
) -> tuple[World, list[Client]]:
    """Return a proxy with *users*, *count* of whom have logged in."""
    world = World(*names, users=users, auth_required=True, ring=ring)
    world.context.router.keeps_calls = True
    clients = [Client(world, login=f"agent{number} x").join() for number in range(count)]
    for client in clients:
        if ids:
            client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    for server in world.servers:
        server.say(1, event="First")
    for client in clients:
        client.read()
    return world, clients


def call(server: Server, *texts: str) -> None:
    """Have *server* say events with these lines, in one write."""
    wire = b"".join(
        Message.of("Event: Step", "Privilege: call,all", *text.split("|")).raw for text in texts
    )
    server.publisher.publish(Chunk(wire, only_events=True, number=len(texts)))


def test_an_event_is_handed_to_the_agent_whose_channel_it_names(handed: Handed) -> None:
    """To none of the others; and so is what follows in that call."""
    world, clients = centre(AGENTS, "pbx")
    handed(clients)

    call(world.servers[0], "Channel: PJSIP/103-01|Uniqueid: 1.1|Linkedid: 1.1")
    call(world.servers[0], "Uniqueid: 1.1")
    call(world.servers[0], "Channel: PJSIP/999-01|Uniqueid: 2.1|Linkedid: 2.1")

    assert handed(clients) == [3, 3]
    assert [len(client.read()) for client in clients] == [0, 0, 0, 2, 0, 0, 0, 0, 0, 0]


def test_what_an_event_teaches_counts_for_the_next_one_of_the_same_read(handed: Handed) -> None:
    """That names the call by its id alone."""
    world, clients = centre(AGENTS, "pbx")
    handed(clients)

    call(
        world.servers[0],
        "Channel: PJSIP/105-01|Uniqueid: 3.1|Linkedid: 3.1",
        "Uniqueid: 3.1",
        "Uniqueid: 9.9",
    )

    assert handed(clients) == [5]
    assert len(clients[5].read()) == 2


def test_clients_with_equal_views_are_passed_over_together(handed: Handed) -> None:
    """Where a batch has nothing for them."""
    world, clients = centre(READERS, "pbx", count=4)
    handed(clients)

    call(world.servers[0], "Channel: PJSIP/103-01")

    assert sorted(handed(clients)) == [0, 1]
    assert [len(client.read()) for client in clients] == [1, 1, 0, 0]


@pytest.mark.parametrize("users", [AGENTS, READERS], ids=["channels", "classes"])
def test_ids_say_that_nothing_is_missing_of_a_server_that_had_nothing_for_the_client(
    users: str,
) -> None:
    """Though what that server said is long out of the ring, to come back is no gap."""
    world, clients = centre(users, "one", "two", count=1, ids=True, ring=4000)
    (agent,) = clients
    one, two = world.servers
    line = "Channel: PJSIP/100-01|Uniqueid: 1.1|Linkedid: 1.1"
    for _ in range(100):
        call(two, "Uniqueid: 5.1") if users is AGENTS else two.say(1, event="Other", kind="cdr")
    call(one, line)
    agent.leave()
    agent.join("off").resume("EventMask: on")
    call(one, line)

    agent.read()
    assert [message.get("Event") for message in agent.told].count("Step") == 2
    assert not agent.ticks()


def test_nothing_is_missing_either_for_who_asks_for_more_on_the_same_connection() -> None:
    """Its thread reads the rings, from where it stands by then."""
    world, clients = centre(AGENTS, "one", "two", count=1, ids=True, ring=4000)
    (agent,) = clients
    for _ in range(100):
        call(world.servers[1], "Uniqueid: 5.1")
    assert agent.session is not None
    with held(agent.session, world.context):
        call(world.servers[0], "Channel: PJSIP/100-01|Uniqueid: 1.1|Linkedid: 1.1")

    assert [message.get("Event") for message in agent.read()] == ["Step"]


def test_a_new_connection_is_told_to_all_who_want_ids_with_its_first_event() -> None:
    """Though that event is not for them: what was lost may have been."""
    world, clients = centre(AGENTS, "pbx", count=2, ids=True)
    server = world.servers[0]
    server.connect()
    server.say(1, event="First")

    for client in clients:
        client.read()
    assert [client.ticks() for client in clients] == [["gap unknown server_lost"]] * 2


def test_who_leaves_is_forgotten() -> None:
    """By the index too, with all that they knew."""
    world, clients = centre(AGENTS, "pbx")
    call(world.servers[0], "Channel: PJSIP/103-01|Uniqueid: 1.1|Linkedid: 1.1")
    index = world.context.registry.crowds.index

    for client in clients:
        client.leave()

    assert index.is_empty


def test_users_of_the_same_kinds_of_events_are_passed_over_together(handed: Handed) -> None:
    """Their filters go by names, and have nothing to remember."""
    users = "".join(f"agent{number}=x,,,,,,,cdronly\n" for number in range(3))
    world, clients = centre(users, "pbx", count=3)
    handed(clients)

    call(world.servers[0], "Uniqueid: 1.1")
    world.servers[0].say(1, "Channel: PJSIP/1-1", event="Cdr", kind="cdr")

    assert sorted(handed(clients)) == [0, 1, 2]
    assert [len(client.read()) for client in clients] == [1, 1, 1]
