# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that reach other proxies of the cluster, and what these may ask for."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from amiproxy.access.user import Users
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.status.clustervalues import ALONE
from amiproxy.status.documents import document
from amiproxy.threads.control.elsewhere import REACHABLE
from amiproxy.threads.control.table import COMMANDS, obey, perform
from amiproxy.threads.sessions import pausing
from amiproxy.threads.sessions.cluster import Told
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.numbers import BITS
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.status.observer import Observer
from tests.status.samples import CLIENT, MEMORY
from tests.threads.fakebus import HERE, THERE, FakeBus, FakeMember
from tests.threads.sessions.support import FORMATS, collector

if TYPE_CHECKING:
    from amiproxy.threads.control.command import Answer

_WHO = "root at kiel:4711"


class World:
    """A proxy without threads, in a cluster of two: it holds pbx1, the other one pbx2."""

    def __init__(self) -> None:
        router = Router(SessionRegistry())
        self.links = {
            name: AsteriskLink(ServerSpec("h", 5038, "u", "s", name=name), ActionIds())
            for name in ("pbx1", "pbx2", "pbx3")
        }
        router.servers = tuple(self.links.values())
        self.reconnected: list[set[str]] = []
        control = SimpleNamespace(reconnect=lambda names, _why: self.reconnected.append(names))
        self.context = ProxyContext(Config(), Users(), FORMATS, None, router, cast("Any", control))
        self.bus = FakeBus()
        self.context.bus = self.bus
        observer = Observer(self.context, wait=lambda _: None)
        self.context.program = cast("Any", SimpleNamespace(observer=observer))

    def ask(self, line: str) -> Answer:
        return perform(self.context, line, "root")

    def told(self, line: str, slot: int = THERE, **said: Any) -> None:
        """Have the proxy *slot* say something to *line*."""
        self.bus.answers[slot, line] = Told(**{"is_good": True, "lines": (), **said})


@pytest.fixture
def world() -> World:
    return World()


# -- kick -------------------------------------------------------------------------------------


def test_a_client_of_another_proxy_is_kicked_there(world: World) -> None:
    """By its number, which is there once in the cluster."""
    number = (THERE << BITS) + 7
    world.told(f"kick {number}", lines=("kicked client 192.0.2.1:1",))

    answer = world.ask(f"kick {number}")

    assert answer.is_good
    assert list(answer.lines) == ["kicked client 192.0.2.1:1 (at bonn:12)"]
    assert world.bus.orders == [((THERE,), f"kick {number}", _WHO)]


@pytest.mark.parametrize("number", [7, HERE << BITS | 7, 0x777 << BITS | 7, 10**18, 0])
def test_nobody_is_asked_about_a_client_that_nobody_can_have(world: World, number: int) -> None:
    """One of this proxy, of one that is not there any more, or none at all."""
    answer = world.ask(f"kick {number}")

    assert list(answer.lines) == [f"there is no client '{number}'"]
    assert world.bus.orders == []


def test_who_does_not_answer_is_named(world: World) -> None:
    """That is no success: who was to be kicked may still be there."""
    answer = world.ask(f"kick {THERE << BITS | 7}")

    assert not answer.is_good
    assert list(answer.lines) == ["bonn:12 does not answer"]


def test_a_user_is_kicked_everywhere(world: World) -> None:
    """Whoever has none of their sessions says so, which is no fault."""
    none = Told(False, ("no client is logged in as 'joe'",))
    world.bus.answers[THERE, "kick user joe"] = none
    assert list(world.ask("kick user joe").lines) == list(none.lines)
    session = collector()
    session.user = cast("Any", SimpleNamespace(name="joe"))
    world.context.registry.add(session)

    here = world.ask("kick user joe")
    world.told("kick user joe", lines=("kicked client x",))
    both = world.ask("kick user joe")

    assert (here.is_good, len(tuple(here.lines))) == (True, 1)
    assert (both.is_good, [*both.lines][1]) == (True, "kicked client x (at bonn:12)")


def test_a_user_may_still_be_where_nobody_answers(world: World) -> None:
    """So the operator is told, and the command fails."""
    answer = world.ask("kick user joe")

    assert not answer.is_good
    assert list(answer.lines) == ["bonn:12 does not answer"]


# -- pause, resume, reconnect -----------------------------------------------------------------


def test_a_server_is_paused_where_it_is_held(world: World) -> None:
    """Here, or by the other proxy."""
    world.told("pause pbx2", lines=("asterisk@pbx2: paused",))

    there, here = world.ask("pause pbx2"), world.ask("pause pbx1")

    assert next(iter(there.lines)) == "asterisk@pbx2: paused (at bonn:12)"
    assert next(iter(here.lines)) == "asterisk@pbx1: paused"
    assert there.is_good
    assert here.is_good
    assert [link.gate.is_shut for link in world.links.values()] == [True, False, False]
    assert world.bus.orders == [((THERE,), "pause pbx2", _WHO)]


def test_a_server_that_nobody_holds_cannot_be_paused(world: World) -> None:
    """It would be paused at a proxy that has nothing to do with it."""
    answer = world.ask("pause pbx3")

    assert not answer.is_good
    assert list(answer.lines) == ["asterisk@pbx3: no proxy holds it; try again"]
    assert not world.links["pbx3"].gate.is_shut


def test_a_server_is_resumed_wherever_it_was_paused(world: World) -> None:
    """Another proxy may have become its holder since."""
    pausing.pause(world.links["pbx2"])
    world.told("resume pbx2", lines=("asterisk@pbx2: resumed",))

    answer = world.ask("resume pbx2")

    assert not world.links["pbx2"].gate.is_shut
    assert answer.is_good
    assert len(tuple(answer.lines)) == 2


def test_all_servers_are_meant_without_a_name(world: World) -> None:
    """Each proxy does it for those that it holds."""
    world.told("reconnect", lines=("asterisk@pbx2: connecting anew",))
    world.bus.all = tuple(
        each._replace(holds=(*each.holds, "pbx3")) if each.slot == THERE else each
        for each in world.bus.all
    )

    answer = world.ask("reconnect")

    assert answer.is_good
    assert world.reconnected == [{"pbx1"}]
    assert world.bus.orders == [((THERE,), "reconnect", _WHO)]


def test_a_server_that_nobody_holds_is_tried_again_by_all(world: World) -> None:
    """Any of them may have given it up."""
    world.told("reconnect pbx3", lines=("asterisk@pbx3: connecting anew",))

    assert world.ask("reconnect pbx3").is_good
    assert world.reconnected == [{"pbx3"}]
    assert world.bus.orders == [((THERE,), "reconnect pbx3", _WHO)]


def test_who_is_alone_does_it_alone(world: World) -> None:
    """Without the bus each proxy is connected itself."""
    world.bus.state = ALONE

    world.ask("pause pbx2")

    assert world.links["pbx2"].gate.is_shut
    assert world.bus.orders == []


# -- show -------------------------------------------------------------------------------------


def _row(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = document(dataclasses.replace(CLIENT, **changes))
    return found


def test_the_clients_of_all_proxies_are_one_table(world: World) -> None:
    """With the proxy before each; the own proxy shows its own, if the bus brings nothing."""
    world.context.registry.add(collector())
    world.told("show clients", data=[_row(user="anna"), _row(user="berta")])

    answer = world.ask("show clients cluster")

    lines = [*answer.lines]
    assert answer.is_good
    assert [line.split()[0] for line in lines] == ["PROXY", "bonn:12", "bonn:12", "kiel:4711"]
    told: Any = answer.document
    assert [each["proxy"] for each in told] == ["bonn:12", "bonn:12", "kiel:4711"]
    assert told[0]["user"] == "anna"
    assert world.bus.orders == [((THERE, HERE), "show clients", _WHO)]


@pytest.mark.parametrize("word", ["bonn:12", "bonn", "00qp2"])
def test_one_proxy_can_be_asked(world: World, word: str) -> None:
    """By name, host or slot."""
    if word == "00qp2":
        word = world.context.program.observer.cluster().members[0].slot  # type: ignore[union-attr]
    world.told("show clients", data=[_row()])

    assert world.ask(f"show clients {word}").is_good
    assert world.bus.orders == [((THERE,), "show clients", _WHO)]
    assert world.ask("show clients kiel").is_good
    assert len(world.bus.orders) == 1


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"data": {"no": "list"}}, "its answer cannot be read"),
        ({"data": ["no row"]}, "a row is no object"),
        ({"data": [{**_row(), "age": "old"}]}, "age is of another type"),
        ({"data": [{**_row(), "events": float("nan")}]}, "events is of another type"),
        ({"data": [{**_row(), "events": True}]}, "events is of another type"),
        ({"is_good": False, "lines": ("no such command",)}, "no such command"),
    ],
)
def test_what_cannot_be_shown_is_told(world: World, said: dict[str, Any], problem: str) -> None:
    """Whatever another machine answers; the rest is shown."""
    world.told("show clients", **said)

    answer = world.ask("show clients cluster")

    assert not answer.is_good
    assert [*answer.lines][-1] == f"bonn:12: {problem}"
    told: Any = answer.document
    assert told == [{"proxy": "bonn:12", "error": problem}]


def test_figures_stand_below_the_name_of_their_proxy(world: World) -> None:
    """As text, and in JSON."""
    world.told("show memory", lines=("memory  48M",), data=document(MEMORY))

    answer = world.ask("show memory cluster")

    lines = [*answer.lines]
    told: Any = answer.document
    assert lines[:3] == ["bonn:12:", "  memory  48M", "kiel:4711:"]
    assert [each["proxy"] for each in told] == ["bonn:12", "kiel:4711"]
    assert told[0]["resident"] == MEMORY.resident
    world.bus.answers.clear()
    assert [*world.ask("show memory bonn").lines] == ["bonn:12: does not answer"]


def test_there_is_no_such_proxy(world: World) -> None:
    """Who may be meant is named; without a bus nobody is."""
    assert [*world.ask("show clients x").lines] == [
        "there is no proxy 'x' in the cluster; there is: bonn:12, kiel:4711, or cluster"
    ]
    world.context.bus = None
    assert [*world.ask("show threads cluster").lines] == [
        "this proxy is in no cluster: bus in astmanproxy.conf names none"
    ]


# -- what others may ask for ------------------------------------------------------------------


def test_another_proxy_may_ask_for_this_and_nothing_else(world: World) -> None:
    """No reload, no shutdown, no configuration, whoever writes to the bus."""
    assert set(COMMANDS) > REACHABLE
    for name in set(COMMANDS) - REACHABLE:
        told = obey(world.context, name, "evil")
        assert list(told.lines) == [f"'{name}' is nothing that another proxy may ask for"]
    assert obey(world.context, "kick", "evil") == Told(False, ("usage: kick N",))
    assert obey(world.context, "kick '", "evil") == Told(False, ("a quote is not closed",))
    assert not obey(world.context, "", "evil").is_good


def test_an_order_goes_no_further(world: World) -> None:
    """Else two proxies might ask each other for ever."""
    for line in (
        f"kick {THERE << BITS | 7}", "kick user joe", "pause pbx2", "resume",
        "reconnect pbx2", "show clients cluster",
    ):  # fmt: skip
        obey(world.context, line, "root at bonn:12")

    assert world.bus.orders == []
    assert not world.links["pbx2"].gate.is_shut


def test_an_order_is_answered_by_values(world: World) -> None:
    """Of a table no lines go: who shows it knows how wide it may be."""
    world.context.registry.add(collector())

    clients = obey(world.context, "show clients", "root at bonn:12")
    memory = obey(world.context, "show memory", "root at bonn:12")

    assert (clients.is_good, clients.lines, len(clients.data)) == (True, (), 1)
    assert memory.lines[0].startswith("memory ")
    assert memory.data["threads"] > 0


def test_an_order_for_a_server_that_has_moved_is_refused(world: World) -> None:
    """Who asked may ask the new holder."""
    told = obey(world.context, "pause pbx2", "root at bonn:12")

    assert told == Told(False, ("another proxy holds it now; try again",))
    assert obey(world.context, "pause pbx1", "root at bonn:12") == Told(
        True, ("asterisk@pbx1: paused",)
    )


def test_a_change_that_another_proxy_wants_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """With who asked there."""
    with caplog.at_level("INFO"):
        obey(world.context, "kick user joe", "root at bonn:12")

    assert "control: root at bonn:12: kick user joe" in caplog.text


def test_a_member_may_have_several_of_one_host(world: World) -> None:
    """A host names all proxies that run there."""
    world.bus.all = (*world.bus.all, FakeMember(0x33, "bonn:13", host="bonn"))
    world.told("show users", data=[])
    world.told("show users", 0x33, data=[])

    assert world.ask("show users bonn").is_good
    assert world.bus.orders == [((THERE, 0x33), "show users", _WHO)]
