# SPDX-License-Identifier: GPL-2.0-or-later
"""A session whose user changes: answers that are on their way belong to the earlier one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.access.user import User
from amiproxy.basics.deadline import Deadline
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import CALL
from amiproxy.routing.eventfilter import NO_FILTERS
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.waitevent import WaitEvent
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import Routed
from tests.threads.sessions.support import BOOTED, EVENT, received, session_over

if TYPE_CHECKING:
    from amiproxy.threads.sessions.streamsession import StreamSession
    from tests.threads.conftest import MakePair

    Join = Callable[..., StreamSession]

SECRET = Message.of("Response: Success", "Line: s3cret")
ACCEPTED = Message.of("Response: Success", "Message: Authentication accepted")
BOSS, ANN = User("boss", "secret"), User("ann", "secret", read=CALL, write=0)
FILTERED = User("kim", "secret", channel="sip/1")


@pytest.fixture
def registry() -> SessionRegistry:
    return SessionRegistry()


def publish(registry: SessionRegistry, owner: int) -> None:
    """Hand out an answer to the session *owner*, as the router does."""
    batch = Batch.of_items("pbx", [Routed(SECRET, owner=owner, request_id="1", final=True)])
    for session in registry.snapshot():
        session.deliver(batch)


@pytest.mark.parametrize("mode", AutoFilter)
@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("after", [ANN, FILTERED, None], ids=["ann", "kim", "stranger"])
def test_an_answer_to_the_earlier_user_is_not_for_the_next(
    registry: SessionRegistry, pair: MakePair, mode: AutoFilter, guarded: bool, after: User | None
) -> None:
    """Whoever comes then, in any mode; the session is found by its new number alone."""
    transport, theirs = pair()
    session = session_over(transport, mode=mode, guarded=guarded)
    registry.add(session)
    registry.log_in(session, BOSS, None)
    asked = session.number

    if after is None:
        registry.log_out(session)
    else:
        registry.log_in(session, after, None)
    if guarded or after is not None or mode is AutoFilter.UNIQUE:  # else it sees others' answers
        publish(registry, asked)
        assert received(theirs) == b""

    assert registry.find(asked) is None
    assert registry.find(session.number) is session
    assert registry.filtering is (after is FILTERED)
    registry.discard(session)
    assert (registry.snapshot(), registry.filtering) == ((), False)


def test_an_open_session_that_logs_in_leaves_its_answers_behind(
    registry: SessionRegistry, pair: MakePair
) -> None:
    """Where no log-in is needed it may have asked for what its user must not see."""
    transport, theirs = pair()
    session = session_over(transport)
    registry.add(session)
    asked = session.number

    registry.log_in(session, ANN, None)
    publish(registry, asked)

    assert received(theirs) == b""


def test_the_same_user_keeps_what_they_have_asked(
    registry: SessionRegistry, pair: MakePair
) -> None:
    """Logging in again as oneself, or for the first time, changes no number."""
    transport, theirs = pair()
    session = session_over(transport, guarded=True)
    registry.add(session)
    asked = session.number

    registry.log_in(session, BOSS, None)
    registry.log_in(session, BOSS, CALL)
    publish(registry, asked)

    assert session.number == asked
    assert received(theirs) == SECRET.raw


def test_no_answer_slips_through_while_the_user_changes(
    registry: SessionRegistry, pair: MakePair
) -> None:
    """Whenever a server's thread delivers it, nothing of it comes behind the login."""
    transport, theirs = pair()
    session = session_over(transport)
    registry.add(session)
    for _ in range(20):
        registry.log_in(session, BOSS, None)
        asked, over = session.number, threading.Event()

        def deliver() -> None:
            while not over.is_set():  # noqa: B023 - called in this turn of the loop
                publish(registry, asked)  # noqa: B023

        thread = threading.Thread(target=deliver)
        thread.start()
        data = b""
        while SECRET.raw not in data:
            data += theirs.recv(65536)
        registry.log_in(session, ANN, None, ACCEPTED)
        over.set()
        thread.join()
        while transport.backlog:
            data += received(theirs)
            time.sleep(0)  # the flusher's turn
        data += received(theirs)
        theirs.settimeout(10)
        assert data.endswith(ACCEPTED.raw)


def test_a_failed_login_takes_all_away_that_the_user_had_set(
    registry: SessionRegistry, pair: MakePair
) -> None:
    """Rights, event mask, filters, the ActionID remembered, a WaitEvent."""
    transport, theirs = pair()
    session = session_over(transport, mode=AutoFilter.ON)
    registry.add(session)
    registry.log_in(session, BOSS, 0)
    session.add_filter(NO_FILTERS.with_line("!Event: Newchannel"))
    session.sending("7", "7")
    session.waiting_for_event = WaitEvent(EVENT, Deadline(10))

    registry.log_out(session)
    session.deliver(Batch("pbx", EVENT.raw + BOOTED.raw))

    assert received(theirs) == EVENT.raw + BOOTED.raw
    assert (session.user, session.login_name, session.last_id) == (None, "", None)
    assert session.waiting_for_event is None


def test_the_next_user_does_not_hear_of_the_action_id_of_the_last(
    registry: SessionRegistry, pair: MakePair
) -> None:
    """With autofilter on: a message with it is for nobody here."""
    transport, theirs = pair()
    session = session_over(transport, mode=AutoFilter.ON)
    registry.log_in(session, BOSS, None)
    session.sending("7", "7")

    registry.log_in(session, User("jim", "secret"), None)
    session.deliver(Batch.of_items("pbx", [Routed(SECRET, owner=99, action_id="7")]))

    assert received(theirs) == b""
    assert session.listed_id == ""
