# SPDX-License-Identifier: GPL-2.0-or-later
"""The publisher: batches made of what one Asterisk says, and what they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.pending import PendingAction
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions import overdue, pausing
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.origins import Origins
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.framing import Framer
from tests.threads.sessions.support import BOOTED, EVENT, PONG, STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.threads.sessions.crowd import Crowd
    from amiproxy.wire.batch import Batch
    from tests.threads.conftest import MakePair

ENDING = b"\r\nServer: pbx\r\n\r\n"
USER_EVENT = Message.of("Event: UserEvent", "Privilege: user,all", "ActionID: amp5-x", "Text: hi")
LIST = Message.of("Response: Success", "EventList: start", "Message: Peers will follow")
ENTRY = Message.of("Event: PeerEntry", "ObjectName: 1")


class Clients:
    """Stands for the router: keeps what is published."""

    def __init__(self, *, keeps_calls: bool = False, filtering: bool = False) -> None:
        self.keeps_calls = keeps_calls
        self.filtering = filtering
        self.batches: list[Batch] = []
        self.forgotten: list[str] = []
        self.over: list[tuple[int, str]] = []  # actions, by session and untold end
        self.origins = Origins(tuple)

    def publish(self, batch: Batch) -> None:
        self.batches.append(batch)

    def gather(self, link: AsteriskLink) -> Crowd:
        raise NotImplementedError  # it never connects

    def disperse(self, crowd: Crowd) -> None:
        raise NotImplementedError

    def forget(self, scope: str) -> None:
        self.forgotten.append(scope)

    def path(self) -> str:
        return ""

    def answer(self, number: int, answers: Sequence[PlainAnswer]) -> bool:
        """Have all come in batches."""
        del number, answers
        return False

    def answered(self, number: int, untold: str = "") -> None:
        self.over.append((number, untold))


class Play:
    """A publisher between a link and the clients."""

    def __init__(self, pair: MakePair, **clients: bool) -> None:
        self.ids = ActionIds()
        self.link = AsteriskLink(ServerSpec("pbx", 5038, "ann", "s", "on", False), self.ids)
        ours, self._theirs = pair()
        self.link.open(ours)
        self.link.go_live()
        self.clients = Clients(**clients)
        self.publisher = Publisher(self.link, self.clients)
        self._framer = Framer(65536, ENDING)

    def ask(self, owner: int, given: str | None = None) -> str:
        """Let session *owner* ask something; return the ActionID that went upstream."""
        wire_id = self.ids.make(owner, given)
        self.link.submit(PendingAction(owner, b"Action: X\r\n\r\n", wire_id, given))
        return wire_id

    def asked(self) -> str:
        """Return the ActionID of what went upstream last."""
        raw = self._theirs.recv(1000)
        return Message(raw).get("ActionID")

    def hear(self, *messages: Message) -> Batch | None:
        """Return the batch that one read of *messages* makes, if any."""
        self.clients.batches.clear()
        self.publisher.publish(self._framer.feed(b"".join(each.raw for each in messages)))
        return self.clients.batches[0] if self.clients.batches else None


@pytest.fixture
def play(pair: MakePair) -> Play:
    return Play(pair)


def kind_of(batch: Batch | None) -> BatchKind:
    assert batch is not None
    return batch.kind


def test_events_without_action_id_are_for_everybody_as_they_are(play: Play) -> None:
    """The bytes of the framer are those of the batch, uncut."""
    batch = play.hear(EVENT, BOOTED)

    assert batch is not None
    assert (batch.kind, batch.scope) == (BatchKind.EVENTS, "pbx:5038")
    assert batch.wire == (EVENT.raw + BOOTED.raw).replace(b"\r\n\r\n", ENDING)


@pytest.mark.parametrize("message", [PONG, USER_EVENT, ENTRY.with_header("ActionID", "x")])
def test_with_an_answer_or_an_action_id_the_ledger_looks_at_each_message(
    play: Play, message: Message
) -> None:
    """Else one client's answer, or the ActionID of the proxy, would reach all of them."""
    assert kind_of(play.hear(EVENT, message)) is BatchKind.MIXED


def test_a_list_under_way_is_for_the_client_that_asked(play: Play) -> None:
    """Though nothing in its items says so; events for all begin again after it."""
    wire_id = play.ask(5)

    assert kind_of(play.hear(LIST.with_header("ActionID", wire_id))) is BatchKind.ANSWERS
    items = play.hear(ENTRY)
    assert items is not None
    assert set(items.owners) == {5}
    play.hear(Message.of("Event: PeerlistComplete", "EventList: Complete"))

    assert kind_of(play.hear(ENTRY)) is BatchKind.EVENTS


def test_raw_command_text_is_published_as_one_answer(play: Play) -> None:
    """Asterisk before 14; what looks like an event in it is none."""
    wire_id = play.ask(5).encode()
    text = b"Response: Follows\r\nActionID: %b\r\nEvent: X\n\nEvent: Y\n--END COMMAND--\r\n\r\n"

    play.publisher.publish(Framer(65536, ENDING).feed(text % wire_id))

    (batch,) = play.clients.batches
    assert [item.owner for item in batch.items] == [5]


def test_nothing_is_published_of_what_no_client_may_see(play: Play) -> None:
    """An incomplete message, one from before FullyBooted, the answer to the proxy's Ping."""
    play.link.ping()
    wire_id = play.asked()

    play.publisher.publish(Framer(65536).feed(EVENT.raw[:-1]))
    play.publisher.keep([EVENT])
    play.hear(PONG.with_header("ActionID", wire_id))

    assert play.clients.batches == []


@pytest.mark.parametrize("restored", [False, True])
def test_what_filters_get_has_been_noted(pair: MakePair, restored: bool) -> None:
    """In the message that clients get as well, if that is not the one that came."""
    play = Play(pair, keeps_calls=True, filtering=True)
    user = User("ann", "secret", channel="sip/1", more_events=True)

    wire_id = play.ids.make(5, "x")
    message = USER_EVENT.replacing("ActionID", wire_id) if restored else EVENT

    batch = play.hear(message)

    assert batch is not None
    (item,) = batch.items
    assert item.message.get("ActionID") == ("x" if restored else "")
    assert SessionFilter(user, "off").incoming(item.message, batch.scope, False) == (item.message,)


@pytest.mark.parametrize("booted", [True, False])
def test_calls_from_before_the_first_filter_are_replayed(pair: MakePair, booted: bool) -> None:
    """Kept as soon as a user needs them, before FullyBooted too; noted while a client filters."""
    play = Play(pair, keeps_calls=True)
    dial = Message.of("Event: Dial", "Privilege: call,all", "Channel: X/1", "DestUniqueid: 1")
    callfilter = SessionFilter(User("ann", "secret", channel="x/1"), "off")

    if booted:
        before = play.hear(EVENT)
        assert before is not None
        assert callfilter.incoming(before.items[0].message, "pbx", False) == ()
    else:
        play.publisher.keep([EVENT])
    play.clients.filtering = True
    after = play.hear(dial)

    assert after is not None
    assert len(callfilter.incoming(after.items[0].message, "pbx", False)) == 2


def test_a_lost_connection_answers_each_action_to_its_client_alone(play: Play) -> None:
    """And the clients forget the calls of that Asterisk."""
    play.ask(5, "a")
    play.ask(6)
    play.link.ping()

    play.publisher.abandon(play.link.lose())

    (batch,) = play.clients.batches
    assert [(item.owner, item.private, item.final) for item in batch.items] == [
        (5, True, True),
        (6, True, True),
    ]
    assert batch.wire == b""
    error, text = "Response: Error", "Message: Server pbx is not connected"
    assert [item.message.lines for item in batch.items] == [
        (error, "ActionID: a", text, "CarriedOut: perhaps"),
        (error, text, "CarriedOut: perhaps"),
    ]
    assert play.clients.forgotten == ["pbx:5038"]


def test_who_has_waited_too_long_for_a_pause_to_end_is_told(play: Play) -> None:
    """In words of their own; calls go on."""
    pausing.pause(play.link)
    play.ask(5, "a")

    found = overdue.take(play.link, time.monotonic() + pausing.WAITS + 1, 0)
    play.publisher.refuse(found.waited, f"Server pbx {found.why}")

    (batch,) = play.clients.batches
    (item,) = batch.items
    assert (item.owner, item.private, item.final) == (5, True, True)
    text = "Message: Server pbx is paused"
    assert item.message.lines == ("Response: Error", "ActionID: a", text, "CarriedOut: no")
    assert play.clients.over == [(5, "")]
    assert play.clients.forgotten == []


@pytest.mark.parametrize("keeps_calls", [False, True])
def test_a_long_message_is_a_batch_of_its_own(pair: MakePair, keeps_calls: bool) -> None:
    """So that clients with different views are sent the same bytes, not copies."""
    play = Play(pair, keeps_calls=keeps_calls)
    long = Message.of("Event: UserEvent", "Privilege: user,all", f"X: {'x' * 2_000_000}")

    play.publisher.publish(Framer(1 << 24, ENDING).feed(EVENT.raw + long.raw + EVENT.raw))

    batches = play.clients.batches
    assert [len(batch.items) for batch in batches] == [1, 1, 1]
    assert b"".join(batch.wire for batch in batches).count(b"Event: ") == 3
    one = batches[1]
    first, other = (one.joined(STANDARD, key, lambda _: [True]) for key in "ab")
    assert first[0] is other[0]


@pytest.mark.parametrize("head", [b"", b"A: b\r\n\r\n"])
def test_very_many_messages_are_several_batches(play: Play, head: bytes) -> None:
    """All of them, in order; to let go of them all at once would keep everybody waiting."""
    tiny = b"".join(b"Event: %d\r\n\r\n" % number for number in range(10000))
    framer = Framer(1 << 20, ENDING)

    play.publisher.publish(framer.feed(head + tiny))

    batches = play.clients.batches
    found = b"".join(batch.wire for batch in batches)
    assert found.endswith(tiny.replace(b"\r\n\r\n", ENDING))
    assert len(batches) > 2
    assert max(batch.wire.count(ENDING) for batch in batches) <= 4096
