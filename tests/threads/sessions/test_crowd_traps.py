# SPDX-License-Identifier: GPL-2.0-or-later
"""What whoever looks for the clients of an event may overlook; each with the plain router, too."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.message import Message
from amiproxy.threads.sessions.callindex import CallIndex
from amiproxy.threads.sessions.router import Router
from amiproxy.wire.framing import Chunk
from tests.threads.sessions import replays
from tests.threads.sessions.crowdplain import PlainRouter
from tests.threads.sessions.replays import Client, World

if TYPE_CHECKING:
    from collections.abc import Callable

_SETTINGS = {
    "a": "channel = PJSIP/101-", "b": "channel = PJSIP/102-",
    "more": "channel = PJSIP/103-\nmore_events = yes", "all": "",
    "context": "in_context = in", "both": "in_context = in\nmore_events = yes",
}  # fmt: skip
USERS = "".join(
    f"[{name}]\nsecret = x\nread = all\nwrite = all\n{more}\n" for name, more in _SETTINGS.items()
)
CALL = "Uniqueid: 1.1|Linkedid: 1.1"


class House:
    """A proxy with two servers, and clients by the names of their users."""

    def __init__(self) -> None:
        self.world = World("one", "two", users=USERS, auth_required=True)
        self.world.context.router.keeps_calls = True
        for server in self.world.servers:  # the first events of a connection go to everybody
            server.say(1)

    def client(self, user: str) -> Client:
        """Return a client that has logged in, and been sent nothing yet."""
        client = Client(self.world, login=f"{user} x").join()
        self.settle(client)
        return client

    def settle(self, client: Client) -> None:
        """Have *client* be found by what events name: what it has been sent is known now."""
        for server in range(2):
            self.say("Settled", server=server)
        client.read()

    def say(self, *texts: str, server: int = 0) -> None:
        """Have a server say events in one read: a name, and headers with ``|`` between."""
        raws = []
        for text in texts:
            name, *headers = text.split("|")
            privilege = "security" if name == "ChallengeSent" else "call"
            lines = (f"Event: {name}", f"Privilege: {privilege},all", *headers)
            raws.append(Message.of(*lines).raw)
        chunk = Chunk(b"".join(raws), only_events=True, number=len(raws))
        self.world.servers[server].publisher.publish(chunk)


def names(client: Client) -> list[str]:
    """Return the names of the events that *client* was sent since it was asked last."""
    return [message.get("Event") for message in client.read() if message.has("Event")]


@pytest.fixture(params=[Router, PlainRouter], ids=["crowd", "plain"])
def house(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(replays, "Router", request.param)
    return House()


@pytest.mark.parametrize("mode", ["off", "on", "unique"])
def test_a_read_with_an_answer_to_another_teaches_as_any_other(house: House, mode: str) -> None:
    """Whatever the autofilter of the one whose call it is, and before any ActionID."""
    agent, other = house.client("a"), house.client("all")
    agent.act("ProxyAction: SetAutoFilter", f"AutoFilter: {mode}")
    server = house.world.servers[0]
    server.link.open(other.wire)  # type: ignore[arg-type]  # what goes up is read there
    other.act("Action: Ping", "ActionID: 7", "Server: one")
    asked = other.read()[-1].get("ActionID")
    agent.read()

    answer = Message.of("Response: Success", f"ActionID: {asked}", "Ping: Pong").raw
    begin = Message.of("Event: Newchannel", "Channel: PJSIP/101-1", *CALL.split("|")).raw
    later = Message.of("Event: VarSet", "Uniqueid: 1.1").raw
    server.publisher.publish(Chunk(begin + answer + later, number=3))

    assert names(agent) == ["Newchannel", "VarSet"]
    assert [each.get("ActionID") for each in other.read() if each.has("Ping")] == ["7"]


def test_who_logs_in_as_another_is_found_as_that_one_and_once(house: House) -> None:
    """What the earlier user knew counts no more; what both may see comes once."""
    client = house.client("a")
    house.say(f"Newchannel|Channel: PJSIP/101-1|{CALL}")
    client.act("Action: Login", "Username: b", "Secret: x")
    house.settle(client)

    house.say(
        "VarSet|Uniqueid: 1.1",
        "DialBegin|Channel: PJSIP/101-1|Uniqueid: 1.1|DestChannel: PJSIP/102-1|DestUniqueid: 1.2",
        "VarSet|Uniqueid: 1.1",
    )

    assert names(client) == ["Newchannel", "DialBegin", "VarSet"]
    client.act("Action: Login", "Username: b", "Secret: x")
    house.settle(client)
    house.say("VarSet|Uniqueid: 1.1")  # it is told of the call from its next event on
    house.say("Newstate|Channel: PJSIP/102-1|Uniqueid: 1.2")
    assert names(client) == ["Newstate"]


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "behind"])
def test_who_logs_in_anew_while_a_batch_is_looked_up_gets_it_by_one_of_both_rights(
    monkeypatch: pytest.MonkeyPatch, is_before: bool
) -> None:
    """By those of then; never by both, and never by none where both may see it."""
    house = House()
    client = house.client("a")
    select, left = CallIndex.select, ["b"]

    def log_in() -> None:
        while left:
            client.act("Action: Login", f"Username: {left.pop()}", "Secret: x")

    def looked_up(*args: Any) -> Any:
        if is_before:
            log_in()
        found = select(*args)
        log_in()
        return found

    monkeypatch.setattr(CallIndex, "select", looked_up)
    house.say(
        f"Newchannel|Channel: PJSIP/101-1|{CALL}",
        "DialEnd|Channel: PJSIP/101-1|Uniqueid: 1.1|DestChannel: PJSIP/102-1|DestUniqueid: 1.2",
    )

    got = names(client)
    assert got == ["FullyBooted", "Newchannel", "DialEnd"]


def test_what_comes_while_the_log_in_is_answered_comes_behind_the_answer(house: House) -> None:
    """The user is to be found by then."""
    client = Client(house.world, login="a x").join("")
    assert client.session is not None
    threads: list[threading.Thread] = []
    tell = client.session._tell  # noqa: SLF001 - the moment at which the answer goes

    def told(message: Message) -> None:
        tell(message)
        if not threads:
            text = f"Newchannel|Channel: PJSIP/101-1|{CALL}"
            threads.append(threading.Thread(target=house.say, args=(text,)))
            threads[0].start()

    client.session._tell = told  # type: ignore[method-assign]  # noqa: SLF001
    client.act("Action: Login", "Username: a", "Secret: x")
    threads[0].join(20)

    assert names(client) == ["FullyBooted", "Newchannel"]


def test_a_refusal_reaches_who_is_sent_no_events(house: House) -> None:
    """It comes from another thread than the server's, which has nothing to look up."""
    client = house.client("a")
    server = house.world.servers[0]
    server.link.open(replays.Wire())  # type: ignore[arg-type]
    client.act("Action: Events", "EventMask: off")
    client.act("Action: Ping", "ActionID: 7", "Server: one")
    client.read()

    with server.link.lock:
        server.link.ledger.refuse(1e9, 1.0)
        late = server.link.take_over(1e9)
    server.publisher.refuse(late, "is late")

    assert [each.get("ActionID") for each in client.read()] == ["7"]


def test_users_with_a_context_alone_see_what_names_none(house: House) -> None:
    """Where it is about a channel; a call that has left the context still ends for them."""
    context, agent = house.client("context"), house.client("a")
    house.say("VarSet|Uniqueid: 5.5", "VarSet|Uniqueid: 5.5|Context: ", "Alarm")
    assert names(context) == ["VarSet"]

    house.say("Newchannel|Uniqueid: 1.1|Context: in|Channel: SIP/1-1")
    house.say("Newexten|Uniqueid: 1.1|Context: out", "Hangup|Uniqueid: 1.1|Context: out")
    house.say("Hangup|Uniqueid: 1.1|Context: out")
    assert names(context) == ["Newchannel", "Hangup"]
    assert names(agent) == []


def test_events_about_no_channel_go_to_who_wants_more(house: House) -> None:
    """But none of the class security, and none about a channel that has no id."""
    clients = [house.client(user) for user in ("more", "both", "a", "context")]
    for client in clients:
        client.read()

    house.say("Registry", "ChallengeSent", "Odd|Channel: SIP/1-1")

    assert [names(each) for each in clients] == [["Registry"], ["Registry", "Odd"], [], []]


def test_a_line_feed_in_a_value_begins_another_channel(house: House) -> None:
    """As far as filters go; and what stands before it still counts."""
    agent, other = house.client("a"), house.client("b")

    house.say("Hold|Channel: SIP/7\nPJSIP/101-1", "Unhold|Channel: pjsip/102-1\nx")
    house.say("Hold|Channel: x PJSIP/101-1", "Unhold|Channel: \nPJSIP/102-1|Uniqueid: 3.3")

    assert names(agent) == ["Hold"]
    assert names(other) == ["Unhold", "Unhold"]


def test_devices_are_found_whole(house: House) -> None:
    """In each header that names one, and each of a hint; where there is no channel."""
    agent = house.client("a")

    house.say(
        "DeviceStateChange|Device: PJSIP/101", "DeviceStateChange|Device: PJSIP/1010",
        "ContactStatus|AOR: 101|EndpointName: 101", "ExtensionStatus|Hint: SIP/1&pjsip/101,x",
        "QueueMemberStatus|Interface: PJSIP/101", "ChallengeSent|Service: PJSIP|AccountID: 101",
        "CEL|Peer: PJSIP/101|Uniqueid: 4.4",
    )  # fmt: skip

    assert names(agent) == [
        "DeviceStateChange", "ContactStatus", "ExtensionStatus", "QueueMemberStatus",
        "ChallengeSent",
    ]  # fmt: skip


@pytest.mark.parametrize("at_once", [True, False], ids=["one read", "three reads"])
def test_what_is_late_of_a_call_comes_to_who_knew_it(house: House, at_once: bool) -> None:
    """Also in the very read that brings the whole call, and not to who did not know it."""
    agent, other = house.client("a"), house.client("b")
    said = (
        f"Newchannel|Channel: PJSIP/101-1|{CALL}", f"Hangup|{CALL}", f"Cdr|UniqueID: {1.1}",
        f"CEL|{CALL}", "VarSet|Uniqueid: 1.1",
    )  # fmt: skip

    if at_once:
        house.say(*said)
    else:
        for text in said:
            house.say(text)

    assert names(agent) == ["Newchannel", "Hangup", "Cdr", "CEL"]
    assert names(other) == []


def test_an_id_that_is_used_again_is_not_the_earlier_call(house: House) -> None:
    """Nor is the same id of another server."""
    agent, other = house.client("a"), house.client("b")
    house.say(f"Newchannel|Channel: PJSIP/101-1|{CALL}", f"Hangup|{CALL}")
    assert names(agent) == ["Newchannel", "Hangup"]

    house.say(f"Newchannel|Channel: PJSIP/102-1|{CALL}")
    house.say("VarSet|Uniqueid: 1.1")
    house.say("VarSet|Uniqueid: 1.1", server=1)

    assert names(agent) == []
    assert names(other) == ["Newchannel", "VarSet"]


def test_a_call_whose_linkedid_goes_is_forgotten_by_who_knew_that_alone(house: House) -> None:
    """By an event that does not name it: its channel belongs to another call now."""
    agent = house.client("a")
    house.say("Newchannel|Channel: SIP/1-1|Uniqueid: 1.1|Linkedid: 9.9")
    house.say("Dial|Channel: PJSIP/101-1|Linkedid: 9.9")
    house.say("NewConnectedLine|Channel: SIP/1-1|Uniqueid: 1.1|Linkedid: 8.8")
    house.say("Newchannel|Channel: SIP/2-1|Uniqueid: 9.9|Linkedid: 9.9")

    assert names(agent) == ["Dial"]


@pytest.mark.parametrize("ids", ["on", "off"])
def test_who_has_come_back_knows_the_calls_from_before(house: House, ids: str) -> None:
    """By how their channels began, which the event that comes now does not name."""
    agent = house.client("a")
    agent.act("ProxyAction: SetEventIDs", "EventIDs: on")
    house.say(f"Newchannel|Channel: PJSIP/101-1|{CALL}")
    house.say("BridgeEnter|Uniqueid: 1.1|BridgeUniqueid: b|BridgeType: basic")
    agent.read()
    house.world.close_rings()
    agent.leave()
    agent.join("off").resume()
    agent.act("ProxyAction: SetEventIDs", f"EventIDs: {ids}")
    house.settle(agent)

    house.say("BridgeEnter|Channel: SIP/1-1|Uniqueid: 2.2|BridgeUniqueid: b|BridgeType: basic")

    assert names(agent)[-1:] == ["BridgeEnter"]


def test_calls_of_a_connection_that_was_lost_are_over(house: House) -> None:
    """Their ids may come again on the next one."""
    agent = house.client("a")
    house.say(f"Newchannel|Channel: PJSIP/101-1|{CALL}")
    house.say(f"Newchannel|Channel: PJSIP/101-2|{CALL}", server=1)
    house.world.servers[0].connect()
    house.settle(agent)

    house.say("VarSet|Uniqueid: 1.1")
    house.say("Hold|Uniqueid: 1.1", server=1)

    assert names(agent) == ["Hold"]


def test_prefixes_of_who_has_left_are_not_looked_for(house: House) -> None:
    """Nor are those of who is another user now."""
    index = house.world.context.registry.crowds.index
    measure: Callable[[], tuple[int, ...]] = lambda: index._lengths  # noqa: SLF001, E731
    clients = [house.client("a"), house.client("b"), house.client("context")]
    house.say("Alarm")
    clients[0].leave()
    clients[1].act("Action: Login", "Username: all", "Secret: x")
    house.say("Alarm")

    assert measure() == ()
    assert not index.is_empty or isinstance(house.world.context.router, PlainRouter)


def test_who_was_told_of_a_new_connection_is_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its place moves on by itself from the first event of that connection on."""
    house = House()
    agent = house.client("a")
    agent.act("ProxyAction: SetEventIDs", "EventIDs: on")
    house.world.servers[0].connect()
    house.settle(agent)
    handed: list[object] = []
    monkeypatch.setattr(agent.session, "deliver", handed.append)

    house.say("Newchannel|Channel: SIP/1-1|Uniqueid: 1.1")

    assert handed == []
