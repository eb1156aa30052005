# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers of other proxies are an edge's, as long as one of them has them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from amiproxy.bus.members import Member, PublicSpec
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.bus.edges import GRACE, MOST, Edges

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = 1
PBX1 = PublicSpec("192.0.2.10", 5038, "pbx1", "on")
PBX2 = PublicSpec("pbx2.example", 5039, "", "call")


def member(slot: int, *servers: PublicSpec) -> Member:
    return Member(slot, f"proxy:{slot}", servers={each.scope: each for each in servers})


class Stage:
    """An edge, its clock, and what the cluster is."""

    def __init__(self) -> None:
        self.now = 100.0
        self.joined = True
        self.members: list[Member] = []
        self.learnt: list[ServerSpec] = []
        self.refused: list[tuple[ServerSpec, str]] = []
        self.edges = Edges(
            OWN, lambda: self.members, lambda: self.joined, self.learn, now=lambda: self.now
        )

    def learn(self, specs: Sequence[ServerSpec]) -> list[tuple[ServerSpec, str]]:
        self.learnt = [*specs]
        return self.refused

    def after(self, seconds: float) -> list[str]:
        """Return what is known then."""
        self.now += seconds
        self.edges.tend()
        return [spec.scope for spec in self.learnt]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_server_is_known_as_its_host_line_says_but_not_how_to_log_in(stage: Stage) -> None:
    """By name, host and port; without a user this proxy can never connect to it."""
    stage.members = [member(OWN), member(2, PBX2, PBX1)]

    assert stage.after(0) == ["pbx1", "pbx2.example:5039"]
    assert stage.learnt[0] == ServerSpec("192.0.2.10", 5038, "", "", "on", name="pbx1")
    assert stage.learnt[1] == ServerSpec("pbx2.example", 5039, "", "", "call")


def test_what_this_proxy_says_itself_does_not_count(stage: Stage) -> None:
    """Else a server would keep itself."""
    stage.members = [member(OWN, PBX1)]

    assert stage.after(0) == []


def test_a_server_stays_while_one_proxy_has_it_and_for_a_while_after_the_last(stage: Stage) -> None:
    """Who is started anew finds all as it was."""
    stage.members = [member(2, PBX1), member(3, PBX1)]
    stage.after(0)
    stage.members = [member(3, PBX1)]
    assert stage.after(2 * GRACE) == ["pbx1"]
    stage.members = []

    assert stage.after(GRACE - 1) == ["pbx1"]
    assert stage.after(2) == []


def test_while_the_bus_is_away_nothing_goes(stage: Stage) -> None:
    """Nobody knows who is there; the time counts from when it is back."""
    stage.members = [member(2, PBX1)]
    stage.after(0)
    stage.members, stage.joined = [], False
    assert stage.after(10 * GRACE) == ["pbx1"]
    stage.joined = True

    assert stage.after(GRACE - 1) == ["pbx1"]
    assert stage.after(2) == []


@pytest.mark.parametrize(
    "public",
    [
        PublicSpec("192.0.2.10", 5038, "Pbx 1", "on"),
        PublicSpec("192.0.2.10", 5038, "PBX1", "on"),
        PublicSpec("a\\b", 5038, "pbx1", "on"),
        PublicSpec("", 5038, "pbx1", "on"),
        PublicSpec("192.0.2.10", 5038, "pbx1", "everything"),
    ],
)
def test_what_no_host_line_could_say_is_left_out(stage: Stage, public: PublicSpec) -> None:
    """Whoever can write to the bus may say anything."""
    stage.members = [member(2, public, PBX2)]

    assert stage.after(0) == ["pbx2.example:5039"]


def test_no_more_than_a_bound_are_taken_over(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Each has a thread; the log says so once."""
    many = [PublicSpec("192.0.2.10", 5038, f"pbx{number}", "on") for number in range(MOST + 5)]
    stage.members = [member(2, *many)]

    with caplog.at_level(logging.WARNING):
        assert len(stage.after(0)) == MOST
        stage.after(1)

    [line] = caplog.messages
    assert line == f"bus: the cluster has more than {MOST} servers: the others are left out"


def test_one_that_could_be_taken_for_another_is_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """With what to do."""
    stage.members = [member(2, PBX1)]
    stage.refused = [(ServerSpec("192.0.2.10", 5038, "", "", name="pbx1"), "because")]

    with caplog.at_level(logging.WARNING):
        stage.after(0)
        stage.after(1)

    assert caplog.messages == ["bus: server pbx1 of the cluster is not taken over: because"]
