# SPDX-License-Identifier: GPL-2.0-or-later
"""Alarms: each thing that an operator should know of, and silence where all is well."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from amiproxy.status.alarms import alarms, of_files
from amiproxy.status.values import RECONNECTED, ThreadStatus
from tests.status.samples import CLIENT, MEMORY, SERVER, TOTALS, client, server

MB = 1024 * 1024


def found(
    servers: Any = (SERVER,),
    clients: Any = (CLIENT,),
    memory: Any = MEMORY,
    threads: Any = (),
    **totals: Any,
) -> list[str]:
    every = alarms(servers, clients, dataclasses.replace(TOTALS, **totals), memory, threads)
    return [f"{each.severity}: {each.text}" for each in every]


def test_there_is_no_alarm_where_all_is_well() -> None:
    """Else nobody reads them."""
    assert found() == []
    assert found([server(lost=5.0, lost_because=RECONNECTED)]) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"servers": ()}, "error: no Asterisk is configured: add a host line"),
        (
            {
                "servers": [
                    server(state="waiting", since=200, problem="Connection refused", again_in=12)
                ]
            },
            "error: server pbx1.example.com:5038 has been down for 3m20s: Connection refused; tried again in 12s",
        ),
        (
            {"servers": [server(state="connecting", since=2)]},
            "error: server pbx1.example.com:5038 has been down for 2s",
        ),
        (
            {"servers": [server(state="given up", problem="Authentication failed")]},
            "error: server pbx1.example.com:5038 is given up: Authentication failed; mend that, then",
        ),
        (
            {"servers": [server(state="paused")]},
            "warning: server pbx1.example.com:5038 is paused: astmanproxy --control",
        ),
        (
            {"servers": [server(lost=720.0, lost_because="connection reset", losses=3)]},
            "warning: server pbx1.example.com:5038 was lost 12m00s ago (connection reset); 3 since the",
        ),
        (
            {"servers": [server(name="site", behind=("a", "b"), behind_lost=("b",))]},
            "warning: behind site, not connected there: b; ask that proxy why",
        ),
        (
            {"servers": [server(round_trip=7.5)]},
            "warning: server pbx1.example.com:5038 took 7.5s for a Ping",
        ),
        (
            {"threads": [ThreadStatus("asterisk-pbx1:5038", 1, 65.0, True, 1.0, None)]},
            "error: thread asterisk-pbx1:5038 has hung for 1m05s; the log says where",
        ),
        (
            {"clients": [client()], "most_clients": 45},
            "warning: 42 of 45 clients are connected (maxclients)",
        ),
        (
            {"memory": dataclasses.replace(MEMORY, descriptors=1000, most_descriptors=1024)},
            "warning: 1000 of 1024 descriptors are in use",
        ),
        (
            {"clients": [client(backlog=3 * MB)]},
            "warning: client 7 at 192.0.2.77:40312 (wallboard) has left 3.0M unread",
        ),
        ({"dropped_ago": 61.0}, "warning: a client was dropped 1m01s ago"),
        ({"log_lines_lost": 3}, "error: 3 lines of the log were lost: is its disk full?"),
    ],
)
def test_each_alarm(changes: dict[str, Any], text: str) -> None:
    """It says what is wrong, since when and why, and what to do."""
    (alarm,) = found(**changes)

    assert alarm.startswith(text)


def test_many_slow_clients_are_few_alarms() -> None:
    """They must not push all else off the page."""
    lines = found(clients=[client(number=n, backlog=n * MB) for n in range(1, 101)])

    assert len(lines) == 4
    assert "client 100 " in lines[0]
    assert lines[3] == "warning: 97 more clients leave much unread"


def test_what_is_wrong_with_the_files() -> None:
    """A reload that failed stays in sight until one succeeds: who asked for it may be gone."""
    problems = ["conf:3: x", "the configuration stays as it was"]

    found = list(of_files(problems, [], ["cert expires"]))

    assert found[0].severity == "error"
    assert found[0].text.startswith("the last reload failed: conf:3: x; astmanproxy -t ")
    assert (found[1].severity, found[1].text) == ("warning", "cert expires")
    assert list(of_files([], [], [])) == []


def test_a_problem_that_names_its_command_is_given_no_other_one() -> None:
    """A reload does not help against what waits for a restart."""
    (found,) = of_files(["conf:3: listen: x (astmanproxy --control restart)"], [], [])

    assert found.text.endswith("listen: x (astmanproxy --control restart)")


def test_what_a_reload_could_not_put_in_force_stays_in_sight() -> None:
    """As authrequired: who wrote it takes the proxy for closed, while it is open."""
    (found,) = of_files([], ["authrequired", "listenport"], [])

    assert found.severity == "warning"
    assert "authrequired, listenport; astmanproxy --control restart" in found.text
