# SPDX-License-Identifier: GPL-2.0-or-later
"""Watching a proxy in this process: what is told is what there is, from the first moment on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.state.calls import graph
from amiproxy.threads.state.watching import WATCHED, WatchError, watch
from simulator.behaviour import Behaviour
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.threads.state.support import Program
from tests.threads.state.watcher import Watcher, session

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def asterisk() -> Iterator[SimulatedAsterisk]:
    """One whose calls last until somebody hangs up."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0.05, talk=FOREVER)
    with SimulatedAsterisk(behaviour=behaviour) as one:
        yield one


@pytest.fixture(scope="module")
def program(asterisk: SimulatedAsterisk) -> Iterator[Program]:
    """A proxy before it."""
    with Program(asterisk) as program:
        yield program


def test_a_call_is_told_as_it_goes(
    asterisk: SimulatedAsterisk, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins, is answered, ends: each as a change; then it is gone, with the cause."""
    monkeypatch.setattr(graph, "KEPT", 0.5)
    with Watcher(program.context, WATCHED) as watcher:
        wait_until(lambda: watcher.copy.whole == {"", "pbx1"})
        wait_until(lambda: watcher.row("servers", "pbx1")["state"] == "live")
        call = asterisk.call("PJSIP/101", "answered", exten="102")
        wait_until(lambda: [row["state"] for row in watcher.rows("calls").values()] == ["talking"])
        (key,) = watcher.rows("calls")
        assert key.startswith("pbx1/")
        row = watcher.row("calls", key)
        assert (row["from_number"], row["to_number"], row["server"]) == ("101", "102", "pbx1")
        assert len(watcher.rows("channels")) == 2
        wait_until(lambda: watcher.row("totals", "pbx1")["calls_talking"] == 1)
        call.hang_up()
        wait_until(lambda: not watcher.rows("channels"))
        wait_until(lambda: watcher.rows("calls")[key]["state"] == "ended")
        wait_until(lambda: not watcher.rows("calls"))
        told = [each["del"]["calls"] for each in watcher.documents("change")
                if "calls" in each.get("del", {})]  # fmt: skip
        assert told == [{key: {"cause": 16, "text": "Normal Clearing", "merged_into": None}}]


def test_what_cannot_be_watched_is_said(program: Program) -> None:
    """Kinds that do not exist; and without state nothing but the servers."""
    client = session(program.context)
    sink = Watcher(program.context, ["servers"])
    sink.watch.end()
    with pytest.raises(WatchError, match=r"^Unknown kind 'cals'; there are servers, totals, calls"):
        watch(program.context, client, ["cals"], {}, sink)
