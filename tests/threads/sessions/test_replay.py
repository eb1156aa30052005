# SPDX-License-Identifier: GPL-2.0-or-later
"""Ids of events, and what a client is sent that comes back: without sockets."""

from __future__ import annotations

import pytest

from amiproxy.routing.eventids import base36
from tests.threads.actions.support import Client as WebClient
from tests.threads.sessions.replays import Client, Server, World, check


def back(world: World, client: Client, *lines: str, events: str = "off") -> list[str]:
    """Have *client* come back and resume; return what it is sent."""
    client.told.clear()
    client.join(events)
    client.resume(*lines)
    client.read()
    return client.ticks()


def known(world: World) -> Client:
    """Return a client of *world* that has been told an id."""
    client = Client(world).join()
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    client.read()
    assert client.id
    return client


def test_events_bear_ids_that_say_where_to_go_on() -> None:
    """Only for who wants them; the last header."""
    world = World("pbx")
    client, other = known(world), Client(world).join()
    world.servers[0].say(2)

    one, two = client.read()
    assert one.lines[-1].startswith("ProxyEventID: ")
    assert one.lines[-1] != two.lines[-1]
    assert [message for message in other.read() if message.has("ProxyEventID")] == []


def test_who_comes_back_is_sent_what_it_has_missed_and_then_what_comes() -> None:
    """From the middle of a batch on, too."""
    world = World("pbx")
    (server,) = world.servers
    client = known(world)
    server.say(4)
    client.leave(0.5)
    server.say(2)

    assert back(world, client) == ["1 3", "1 4", "1 5", "1 6"]
    server.say(1)
    client.read()
    assert client.ticks()[-1] == "1 7"


def test_what_the_ring_has_lost_is_told_by_number() -> None:
    """Before what is there."""
    world = World("pbx", ring=1200)
    (server,) = world.servers
    client = known(world)
    client.leave()
    for _ in range(6):
        server.say(1)

    assert back(world, client) == ["gap 4 ring", "1 5", "1 6"]


def test_a_lost_server_is_a_gap_where_it_was() -> None:
    """Live, and for who comes back."""
    world = World("pbx")
    (server,) = world.servers
    client, absent = known(world), known(world)
    absent.leave()
    server.say(1)
    server.connect()
    server.say(1)

    client.read()
    assert client.ticks() == ["1 1", "gap unknown server_lost", "2 1"]
    assert back(world, absent) == ["1 1", "gap unknown server_lost", "2 1"]


def test_each_server_goes_on_where_the_client_was() -> None:
    """One id is for all."""
    world = World("one", "two")
    one, two = world.servers
    client = known(world)
    one.say(1)
    two.say(1)
    one.say(1)
    client.leave(0.7)  # all but the last
    two.say(1)

    assert back(world, client) == ["1 2", "1 2"]
    check(client.told, one, 1)
    check(client.told, two, 1)


def test_an_id_of_another_process_is_a_gap_for_each_server() -> None:
    """Whatever there was."""
    world = World("one", "two")
    client = known(world)
    client.leave()
    client.id = "zzzzzzzz.1-5"
    world.servers[0].say(3)

    assert back(world, client) == ["gap unknown restart"] * 2
    world.servers[0].say(1)
    client.read()
    assert client.ticks()[-1] == "1 4"


def test_nothing_comes_twice_where_events_were_shown_since_the_log_in() -> None:
    """What came between is sent first."""
    world = World("pbx")
    (server,) = world.servers
    client = known(world)
    client.leave()
    server.say(2)
    client.told.clear()
    client.join("on")
    server.say(2)
    client.resume()
    server.say(1)
    client.read()

    assert client.ticks() == ["1 3", "1 4", "1 1", "1 2", "1 5"]


def test_without_a_ring_all_that_came_is_missing() -> None:
    """By its number."""
    world = World("pbx", ring=0)
    client = known(world)
    client.leave()
    world.servers[0].say(3)

    assert back(world, client) == ["gap 3 ring"]
    world.servers[0].say(1)
    client.read()
    assert client.ticks() == ["gap 3 ring", "1 4"]


@pytest.mark.parametrize(
    ("since", "says"),
    [
        ("", "Since is missing"),
        ("x", "Since is no event id"),
        ("zzzzzzzz.1-5" * 30, "Since is too long"),
        ("{nonce}.{epoch}-5", "Since is no event id of this proxy"),
        ("{nonce}.zzzzzz-5", "Since is no event id of this proxy"),
        ("{nonce}.{epoch}-0.{epoch}-0", "Since is no event id"),
        ("{nonce}.{epoch}-00", "Since is no event id"),
    ],
)
def test_what_cannot_be_is_an_error(since: str, says: str) -> None:
    """And events go on as they were."""
    world = World("pbx")
    client = known(world)
    epoch = client.id.split(".")[1].split("-")[0]
    since = since.format(nonce=world.context.router.nonce, epoch=epoch)
    client.act("ProxyAction: Resume", f"Since: {since}")
    world.servers[0].say(1)

    answer, tick = client.read()
    assert answer.lines == ("ProxyResponse: Error", f"Message: {says}")
    assert tick.has("ProxyEventID")


def test_what_is_asked_at_odd_moments_is_sane() -> None:
    """Resume twice, ids off, another log-in, another format and autofilter."""
    world = World("pbx")
    (server,) = world.servers
    client = known(world)
    client.leave()
    server.say(1)
    client.join("off")
    client.resume()
    client.read()
    client.act("ProxyAction: Resume", f"Since: {client.id}")
    client.act("ProxyAction: SetAutoFilter", "AutoFilter: off")
    client.act("Action: Events", "EventMask: call")
    server.say(1)
    client.act("ProxyAction: SetEventIDs", "EventIDs: perhaps")
    client.act("ProxyAction: SetEventIDs", "EventIDs: off")
    server.say(1)
    told = client.read()
    assert told[0].lines[1] == "Message: This connection has resumed already"
    assert [each.has("ProxyEventID") for each in told if each.has("N")] == [True, False]
    assert "Message: EventIDs is neither on nor off" in [line for m in told for line in m.lines]
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    client.read()
    client.act("Action: Login", "Events: off")
    client.resume()
    server.say(1)
    ticks = [each for each in client.read() if each.has("N")]
    assert [(each.get("N"), each.has("ProxyEventID")) for each in ticks] == [("1 4", True)]


def test_who_sees_calls_of_his_own_only_logs_in_with_events_off() -> None:
    """What he knows of calls would be of another time."""
    world = World("pbx", users="phone=secret,sip/1\n", auth_required=True)
    client = Client(world, login="phone secret").join()
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    client.read()
    client.act("ProxyAction: Resume", f"Since: {client.id}")

    assert client.read()[-1].lines[1] == "Message: Log in with Events: off to resume"


@pytest.mark.parametrize("name", ["Resume", "SetEventIDs"])
def test_a_web_request_has_nothing_to_be_sent_events_on(name: str) -> None:
    """It is told so."""
    answer = WebClient().ask(f"ProxyAction: {name}", "Since: x", "EventIDs: on")

    assert answer == [
        "ProxyResponse: Error",
        "Message: This needs a connection of its own, not a web request",
    ]


def test_a_server_that_takes_the_place_of_another_is_a_gap() -> None:
    """It was given up, and SIGHUP has it tried again."""
    world = World("pbx")
    client, absent = known(world), known(world)
    world.servers[0].say(1)
    absent.leave()
    again = Server(world.context.router, "pbx", 10**6)
    world.context.router.servers = (again.link,)
    again.connect()
    again.say(1)

    client.read()
    assert client.ticks() == ["1 1", "gap unknown server_lost", "1 1"]
    assert back(world, absent) == ["gap unknown server_lost", "1 1"]


def test_calls_that_nobody_has_noted_are_a_gap_for_who_sees_his_own() -> None:
    """Until the first user of calls of his own was there nobody did."""
    world = World("pbx", users="phone=secret,sip/1\n", auth_required=True)
    client = Client(world, login="phone secret").join("off")
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    client.leave()
    world.servers[0].say(1, "Channel: SIP/1-1", "Uniqueid: 1.1")
    world.context.router.keeps_calls = True
    world.servers[0].say(1, "Channel: SIP/1-1", "Uniqueid: 1.1")

    assert back(world, client) == ["gap unknown ring", "1 2"]


def test_a_call_is_known_that_began_before_all_that_is_kept() -> None:
    """By the Uniqueid alone; how it began is not sent again, and the calls of others not at all."""
    world = World("pbx", "other", ring=4000, users="phone=s,SIP/1\n", auth_required=True)
    world.context.router.keeps_calls = True
    server, other = world.servers
    client = Client(world, login="phone s").join()
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    for uid, channel in (("7.1", "SIP/1-a"), ("8.1", "SIP/2-b")):
        server.say(1, f"Channel: {channel}", f"Uniqueid: {uid}", event="Newchannel")
    for _ in range(8):
        server.say(1, "Uniqueid: 8.1")
    other.say(1, "Channel: SIP/1-c")  # its id says where the client is at both
    client.leave()
    server.say(1, "Uniqueid: 7.1")
    server.say(1, "Uniqueid: 8.1")

    assert back(world, client) == ["1 11"]
    server.say(1, "Uniqueid: 7.1")
    client.read()
    assert client.ticks() == ["1 11", "1 13"]
    assert [message for message in client.told if message.get("Event") == "Newchannel"] == []


def test_what_is_lost_of_an_old_connection_is_told_by_number_too() -> None:
    """Where all that is kept came on the next one, and where nothing is kept."""
    for ring in (1200, 0):
        world = World("pbx", ring=ring)
        (server,) = world.servers
        client = known(world)
        server.say(2)
        client.leave()
        client.told.clear()
        server.say(3)
        server.connect()
        for _ in range(6):
            server.say(1)

        found = back(world, client)
        assert found[:2] == ["gap 3 ring", "gap unknown server_lost"]
        assert found[2:] == (["gap 4 ring", "2 5", "2 6"] if ring else ["gap 6 ring"])
        assert server.link.record.gaps() == {"ring": 2, "server_lost": 1}


def test_an_id_tells_nothing_of_servers_that_are_not_open() -> None:
    """Whatever number it names: else a user could find out how many events there have been."""
    world = World("pbx1", "pbx2", users="[ann]\nsecret = x\nread = all\nserver = pbx1\n")
    server = world.servers[1]
    server.say(5)
    nonce, epoch = world.context.router.nonce, base36(server.link.epoch)
    told = set()
    for number in (1, 5, 6, 10**6):
        client = Client(world, login="ann x").join("off")
        client.act("ProxyAction: Resume", f"Since: {nonce}.{epoch}-{base36(number)}")
        told.add(client.read()[-1].get("Message"))

    assert told == {"Since names a server that is not open to this user"}
