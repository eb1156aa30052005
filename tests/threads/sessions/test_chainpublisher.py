# SPDX-License-Identifier: GPL-2.0-or-later
"""What another proxy says is given out as from the servers behind it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import LoginRefused
from amiproxy.message import Message
from amiproxy.replies import CIRCLE
from amiproxy.routing import notices
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.chainpublisher import ChainPublisher, publisher_for
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.origins import Origins
from amiproxy.threads.sessions.proxylink import ProxyLink, link_to
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.framing import Framer
from tests.threads.sessions.support import received
from tests.threads.sessions.test_publisher import Clients

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.wire.batch import Batch
    from tests.threads.conftest import MakePair

LISTED = (
    "ProxyListServer I: 10.0.0.1 H: host1 U: u P: 5038 E: on ",
    "ProxyListServer I: 10.0.0.2 H: host2 U: u P: 5038 E: on ",
    "ProxyServer: pbx1", "ProxyServerState: connected",
    "ProxyServer: pbx2", "ProxyServerState: lost",
)  # fmt: skip


def event(server: str = "", name: str = "Hangup", *lines: str) -> bytes:
    """Return an event of *server*."""
    more = [f"Server: {server}"] if server else []
    return Message.of(f"Event: {name}", "Privilege: call,all", *lines, *more).raw


class Play:
    """A publisher between a link to another proxy and the clients."""

    def __init__(self, pair: MakePair, *servers: AsteriskLink) -> None:
        self.ids = ActionIds()
        spec = ServerSpec("host", 5038, "u", "s", "on", False, "proxy2", proxy=True)
        link = link_to(spec, self.ids)
        assert isinstance(link, ProxyLink)
        self.link = link
        self.clients = Clients()
        self.servers = (*servers, link)
        self.clients.origins = Origins(lambda: self.servers)
        made = publisher_for(link, self.clients)
        assert isinstance(made, ChainPublisher)
        self.publisher = made
        self.framer = Framer(1 << 20)
        self.pair = pair
        self.connect()

    def connect(self) -> None:
        transport, self.theirs = self.pair()
        self.link.open(transport)
        self.link.go_live()

    def hear(self, *raw: bytes) -> list[Batch]:
        """Return the batches that are made of what comes in one read."""
        del self.clients.batches[:]
        self.publisher.publish(self.framer.feed(b"".join(raw)))
        return self.clients.batches

    def asked(self) -> list[Message]:
        """Return what has gone to the other proxy."""
        return [Message(raw + b"\r\n\r\n") for raw in received(self.theirs).split(b"\r\n\r\n")[:-1]]

    def answer(self, *lines: str, echo: bool = True) -> list[Batch]:
        """Answer the last question that was asked."""
        given = [f"ActionID: {self.asked()[-1].get('ActionID')}"] if echo else []
        return self.hear(Message.of(*lines, *given).raw)

    def list(self, *lines: str) -> list[Batch]:
        """Have the servers listed that are behind."""
        return self.answer("ProxyResponse: Success", *(lines or LISTED))


@pytest.fixture
def play(pair: MakePair) -> Play:
    found = Play(pair)
    found.hear(event("pbx1"))
    return found


def scopes(batches: Iterable[Batch]) -> list[str]:
    return [batch.scope for batch in batches]


def test_messages_in_a_row_of_one_server_are_a_batch(play: Play) -> None:
    """With the scope and the names of that server, and the numbers of the connection."""
    play.list()

    found = play.hear(event("pbx1"), event("pbx1"), event("pbx2"), event(), event("pbx1"))

    assert scopes(found) == ["proxy2/pbx1", "proxy2/pbx2", "proxy2", "proxy2/pbx1"]
    assert [batch.events for batch in found] == [2, 1, 1, 1]
    assert [batch.after for batch in found] == [1, 3, 4, 5]
    assert found[0].names >= {"pbx1", "host1", "10.0.0.1:5038", "proxy2"}
    assert not found[0].names & {"pbx2", "host2"}
    assert not found[2].names & {"pbx1", "pbx2"}
    assert found[0].wire == event("pbx1") * 2


def test_what_is_behind_is_asked_after_each_connect_and_where_something_unknown_comes(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And after a while; whatever comes meanwhile is not asked about."""
    assert [each.get("ProxyAction") for each in play.asked()] == ["ListServers"]
    now = time.monotonic()
    for later, name, count in [
        (1, "pbx3", 0),
        (3, "pbx3", 1),
        (30, "", 0),
        (61, "", 0),
        (64, "", 1),
    ]:
        monkeypatch.setattr(time, "monotonic", lambda at=now + later: at)
        play.hear(event(name))
        assert len(play.asked()) == count, later

    play.link.lose()
    play.connect()
    play.hear()
    assert len(play.asked()) == 1


def test_a_list_in_the_form_of_the_c_program_is_one(play: Play) -> None:
    """Without an ActionID; who has given it back once has to go on."""
    play.answer("ProxyResponse: Success", *LISTED[:2], echo=False)
    assert play.link.behind.names == ("host1", "host2")

    play.link.ask("")
    play.list()
    assert play.link.behind.names == ("pbx1", "pbx2")
    play.link.ask("")
    play.answer("ProxyResponse: Success", *LISTED[:2], echo=False)
    assert play.link.behind.names == ("pbx1", "pbx2")


def test_a_list_that_was_not_asked_for_is_none(play: Play) -> None:
    """Nor one that an Asterisk behind it says, nor an answer to another question."""
    given = play.asked()[-1].get("ActionID")
    forged = Message.of("ProxyResponse: Success", *LISTED, f"ActionID: {given}", "Server: pbx1")

    assert play.hear(forged.raw) == []
    assert play.hear(Message.of("ProxyResponse: Success", *LISTED, "ActionID: x").raw) == []
    assert play.link.behind.names == ("pbx1",)


def test_who_may_not_list_is_known_by_what_passes(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is not asked for each new name; the proxy itself is asked for a sign of life."""
    assert play.answer("ProxyResponse: Error", "Message: Action Filtered") == []

    assert scopes(play.hear(event("pbx2"))) == ["proxy2/pbx2"]
    assert play.link.behind.names == ("pbx1", "pbx2")

    now = time.monotonic() + 5
    monkeypatch.setattr(time, "monotonic", lambda: now)
    play.hear(event("pbx3"))
    assert play.asked() == []  # it would be refused again
    play.link.ping()
    assert [each.get("ProxyAction") for each in play.asked()] == ["", "Uptime"]
    assert play.hear(Message.of("ProxyResponse: Success", "Uptime: 1").raw) == []
    assert play.link.behind.find("pbx3") is not None


def test_a_proxy_that_says_that_it_is_reached_through_itself_is_left(play: Play) -> None:
    with pytest.raises(LoginRefused, match="reaches itself"):
        play.answer("ProxyResponse: Error", f"Message: {CIRCLE}")


def test_who_is_before_the_proxy_is_said_where_it_changes(play: Play) -> None:
    """At once, but not for each of many clients: then with the next thing that comes."""
    play.asked()
    play.link.announce("")
    play.link.announce("a b")
    play.link.announce("a b")
    play.link.announce("a b c")
    assert [each.get("ProxyPath") for each in play.asked()] == ["a b"]

    play.clients.path = lambda: "a b c"  # type: ignore[method-assign]
    play.hear(event("pbx1"))
    assert [each.get("ProxyPath") for each in play.asked()] == ["a b c"]


def test_the_servers_behind_a_lost_proxy_are_lost_and_come_back(play: Play) -> None:
    """Each is told once; one that was lost before is not lost again."""
    play.list()
    play.hear(event("pbx1"))
    del play.clients.batches[:]
    play.publisher.abandon(play.link.lose())

    play.publisher.notice(notices.lost("proxy2", "closed the connection", 1.0))

    told = [
        (each.kind, each.scope, each.items[0].message.get("Server"))
        for each in play.clients.batches
    ]
    assert told == [
        (BatchKind.NOTICE, "proxy2", "proxy2"),
        (BatchKind.NOTICE, "proxy2/pbx1", "pbx1"),
    ]
    assert set(play.clients.forgotten) == {"proxy2", "proxy2/pbx1"}

    play.connect()
    play.hear()
    found = play.list()
    assert [(each.kind, each.scope) for each in found] == [(BatchKind.NOTICE, "proxy2/pbx1")]
    assert found[0].items[0].message.lines[0] == "Event: ProxyServerConnected"
    play.link.ask("")
    assert play.list() == []


def test_what_a_server_says_shows_that_it_is_there_again(play: Play) -> None:
    """Before it is passed on, whether the proxy has listed its servers by then or not."""
    play.hear(notices.lost("pbx1", "closed the connection", 1.0).raw)

    found = play.hear(event("pbx1"), event("pbx1"))

    assert [each.kind for each in found] == [BatchKind.NOTICE, BatchKind.EVENTS]
    assert found[0].scope == "proxy2/pbx1"
    assert "Server: pbx1" in found[0].items[0].message.lines
    assert [each.kind for each in play.hear(event("pbx1"))] == [BatchKind.EVENTS]


def test_what_the_proxy_says_of_its_servers_goes_on_as_a_notice(play: Play) -> None:
    """In order with what these say; and is known."""
    play.list(*LISTED[:5], "ProxyServerState: connected")
    lost = notices.lost("pbx2", "closed the connection", 1.0).raw
    back = notices.connected("pbx2", 1.0).raw

    found = play.hear(event("pbx2"), lost, event("pbx1"))
    assert [(each.kind, each.scope) for each in found] == [
        (BatchKind.EVENTS, "proxy2/pbx2"),
        (BatchKind.NOTICE, "proxy2/pbx2"),
        (BatchKind.EVENTS, "proxy2/pbx1"),
    ]
    assert play.clients.forgotten == ["proxy2/pbx2"]
    assert play.link.behind.lost == {"pbx2"}

    assert [each.kind for each in play.hear(back)] == [BatchKind.NOTICE]
    assert play.link.behind.lost == frozenset()


def test_a_name_that_a_server_of_ours_has_is_not_taken_over(pair: MakePair) -> None:
    """Its events are left out, its answers come; whoever has only one such server sees no other."""
    direct = AsteriskLink(ServerSpec("192.0.2.1", 5038, "u", "s", "on", False, "pbx1"), ActionIds())
    play = Play(pair, direct)
    wire_id = play.ids.make(7, "a")
    play.link.submit(
        PendingAction(7, f"Action: X\r\nActionID: {wire_id}\r\n\r\n".encode(), wire_id, "a")
    )

    found = play.hear(
        event("pbx1"), event("pbx1", "UserEvent"), event("192.0.2.1"),
        Message.of("Response: Success", f"ActionID: {wire_id}", "Server: pbx1").raw,
        Message.of("Response: Success", "ActionID: x", "Server: pbx1").raw,
        notices.lost("pbx1", "x", 1.0).raw,
    )  # fmt: skip

    assert [(each.scope, len(each.items)) for each in found] == [
        ("proxy2/192.0.2.1", 1),
        ("proxy2/pbx1", 1),
    ]
    assert found[1].owners == (7,)
    assert not found[0].names & direct.names


def test_what_comes_by_two_connections_is_passed_on_once(pair: MakePair) -> None:
    """By the one by which it came first, while that is there."""
    one, two = Play(pair), Play(pair)
    one.servers = two.servers = (one.link, two.link)
    two.clients.origins = one.clients.origins
    two.publisher = ChainPublisher(two.link, two.clients)

    assert scopes(one.hear(event("pbx1"))) == ["proxy2/pbx1"]
    assert two.hear(event("pbx1")) == []
    assert two.hear(event("pbx1", "UserEvent")) == []

    one.publisher.abandon(one.link.lose())
    one.publisher.notice(notices.lost("proxy2", "closed the connection", 1.0))
    found = two.hear(event("pbx1"))
    assert [each.kind for each in found] == [BatchKind.NOTICE, BatchKind.EVENTS]
    one.connect()
    assert one.hear(event("pbx1")) == []

    # Who says that the server is there has precedence: a name that passes may be anybody's.
    one.list()
    assert scopes(one.hear(event("pbx1"))) == ["proxy2/pbx1"]
    assert two.hear(event("pbx1")) == []


def test_calls_of_two_servers_are_not_mixed_up(play: Play) -> None:
    """Unique ids of two Asterisks may be the same."""
    play.clients.keeps_calls = play.clients.filtering = True
    one = event("pbx1", "Newchannel", "Channel: SIP/1", "Uniqueid: 1")
    other = event("pbx2", "Hangup", "Channel: SIP/2", "Uniqueid: 1")
    last = event("pbx1", "Newstate", "Channel: SIP/1", "Uniqueid: 1")

    found = play.hear(one, other, last)

    links = [each.items[0].message.links for each in found]
    assert getattr(links[2], "live", None) == getattr(links[0], "live", None) != ()


def test_a_long_read_of_one_server_stays_of_that_server(play: Play) -> None:
    """Though it is given out in portions, or each message on its own."""
    found = play.hear(event("pbx1") * 5000, event("pbx2"))
    assert set(scopes(found[:-1])) == {"proxy2/pbx1"}
    assert sum(batch.events for batch in found) == 5001

    text = b"Response: Follows\r\nServer: pbx1\r\nActionID: x\r\na\n\nb\n--END COMMAND--\r\n\r\n"
    assert scopes(play.hear(event("pbx2"), text, event("pbx2"))) == [
        "proxy2/pbx2", "proxy2/pbx1", "proxy2/pbx2"
    ]  # fmt: skip
