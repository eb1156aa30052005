# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted for metrics, where it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.routing.pending import PendingAction
from amiproxy.threads.sessions import overdue
from amiproxy.threads.sessions.actionrecord import ActionRecord
from amiproxy.threads.sessions.linkrecord import LinkRecord
from amiproxy.threads.sessions.meter import Meter
from tests.threads.sessions.support import BOOTED, EVENT, PONG
from tests.threads.sessions.test_publisher import ENTRY, LIST, Play

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


@pytest.fixture
def play(pair: MakePair) -> Play:
    return Play(pair)


def ended(play: Play) -> dict[tuple[str, str], int]:
    """Return how actions have ended."""
    return play.link.record.actions.ended


def test_an_action_ends_as_its_answer_says(play: Play) -> None:
    """A list is ok, whatever its items; how long it took is told by what kind of answer it was."""
    for reply in (PONG, Message.of("Response: Error", "Message: No"), Message.of("Response: Pong")):
        play.hear(reply.with_header("ActionID", play.ask(5)))
    wire_id = play.ask(5)
    play.hear(LIST.with_header("ActionID", wire_id))
    play.hear(ENTRY.with_header("ActionID", wire_id))
    play.hear(Message.of("Event: XComplete", "EventList: Complete", f"ActionID: {wire_id}"))

    assert ended(play) == {("", "ok"): 3, ("", "error"): 1}
    seconds = play.link.record.actions.seconds
    assert {kind: each.snapshot().counts[-1] for kind, each in seconds.items()} == {
        "single": 3,
        "list": 1,
        "originate": 0,
    }


def test_what_is_not_answered_is_lost_or_timed_out(play: Play) -> None:
    """It has not taken any time: nobody knows how long it would have."""
    play.ask(5)
    overdue.refuse_overdue(play.link, play.publisher, 1e-9)
    play.ask(5)
    play.publisher.abandon(play.link.lose())

    assert ended(play) == {("", "timeout"): 1, ("", "lost"): 1}
    assert play.link.record.actions.seconds["single"].snapshot().counts[-1] == 0


def test_an_originate_is_a_kind_of_its_own() -> None:
    """It takes as long as people do."""
    record = ActionRecord()
    record.note(PendingAction(5, b"", name="Originate", ringing=30.0, last=PONG))

    assert record.ended == {("Originate", "ok"): 1}
    assert record.seconds["originate"].snapshot().counts[-1] == 1


def test_nothing_is_measured_of_events_before_somebody_asks(play: Play) -> None:
    """Then each is counted by its class, as far as a table knows it, and so is how long it took."""
    play.hear(EVENT)
    assert play.link.record.meter is None

    meter = play.link.record.meter = Meter(play.link.record.events)
    forged = Message.of("Event: X", "Privilege: call,all", "Value: Privilege: agent,all")
    strange = Message.of("Event: Y", "Privilege: surprise,all")
    play.hear(BOOTED, forged, strange)
    play.hear(Message.of("Event: Z"))
    play.hear(PONG.with_header("ActionID", play.ask(5)), forged)  # an answer among them
    play.publisher.notice(forged)  # of the proxy's own
    play.hear(*[EVENT] * 6)

    assert meter.events == {"other": 3, "system": 1, "call": 8}
    assert meter.delays.snapshot().counts[-1] == 4  # one for each read


def test_a_ping_is_measured(play: Play) -> None:
    """Each of them."""
    play.link.ping()
    play.hear(PONG.with_header("ActionID", play.asked()))

    assert play.link.pings.seconds.snapshot().counts[-1] == 1


def test_text_that_nobody_has_asked_for_is_no_message(play: Play) -> None:
    """An answer to somebody else is one."""
    play.hear(Message.of("what is this"))
    play.hear(Message.of("Response: Success", "ActionID: of-another"))

    assert play.link.ledger.strays == 1


def test_bytes_of_a_connection_that_is_over_stay_counted(play: Play) -> None:
    """Once, however often it is said to be over."""
    record = play.link.record
    transport = play.link.transport
    assert transport is not None
    play.link.lose()
    record.note_traffic(transport)

    assert transport.counted
    assert (record.received, record.sent) == (0, 0)  # a pair of sockets has no such figures


def test_reasons_of_losses_and_gaps_are_few() -> None:
    """How many seconds somebody was silent is not one of them."""
    record = LinkRecord()
    for reason in ("no answer to a Ping for 30 s", "no answer to a Ping for 5 s", "dropped"):
        record.lose(reason)
    for reason in ("ring", "ring", "slow"):
        record.note_gap(reason)

    assert record.losses_by == {"no answer to a Ping": 2, "dropped": 1}
    assert record.gaps() == {"ring": 2, "slow": 1}
