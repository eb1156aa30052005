# SPDX-License-Identifier: GPL-2.0-or-later
"""The link to one Asterisk: what goes up, in which state, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import PeerGone
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.submitted import Submitted

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

PING = Message.of("Action: Ping").raw
NUMBER = 7
IDS = ActionIds()


def action() -> PendingAction:
    """Return an action of the session NUMBER."""
    return PendingAction(NUMBER, PING, IDS.make(NUMBER, None))


def link(events: str = "on") -> AsteriskLink:
    return AsteriskLink(ServerSpec("pbx", 5038, "u", "s", events, False), IDS)


def test_actions_go_only_while_asterisk_is_live(pair: MakePair) -> None:
    """Not before FullyBooted, and not any more once the connection is lost."""
    one = link()
    assert one.submit(action()) is Submitted.UNCONNECTED
    transport, theirs = pair()
    one.open(transport)
    assert (one.has_connection, one.connected) == (True, False)
    assert one.submit(action()) is Submitted.UNCONNECTED
    one.go_live()
    assert one.submit(action()) is Submitted.TAKEN
    assert theirs.recv(1000) == PING

    lost = one.lose()

    assert [each.owner for each in lost] == [NUMBER]
    assert (one.has_connection, one.connected) == (False, False)
    assert one.submit(action()) is Submitted.UNCONNECTED
    one.delivered()
    assert not one.unanswered(NUMBER)


def test_a_ping_of_the_proxy_is_answered_to_nobody(pair: MakePair) -> None:
    """It has an ActionID that no client's can be taken for."""
    one = link()
    transport, theirs = pair()
    one.open(transport)
    one.go_live()

    one.ping()
    action_id = theirs.recv(1000).decode().split("\r\n")[1]

    answer = Message.of("Response: Success", action_id, "Ping: Pong")

    with one.lock:
        assert one.ledger.classify(answer) is None


def test_logging_off_ends_the_connection(pair: MakePair) -> None:
    """Asterisk gets a Logoff, the owner of the connection the reason; no client the Goodbye."""
    one = link()
    one.log_off("nothing to end")
    transport, theirs = pair()
    one.open(transport)
    one.go_live()

    one.log_off("Dropped")

    action, action_id, *_ = theirs.recv(1000).decode().split("\r\n")
    assert action == "Action: Logoff"
    for lines in (["Response: Goodbye"], ["Response: Goodbye", action_id], ["Response: Goodbye"]):
        assert one.ledger.classify(Message.of(*lines)) is None
    with pytest.raises(PeerGone, match="Dropped"):
        transport.recv()
    assert not one.connected


def test_a_connection_that_has_not_logged_in_is_ended_without_a_logoff(pair: MakePair) -> None:
    """It would be an action before the log-in."""
    one = link()
    transport, theirs = pair()
    one.open(transport)

    one.log_off("Dropped")
    transport.close()

    assert theirs.recv(1000) == b""


def test_a_new_time_limit_counts_for_the_connection_there_is(pair: MakePair) -> None:
    """Without a connection it is not an error."""
    one = link()
    one.set_write_timeout(1.0)
    transport, _theirs = pair()
    one.open(transport)

    one.set_write_timeout(9.0)

    assert transport.write_timeout == 9.0


@pytest.mark.parametrize(("events", "calls"), [("on", True), ("system,call", True), ("off", False)])
def test_the_class_call_says_whether_originates_are_reported(events: str, calls: bool) -> None:
    """OriginateResponse is an event of that class."""
    assert link(events).receives_call_events is calls


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("pbx", True), ("pbx:5038", True), ("192.0.2.1", True), ("[192.0.2.1]:5038", True),
        ("pbx:5039", False), ("pb", False), ("", False),
    ],
)  # fmt: skip
def test_a_server_is_named_by_host_or_address(name: str, matches: bool) -> None:
    """With or without its port; the address is known once it answers."""
    one = link()
    one.set_address("192.0.2.1")

    assert (name in one.names) is matches
