# SPDX-License-Identifier: GPL-2.0-or-later
"""An action goes at once where it would with ``submit``, and nothing waits; else nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.atonce import send_at_once
from amiproxy.threads.sessions.gate import State
from amiproxy.threads.sessions.link import AsteriskLink
from tests.threads.sessions.support import received

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

IDS = ActionIds()
PING = Message.of("Action: Ping").raw


def action(owner: int = 7, raw: bytes = PING, *, held_back: bool = False) -> PendingAction:
    """Return an action of the session *owner*."""
    return PendingAction(owner, raw, IDS.make(owner, None), held_back=held_back, ringing=30.0)


def shut(link: AsteriskLink) -> None:
    """Have actions wait, as the operator wishes."""
    link.gate.set(State.SHUT)


def fill(link: AsteriskLink) -> None:
    """Send what fills the window."""
    assert send_at_once(link, action(raw=b"x" * link.window), 0)


def queue(link: AsteriskLink) -> None:
    """Have an action wait for its turn, though there is room now."""
    fill(link)
    link.submit(action(8))
    link.ledger.in_flight = 0


def call(link: AsteriskLink) -> None:
    """Make a call, behind which its session's actions wait."""
    link.submit(action(held_back=True))


def ask(link: AsteriskLink) -> None:
    """Send one action before."""
    assert send_at_once(link, action(), 1)


def lose(link: AsteriskLink) -> None:
    """Lose the connection."""
    link.lose()


def log_off(link: AsteriskLink) -> None:
    """Log off: nothing goes behind that."""
    link.log_off("stopped")


@pytest.mark.parametrize("before", [shut, fill, queue, call, ask, lose, log_off])
def test_what_has_to_wait_does_not_go_at_once(
    pair: MakePair, before: Callable[[AsteriskLink], None]
) -> None:
    """Nor does what cannot go at all; it leaves nothing behind."""
    transport, theirs = pair()
    link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), IDS)
    link.open(transport)
    link.go_live()
    before(link)
    received(theirs)
    one = action()
    unanswered = link.unanswered(7)

    assert not send_at_once(link, one, 1 if before is ask else 0)

    assert (link.unanswered(7), one.went, received(theirs)) == (unanswered, False, b"")


def test_what_nothing_waits_for_goes_at_once(pair: MakePair) -> None:
    """And is to be answered."""
    transport, theirs = pair()
    link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), IDS)
    link.open(transport)
    link.go_live()

    assert send_at_once(link, action(), 1)

    assert (link.unanswered(7), received(theirs)) == (1, PING)
