# SPDX-License-Identifier: GPL-2.0-or-later
"""The console under load: 1 000 calls, 5 000 devices, 500 changes a second.

A light measure here; with ASTMANPROXY_LOAD=1 it takes a minute, and measures the memory as well.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.console import scene
from tests.console.keys import heap, show
from tests.console.stage import Stage
from tests.support import wait_until
from tests.system.web.browser_support import needs_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser

pytestmark = needs_browser

#: Counts tasks over 50 ms, and keeps their lengths.
WATCH = """
window.tasks = [];
new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.duration)))
  .observe({ type: 'longtask', buffered: false });
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A large company."""
    with Stage(scene.crowd()) as started:
        yield started


@pytest.fixture(scope="module")
def browser(stage: Stage, chromium: Browser) -> Browser:
    """Its console, with the list of devices open."""
    chromium.renew()
    show(chromium, 1440, 900)
    chromium.go(f"{stage.url}#/now?devices=all")
    wait_until(lambda: chromium.find_all(".t-devices .rows .row"), 20)
    return chromium


class Changes(threading.Thread):
    """Changes calls and devices, *rate* a second, in ten portions a second as the proxy does."""

    def __init__(self, stage: Stage, rate: int) -> None:
        super().__init__(daemon=True)
        self._stage, self._rate = stage, rate
        self._over = threading.Event()
        self.told = 0

    def run(self) -> None:
        """Tell changes until it is over."""
        chooser = random.Random(1)
        while not self._over.wait(0.1):
            rows: dict[str, dict[str, Any]] = {"calls": {}, "devices": {}}
            for _ in range(self._rate // 10):
                kind = chooser.choice(("calls", "devices"))
                key = chooser.choice([*self._stage.rows[kind]])
                state = chooser.choice(scene.STATES if kind == "calls" else scene.DEVICE_STATES)
                row = {**self._stage.rows[kind][key], "state": state, "since": time.time()}
                rows[kind][key] = row
            self.told += sum(map(len, rows.values()))
            self._stage.tell_rows(rows)

    def stop(self) -> None:
        """Tell no more."""
        self._over.set()
        self.join(10)


def longest_tasks(stage: Stage, browser: Browser, changes: int) -> list[float]:
    """Return the tasks over 50 ms while so many *changes* are told, 500 a second."""
    browser.run(WATCH)
    teller = Changes(stage, 500)
    teller.start()
    try:
        wait_until(lambda: teller.told >= changes, changes / 100)
    finally:
        teller.stop()
    found: list[float] = browser.run("return window.tasks")
    return found


def test_under_load_only_what_is_in_sight_is_in_the_document(
    stage: Stage, browser: Browser
) -> None:
    """At most 60 rows of each table; and it is drawn as it changes."""
    longest_tasks(stage, browser, 600)

    for table in ("calls", "devices"):
        assert 5 < len(browser.find_all(f".t-{table} .rows .row")) <= 60
    assert browser.run("return document.querySelector('.t-calls').ariaRowCount") == "1001"
    key, row = next(iter(stage.rows["calls"].items()))
    stage.set("calls", key, **{**row, "from_number": "4711", "started": time.time()})
    wait_until(
        lambda: "4711" in browser.run("return document.querySelector('.t-calls').innerText"), 5
    )


@pytest.mark.soak
@pytest.mark.skipif("ASTMANPROXY_LOAD" not in os.environ, reason="long: set ASTMANPROXY_LOAD")
@pytest.mark.timeout(0)
def test_no_task_is_long_and_the_memory_stays(stage: Stage, browser: Browser) -> None:
    """None over 100 ms in 30 000 changes; the heap under 60 MB, and no larger than before."""
    longest_tasks(stage, browser, 3000)
    before = heap(browser)

    tasks = longest_tasks(stage, browser, 30_000)

    after = heap(browser)
    assert max(tasks, default=0) < 100, tasks
    assert after < 60
    assert after < before + 3, (before, after)
