# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that other proxies of the cluster have are beside the own ones."""

from __future__ import annotations

import dataclasses

import pytest

from amiproxy.settings.config import ServerSpec
from tests.threads.fakeservers import ONE, TWO, Stage


def known(host: str, name: str = "") -> ServerSpec:
    """Return a server of another proxy of the cluster."""
    return ServerSpec(host, 5038, "", "", "on", name=name)


PBX = known("192.0.2.9", "pbx")


def test_servers_of_the_cluster_come_behind_the_own_ones_and_go() -> None:
    """They are started, and told when they end; those that stay are left alone."""
    stage = Stage(ONE)
    other = known("192.0.2.8")

    assert stage.servers.learn([other, PBX]) == []
    assert stage.servers.learn([other, PBX]) == []
    assert stage.listed() == [ONE, other, PBX]
    assert stage.servers.learn([PBX]) == []

    assert stage.listed() == [ONE, PBX]
    assert stage.did() == [
        ["start"],
        ["start", "no proxy of the cluster has it any more"],
        ["start"],
    ]
    assert stage.made[1].told == "no longer configured"


def test_a_server_of_the_cluster_that_the_file_names_is_ours() -> None:
    """At once, and when a reload brings it; when that takes it away it comes back."""
    named = dataclasses.replace(ONE, name="pbx")
    stage = Stage(named)
    assert stage.servers.learn([PBX]) == []
    assert stage.listed() == [named]

    stage.reload(TWO)
    stage.servers.learn([PBX])
    assert stage.listed() == [TWO, PBX]

    stage.reload(named)
    assert stage.listed() == [named]


def test_a_reload_keeps_the_servers_of_the_cluster() -> None:
    """They are not in the file."""
    stage = Stage(ONE)
    stage.servers.learn([PBX])

    stage.reload(TWO)

    assert stage.listed() == [TWO, PBX]


@pytest.mark.parametrize(
    ("host", "name", "why"),
    [
        ("192.0.2.1", "pbx", "here it is called 192.0.2.1:5038; give it the same name= everywhere"),
        (
            "192.0.2.9",
            "192.0.2.1",
            "it could be taken for 192.0.2.1:5038; give one of them another",
        ),
    ],
)
def test_a_server_of_the_cluster_that_could_be_an_own_one_is_refused(
    host: str, name: str, why: str
) -> None:
    """Two leases for one Asterisk would be two connections."""
    stage = Stage(ONE)
    other = known(host, name)

    [(refused, because)] = stage.servers.learn([other, PBX])

    assert (refused, stage.listed()) == (other, [ONE, PBX])
    assert because.startswith(why)


def test_a_server_of_the_cluster_cannot_be_dropped_here() -> None:
    """It would come back at once."""
    stage = Stage(ONE)
    stage.servers.learn([PBX])

    assert not stage.servers.drop_server("pbx")
    assert stage.listed() == [ONE, PBX]


def test_none_is_learnt_once_all_are_stopped() -> None:
    """The cluster may say so still."""
    stage = Stage(ONE)
    stage.servers.stop("over")

    assert stage.servers.learn([PBX]) == []
    assert stage.listed() == [ONE]


def test_a_server_of_the_cluster_can_be_added_here() -> None:
    """Then this proxy can be connected to it as well; it stays when the others have it no more."""
    stage = Stage(ONE)
    stage.servers.learn([PBX])
    own = dataclasses.replace(PBX, user="ann", secret="secret")

    assert stage.servers.add_server(own)

    assert stage.servers.learn([PBX]) == []
    assert stage.listed() == [ONE, own]
    assert stage.made[1].did == ["start", "it is added here"]
    assert stage.servers.learn([]) == []
    assert stage.listed() == [ONE, own]
