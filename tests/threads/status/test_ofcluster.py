# SPDX-License-Identifier: GPL-2.0-or-later
"""The cluster as its proxies say: seen by the observer, told to load balancers and Prometheus."""

from __future__ import annotations

import json

import pytest

from amiproxy.settings.config import ServerSpec
from amiproxy.status.clustervalues import ALONE, CUT_OFF, JOINED
from amiproxy.threads.metrics.collecting import collect
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.status.observer import Observer
from amiproxy.threads.status.ofcluster import cluster_status
from tests.metrics.parsing import Samples, read
from tests.threads.fakebus import HERE, THERE, FakeBus, FakeMember, on_bus
from tests.threads.web.test_client import Stage, stage

__all__ = ["stage"]  # fixture


def test_who_is_in_no_cluster_says_none(stage: Stage) -> None:
    """And the observer looks no further."""
    assert cluster_status(stage.context) is None
    assert Observer(stage.context, wait=lambda _: None).status().cluster is None


def test_each_server_has_its_holder_and_its_readers(stage: Stage) -> None:
    """Times in seconds; servers that only others know of are told as well."""
    on_bus(stage.context, FakeBus())

    found = Observer(stage.context, wait=lambda _: None).status().cluster

    assert found is not None
    assert (found.proxy, found.state, found.sent) == ("kiel:4711", JOINED, 1200)
    assert [each.name for each in found.members] == ["bonn:12", "kiel:4711"]
    assert found.clients == 39 + stage.context.admission.clients
    servers = {each.server: each for each in found.servers}
    assert (servers["pbx:5038"].holder, servers["pbx:5038"].epoch) == ("", 0)
    assert (servers["pbx1"].holder, servers["pbx1"].epoch) == ("kiel:4711", 65536)
    assert [(each.proxy, each.lag) for each in servers["pbx1"].readers] == [("bonn:12", 0.012)]


def test_who_is_alone_holds_its_servers_itself(stage: Stage) -> None:
    """Whatever was known of the others."""
    on_bus(stage.context, FakeBus(state=ALONE))

    found = cluster_status(stage.context)

    assert found is not None
    assert {each.holder for each in found.servers} == {"kiel:4711"}


def test_what_went_wrong_is_told_with_when_it_was_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So an alarm ends, though the count does not fall."""
    bus = on_bus(stage.context, FakeBus())
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def ago() -> float | None:
        found = cluster_status(stage.context)
        assert found is not None
        return found.trouble_ago

    assert ago() is None
    bus.overruns = 1
    assert ago() == 0.0
    now[0] += 60
    assert ago() == 60.0
    bus.dropped = 1
    assert ago() == 0.0


@pytest.mark.parametrize(("state", "status"), [(JOINED, 200), (CUT_OFF, 503), (ALONE, 200)])
def test_who_is_cut_off_is_not_ready(stage: Stage, state: str, status: int) -> None:
    """A load balancer sends its clients elsewhere; to restart it would not help."""
    on_bus(stage.context, FakeBus(state=state))

    for path in ("/readyz", "/readyz?server=pbx"):
        found = stage.get(path)
        assert found.status == status
        told = json.loads(found.body)["status"]
        assert told == ("ok" if status == 200 else "cut off from the bus")
    assert stage.get("/healthz").status == 200


def told(stage: Stage) -> Samples:
    """Return what a scrape says."""
    return read(collect(stage.context).text())


def test_prometheus_is_told_of_the_bus_where_there_is_one(stage: Stage) -> None:
    """By server: whether it is held, and here; how late it is, in seconds."""
    assert b"astmanproxy_bus_" not in collect(stage.context).text()
    router = stage.context.router
    names = ("here", "there", "nobodys")
    specs = [ServerSpec("h", 5038, "u", "s", name=name) for name in names]
    router.servers = tuple(AsteriskLink(spec, router.ids) for spec in specs)
    here = FakeMember(HERE, "k", 3, ("here",), {"there": 250})
    bus = on_bus(stage.context, FakeBus(here, FakeMember(THERE, "b", 39, ("there",))))
    bus.queued, bus.overruns = 4096, 2

    found = told(stage)

    assert found["astmanproxy_bus_up",] == 1
    assert found["astmanproxy_bus_cut_off",] == 0
    assert found["astmanproxy_bus_members",] == 2
    assert found["astmanproxy_bus_queue_bytes",] == 4096
    assert found["astmanproxy_bus_overruns_total",] == 2
    held = [found["astmanproxy_bus_held", "server", name] for name in names]
    holds = [found["astmanproxy_bus_holds", "server", name] for name in names]
    assert (held, holds) == ([1, 1, 0], [1, 0, 0])
    assert found["astmanproxy_bus_lag_seconds", "server", "there"] == 0.25
    assert ("astmanproxy_bus_lag_seconds", "server", "here") not in found


def test_prometheus_is_told_that_it_is_cut_off(stage: Stage) -> None:
    """Who goes on alone is without the bus as well, and serves."""
    bus = on_bus(stage.context, FakeBus(state=CUT_OFF))
    assert [told(stage)[name,] for name in ("astmanproxy_bus_up", "astmanproxy_bus_cut_off")] == [
        0,
        1,
    ]
    bus.state = ALONE
    assert [told(stage)[name,] for name in ("astmanproxy_bus_up", "astmanproxy_bus_cut_off")] == [
        0,
        0,
    ]
