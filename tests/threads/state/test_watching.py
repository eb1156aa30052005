# SPDX-License-Identifier: GPL-2.0-or-later
"""Watching a proxy in this process: what is told is what there is, from the first moment on."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User
from amiproxy.routing.classes import AGENT
from amiproxy.state.calls import graph
from amiproxy.threads.state import serverrows
from amiproxy.threads.state.watching import WATCHED, WatchError, watch
from simulator.behaviour import Behaviour
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.threads.state.support import Program, server
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
        assert tuple(watcher.row("servers", "pbx1")) == ("server", *serverrows.FIELDS)
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


def test_a_loss_is_one_document_and_the_return_a_snapshot(
    asterisk: SimulatedAsterisk, program: Program
) -> None:
    """Rows are not told anew when the server is lost; who comes then is told that they are old."""
    with Watcher(program.context, WATCHED) as watcher:
        wait_until(lambda: watcher.copy.whole == {"", "pbx1"})
        wait_until(lambda: watcher.row("servers", "pbx1")["state"] == "live")
        before, told = len(watcher.documents("snapshot")), len(watcher.documents("change"))
        asterisk.stop(reset=True)
        wait_until(lambda: [each["state"] for each in watcher.documents("server")][-1:] == ["lost"])
        wait_until(lambda: watcher.row("servers", "pbx1")["state"] == "lost")
        lost = watcher.documents("server")[-1]
        assert (lost["server"], lost["reason"]) == (
            "pbx1",
            watcher.row("servers", "pbx1")["reason"],
        )
        changed = {kind for each in watcher.documents("change")[told:] for kind in each["set"]}
        assert changed <= {"servers", "totals"}
        assert watcher.rows("members")
        with Watcher(program.context, ["members"]) as late:
            wait_until(lambda: "pbx1" in late.copy.whole)
            assert {row["stale"] for row in late.rows("members").values()} == {True}
        asterisk.start()
        wait_until(lambda: watcher.row("servers", "pbx1")["state"] == "live")
        wait_until(lambda: len(watcher.documents("snapshot")) == before + 1)
        states = [each["state"] for each in watcher.documents("server")]
        assert states[-2:] == ["building", "live"]
        assert not any("stale" in row for row in watcher.rows("members").values())


def test_who_lags_is_told_nothing_until_it_takes_more(
    asterisk: SimulatedAsterisk, program: Program
) -> None:
    """And then all there is, from servers too; a snapshot goes on where it was refused."""
    with Watcher(program.context, WATCHED) as watcher:
        wait_until(lambda: watcher.copy.whole == {"", "pbx1"})
        watcher.takes = False
        wait_until(lambda: watcher.watch.lags)
        call = asterisk.call("PJSIP/103", "answered", exten="104")
        told = len(watcher.told)
        wait_until(lambda: len(asterisk.exchange.channels) == 2)
        watcher.takes = True
        assert len(watcher.told) == told
        watcher.watch.resync()
        wait_until(lambda: len(watcher.rows("channels")) == 2)
        assert watcher.copy.whole == {"", "pbx1"}
        call.hang_up()


def test_other_rights_are_told_anew(program: Program) -> None:
    """A gap says so; then comes what the user may see now. Who must log in again sees nothing."""
    everything, agents = User("x", "x"), User("x", "x", read=AGENT)
    with Watcher(program.context, ["queues", "devices"], everything) as watcher:
        wait_until(lambda: bool(watcher.rows("devices") and watcher.rows("queues")))
        program.context.registry.log_in(watcher.session, agents, None)
        wait_until(lambda: not watcher.rows("devices") and "pbx1" in watcher.copy.whole)
        assert [each["reason"] for each in watcher.documents("gap")] == ["filter_change"]
        wait_until(lambda: bool(watcher.rows("queues")))
        program.context.registry.log_out(watcher.session)
        wait_until(lambda: not watcher.rows("queues"))


def test_servers_that_come_and_go_are_told(program: Program) -> None:
    """One that is added is watched too; one that is dropped takes its rows with it."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP")) as other,
        Watcher(program.context, ["servers", "queues"], where={"server": ["PBX2"]}) as watcher,
    ):
        wait_until(lambda: "" in watcher.copy.whole)
        assert not watcher.rows("servers")
        servers = program.config.servers
        program.reload(servers=(*servers, server(other, "pbx2")))
        wait_until(lambda: bool(watcher.rows("queues")))
        assert {row["server"] for row in watcher.rows("queues").values()} == {"pbx2"}
        wait_until(lambda: [*watcher.rows("servers")] == ["pbx2"])
        elsewhere = dataclasses.replace(server(other, "pbx2"), host="localhost")
        program.reload(servers=(*servers, elsewhere))
        wait_until(lambda: [*program.proxy.router.servers][-1].spec == elsewhere)
        wait_until(lambda: watcher.rows("servers").get("pbx2", {}).get("state") == "live")
        for each in watcher.documents("change"):
            told = each.get("set", {}).get("servers", ())
            assert not {*told} & {*each.get("del", {}).get("servers", ())}
        program.reload(servers=servers)
        wait_until(lambda: not watcher.rows("queues") and not watcher.rows("servers"))


def test_a_server_that_goes_while_a_client_lags_takes_its_rows_with_it(program: Program) -> None:
    """The client is told so when it takes more."""
    behaviour = Behaviour(technology="PJSIP")
    with (
        SimulatedAsterisk(behaviour=behaviour) as other,
        Watcher(program.context, ["queues"]) as watcher,
    ):
        servers = program.config.servers
        program.reload(servers=(*servers, server(other, "pbx2")))

        def names() -> set[str]:
            return {row["server"] for row in watcher.rows("queues").values()}

        wait_until(lambda: names() == {"pbx1", "pbx2"})
        watcher.takes = False
        program.reload(servers=servers)
        wait_until(lambda: watcher.watch.lags)
        followers = program.followers.there().values()
        wait_until(lambda: [one.is_alive for one in followers].count(True) == 1)
        watcher.takes = True
        watcher.watch.resync()
        wait_until(lambda: names() == {"pbx1"})


def test_without_state_the_servers_alone_are_told(program: Program) -> None:
    """When a reload takes the state away its rows go, and come again with it."""
    with Watcher(program.context, ["servers", "queues"]) as watcher:
        wait_until(lambda: bool(watcher.rows("queues")))
        program.reload(state=False)
        wait_until(lambda: not watcher.rows("queues"))
        with pytest.raises(WatchError, match="write state = yes"):
            watch(program.context, watcher.session, ["queues"], {}, watcher)
        wait_until(lambda: watcher.row("servers", "pbx1")["state"] == "connected")
        with Watcher(program.context, ["servers"]) as other:
            wait_until(lambda: [*other.rows("servers")] == ["pbx1"])
        program.reload(state=True)
        wait_until(lambda: bool(watcher.rows("queues")))


def test_nobody_who_watches_leaves_nothing(program: Program) -> None:
    """No thread for that, and the model notes nothing more."""
    with Watcher(program.context, WATCHED) as watcher:
        wait_until(lambda: watcher.copy.whole == {"", "pbx1"})
        follower = program.followers.there()[program.proxy.router.servers[0]]
        assert follower.board.is_watched
    wait_until(lambda: not any(one.name == "watches" for one in threading.enumerate()))
    wait_until(lambda: not follower.board.is_watched)
