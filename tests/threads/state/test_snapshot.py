# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyAction Snapshot, in this process: a simulated Asterisk, real sockets."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User, Users
from amiproxy.routing.classes import CALL
from amiproxy.threads.state import answer, follower
from amiproxy.threads.state.looking import Looked
from amiproxy.threads.state.picture import Picture
from simulator.behaviour import Behaviour
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import BareServer, read_block
from tests.threads.state.support import Program, read, rows, snapshot

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator


@pytest.fixture
def asterisk() -> Iterator[SimulatedAsterisk]:
    """One with PJSIP phones, who are quick."""
    with SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP", time_scale=0.1)) as one:
        yield one


def test_the_first_who_asks_is_told_what_asterisks_lists_say(asterisk: SimulatedAsterisk) -> None:
    """Live, with a row for each queue and member; a list in AMI's words."""
    with Program(asterisk) as program, program.client() as client:
        found = snapshot(client, "Of: queues, members")

    assert found[0].pop("ProxyEventID")
    assert found[0] == {
        "ProxyResponse": "Success", "EventList": "start", "Message": "Snapshot follows",
        "ActionID": "snap",
    }  # fmt: skip
    (server,) = rows(found, "ProxyServer").values()
    assert (server["Server"], server["State"]) == ("pbx1", "live")
    assert "Unknown" not in server
    assert sorted(rows(found, "ProxyQueue")) == ["one", "sales", "support"]
    members = rows(found, "ProxyMember")
    assert len(members) == 10
    (anna,) = [one for one in members.values() if one["Interface"] == "PJSIP/103"]
    assert (anna["Server"], anna["Queue"], anna["Name"]) == ("pbx1", "support", "Agent Anna")
    assert (anna["Paused"], anna["State"]) == ("no", "free")
    assert found[-1]["ListItems"] == str(len(found) - 2)


def test_of_asterisk_11_too() -> None:
    """Calls with their channels, members of queues; bridges and phones follow from other lists."""
    behaviour = Behaviour(speak="11", technology="SIP", time_scale=0.05, talk=FOREVER)
    with SimulatedAsterisk(behaviour=behaviour) as asterisk:
        asterisk.call("SIP/101", "answered", exten="102")
        wait_until(lambda: sum(one.peer is not None for one in asterisk.exchange.channels) == 2)
        talking = {one.name for one in asterisk.exchange.channels}
        with Program(asterisk) as program, program.client() as client:
            found = snapshot(client)
    channels = {one["Name"] for one in rows(found, "ProxyChannel").values()}
    assert channels == talking
    assert len(rows(found, "ProxyCall")) == 1
    assert len(rows(found, "ProxyMember")) == 8
    assert rows(found, "ProxyBridge")
    assert rows(found, "ProxyDevice")
    server = rows(found, "ProxyServer")["pbx1"]
    assert server["State"] == "live"
    assert "Unknown" not in server


def test_errors_say_what_is_wrong(asterisk: SimulatedAsterisk) -> None:
    """An unknown kind, an unknown server."""
    with Program(asterisk) as program, program.client() as client:
        (error,) = snapshot(client, "Of: queues, tables")
        assert error["Message"].startswith("Unknown kind 'tables' in Of; there are calls, channels")
        (error,) = snapshot(client, "Server: elsewhere")
        assert error["Message"] == "Server elsewhere is not known"
        client.send("ProxyAction: Snapshot", f"ActionID: {'x' * 256}")
        assert read(client)["Message"].startswith("The ActionID is too long: each row bears it")
        (error,) = snapshot(client, "Wait: a bit")
        assert error["Message"] == "Wait is no number of seconds"


def test_without_the_key_nothing_is_started_nor_kept(asterisk: SimulatedAsterisk) -> None:
    """The error says which key; there is no thread, no ring."""
    with Program(asterisk, state=False) as program, program.client() as client:
        (error,) = snapshot(client)
        assert "state = yes" in error["Message"]
        assert not [one for one in threading.enumerate() if one.name.startswith("state-")]
        assert program.proxy.router.servers[0].ring.limit == 0


def test_a_reload_without_the_key_ends_it(asterisk: SimulatedAsterisk) -> None:
    """The thread leaves, and the ring with it; with the key it begins again."""
    with Program(asterisk) as program, program.client() as client:
        assert len(snapshot(client)) > 10
        program.reload(state=False)
        wait_until(lambda: not any(one.is_alive for one in program.followers.there().values()))
        assert program.proxy.router.servers[0].ring.limit == 0
        (error,) = snapshot(client)
        assert "state = yes" in error["Message"]
        program.reload(state=True)
        assert len(snapshot(client)) > 10


def test_too_many_rows_are_none(asterisk: SimulatedAsterisk) -> None:
    """Over statelimit the state says so; a larger one helps at once."""
    with Program(asterisk, state_limit=5) as program, program.client() as client:
        found = snapshot(client)
        assert [one.get("State") for one in found[1:-1]] == ["too large"]
        program.reload(state_limit=5000)
        wait_until(lambda: len(snapshot(client)) > 10)


def test_who_may_not_see_agents_sees_no_queues(asterisk: SimulatedAsterisk) -> None:
    """Nor is anybody told of a server that is not the user's."""
    users = Users({
        "calls": User("calls", "x", read=CALL),
        "elsewhere": User("elsewhere", "x", servers=frozenset(["pbx9"])),
    })  # fmt: skip
    with Program(asterisk, users=users) as program:
        with program.client("Username: calls", "Secret: x") as client:
            found = snapshot(client)
            assert rows(found, "ProxyServer")
            assert not rows(found, "ProxyQueue")
            assert not rows(found, "ProxyMember")
        with program.client("Username: elsewhere", "Secret: x") as client:
            assert [one.get("Event") for one in snapshot(client)[1:]] == ["ProxySnapshotComplete"]
            (error,) = snapshot(client, "Server: pbx1")
            assert error["Message"] == "Server pbx1 is not known"


def test_a_server_that_is_lost_keeps_its_rows_and_is_read_anew(
    asterisk: SimulatedAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost, with the rows of before, for a time; after the connect they are those of the lists."""
    with Program(asterisk) as program, program.client() as client:
        assert len(rows(snapshot(client), "ProxyMember")) == 10
        link = program.proxy.router.servers[0]
        asterisk.shutdown()
        wait_until(lambda: not link.connected)
        found = snapshot(client)
        assert rows(found, "ProxyServer")["pbx1"]["State"] == "lost"
        assert len(rows(found, "ProxyMember")) == 10
        monkeypatch.setattr(follower, "SHOWN", 0.0)
        wait_until(lambda: not rows(snapshot(client), "ProxyMember"))
        assert rows(snapshot(client), "ProxyServer")["pbx1"]["State"] == "lost"
        asterisk.start()
        wait_until(lambda: link.connected)
        found = snapshot(client)
        assert rows(found, "ProxyServer")["pbx1"]["State"] == "live"
        assert len(rows(found, "ProxyMember")) == 10


def test_a_picture_says_how_the_model_was_when_it_was_made(asterisk: SimulatedAsterisk) -> None:
    """Live, if it has all rows; what has become of the model since is not in it."""
    with Program(asterisk) as program, program.client() as client:
        assert rows(snapshot(client), "ProxyServer")["pbx1"]["State"] == "live"
        (one,) = program.followers.there().values()
        picture = Picture("pbx1", (1, 1), {}, {}, ("building", 5.0), 6.0)
        told = answer._server_row(Looked(one.link, one, picture)).raw  # noqa: SLF001

    assert b"\r\nState: building\r\nSince: 5.000\r\n" in told


def test_who_does_not_want_to_wait_is_told_that_it_is_being_built(
    asterisk: SimulatedAsterisk,
) -> None:
    """At once, and again."""
    asterisk.answer("QueueStatus", b"")  # none
    with Program(asterisk) as program, program.client() as client:
        for _ in range(2):
            begun = time.monotonic()
            found = snapshot(client, "Wait: 0")
            assert rows(found, "ProxyServer")["pbx1"]["State"] == "building"
            assert time.monotonic() - begun < 4


def test_the_status_tells_how_it_is(asterisk: SimulatedAsterisk) -> None:
    """Nothing before the first snapshot; then the state, rows, and what went wrong."""
    with Program(asterisk) as program, program.client() as client:
        record = program.proxy.router.servers[0].record
        assert record.model == ""
        snapshot(client)
        assert record.model == "live"
        assert record.model_rows > 10
        assert record.model_gaps == record.model_corrections == 0


def test_events_that_are_missed_have_it_begin_anew(asterisk: SimulatedAsterisk) -> None:
    """As when they are more than the ring holds: all lists are asked again, and that is counted."""
    with Program(asterisk) as program, program.client() as client:
        before = rows(snapshot(client), "ProxyMember")
        link = program.proxy.router.servers[0]
        asked = len(asterisk.actions("QueueStatus"))
        link.remember_for_state(1)  # nothing has room
        for number in range(100):
            asterisk.event("UserEvent", UserEvent=f"X{number}")
        wait_until(lambda: link.record.model_gaps > 0)
        # As long as events come that have no room it begins again.
        wait_until(lambda: rows(snapshot(client), "ProxyServer")["pbx1"]["State"] == "live", 60)
        assert rows(snapshot(client), "ProxyMember").keys() == before.keys()
        assert len(asterisk.actions("QueueStatus")) > asked


def test_a_list_that_is_refused_is_told(asterisk: SimulatedAsterisk) -> None:
    """Which kinds are not known, and why."""
    asterisk.answer("QueueStatus", b"Response: Error\r\nActionID: {ActionID}\r\n"
                    b"Message: Permission denied\r\n\r\n")  # fmt: skip
    with Program(asterisk) as program, program.client() as client:
        found = snapshot(client)
    server = rows(found, "ProxyServer")["pbx1"]
    assert server["State"] == "live"
    assert "queues (QueueStatus: Permission denied)" in server["Unknown"]


def test_nothing_of_it_is_imported_before_the_first_asks() -> None:
    """The program without a Snapshot has no part of it."""
    code = (
        "import sys, amiproxy.threads.proxy, amiproxy.threads.actions.dispatch\n"
        "print([one for one in sys.modules if 'amiproxy.state' in one or 'threads.state' in one])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def _list_devices(link: socket.socket) -> None:
    """Answer as an Asterisk with 2000 devices and nothing else, whose list comes bit by bit."""
    while True:
        _, name, action_id, *_ = (
            *(line.partition(": ")[2] for line in ("", *read_block(link))),
            "",
        )
        about = f"ActionID: {action_id}\r\n"
        if name == "ListCommands":
            link.sendall(
                f"Response: Success\r\n{about}DeviceStateList: .  (Priv: call,all)\r\n\r\n".encode()
            )
        elif name == "DeviceStateList":
            link.sendall(f"Response: Success\r\n{about}EventList: start\r\n\r\n".encode())
            for first in range(0, 2000, 100):
                time.sleep(0.002)
                items = (
                    f"Event: DeviceStateChange\r\n{about}Device: SIP/{first + each}\r\nState: BUSY\r\n\r\n"
                    for each in range(100)
                )
                link.sendall("".join(items).encode())
            link.sendall(
                f"Event: DeviceStateListComplete\r\n{about}EventList: Complete\r\nListItems: 2000\r\n\r\n".encode()
            )
        else:
            link.sendall(f"Response: Success\r\n{about}\r\n".encode())


def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of it is in memory; what else there is is known."""
    monkeypatch.setattr("amiproxy.threads.state.asking.MOST", 20_000)
    with BareServer(script=_list_devices) as server, Program(server) as one, one.client() as client:
        found = snapshot(client, "Of: devices")
    (row,) = rows(found, "ProxyServer").values()
    assert row["State"] == "live"
    assert "devices (DeviceStateList: the list is too long)" in row["Unknown"]


def test_a_list_longer_than_what_is_kept_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of it was dropped before it was read: then more is kept, and nothing is unknown."""
    monkeypatch.setattr(follower, "LEAST_RING", 400_000)
    monkeypatch.setattr(follower, "_QUICK", 0.2)  # it reads too late
    with BareServer(script=_list_devices) as server, Program(server) as one, one.client() as client:
        found = snapshot(client, "Of: devices")
    assert len(rows(found, "ProxyDevice")) == 2000
