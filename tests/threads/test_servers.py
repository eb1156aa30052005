# SPDX-License-Identifier: GPL-2.0-or-later
"""All servers: those of the file, those that are added, those that go."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.servers import MOST_ADDED, MOST_LEAVING
from tests.threads.fakeservers import ONE, THREE, TWO, Stage, spec

if TYPE_CHECKING:
    from amiproxy.settings.config import ServerSpec


def test_all_servers_of_the_file_are_started_in_its_order() -> None:
    """Two users at one Asterisk are two connections."""
    again = spec("192.0.2.1", user="bob")
    stage = Stage(ONE, TWO, again)

    assert stage.listed() == [ONE, TWO, again]
    assert stage.did() == [["start"]] * 3


def test_a_reload_keeps_what_stays_starts_what_is_new_and_stops_the_rest() -> None:
    """In the order of the new file; those that stay take its limits."""
    stage = Stage(ONE, TWO)

    stage.reload(THREE, TWO)

    assert stage.listed() == [THREE, TWO]
    assert stage.did() == [["start", "no longer configured"], ["start", "try now"], ["start"]]
    assert stage.made[1].config is stage.config


def test_a_reload_tries_again_what_was_given_up() -> None:
    """With a thread of its own: the other one has ended."""
    stage = Stage(ONE)
    stage.made[0].link.given_up = True

    stage.reload(ONE)

    assert stage.listed() == [ONE]
    assert len(stage.made) == 2


@pytest.mark.parametrize(
    "again",
    [
        lambda stage: stage.reload(ONE),
        lambda stage: stage.servers.add_server(ONE),
        lambda stage: stage.servers.reconnect(["192.0.2.1:5038"], "reconnect by root"),
    ],
    ids=["reload", "AddServer", "reconnect"],
)
def test_what_was_given_up_goes_on_counting_from_its_loss(again: Callable[[Stage], None]) -> None:
    """Clients are told how much they have missed, the status since when it is down."""
    stage = Stage(ONE)
    record = stage.made[0].link.record
    record.up()
    record.heard -= 1000
    record.lose("closed the connection")
    stage.made[0].link.given_up = True

    again(stage)

    (link,) = stage.router.servers
    assert link is not stage.made[0].link
    assert 1000 <= link.record.missing < 1100
    assert (link.record.losses, link.record.since) == (1, record.since)


def test_a_server_that_goes_is_told_of_and_the_stop_is_not() -> None:
    """The stop is told by a goodbye."""
    stage = Stage(ONE, TWO, THREE)

    stage.servers.drop_server("192.0.2.1")
    stage.reload(TWO)
    stage.servers.stop("over")

    assert [each.told for each in stage.made] == ["dropped", "", "no longer configured"]


def test_an_added_server_comes_last_and_outlives_a_reload() -> None:
    """Its address is known from the start, for whoever names it so."""
    stage = Stage(ONE)

    assert stage.servers.add_server(TWO)

    assert stage.listed() == [ONE, TWO]
    assert stage.made[1].link.address == "192.0.2.2"
    stage.reload(THREE)
    assert stage.listed() == [THREE, TWO]


@pytest.mark.parametrize(
    "why", [lambda stage: None, lambda stage: stage.servers.stop("over")], ids=["there", "stopped"]
)
def test_a_server_is_not_added_twice_nor_after_the_stop(why: Callable[[Stage], None]) -> None:
    """Host and port count, not the user."""
    stage = Stage(ONE)
    why(stage)

    assert not stage.servers.add_server(spec("192.0.2.1", user="bob"))
    assert stage.listed() == [ONE]


def test_adding_a_server_that_is_there_makes_it_try_now() -> None:
    """Whoever adds it knows that it is back."""
    stage = Stage(ONE, TWO)

    assert not stage.servers.add_server(ONE)

    assert stage.did()[:2] == [["start", "try now"], ["start"]]


def test_a_host_without_an_address_is_not_added() -> None:
    """Whatever is wrong with the name."""
    stage = Stage()

    assert not stage.servers.add_server(spec("no.such.host.invalid"))
    assert not stage.servers.add_server(spec("x" * 300))
    assert not stage.made


def test_adding_a_server_that_was_given_up_replaces_it() -> None:
    """With the right secret this time; the old one is in no list any more."""
    stage = Stage(ONE, TWO)
    stage.made[0].link.given_up = True
    better = dataclasses.replace(ONE, secret="right")

    assert stage.servers.add_server(better)

    assert stage.listed() == [TWO, better]


def test_a_dropped_server_is_stopped_and_a_reload_brings_back_the_files_only() -> None:
    """By host, address or host:port; the first that matches."""
    stage = Stage(ONE)
    stage.servers.add_server(TWO)

    assert stage.servers.drop_server("192.0.2.2:5038")
    assert stage.servers.drop_server("192.0.2.1")
    assert not stage.servers.drop_server("192.0.2.1")

    assert stage.listed() == []
    assert stage.did() == [["start", "Dropped"]] * 2
    stage.reload(ONE)
    assert stage.listed() == [ONE]


def test_who_drops_servers_faster_than_they_end_cannot_add_more() -> None:
    """Those that connect to nobody end when that has failed; until then each is a thread."""
    stage = Stage()
    for _ in range(MOST_LEAVING):
        assert stage.servers.add_server(ONE)
        stage.made[-1].is_alive = True
        stage.servers.drop_server("192.0.2.1")

    assert not stage.servers.add_server(ONE)
    assert stage.servers.drop_server("192.0.2.1") is False
    stage.made[0].is_alive = False
    assert stage.servers.add_server(ONE)


def test_clients_may_add_many_servers_but_not_any_number() -> None:
    """Those of the file do not count, and one that is dropped makes room."""
    stage = Stage(ONE)
    for port in range(MOST_ADDED):
        assert stage.servers.add_server(dataclasses.replace(TWO, port=6000 + port))

    assert not stage.servers.add_server(THREE)
    stage.servers.drop_server("192.0.2.2:6000")
    assert stage.servers.add_server(THREE)


def test_a_stop_stops_all_and_waits_for_those_with_a_connection_only() -> None:
    """One that is just connecting has nothing to send."""
    stage = Stage(ONE, TWO)

    stage.servers.stop("Shutdown")
    stage.servers.join(Deadline(None))

    assert stage.did() == [["start", "Shutdown"]] * 2


def test_servers_without_a_thread_are_asked_again() -> None:
    """Those that are there; one that runs does nothing then."""
    stage = Stage(ONE, TWO)
    stage.servers.drop_server("192.0.2.2")

    stage.servers.revive()

    assert stage.did() == [["start", "start", "refuse overdue"], ["start", "Dropped"]]


def test_a_reconnect_is_of_those_that_are_named() -> None:
    """One that was given up gets another thread."""
    stage = Stage(ONE, TWO, THREE)
    stage.made[1].link.given_up = True

    stage.servers.reconnect({"192.0.2.1:5038", "192.0.2.2:5038"}, "why")

    assert stage.listed() == [ONE, TWO, THREE]
    assert stage.did() == [["start", "why"], ["start"], ["start"], ["start"]]
    assert [link.given_up for link in stage.router.servers] == [False] * 3
    stage.servers.stop("over")
    stage.servers.reconnect({"192.0.2.1:5038"}, "why")
    assert stage.made[0].did == ["start", "why", "over"]


def test_a_reload_after_the_stop_changes_nothing() -> None:
    """Its files took long to read."""
    stage = Stage(ONE)
    stage.servers.stop("over")

    stage.reload(ONE, TWO)

    assert stage.did() == [["start", "over"]]


@pytest.mark.parametrize(
    ("there", "added", "is_added"),
    [
        (dataclasses.replace(ONE, name="a"), dataclasses.replace(TWO, name="a"), False),
        (dataclasses.replace(ONE, name="a"), dataclasses.replace(ONE, name="b"), True),
        (ONE, dataclasses.replace(TWO, name="192.0.2.1"), False),
        (dataclasses.replace(ONE, name="192.0.2.2"), TWO, False),
        (dataclasses.replace(ONE, name="a"), ONE, False),
    ],
)
def test_a_server_that_is_called_as_another_one_is_not_added(
    there: ServerSpec, added: ServerSpec, is_added: bool
) -> None:
    """An action for the one could go to the other."""
    stage = Stage(there)

    assert stage.servers.add_server(added) is is_added
    assert stage.listed() == [there, *[added] * is_added]
