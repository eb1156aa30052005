# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of clients with a connection: what each is sent, over real sockets."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.access.user import User
from amiproxy.basics.deadline import Deadline
from amiproxy.message import Message
from amiproxy.routing.actionfilter import ActionFilter
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.classes import CALL, SYSTEM
from amiproxy.routing.eventfilter import NO_FILTERS
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.waitevent import WaitEvent
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import Routed
from tests.threads.sessions.support import (
    BOOTED,
    EVENT,
    FORMATS,
    PONG,
    format_of,
    received,
    session_over,
)

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

EVENTS = Batch("pbx", EVENT.raw + BOOTED.raw)
ACCEPTED = Message.of("Response: Success", "Message: Authentication accepted")
GIVEN_UP = Message.of("ProxyResponse: Success", "OutputFormat: other")


@pytest.mark.parametrize("mode", AutoFilter)
def test_events_for_everybody_reach_each_client_as_they_came(
    pair: MakePair, mode: AutoFilter
) -> None:
    """With any autofilter, as long as no ActionID was sent."""
    transport, theirs = pair()

    session_over(transport, mode=mode).deliver(EVENTS)

    assert received(theirs) == EVENTS.wire


def test_a_guarded_client_gets_nothing_before_it_has_logged_in(pair: MakePair) -> None:
    """And is not allowed to act; a failed login takes both away again."""
    transport, theirs = pair()
    session = session_over(transport, guarded=True)

    session.deliver(EVENTS)
    assert (session.allowed, session.authenticated, received(theirs)) == (False, False, b"")

    session.log_in(None, None, ACCEPTED)
    session.deliver(EVENTS)
    assert (session.allowed, session.authenticated) == (True, True)
    assert received(theirs) == ACCEPTED.raw + EVENTS.wire

    session.log_out()
    session.deliver(EVENTS)
    assert (session.allowed, session.authenticated, received(theirs)) == (False, False, b"")


def test_the_proxy_key_lets_a_client_see_and_act(pair: MakePair) -> None:
    """As a login does, without making it a user."""
    transport, theirs = pair()
    session = session_over(transport, guarded=True)

    session.accept_key()
    session.deliver(EVENTS)

    assert (session.allowed, session.authenticated, session.user) == (True, True, None)
    assert received(theirs) == EVENTS.wire


def test_a_client_that_need_not_log_in_stays_after_a_failed_login(pair: MakePair) -> None:
    """It is what it was before: allowed, and no user."""
    session = session_over(pair()[0])

    session.log_in(User("ann", "secret", read=CALL), None)
    session.log_out()

    assert (session.allowed, session.authenticated, session.user) == (True, False, None)
    assert session.login_name == ""


def test_rights_event_mask_and_filter_narrow_what_a_client_sees(pair: MakePair) -> None:
    """Together, and the next login begins without the last one's."""
    transport, theirs = pair()
    session = session_over(transport)

    session.log_in(User("ann", "secret", read=CALL), None)
    session.deliver(EVENTS)
    assert received(theirs) == EVENT.raw

    session.log_in(User("bob", "secret"), SYSTEM)
    session.deliver(EVENTS)
    assert received(theirs) == BOOTED.raw

    session.log_in(User("bob", "secret"), None)
    session.add_filter(NO_FILTERS.with_line("!Channel: SIP/1"))
    session.deliver(EVENTS)
    assert received(theirs) == BOOTED.raw

    session.log_in(None, None)
    session.set_event_mask(0)
    session.deliver(EVENTS)
    assert received(theirs) == b""


def test_with_autofilter_on_the_last_action_id_counts(pair: MakePair) -> None:
    """Until another one is sent, or the autofilter is changed."""
    transport, theirs = pair()
    session = session_over(transport, mode=AutoFilter.ON)
    answers = Batch.of_items(
        "pbx", [Routed(PONG, owner=session.number, action_id="b"), Routed(EVENT)]
    )

    session.sending("a", "a")
    session.deliver(answers)
    assert (session.listed_id, received(theirs)) == ("a", b"")

    session.sending("b", "b")
    session.deliver(answers)
    session.deliver(EVENTS)
    assert (session.listed_id, received(theirs)) == ("b", PONG.raw)

    session.set_mode(AutoFilter.UNIQUE)
    session.deliver(EVENTS)
    assert (session.listed_id, received(theirs)) == (f"amp{session.number}-", EVENTS.wire)


def test_an_answer_reaches_no_other_client_with_autofilter_unique(pair: MakePair) -> None:
    """The client that asked gets it as it is."""
    (transport, theirs), (other, others) = pair(), pair()
    session = session_over(transport)
    answer = Message.of("Response: Success", "ActionID: mine")
    batch = Batch.of_items("pbx", [Routed(answer, owner=session.number, action_id="mine")])

    for each in (session, session_over(other)):
        each.deliver(batch)

    assert received(theirs) == answer.raw
    assert received(others) == b""


def test_a_user_with_a_channel_sees_its_calls_only(pair: MakePair) -> None:
    """And forgets them when the connection to that Asterisk is lost."""
    transport, theirs = pair()
    session = session_over(transport)
    session.log_in(User("ann", "secret", channel="sip/1"), None)
    hangup = Message.of("Event: Hangup", "Privilege: call,all", "Uniqueid: 1")
    table = CallTable()

    def deliver(message: Message) -> bytes:
        table.note(message)
        session.deliver(Batch("pbx", message.raw, [Routed(message)]))
        return received(theirs)

    assert deliver(hangup) == b""
    assert deliver(Message(EVENT.raw)) == EVENT.raw
    session.forget("pbx")
    assert deliver(hangup) == b""


def test_no_server_waits_while_an_action_is_checked(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long one takes a while; only what the client knows is looked up with the lock."""
    session = session_over(pair()[0])
    session.log_in(User("ann", "secret", channel="sip/1"), None)
    held = []
    outgoing, knows = ActionFilter.outgoing, SessionFilter.knows

    def checked(
        self: ActionFilter, message: Message, knows: Callable[[str], bool]
    ) -> Message | str:
        held.append(session.lock.locked())
        return outgoing(self, message, knows)

    def looked_up(self: SessionFilter, uid: str) -> bool:
        held.append(session.lock.locked())
        return knows(self, uid)

    monkeypatch.setattr(ActionFilter, "outgoing", checked)
    monkeypatch.setattr(SessionFilter, "knows", looked_up)

    assert session.outgoing(Message.of("Action: Status", "Uniqueid: 1.1")) == "another's call"
    assert held == [False, True]


def test_a_new_format_holds_from_its_reply_on(pair: MakePair) -> None:
    """The reply to SetOutputFormat is the first message in it."""
    transport, theirs = pair()
    session = session_over(transport)

    session.deliver(EVENTS)
    session.set_output(FORMATS["json"], GIVEN_UP)
    session.deliver(EVENTS)
    session.set_output(FORMATS["standard"], PONG)
    session.deliver(EVENTS)

    before, _, rest = received(theirs).partition(BOOTED.raw)
    assert before == EVENT.raw
    assert rest.startswith(b'{"ProxyResponse":"Success"')
    assert rest.endswith(PONG.raw + EVENTS.wire)


def test_a_handler_that_fails_costs_its_own_clients_only(
    pair: MakePair, caplog: pytest.LogCaptureFixture
) -> None:
    """Deliver raises nothing; that client is dropped and the next one gets its events."""

    def write(message: Message) -> bytes:
        raise KeyError(message.raw)

    (transport, _), (other, others) = pair(), pair()
    unlucky, lucky = session_over(transport, output=format_of(write)), session_over(other)

    for session in (unlucky, lucky):
        session.deliver(EVENTS)

    assert (unlucky.ended, lucky.ended) == (True, False)
    assert received(others) == EVENTS.wire
    assert caplog.messages == ["peer: dropped: handler other: cannot write a message: KeyError"]


def test_a_reply_that_cannot_be_written_ends_the_session(pair: MakePair) -> None:
    """What the proxy itself says is written by the handler as well."""
    transport, _ = pair()
    session = session_over(transport, output=format_of(lambda message: message.lines))

    session.say(PONG)

    assert session.ended


def test_an_ended_session_takes_nothing_more(pair: MakePair) -> None:
    """What it was sent before is still on its way."""
    transport, theirs = pair()
    session = session_over(transport)

    session.say(PONG)
    session.end("over")
    session.deliver(EVENTS)
    session.deliver(Batch.of_items("pbx", [Routed(EVENT), Routed(PONG, owner=session.number)]))

    assert session.ended
    assert received(theirs) == PONG.raw


def test_an_event_ends_a_wait_event_and_an_answer_does_not(pair: MakePair) -> None:
    """An event that the client may not see does not end it either."""
    session = session_over(pair()[0])
    wait = session.waiting_for_event = WaitEvent(PONG, Deadline(10))

    session.deliver(Batch.of_items("pbx", [Routed(PONG, owner=session.number)]))
    session.set_event_mask(CALL)
    session.deliver(Batch("pbx", BOOTED.raw))
    assert not wait.told

    session.deliver(EVENTS)
    assert wait.told


def test_the_users_write_timeout_holds_from_the_login_on(pair: MakePair) -> None:
    """Without one of its own, and after a failed login, the configured one does."""
    transport, _ = pair(write_timeout=5.0)
    session = session_over(transport)

    session.log_in(User("ann", "secret", write_timeout=7.0), None)
    assert transport.write_timeout == 7.0
    session.log_in(User("bob", "secret"), None)
    assert transport.write_timeout == 5.0
    session.log_in(User("ann", "secret", write_timeout=7.0), None)
    session.log_out()
    assert transport.write_timeout == 5.0


def test_what_is_said_in_a_login_stands_between_the_old_view_and_the_new(pair: MakePair) -> None:
    """However many events other threads deliver meanwhile."""
    transport, theirs = pair()
    session = session_over(transport, guarded=True)
    registry = SessionRegistry()
    over = threading.Event()

    def deliver() -> None:
        while not over.is_set():
            session.deliver(Batch("pbx", EVENT.raw))

    thread = threading.Thread(target=deliver)
    thread.start()
    registry.log_in(session, None, None, ACCEPTED)
    data = b""
    while EVENT.raw not in data:
        data += theirs.recv(65536)
    over.set()
    thread.join()

    assert data.startswith(ACCEPTED.raw + EVENT.raw)
