# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes for a client before its first block is answered (spec 12.29)."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import User
from amiproxy.basics.deadline import Deadline
from amiproxy.message import Message
from amiproxy.routing import notices
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import AGENT
from amiproxy.threads.sessions import early
from amiproxy.threads.sessions.early import HOLD
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.threads.sessions.waitevent import WaitEvent
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import Routed
from tests.threads.actions.support import FORMATS

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

ANSWER = Message.of("Response: Success", "Message: Authentication accepted")


def event(number: int) -> Message:
    """Return an event of class call."""
    return Message.of("Event: Tick", "Privilege: call,all", f"N: {number}")


class New:
    """A client that has been greeted; *sock* is its end."""

    def __init__(self, pair: MakePair, *, guarded: bool = False, **options: Any) -> None:
        transport, self.sock = pair(**options)
        self.session = StreamSession(
            transport,
            "192.0.2.1",
            mode=AutoFilter.UNIQUE,
            guarded=guarded,
            input_name="standard",
            output=FORMATS["standard"],
            filter_local="off",
        )
        self.session.hold_back()

    def deliver(self, *numbers: int) -> None:
        """Deliver a batch of events for everybody."""
        self.session.deliver(Batch("pbx:5038", b"".join(event(each).raw for each in numbers)))

    def got(self) -> bytes:
        """Return what has been sent so far."""
        self.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            return self.sock.recv(65536)
        return b""


@pytest.fixture
def new(pair: MakePair) -> New:
    """A client of which nothing was heard yet."""
    return New(pair)


def raw(*numbers: int) -> bytes:
    """Return events as they are sent."""
    return b"".join(event(each).raw for each in numbers)


def test_what_is_held_back_is_of_the_user_s_servers(new: New) -> None:
    """And so is what stands behind an answer; a WaitEvent is not told of others."""
    new.session.log_in(User("bob", "s", servers=frozenset({"two"})), None)
    new.session.hold_back()
    told = []
    for name, number in (("one", 1), ("two", 2), ("one", 3)):
        new.session.waiting_for_event = waiting = WaitEvent(ANSWER, Deadline(None))
        items = [Routed(event(number))]
        if number == 3:
            items.insert(0, Routed(ANSWER, owner=new.session.number))
        batch = Batch.of_items("pbx:5038", items)
        batch.names = frozenset({name})
        new.session.deliver(batch)
        told.append(waiting.told)

    assert new.got() == ANSWER.raw + raw(2)
    assert told == [False, False, True]


def test_events_come_behind_the_answer(new: New) -> None:
    """In order, and what comes later at once."""
    new.deliver(1, 2)
    new.deliver(3)
    assert new.got() == b""

    new.session.say(ANSWER)

    assert new.got() == ANSWER.raw + raw(1, 2, 3)
    new.deliver(4)
    assert new.got() == raw(4)


def test_what_is_said_of_a_server_keeps_its_place_and_its_readers(new: New) -> None:
    """Behind the answer, in order with the events, whatever the client filters."""
    new.session.set_event_mask(AGENT)
    lost = notices.lost("pbx", "dropped", 1.0)
    new.deliver(1)
    new.session.deliver(
        Batch("pbx:5038", lost.raw, [Routed(lost)], kind=BatchKind.NOTICE, events=1)
    )
    assert new.got() == b""

    new.session.say(ANSWER)

    assert new.got() == ANSWER.raw + lost.raw


def test_asterisks_answer_comes_first_whatever_it_comes_with(new: New) -> None:
    """Events of the same read that stood before it too."""
    new.deliver(1)
    items = [Routed(event(2)), Routed(ANSWER, owner=new.session.number), Routed(event(3))]

    new.session.deliver(Batch.of_items("pbx:5038", items))

    assert new.got() == ANSWER.raw + raw(1, 2, 3)


def test_who_asks_nothing_gets_them_after_a_while(new: New) -> None:
    """The client's own thread, which waits for it no longer than that, releases them."""
    left = new.session.until_release(None)
    assert left is not None
    assert 0 < left <= HOLD
    assert new.session.until_release(0.0) == 0
    new.deliver(1)

    new.session.release()

    assert new.got() == raw(1)
    assert new.session.until_release(None) is None


def test_a_new_user_sees_what_its_rights_allow(new: New) -> None:
    """Also of what came before it was one."""
    new.deliver(1)

    new.session.log_in(User("joe", "secret", read=0), None, ANSWER)

    assert new.got() == ANSWER.raw


def test_the_answer_to_a_challenge_is_not_the_last_before_the_log_in(new: New) -> None:
    """A client that logs in by MD5 asks twice."""
    new.deliver(1)
    new.session.challenge = "123"
    new.session.say(ANSWER)
    assert new.got() == ANSWER.raw

    new.session.challenge = ""
    new.session.log_in(None, None, ANSWER)

    assert new.got() == ANSWER.raw + raw(1)


def test_who_must_log_in_gets_nothing_of_before(pair: MakePair) -> None:
    """Neither events nor a wait for them; and the block with the proxy key is answered first."""
    new = New(pair, guarded=True)
    new.deliver(1)
    new.session.say(ANSWER)
    assert new.session.until_release(None) is None

    new.session.accept_key()
    new.deliver(2)
    assert new.session.until_release(None) is not None
    assert new.got() == ANSWER.raw
    new.session.say(ANSWER)

    assert new.got() == ANSWER.raw + raw(2)


def test_no_more_is_held_back_than_the_backlog_may_hold(pair: MakePair) -> None:
    """The client gets it early then; nothing is lost."""
    new = New(pair, max_backlog=2 * len(raw(1)))

    new.deliver(1)
    assert new.got() == b""
    new.deliver(2)

    assert new.got() == raw(1, 2)


@pytest.mark.parametrize(("name", "limit"), [("LONGEST", 0.0), ("MOST", len(raw(1)))])
def test_nobody_has_events_held_back_for_ever(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch, name: str, limit: float
) -> None:
    """Asking for challenges without end: all that had come would be written in one go."""
    monkeypatch.setattr(early, name, limit)
    new = New(pair)
    new.session.challenge = "123"
    new.session.say(ANSWER)

    new.deliver(1)

    assert new.got() == ANSWER.raw + raw(1)


def test_the_time_begins_with_the_first_event(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who gives the proxy key late is answered first, too."""
    monkeypatch.setattr(early, "LONGEST", 0.0)
    new = New(pair, guarded=True)
    monkeypatch.undo()

    new.session.accept_key()
    new.deliver(1)
    assert new.got() == b""
    new.session.say(ANSWER)

    assert new.got() == ANSWER.raw + raw(1)


def test_what_was_held_back_ends_a_waitevent(new: New) -> None:
    """It is an event as any other."""
    new.deliver(1)
    new.session.waiting_for_event = wait = WaitEvent(Message.of("Action: WaitEvent"), Deadline(9))

    new.session.release()

    assert wait.told
    assert new.got() == raw(1)


def test_a_format_that_cannot_write_what_was_held_back_costs_its_client(new: New) -> None:
    """And nobody else: neither the server's thread nor the client's sees an error."""
    new.deliver(1)

    def write(_: Message) -> bytes:
        raise KeyError

    with new.session.lock:
        new.session.output = dataclasses.replace(FORMATS["json"], write=write)
    new.session.release()

    assert new.session.ended


def test_many_that_wait_share_what_is_written_for_them(pair: MakePair) -> None:
    """When thousands connect anew at once while events come."""
    written: list[Message] = []

    def write(message: Message) -> bytes:
        written.append(message)
        return b"x"

    form = dataclasses.replace(FORMATS["json"], write=write)
    clients = [New(pair) for _ in range(3)]
    batch = Batch("pbx:5038", raw(1, 2))
    for client in clients:
        client.session.output = form
        client.session.deliver(batch)
    for client in clients:
        client.session.release()

    assert [client.got() for client in clients] == [b"xx"] * 3
    assert len(written) == 2
