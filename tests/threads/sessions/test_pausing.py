# SPDX-License-Identifier: GPL-2.0-or-later
"""The operator has actions wait for an Asterisk, and lets them go."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.sessions import overdue, pausing
from amiproxy.threads.sessions.submitted import Submitted
from tests.support import wait_until
from tests.threads.sessions.test_link_turns import PING, Play

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


@pytest.fixture
def play(pair: MakePair) -> Play:
    return Play(pair)


def test_nothing_goes_up_until_it_is_resumed(play: Play) -> None:
    """In the order in which it was asked; what went before is answered."""
    play.ask(1)
    pausing.pause(play.link)

    assert [play.ask(2), play.ask(1), play.ask(2)] == [Submitted.TAKEN] * 3

    assert not pausing.is_idle(play.link)
    play.answer_all()
    assert play.over == [1]
    assert play.went() == []
    pausing.resume(play.link)
    assert play.went() == [2, 1, 2]


def test_a_client_may_have_only_so_much_wait(play: Play) -> None:
    """As behind the actions of others."""
    pausing.pause(play.link)

    assert [play.ask(1, most=2) for _ in range(3)] == [*[Submitted.TAKEN] * 2, Submitted.FULL]


def test_what_waits_outlives_the_connection(play: Play, pair: MakePair) -> None:
    """It goes when Asterisk has booted, if it was resumed by then, or when it is."""
    pausing.pause(play.link)
    play.ask(1)

    assert play.link.lose() == []
    assert play.ask(2) is Submitted.TAKEN
    pausing.resume(play.link)
    assert play.ask(3) is Submitted.TAKEN
    play.connect(pair)

    assert play.went() == [1, 2, 3]
    assert play.ask(4) is Submitted.TAKEN
    assert play.went() == [4]
    play.link.lose()
    assert play.ask(5) is Submitted.UNCONNECTED


def test_a_pause_goes_on_over_a_restart(play: Play, pair: MakePair) -> None:
    """It ends when the operator says so."""
    pausing.pause(play.link)
    play.link.lose()
    play.ask(1)
    play.connect(pair)

    assert play.went() == []
    pausing.resume(play.link)
    assert play.went() == [1]


def test_a_resume_does_not_send_actions_to_a_connection_that_is_to_end(
    play: Play, pair: MakePair
) -> None:
    """They would be lost with it; a reconnect lets them go when it is there."""
    pausing.wait_for_connect(play.link)
    play.ask(1)

    pausing.resume(play.link)

    assert play.went() == []
    play.link.lose()
    play.connect(pair)
    assert play.went() == [1]


def test_what_had_gone_is_lost_with_the_connection(play: Play) -> None:
    """And what waits behind a call of its session waits on."""
    play.call(1)
    play.ask(1)
    pausing.pause(play.link)

    assert [action.owner for action in play.link.lose()] == [1]
    play.link.delivered()
    assert play.link.unanswered(1) == 1


def test_once_it_will_not_connect_again_nothing_waits(play: Play) -> None:
    """It was given up, or dropped."""
    pausing.pause(play.link)
    play.ask(1)
    play.link.lose()

    pausing.open_for_good(play.link)

    assert [action.owner for action in play.link.lose()] == [1]
    assert play.ask(1) is Submitted.UNCONNECTED


def test_nobody_waits_for_ever(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has waited too long comes back; the rest waits on, and nothing while it is open."""
    pausing.pause(play.link)
    play.ask(1)
    play.ask(1)
    later = time.monotonic() + pausing.WAITS

    assert not overdue.take(play.link, later - 60, 0)
    found = overdue.take(play.link, later + 1, 0)
    assert [action.owner for action in found.waited] == [1, 1]
    assert found.why == "is paused"
    play.ask(2)
    pausing.resume(play.link)
    assert play.went() == [2]
    assert not overdue.take(play.link, later + 1, 0)


def test_a_ping_tells_that_an_action_gets_no_answer(play: Play) -> None:
    """So that what is never answered does not look as if it were under way for ever."""
    play.ask(1)
    pausing.pause(play.link)

    wait_until(lambda: pausing.is_idle(play.link) or PING in play.went())
    play.answer(PING)

    assert pausing.is_idle(play.link)
    assert play.over == [1]


def test_a_reconnect_keeps_a_pause(play: Play) -> None:
    """Who has paused it wants to resume it."""
    pausing.pause(play.link)

    pausing.wait_for_connect(play.link)

    assert play.link.gate.is_shut
