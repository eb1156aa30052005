# SPDX-License-Identifier: GPL-2.0-or-later
"""The cluster in the Proxy tab."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.status.documents import document
from tests.console.axe import violations
from tests.console.keys import show
from tests.console.stage import Stage
from tests.status.samples import client, status
from tests.status.test_cluster import CLUSTER
from tests.support import wait_until
from tests.system.web.browser_support import ATTACK, needs_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser

pytestmark = needs_browser

_SERVER = {"name": "pbx1", "server": "pbx1", "state": "live", "since": 1.0}
_SHOWN = "return document.querySelector('.cluster').innerText"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stand-in for the proxy, whose user operates it."""
    may = ["ShowServers", "ShowClients", "ShowMemory", "ShowStats", "ListServers"]
    with Stage({"servers": {"pbx1": dict(_SERVER)}}, rights={"proxyactions": may}) as started:
        yield started


def opened(browser: Browser, stage: Stage, cluster: Any) -> None:
    """Open the Proxy tab of a proxy whose status has *cluster*."""
    found = document(status())
    if cluster is not None:
        found["cluster"] = cluster
    stage.documents["/v1/status"] = (200, found)
    stage.documents["/v1/clients"] = (200, {"clients": []})
    browser.renew()
    show(browser)
    browser.load(f"{stage.url}#/proxy")
    wait_until(lambda: "3.0.0" in browser.run("return document.body.innerText"), 10, "the status")


def test_the_proxies_and_who_holds_what_are_shown(chromium: Browser, stage: Stage) -> None:
    """And what another machine says of itself is no markup."""
    cluster = copy.deepcopy(document(CLUSTER))
    cluster["members"][1]["name"] = ATTACK

    opened(chromium, stage, cluster)

    wait_until(lambda: "nobody" in chromium.run(_SHOWN), 10, "the cluster")
    shown = chromium.run(_SHOWN)
    assert "Cluster astmanproxy: joined as kiel:4711" in shown
    assert "kiel:4711 (this one)" in shown
    assert ATTACK in shown
    assert "bonn:12 1.2\u202fms" in shown
    assert chromium.title != "ran"
    assert violations(chromium) == []
    assert chromium.complaints() == []


def test_the_clients_of_all_proxies_are_shown_on_request(chromium: Browser, stage: Stage) -> None:
    """With where they are; and who did not answer."""
    opened(chromium, stage, document(CLUSTER))
    row = {**document(client(number=2**50)), "proxy": "bonn:12"}
    silent = {"proxy": "ulm:3", "error": "does not answer"}
    stage.documents["/v1/clients"] = (200, {"clients": [row, silent]})
    box = "document.querySelector('#clients-everywhere')"
    wait_until(lambda: chromium.run(f"return {box}.checkVisibility()"), 10, "the choice")

    chromium.run(f"{box}.click()")

    rows = "return document.querySelector('section[aria-label=Clients] tbody').innerText"
    wait_until(lambda: "at bonn:12" in chromium.run(rows), 10, "the other's client")
    assert "ulm:3 does not answer" in chromium.run(rows)
    assert chromium.complaints() == []


def test_who_is_in_no_cluster_is_shown_none(chromium: Browser, stage: Stage) -> None:
    """The page is as it was."""
    opened(chromium, stage, None)

    assert not chromium.run("return document.querySelector('.cluster').checkVisibility()")
    choice = "document.querySelector('#clients-everywhere')"
    assert not chromium.run(f"return {choice}.checkVisibility()")
