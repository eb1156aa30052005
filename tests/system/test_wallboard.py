# SPDX-License-Identifier: GPL-2.0-or-later
"""The wall board of samples/: whatever is cut, killed and restarted, it never shows a wrong call."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.settings.usersfile import read_users
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.system.wallboards import Board, Relay, Truth, shown, standing, wrong
from tests.threads.state.support import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERS = """
all=secret
phone=secret,PJSIP/101
[queue]
secret = secret
read = all
eventfilter = Queue: support
"""
#: Calls a second at each Asterisk, and how many times as long as recorded ones they take.
RATE, SCALE = 8.0, 0.2


@pytest.fixture
def truths() -> Iterator[list[Truth]]:
    """Two Asterisks with calls."""
    with contextlib.ExitStack() as stack:
        found = []
        for name, speak, phones in (("pbx1", "22", "PJSIP"), ("pbx2", "11", "SIP")):
            behaviour = Behaviour(speak=speak, technology=phones, time_scale=SCALE)
            asterisk = stack.enter_context(SimulatedAsterisk(behaviour=behaviour))
            found.append(Truth(asterisk, name))
        yield found


@pytest.fixture
def program(truths: list[Truth]) -> Iterator[Program]:
    """A proxy before both."""
    users, _ = read_users(USERS, "users")
    asterisks = (one.asterisk for one in truths)
    with Program(
        *asterisks, users=users, auth_required=True, server_events=True, replay=4 << 20
    ) as program:
        yield program


def test_it_never_shows_a_wrong_call(program: Program, truths: list[Truth], tmp_path: Path) -> None:
    """Killed, cut off, an Asterisk restarted: in quiet moments each shows what is there for it."""
    port = program.config.listen_port
    with (
        Relay(port) as relay,
        Board(relay.port, "all:secret", tmp_path / "all.json") as board,
        Board(port, "queue:secret", tmp_path / "queue.json") as queue,
        Board(port, "phone:secret", tmp_path / "phone.json") as phone,
    ):
        board.wait_for(lambda one: standing(one, "pbx2") == "live", "the first picture")
        boards = {board: Truth.calls, queue: Truth.calls_of_queue, phone: Truth.calls_of_phone}

        def go_through(*accidents: Callable[[], None]) -> None:
            for truth in truths:
                truth.begin(RATE)
            time.sleep(0.5)
            for accident in accidents:
                accident()
            time.sleep(0.2)
            with truths[0].quiet(), truths[1].quiet():
                for each, sees in boards.items():
                    each.wait_for(partial(is_right, truths, sees), f"what {sees.__name__} are")

        go_through(board.again, queue.again, phone.again)
        go_through(relay.cut)
        assert any(one["problem"].startswith("Cut off: ") for one in board.pictures)
        assert not board.pictures[-1]["missing"]
        truths[0].stop()
        board.wait_for(lambda one: standing(one, "pbx1") == "lost", "pbx1 is lost")
        truths[0].start()
        go_through()
        assert board.pictures[-1]["missing"]

    assert [wrong(one, each) for one in board.pictures for each in truths if wrong(one, each)] == []


def is_right(
    truths: list[Truth], sees: Callable[[Truth], dict[str, str]], picture: dict[str, Any]
) -> bool:
    """Return whether *picture* is of what a client *sees*, and has counted each caller once."""
    calls = all(shown(picture, truth.name) == sees(truth) for truth in truths)
    counts = {what: number for truth in truths for what, number in truth.counts.items()}
    return calls and (sees is Truth.calls_of_phone or picture["counts"] == counts)
