# SPDX-License-Identifier: GPL-2.0-or-later
"""What Snapshot tells is what a real Asterisk's own lists say: in each flow, and after it."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.asterisk import present
from tests.asterisk.flows.everything import FLOWS
from tests.asterisk.proxies import start_proxy
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.asterisk.present import Headers, Present
    from tests.asterisk.world import World
    from tests.support import ManagerClient

pytestmark = pytest.mark.real_asterisk

#: Seconds without an event, after which Asterisk's lists and events agree.
QUIET = 0.3


class Watcher:
    """A client of a proxy that keeps what there is now."""

    def __init__(self, world: World, client: ManagerClient) -> None:
        self.world, self._client = world, client
        #: How often it has compared in the middle of a flow.
        self.compared = 0
        self.wrong: list[str] = []
        self._marks = itertools.count(1)

    def snapshot(self) -> list[Headers]:
        """Return the rows there are."""
        self._client.send("ProxyAction: Snapshot", "ActionID: now")
        found: list[Headers] = []
        while not found or found[-1].get("Event") != "ProxySnapshotComplete":
            item = present.headers(self._client.read_message())
            if item.get("ActionID") == "now":
                found.append(item)
        return found

    def told(self) -> Present:
        """Return what a Snapshot says."""
        return present.told(self.snapshot())

    def look(self, where: str) -> None:
        """Compare now, if nothing changes; a list may be ahead of an event, for a moment."""
        found: list[str] = []
        for _ in range(4):
            self._catch_up()
            before = self.told()
            asked = present.listed(self.world.admin)
            if before == self.told():
                found = present.differences(before, asked)
                self.compared += 1
                if not found:
                    return
        self.wrong += [f"{where}: {one}" for one in found]

    def _catch_up(self) -> None:
        """Wait until the proxy has what Asterisk has sent so far: a direct client may be quicker."""
        text = self.world.mark(f"look-{next(self._marks)}")
        self._client.read_until(f"Text: {text}")

    def wait_quiet(self) -> None:
        """Wait until no event has come for a moment."""
        while True:
            position = self.world.direct.position
            time.sleep(QUIET)
            if self.world.direct.position == position:
                return


@pytest.fixture(scope="module")
def watcher(world: World) -> Iterator[Watcher]:
    """A client of a proxy that is live."""
    proxy = start_proxy(world.asterisk, "state = yes\nautofilter = unique\n")
    try:
        with proxy.client() as client:
            client.read_line()
            client.ask("Action: Events", "EventMask: user")
            one = Watcher(world, client)
            wait_until(lambda: "live" in [row.get("State") for row in one.snapshot()], 20)
            yield one
    finally:
        proxy.kill()


@pytest.mark.parametrize("name", FLOWS)
def test_a_snapshot_is_what_asterisks_lists_say(
    world: World, watcher: Watcher, figures: Figures, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind each event that a flow waits for, if all is quiet just then; and after the flow."""
    watcher.wrong.clear()
    heard = world.heard

    def heard_and_looked(event: str, **begins: Any) -> Lines:
        found = heard(event, **begins)
        watcher.look(f"at {event}")
        return found

    monkeypatch.setattr(world, "heard", heard_and_looked)
    with world.window(name):
        FLOWS[name](world)
    watcher.wait_quiet()

    last = present.differences(watcher.told(), present.listed(world.admin))
    assert (watcher.wrong, last) == ([], [])
    figures.counts["snapshots compared with lists in the middle of flows"] += watcher.compared
    watcher.compared = 0
