# SPDX-License-Identifier: GPL-2.0-or-later
"""What a session without a connection keeps: one answer, and events."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from amiproxy import replies
from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.routing import notices
from amiproxy.routing.classes import CALL
from amiproxy.threads.sessions.collector import Collector, EventBuffer, Kept
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import Routed
from tests.threads.sessions.support import STANDARD, collector, format_of

RESPONSE = Message.of("Response: Success", "ActionID: 1")
LIST = Message.of("Response: Success", "EventList: start", "ActionID: 1")
ITEM = Message.of("Event: QueueParams", "ActionID: 1")
COMPLETE = Message.of("Event: QueueStatusComplete", "EventList: Complete", "ActionID: 1")
HANGUP = Message.of("Event: Hangup", "Privilege: call,all", "Uniqueid: 1.1")
FAILED = Message.of("Response: Error", "Message: No such channel", "ActionID: 1")


def deliver(session: Collector, *items: Routed) -> None:
    session.deliver(Batch.of_items("pbx:5038", list(items)))


def messages(kept: list[Kept]) -> list[Message]:
    return [each.message for each in kept]


def answer_to(session: Collector, message: Message, **options: Any) -> Routed:
    return Routed(message, owner=session.number, action_id="1", request_id="1", **options)


def test_an_answer_ends_with_its_response() -> None:
    """The response to the action that was sent is the whole answer."""
    session = collector()
    pending = session.expect()
    session.sending("1")

    deliver(session, answer_to(session, RESPONSE, final=True))

    answer = pending.wait(10)
    assert answer.messages == (RESPONSE,)
    assert answer.complete


def test_a_list_ends_with_its_last_event() -> None:
    """All of a list is the answer, in order, however many batches it takes."""
    session = collector()
    pending = session.expect()
    session.sending("1")

    deliver(session, answer_to(session, LIST), answer_to(session, ITEM))
    deliver(session, answer_to(session, COMPLETE, final=True))

    answer = pending.wait(10)
    assert answer.messages == (LIST, ITEM, COMPLETE)
    assert answer.complete


def test_an_answer_whose_end_nothing_shows_ends_when_the_ledger_says_so() -> None:
    """With what has come, perhaps nothing; the end of another action is none of this one's."""
    session = collector()
    pending = session.expect()
    session.sending("1")
    deliver(session, answer_to(session, LIST), answer_to(session, ITEM))

    session.complete("0")
    assert not pending.is_over
    session.complete("1")

    answer = pending.wait(10)
    assert answer.messages == (LIST, ITEM)
    assert answer.complete
    session.expect()
    session.complete("1")  # that was before


def test_an_event_that_is_awaited_may_come_when_nothing_more_is_answered() -> None:
    """X-Until-Event waits for it all the same."""
    session = collector(hears=True)
    pending = session.expect("Hangup")
    session.sending("1")
    session.complete("1")

    deliver(session, Routed(HANGUP))

    assert pending.wait(10).messages == (HANGUP,)


def test_nothing_of_others_is_in_an_answer() -> None:
    """Neither events nor what was asked before: it came too late."""
    session = collector()
    pending = session.expect()
    session.sending("2")

    deliver(session, answer_to(session, RESPONSE, final=True), Routed(HANGUP))

    answer = pending.wait(0)
    assert answer.messages == ()
    assert not answer.complete


def test_what_comes_behind_the_last_message_does_not_belong_to_the_answer() -> None:
    """An Originate is accepted, and at once it has failed: the answer is one message all the same."""
    session = collector()
    pending = session.expect()
    session.sending("1")
    event = Message.of("Event: OriginateResponse", "Privilege: call,all", "ActionID: 1")

    deliver(
        session,
        answer_to(session, RESPONSE, final=True),
        answer_to(session, event),
        Routed(event, action_id="1", request_id="1", asker=session.number),
    )

    assert pending.wait(10).messages == (RESPONSE,)


def test_an_answer_may_end_with_an_event() -> None:
    """An event that was waited for ends it, with or without the ActionID; the response does not."""
    session = collector(hears=True)
    pending = session.expect("Hangup")
    session.sending("1")

    deliver(session, answer_to(session, RESPONSE, final=True))
    deliver(session, Routed(HANGUP))

    answer = pending.wait(10)
    assert answer.messages == (RESPONSE, HANGUP)
    assert answer.complete


def test_the_originateresponse_of_another_action_ends_no_answer() -> None:
    """It is an event for all; the one that was waited for is this action's."""
    session = collector(hears=True)
    pending = session.expect("OriginateResponse")
    session.sending("1")
    event = Message.of("Event: OriginateResponse", "Privilege: call,all", "ActionID: 1")

    deliver(session, answer_to(session, RESPONSE, final=True))
    deliver(session, Routed(event, action_id="1", request_id="2"))
    assert not pending.is_over
    deliver(session, Routed(event, action_id="1", request_id="1", asker=session.number))

    answer = pending.wait(10)
    assert answer.messages == (RESPONSE, event)
    assert answer.complete


def test_an_error_ends_the_wait_for_an_event() -> None:
    """Where the action has failed no event will come."""
    session = collector(hears=True)
    pending = session.expect("Hangup")
    session.sending("1")

    deliver(session, answer_to(session, FAILED, final=True))

    assert pending.wait(10).complete


def test_what_the_proxy_says_is_a_whole_answer() -> None:
    """Its own answers need not be waited for."""
    session = collector(hears=True)
    pending = session.expect("Hangup")

    session.say(replies.filtered(RESPONSE))

    answer = pending.wait(10)
    assert answer.messages == (replies.filtered(RESPONSE),)
    assert answer.complete


def test_what_comes_after_the_wait_is_for_nobody() -> None:
    """A late answer is not part of the next one."""
    session = collector()
    late = session.expect()
    session.sending("1")
    assert not late.wait(0).complete

    deliver(session, answer_to(session, RESPONSE, final=True))

    assert session.expect().wait(0).messages == ()
    assert late.wait(0).messages == ()


def test_the_end_of_a_session_ends_its_waits() -> None:
    """Requests under way, and those to come, get what there is at once."""
    session = collector(keep_events=True)
    pending = session.expect()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(pending.wait(10)))
    thread.start()

    session.end("stopping")

    thread.join(5)
    assert not thread.is_alive()
    assert not answers[0].complete
    assert not session.expect().wait(10).complete
    assert session.events is not None
    assert session.events.fetch(10) == []


def test_events_are_kept_until_they_are_fetched() -> None:
    """Between two requests nothing is lost; what was fetched is not given again."""
    session = collector(keep_events=True)
    assert session.events is not None

    deliver(session, Routed(HANGUP), answer_to(session, RESPONSE, final=True))

    assert messages(session.events.fetch(10)) == [HANGUP]
    assert session.events.fetch(0) == []


def test_a_fetch_waits_for_the_first_event() -> None:
    """It ends as soon as an event has come."""
    session = collector(keep_events=True)
    events = session.events
    assert events is not None
    found: list[Message] = []
    thread = threading.Thread(target=lambda: found.extend(messages(events.fetch(10))))
    thread.start()

    deliver(session, Routed(HANGUP))

    thread.join(5)
    assert not thread.is_alive()
    assert found == [HANGUP]


def test_events_of_servers_that_the_user_does_not_see_are_not_kept() -> None:
    """Nor are they fetched by who has logged in since."""
    session = collector(keep_events=True)
    everybodys, theirs = Batch("pbx", HANGUP.raw), Batch("pbx", HANGUP.raw)
    everybodys.names, theirs.names = frozenset({"one"}), frozenset({"two"})
    session.deliver(everybodys)
    session.log_in(User("bob", "s", servers=frozenset({"two"})), None)
    session.deliver(everybodys)

    assert session.fetch_events(0) == []
    session.deliver(theirs)
    assert [each.raw for each in session.fetch_events(0)] == [HANGUP.raw]


def test_without_a_log_in_there_are_no_events() -> None:
    """A session that has to log in first sees nothing before."""
    session = collector(guarded=True, keep_events=True)
    assert session.events is not None

    deliver(session, Routed(HANGUP))

    assert session.events.fetch(0) == []


def test_the_oldest_events_go_first() -> None:
    """A session whose events nobody fetches does not fill the memory."""
    lock = threading.Lock()
    events = EventBuffer(lock, most=2)
    numbered = [Message.of(f"Event: {number}") for number in range(3)]

    for event in numbered:
        with lock:
            events.put(event)

    assert messages(events.fetch(0)) == numbered[1:]


def test_taking_asks_for_the_lock() -> None:
    """Whoever adds to an answer or to the events holds the session's lock."""
    session = collector(keep_events=True)
    assert session.events is not None

    with pytest.raises(AssertionError):
        session.expect().take(RESPONSE, final=True)
    with pytest.raises(AssertionError):
        session.events.put(HANGUP)


def test_the_answer_to_a_change_of_format_is_in_it() -> None:
    """SetOutputFormat: the new format is there before the answer is."""
    session = collector()
    pending = session.expect()
    other = format_of(STANDARD.write)

    session.set_output(other, RESPONSE)

    assert pending.wait(10).messages == (RESPONSE,)
    assert session.output is other


def test_events_are_kept_by_their_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones that fit."""
    monkeypatch.setattr("amiproxy.threads.sessions.collector.MAX_EVENT_BYTES", 10_000)
    session = collector(keep_events=True)
    events = [
        Message.of("Event: UserEvent", "Privilege: user,all", f"N: {number}{'x' * 900}")
        for number in range(50)
    ]

    deliver(session, *map(Routed, events))

    assert session.events is not None
    assert messages(session.events.fetch(0)) == events[-10:]


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error; what still comes of it is for nobody."""
    monkeypatch.setattr("amiproxy.threads.sessions.pendinganswer.MAX_ANSWER_BYTES", 10_000)
    session = collector()
    pending = session.expect()
    session.sending("1")
    item = Message.of("Event: QueueParams", "ActionID: 1", f"Queue: {'q' * 900}")

    deliver(session, answer_to(session, LIST), *[answer_to(session, item)] * 50)

    answer = pending.wait(0)
    error = ("Response: Error", "ActionID: 1", "Message: The answer is too long")
    assert [message.lines for message in answer.messages] == [error]
    assert answer.complete
    deliver(session, answer_to(session, COMPLETE, final=True))
    assert pending.wait(0).messages == ()


def test_a_notice_is_kept_whatever_the_client_filters() -> None:
    """And fetched; one that wants no event at all, by now, gets none."""
    session = collector(keep_events=True)
    assert session.events is not None
    session.set_event_mask(CALL)
    lost = notices.lost("pbx", "closed the connection", 1.5)
    for _ in range(2):
        batch = Batch("pbx", lost.raw, [Routed(lost)], kind=BatchKind.NOTICE, events=1)
        session.deliver(batch)
        if session.event_mask:
            assert session.fetch_events(10) == [lost]
        session.set_event_mask(0)
    assert session.fetch_events(0) == []
