# SPDX-License-Identifier: GPL-2.0-or-later
"""The cluster in the status: said where there is one, and not a byte where there is none."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from amiproxy.status.alarms import of_cluster
from amiproxy.status.clustervalues import (
    ClusterStatus,
    HoldingStatus,
    MemberStatus,
    ReaderStatus,
)
from amiproxy.status.documents import document, status_of
from amiproxy.status.page import page
from tests.status.samples import TOTALS, status

KIEL = MemberStatus("00abc", "kiel:4711", "kiel", 4711, "3.0.0", "joined", False, 1e9, 3, ("pbx1",))
BONN = dataclasses.replace(KIEL, slot="00xyz", name="bonn:12", clients=39, holds=())
CLUSTER = ClusterStatus(
    name="astmanproxy",
    slot="00abc",
    proxy="kiel:4711",
    state="joined",
    problem="",
    members=(KIEL, BONN),
    servers=(
        HoldingStatus("pbx1", "kiel:4711", "00abc", 65536, (ReaderStatus("bonn:12", 0.0012),)),
        HoldingStatus("pbx2", "", "", 0, ()),
    ),
    clients=42,
    queued=0,
    sent=1200,
    dropped=0,
    overruns=0,
)


def found(most: int | None = None, **changes: Any) -> list[str]:
    cluster = dataclasses.replace(CLUSTER, **changes)
    totals = dataclasses.replace(TOTALS, clients=3, most_clients=most)
    return [f"{each.severity}: {each.text}" for each in of_cluster(cluster, totals)]


def test_a_cluster_comes_back_as_it_was() -> None:
    """All of it, whatever it went through."""
    there = dataclasses.replace(status(), cluster=CLUSTER)

    assert status_of(json.loads(json.dumps(document(there)))) == there


def test_who_has_no_bus_is_told_nothing_of_one() -> None:
    """Programs that read the status find what they always found."""
    assert "cluster" not in document(status())
    assert not any("cluster" in line for line in page(status()))


def test_the_page_shows_the_proxies_and_who_holds_what() -> None:
    """And who is how late."""
    lines = page(dataclasses.replace(status(), cluster=CLUSTER))
    at = next(n for n, line in enumerate(lines) if line.startswith("cluster"))

    assert lines[at] == (
        "cluster astmanproxy: joined as kiel:4711, 2 proxies, 42 clients; nothing waits,"
        " 1200 entries sent, 0 dropped, 0 overruns"
    )
    assert lines[at + 2].split() == ["kiel:4711", "00abc", "joined", "3", "3.0.0", "pbx1"]
    assert lines[at + 6].split() == ["pbx1", "kiel:4711", "65536", "1.2ms", "bonn:12", "1.2ms"]
    assert lines[at + 7].split() == ["pbx2", "nobody", "-", "-", "-"]


def test_what_a_member_is_called_does_not_control_the_terminal() -> None:
    """It comes from another machine."""
    evil = dataclasses.replace(KIEL, name="\x1b[2Jx", holds=("\x9b1m",))
    lines = page(
        dataclasses.replace(
            status(), cluster=dataclasses.replace(CLUSTER, members=(evil,), proxy="a\nb")
        )
    )

    assert all(line.isprintable() for line in lines)


def test_there_is_no_alarm_where_all_is_well() -> None:
    """Nor where there is no cluster."""
    assert found() == []
    assert found(overruns=2, dropped=7, trouble_ago=4000.0) == []
    assert list(of_cluster(None, TOTALS)) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"state": "cut off", "problem": "Connection refused"},
            "error: cut off from the bus: Connection refused; no Asterisk is served before",
        ),
        ({"state": "alone"}, "warning: without the bus; this proxy goes on alone"),
        (
            {"overruns": 2, "trouble_ago": 60.0},
            "warning: the bus took too slowly what it was sent: 2 times",
        ),
        ({"dropped": 7, "trouble_ago": 0.0}, "warning: 7 entries of the bus could not be read"),
        ({"most": 45}, "warning: 42 of 45 clients are connected in the cluster (maxclients)"),
        (
            {
                "servers": (
                    HoldingStatus(
                        "pbx1", "k", "s", 1, (ReaderStatus("a", 2.5), ReaderStatus("b", 3.0))
                    ),
                )
            },
            "warning: events of server pbx1 come 3.0s late at proxy b and 1 more",
        ),
    ],
)
def test_each_alarm(changes: dict[str, Any], text: str) -> None:
    """It says what is wrong, and what follows."""
    (alarm,) = found(**changes)

    assert alarm.startswith(text)
