# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows a user sees: those whose events he would see."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.visibility import View
from amiproxy.settings.usersfile import read_users
from amiproxy.state.table import Row
from amiproxy.threads.state.rights import Reader, judge
from simulator.behaviour import Behaviour
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.threads.state.support import Program, read, rows, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.calls import Call
    from tests.threads.state.support import Item

USERS = """
[general]
[anna]
secret = x
read = all
write = all
channel = PJSIP/101-
[bert]
secret = x
read = all
write = all
channel = PJSIP/101-
more_events = yes
[carl]
secret = x
read = all
write = all
channel = PJSIP/102-
[wall]
secret = x
read = all
write = all
eventfilter = Queue: support
[all]
secret = x
read = all
write = all
"""


@pytest.fixture
def asterisk() -> Iterator[SimulatedAsterisk]:
    """One whose calls last until somebody hangs up."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0.05, talk=FOREVER)
    with SimulatedAsterisk(behaviour=behaviour) as one:
        yield one


@pytest.fixture
def calls(asterisk: SimulatedAsterisk) -> list[Call]:
    """Two calls: 101 talks with 102, 105 with 106."""
    made = [asterisk.call(f"PJSIP/{one}", "answered", exten=str(one + 1)) for one in (101, 105)]
    wait_until(lambda: sum(bool(each.bridge) for each in asterisk.exchange.channels) == 4)
    return made


@pytest.fixture
def program(asterisk: SimulatedAsterisk, calls: list[Call]) -> Iterator[Program]:
    """A proxy with the users above."""
    del calls
    users, _ = read_users(USERS, "users")
    with Program(asterisk, users=users, auth_required=True) as program:
        yield program


def names(found: list[Item], event: str, header: str) -> set[str]:
    """Return what the rows of *event* say in *header*, without what is behind a last dash."""
    return {one[header].rpartition("-")[0] or one[header] for one in rows(found, event).values()}


def test_a_user_of_a_channel_sees_its_calls_whole_and_their_ends(
    program: Program, calls: list[Call]
) -> None:
    """Both legs and the bridge; no other call, no queue; then both hang up."""
    with program.client("Username: anna", "Secret: x") as client:
        found = snapshot(client)
        assert names(found, "ProxyChannel", "Name") == {"PJSIP/101", "PJSIP/102"}
        assert len(rows(found, "ProxyCall")) == len(rows(found, "ProxyBridge")) == 1
        assert names(found, "ProxyDevice", "Device") == {"PJSIP/101"}
        assert not rows(found, "ProxyQueue")
        assert {one["Interface"] for one in rows(found, "ProxyMember").values()} <= {
            "PJSIP/101", "Local/101@agents/n",
        }  # fmt: skip
        # As by his events: with more_events also what belongs to no channel.
        calls[1].hang_up()
        assert calls[1].finished.wait(5)
        calls[0].hang_up()
        over: set[str] = set()
        while len(over) < 2:
            item = read(client)
            assert "PJSIP/105" not in item.get("Channel", "")
            if item["Event"] == "Hangup":
                over.add(item["Channel"].rpartition("-")[0])
        assert over == {"PJSIP/101", "PJSIP/102"}


def test_what_happens_next_in_a_call_that_was_shown_is_shown(
    program: Program, calls: list[Call]
) -> None:
    """Also at its other end, of which nothing was known but by the snapshot."""
    link = program.proxy.router.servers[0]

    def is_quiet() -> bool:
        before = link.place
        time.sleep(0.2)
        return link.place == before

    wait_until(is_quiet)  # else an event may tell of it
    with program.client("Username: carl", "Secret: x") as client:
        assert names(snapshot(client), "ProxyChannel", "Name") == {"PJSIP/101", "PJSIP/102"}
        calls[0].hang_up()
        item = read(client)
        assert item["Channel"].startswith("PJSIP/101-")
        assert item["Event"] == "VarSet"  # no Newchannel again


@pytest.mark.parametrize("kind", ["bridges", "conferences"])
def test_strangers_in_a_conference_are_not_shown(kind: str) -> None:
    """Who sees one of its channels alone does not see it: it is told with all that are in it."""
    calls = SessionFilter(User("anna", "x", channel="PJSIP/101-"), "off")
    shows = judge(Reader(View(filtered=True), calls), [])
    head = ("Event: BridgeListItem", "Privilege: call,all", "BridgeUniqueid: b")
    own, other = ("Channel: PJSIP/101-1", "Uniqueid: 1"), ("Channel: PJSIP/105-1", "Uniqueid: 5")

    assert not shows(kind, Row("b", {}, Message.of(*head, *own, *other)))
    assert shows("channels", Row("b", {}, Message.of(*head, *own)))
    shows = judge(Reader(View(filtered=True), calls, frozenset("1")), [])
    assert shows(kind, Row("b", {}, Message.of(*head, *own)))


def test_more_events_shows_what_belongs_to_no_channel(program: Program) -> None:
    """Queues too; but no other's call."""
    with program.client("Username: bert", "Secret: x") as client:
        found = snapshot(client)
    assert names(found, "ProxyChannel", "Name") == {"PJSIP/101", "PJSIP/102"}
    assert "support" in {one["Queue"] for one in rows(found, "ProxyQueue").values()}


def test_an_eventfilter_makes_a_wall_of_one_queue(program: Program) -> None:
    """Nothing but rows of that queue; the server is told of all the same."""
    with program.client("Username: wall", "Secret: x") as client:
        found = snapshot(client)
    kinds = {one["Event"] for one in found[1:-1]}
    assert kinds == {"ProxyServer", "ProxyQueue", "ProxyMember"}
    assert {one["Queue"] for one in found[2:-1]} == {"support"}


def test_what_a_client_has_chosen_for_its_events_is_not_about_rows(program: Program) -> None:
    """With Events: off, and with a filter of its own, it is shown all."""
    with program.client("Username: all", "Secret: x", "Events: off") as client:
        client.ask("Action: Filter", "Operation: Add", "Filter: Event: Nothing")
        found = snapshot(client)
    assert len(rows(found, "ProxyChannel")) == 4
    assert rows(found, "ProxyQueue")


def test_readers_of_equal_rights_share_what_is_chosen(program: Program) -> None:
    """A hundred wall boards that ask at once are one choice, and one text of each row."""
    link = program.proxy.router.servers[0]
    with program.client("Username: wall", "Secret: x") as client:
        snapshot(client)
    follower = program.followers.follower(link)
    assert follower is not None
    one, two = follower.want(["queues"]), follower.want(["members"])
    first, second = one.wait(5), two.wait(5)
    assert first is not None
    assert first is second


def test_over_http_in_any_format(asterisk: SimulatedAsterisk, calls: list[Call]) -> None:
    """One request: the same list, as JSON."""
    del calls
    with Program(asterisk, input_format="http") as program:
        port = program.config.listen_port
        url = f"http://127.0.0.1:{port}/?ProxyAction=Snapshot&Of=channels&format=json&ActionID=7"
        with urllib.request.urlopen(url, timeout=15) as answer:
            assert answer.status == 200
            found = json.loads(answer.read())
    assert found[0]["ProxyResponse"] == "Success"
    assert found[0]["ProxyEventID"].count(".") == 1
    channels = [one for one in found if one.get("Event") == "ProxyChannel"]
    assert len(channels) == 4
    assert {one["ActionID"] for one in found} == {"7"}
    assert found[-1]["ListItems"] == "5"
