# SPDX-License-Identifier: GPL-2.0-or-later
"""ServerFacts: what an Asterisk has said of itself, and nothing that it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.linkrecord import LinkRecord
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.serverfacts import look, server_facts
from amiproxy.threads.standing import Standing

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


class Clock:
    """What time it is: monotonic, and unix time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.unix = 1000.0, 1.8e9
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("time.time", lambda: self.unix + self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that stands."""
    return Clock(monkeypatch)


@pytest.fixture
def link() -> AsteriskLink:
    """Return a link without a connection."""
    return AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), ActionIds())


def booted(link: AsteriskLink, *headers: str) -> None:
    """Have *link* be live, where FullyBooted has *headers*."""
    publisher = Publisher(link, Router(SessionRegistry()))
    said = [Message.of("Event: FullyBooted", *headers)] if headers else []
    Standing(link, publisher).begin(said, tell=False)


def test_nothing_is_known_of_what_has_said_nothing(link: AsteriskLink, clock: Clock) -> None:
    """Unknown is None, not 0; without a log-in that reads system there is no FullyBooted."""
    booted(link)
    booted(link, "Status: Fully Booted")  # Asterisk 11
    booted(link, "Uptime: -1")
    booted(link, "Uptime: " + "9" * 400)

    facts = server_facts(link)
    assert {*facts} - {clock.unix + 1000.0} == {None, 0}  # but when it was last heard


def test_an_asterisk_that_began_anew_is_noticed(link: AsteriskLink, clock: Clock) -> None:
    """By its uptime, which rounds; a lost connection is no restart, a step of the clock neither."""
    booted(link, "Uptime: 600")
    clock.now += 50
    clock.unix += 3600  # the clock was set
    booted(link, "Uptime: 649")
    assert server_facts(link)[3:5] == (clock.unix + 401.0, 0)

    booted(link, "Uptime: 2")

    assert server_facts(link)[3:5] == (clock.unix + 1048.0, 1)
    later = LinkRecord()
    later.follow(link.record)
    assert (later.restarts, later.booted) == (1, 1048.0)


def test_the_clock_of_asterisk_is_compared_half_way(
    pair: MakePair, link: AsteriskLink, clock: Clock
) -> None:
    """Between a Ping and its answer; what is no number tells nothing; a loss forgets it."""
    transport, theirs = pair()
    link.open(transport)
    link.go_live()
    for timestamp, offset in ((f"{clock.unix + 993.9:.6f}", 6.2), ("nan", 6.2), ("9" * 99, 6.2)):
        look(link, stale=-1.0)
        lines = theirs.recv(9999).decode().split("\r\n")
        (action_id,) = [line for line in lines[lines.index("Action: Ping") :]
                        if line.startswith("ActionID")]  # fmt: skip
        clock.now += 0.2
        link.classify([Message.of("Response: Success", action_id, f"Timestamp: {timestamp}")])
        assert server_facts(link).ping_seconds == pytest.approx(0.2)
        assert server_facts(link).clock_offset == pytest.approx(offset)
        clock.now += 1.0

    link.lose()
    assert server_facts(link)[7:9] == (None, None)


def test_who_looks_asks_what_is_old(pair: MakePair, link: AsteriskLink, clock: Clock) -> None:
    """Which Asterisk it is once, a Ping each 15 s; and what it says of itself is told."""
    transport, theirs = pair()
    link.open(transport)
    link.go_live()
    look(link)
    first = theirs.recv(9999).decode()
    assert first.count("Action: ") == 2
    ids = [line for line in first.split("\r\n") if line.startswith("ActionID")]
    said = ("AsteriskVersion: 22.1.0", "SystemName: phones-b")
    link.classify([Message.of("Response: Success", each, *said) for each in ids])
    look(link)
    clock.now += 15.5
    look(link)

    assert theirs.recv(9999).decode().count("Action: Ping\r\n") == 1
    assert server_facts(link)[:2] == ("22.1.0", "phones-b")


def test_when_it_is_tried_again(link: AsteriskLink, clock: Clock) -> None:
    """As unix time; of one that is connected nothing, and nothing of the past."""
    link.record.down("refused", "refused", 7.0)
    assert server_facts(link).next_try == clock.unix + 1007.0
    clock.now += 8
    assert server_facts(link).next_try is None
