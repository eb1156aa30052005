# SPDX-License-Identifier: GPL-2.0-or-later
"""``/v1/cluster``, and the command ``show cluster``."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from amiproxy.access.user import Users
from amiproxy.status.documents import document as told_of
from amiproxy.threads.control.table import perform
from amiproxy.threads.rest.operating import ENDPOINTS
from amiproxy.threads.sessions.cluster import Told
from amiproxy.threads.sessions.numbers import BITS
from amiproxy.threads.status.observer import Observer
from tests.status.samples import CLIENT
from tests.threads.fakebus import HERE, THERE, FakeBus, on_bus
from tests.threads.rest.support import ask, document, problem
from tests.threads.web.test_client import JOE, Stage, guarded, stage

__all__ = ["guarded", "stage"]  # fixtures


class Program:
    """Of a program nothing but who looks."""

    def __init__(self, stage: Stage) -> None:
        self.observer = Observer(stage.context, wait=lambda _: None)


def operated(stage: Stage, *actions: str) -> Stage:
    """Let joe call the ProxyActions *actions*."""
    users = stage.context.users
    joe = dataclasses.replace(users["joe"], proxyactions=frozenset(map(str.lower, actions)))
    stage.context.users = Users({**users, "joe": joe}, general=users.general)
    stage.context.program = cast("Any", Program(stage))
    return stage


def test_the_cluster_is_for_who_may_call_its_proxyaction(guarded: Stage) -> None:
    """As it is in the status; 404 where there is none."""
    operated(guarded)
    assert problem(ask(guarded, "GET", "/v1/cluster", authorization=JOE)) == (403, "not-permitted")
    operated(guarded, "ShowCluster")
    assert problem(ask(guarded, "GET", "/v1/cluster", authorization=JOE)) == (404, "not-found")
    on_bus(guarded.context, FakeBus())

    found = document(ask(guarded, "GET", "/v1/cluster", authorization=JOE))["cluster"]

    (described,) = [each for each in ENDPOINTS if each.path == "/v1/cluster"]
    schema = described.answers[200].schema
    assert schema is not None
    assert set(found) == set(schema["properties"]["cluster"]["properties"])
    assert [each["name"] for each in found["members"]] == ["bonn:12", "kiel:4711"]


def test_the_command_shows_the_cluster(stage: Stage) -> None:
    """No wider than the terminal; who has no bus is told how to get one."""
    stage.context.program = cast("Any", Program(stage))
    refused = perform(stage.context, "show cluster", "root")
    assert not refused.is_good
    assert list(refused.lines) == [
        "this proxy is in no cluster: bus in astmanproxy.conf names none"
    ]
    on_bus(stage.context, FakeBus())

    lines = list(perform(stage.context, "show cluster", "root", 60).lines)

    assert lines[0].startswith("cluster astmanproxy: joined as kiel:4711, 2 proxies")
    assert max(map(len, lines)) <= 60
    told: Any = perform(stage.context, "show cluster", "root").document
    assert told["slot"] == "0e3v0"


def test_clients_of_other_proxies_are_listed(guarded: Stage) -> None:
    """By ``?proxy=``; who does not answer is in the list."""
    operated(guarded, "ShowClients")
    bus = on_bus(guarded.context, FakeBus())
    bus.answers[THERE, "show clients"] = Told(True, (), [told_of(CLIENT)])

    def clients(proxy: str) -> Any:
        found = ask(guarded, "GET", f"/v1/clients?proxy={proxy}", authorization=JOE)
        return document(found)["clients"]

    (row,) = clients("bonn:12")
    assert (row["proxy"], row["user"]) == ("bonn:12", "wallboard")
    assert clients("cluster")[0]["proxy"] == "bonn:12"
    bus.answers.clear()
    assert clients("bonn") == [{"proxy": "bonn:12", "error": "does not answer"}]
    found = ask(guarded, "GET", "/v1/clients?proxy=x", authorization=JOE)
    assert problem(found) == (404, "not-found")


def test_a_client_of_another_proxy_is_ended(guarded: Stage) -> None:
    """By its number; one that nobody can have is not looked for."""
    operated(guarded, "Kick")
    bus = on_bus(guarded.context, FakeBus())
    number = THERE << BITS | 7
    bus.answers[THERE, f"kick {number}"] = Told(True, ("kicked",))

    def kicked(number: int) -> int:
        return ask(guarded, "DELETE", f"/v1/clients/{number}", authorization=JOE).status

    assert kicked(number) == 204
    assert kicked(number + 1) == 422
    assert kicked(HERE << BITS | 7) == 404
    assert len(bus.orders) == 2
