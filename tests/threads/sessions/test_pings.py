# SPDX-License-Identifier: GPL-2.0-or-later
"""Pings: how long an Asterisk takes to answer, also while it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink

if TYPE_CHECKING:
    import socket

    from tests.threads.conftest import MakePair


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def live(pair: MakePair) -> tuple[AsteriskLink, socket.socket]:
    link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), ActionIds())
    transport, theirs = pair()
    link.open(transport)
    link.go_live()
    return link, theirs


def answer(link: AsteriskLink, asked: bytes) -> None:
    """Have the Pings *asked* answered."""
    lines = asked.decode().split("\r\n")
    messages = [Message.of("Response: Success", each, "Ping: Pong")
                for each in lines if each.startswith("ActionID")]  # fmt: skip
    link.classify(messages)


def test_the_round_trip_is_the_time_to_the_answer(pair: MakePair, clock: list[float]) -> None:
    """Of the last Ping; a connection that is lost takes it along."""
    link, theirs = live(pair)
    assert link.pings.delay() is None
    link.ping()
    clock[0] += 0.25

    answer(link, theirs.recv(1000))

    assert link.pings.delay() == 0.25
    assert link.pings.measured == 1000.25
    link.lose()
    assert link.pings.delay() is None


def test_an_answer_that_does_not_come_takes_longer_and_longer(
    pair: MakePair, clock: list[float]
) -> None:
    """From the first Ping without one, however often it is asked again."""
    link, theirs = live(pair)
    link.ping()
    clock[0] += 0.25
    answer(link, theirs.recv(1000))

    for _ in range(5):
        link.ping()
        clock[0] += 2.0

    assert link.pings.delay() == 10.0
    answer(link, theirs.recv(10000))
    assert link.pings.delay() == 2.0


def test_one_that_was_just_asked_tells_nothing_yet(pair: MakePair, clock: list[float]) -> None:
    """Nor does a second of silence."""
    link, _ = live(pair)
    link.ping()
    clock[0] += 0.5

    assert link.pings.delay() is None
    clock[0] += 1.0
    assert link.pings.delay() == 1.5
