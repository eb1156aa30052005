# SPDX-License-Identifier: GPL-2.0-or-later
"""The wall: what it shows, and that it runs for months."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.console.files import page
from tests.console.axe import violations
from tests.console.keys import show
from tests.console.stage import Stage
from tests.support import wait_until
from tests.system.web.browser_support import ATTACK, needs_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser

pytestmark = needs_browser

#: What a wall is told at once, to see whether it grows.
CHANGES = 100_000 if "ASTMANPROXY_LOAD" in os.environ else 20_000


def queue(
    name: str, server: str = "pbx1", wait: float | None = None, **more: Any
) -> dict[str, Any]:
    """Return a row of a queue, in which somebody has waited for *wait* seconds."""
    return {
        "server": server,
        "queue": name,
        "waiting": 0 if wait is None else 3,
        "longest_since": None if wait is None else time.time() - wait,
        "members": 2,
        "members_free": 1,
        "hour_answered": 38,
        "hour_in_level": 36,
        "hour_hung_up": 5,
        "hour_hung_up_short": 3,
        "hour_timed_out": 0,
        "hour_other": 0,
        "hour_complete": True,
        **more,
    }


@pytest.fixture(scope="module")
def started(chromium: Browser) -> Browser:
    """A browser that has forgotten what was before."""
    chromium.renew()
    return chromium


@pytest.fixture(scope="module")
def proxy() -> Iterator[Stage]:
    """A stand-in for the proxy."""
    with Stage() as one:
        yield one


@pytest.fixture
def stage(proxy: Stage) -> Stage:
    """A proxy with nothing there."""
    server = {"name": "pbx1", "server": "pbx1", "state": "live"}
    proxy.rows = {"servers": {"pbx1": server}, "queues": {}, "members": {}, "callers": {}}
    proxy.page = page()
    return proxy


@pytest.fixture
def browser(started: Browser, stage: Stage) -> Browser:
    """A screen of 1920 by 1080."""
    show(started, 1920, 1080)
    assert stage.url
    return started


def open_wall(browser: Browser, stage: Stage, query: str = "", *, boards: int = 1) -> None:
    """Open the wall, and wait until it has *boards*."""
    browser.load(f"{stage.url}wall?{query}")
    wait_until(lambda: len(seen(browser)) == boards, 10, f"{boards} boards")


def seen(browser: Browser) -> list[dict[str, str]]:
    """Return what is on the wall: name, class, and the four figures of each board."""
    found: list[dict[str, str]] = browser.run(
        "return [...document.querySelectorAll('.board')].filter((board) => !board.hidden)"
        ".map((board) => ({name: board.querySelector('h2').textContent, look: board.className,"
        " note: board.querySelector('.note').textContent,"
        " figures: [...board.querySelectorAll('.figure b')].map((b) => b.textContent).join(' ')}))"
    )
    return found


def test_a_wall_shows_the_queues_asked_for_in_their_order(browser: Browser, stage: Stage) -> None:
    """With their figures, by their own thresholds; one that is not there says so."""
    stage.rows["queues"] = {
        "pbx1/a": queue("support", wait=45),
        "pbx1/b": queue("sales", wait=45, hour_in_level=None),
        "pbx1/c": queue("other", wait=500),
        "pbx1/d": queue("vip", wait=500, members_free=0, hour_in_level=28, hour_complete=False),
    }

    open_wall(browser, stage, "queue=vip,support,sales,gone&warn.support=30", boards=4)

    vip, support, sales, gone = seen(browser)
    assert [each["name"] for each in seen(browser)] == ["vip", "support", "sales", "gone"]
    assert vip["figures"].startswith("3 8:2")
    assert vip["figures"].endswith(" 0 ~70")
    assert sales["figures"].endswith(" 1 \u2013")
    assert "alarm" in vip["look"]
    assert "warn" in support["look"]
    assert "ok" in sales["look"]
    assert "no such queue" in gone["note"]
    wants = stage.pages[-1].wants
    assert wants["where"] == {"queue": ["vip", "support", "sales", "gone"]}
    assert "callers" not in wants["state"]


def test_a_wall_adds_servers_up_when_it_is_asked_to(browser: Browser, stage: Stage) -> None:
    """The longest wait is the longest of all; what is lost is left out, and it is said."""
    stage.rows["queues"] = {
        "pbx1/a": queue("support", wait=10, hour_in_level=10, hour_answered=10, hour_hung_up=3),
        "pbx2/a": queue("support", "pbx2", wait=70, hour_in_level=15, hour_answered=28),
        "pbx3/a": queue("support", "pbx3", wait=999, stale=True),
    }

    open_wall(browser, stage, "sum=1")

    assert seen(browser)[0]["figures"].startswith("6 1:1")
    assert seen(browser)[0]["figures"].endswith(" 2 63")
    assert seen(browser)[0]["note"] == "without pbx3"


def test_names_on_a_wall_are_text_and_numbers_come_only_when_asked_for(
    browser: Browser, stage: Stage
) -> None:
    """A member may call itself anything."""
    stage.rows["queues"] = {"pbx1/a": queue("support", wait=10)}
    member = {"server": "pbx1", "queue": "support", "state": "paused", "since": time.time() - 70}
    stage.rows["members"] = {"pbx1/m": {**member, "name": ATTACK, "pause_reason": "lunch"}}
    caller = {"server": "pbx1", "queue": "support", "position": 1, "since": time.time()}
    stage.rows["callers"] = {"pbx1/c": {**caller, "caller_number": "+4930123"}}

    open_wall(browser, stage)
    without = browser.text
    open_wall(browser, stage, "numbers=1")

    wait_until(lambda: "+4930123" in browser.text, 10, "the number")
    assert "+4930123" not in without
    assert f"{ATTACK} lunch 1:1" in without
    assert browser.title != "ran"
    assert browser.complaints() == []


def test_figures_can_be_read_from_across_the_room(browser: Browser, stage: Stage) -> None:
    """12 % of the height with up to twelve queues; nothing is cut off."""
    open_wall(browser, stage, boards=0)
    for count in (1, 2, 3, 4, 6, 9, 12):
        names = [f"queue {number}" for number in range(count)]
        members = {
            f"pbx1/{name}/{number}": {
                "server": "pbx1", "queue": name, "name": f"Member {number} of it", "state": "free",
            }
            for name in names
            for number in range(20)
        }  # fmt: skip
        queues = {f"pbx1/{name}": queue(name, wait=130) for name in names}
        stage.tell_rows({"members": members, "queues": queues})
        wait_until(lambda count=count: len(seen(browser)) == count, 10, f"{count} boards")  # type: ignore[misc]
        assert_large(browser)


def assert_large(browser: Browser) -> None:
    """Measure the first two figures of each board."""
    sizes = browser.run(
        "return [...document.querySelectorAll('.board')].filter((board) => !board.hidden).map((board) =>"
        " [...board.querySelectorAll('.figure')].slice(0, 2).map((figure) => {"
        " const [label, value] = figure.children;"
        " return [parseFloat(getComputedStyle(value).fontSize), figure.scrollWidth <="
        " figure.clientWidth && label.offsetHeight + value.offsetHeight <= figure.clientHeight]}))"
    )
    large = int(0.12 * 1080)
    for board in sizes:
        assert [size >= large for size, _ in board] == [True, True], sizes
        assert [fits for _, fits in board] == [True, True], sizes


def test_more_than_twelve_queues_take_turns(browser: Browser, stage: Stage) -> None:
    """A page of twelve for 15 seconds, then the next, then the first again."""
    stage.rows["queues"] = {f"pbx1/{n:02}": queue(f"q{n:02}") for n in range(14)}
    open_wall(browser, stage, boards=12)
    turn = (
        "const {screen} = await import('./console/js/wall.js');"
        "screen._turned -= 15000; screen.draw()"
    )

    pages = []
    for _ in range(3):
        pages.append([each["name"] for each in seen(browser)])
        browser.run(turn)

    assert pages[0] == pages[2] == [f"q{n:02}" for n in range(12)]
    assert pages[1] == ["q12", "q13"]


def test_a_wall_connects_again_by_itself_and_says_that_it_is_old(
    browser: Browser, stage: Stage
) -> None:
    """Meanwhile a band tells since when; afterwards the picture is the new one."""
    stage.rows["queues"] = {"pbx1/a": queue("support", wait=10)}
    open_wall(browser, stage)
    stage.is_down = True
    stage.drop()
    band = "return document.querySelector('#band').checkVisibility()"
    wait_until(lambda: browser.run(band), 15, "the band")
    assert "as of" in browser.text
    stage.rows["queues"] = {"pbx1/b": queue("sales")}
    stage.is_down = False

    wait_until(lambda: [each["name"] for each in seen(browser)] == ["sales"], 40, "the new picture")
    assert not browser.run(band)
    assert not browser.find_all("dialog")


def test_a_wall_waits_for_no_answer_for_ever(browser: Browser, stage: Stage) -> None:
    """A proxy, or what stands before it, may take a request and never answer it."""
    stage.rows["queues"] = {"pbx1/a": queue("support")}
    open_wall(browser, stage)
    browser.run(
        "const ask = window.fetch, timeout = AbortSignal.timeout.bind(AbortSignal);"
        "AbortSignal.timeout = (wait) => timeout(wait / 100);"
        "let hangs = 1;"
        "window.fetch = (path, options) => hangs-- > 0 ? new Promise((_, reject) =>"
        " options.signal?.addEventListener('abort', reject)) : ask(path, options)"
    )
    stage.rows["queues"] = {"pbx1/b": queue("sales")}
    stage.drop()

    wait_until(lambda: [each["name"] for each in seen(browser)] == ["sales"], 20, "the new picture")


def test_a_wall_loads_a_new_release_once(browser: Browser, stage: Stage) -> None:
    """When hello names another, after a while that is different for each wall."""
    stage.rows["queues"] = {"pbx1/a": queue("support")}
    open_wall(browser, stage)
    loaded = "return performance.timeOrigin"
    first = browser.run(loaded)
    browser.run("Math.random = () => 0")
    stage.page = "another"
    stage.drop()

    wait_until(lambda: browser.run(loaded) != first, 20, "loaded anew")
    second = browser.run(loaded)
    stage.drop()
    wait_until(lambda: stage.pages and browser.run(loaded) == second, 20, "the connection")


def test_nothing_grows_over_thousands_of_changes(browser: Browser, stage: Stage) -> None:
    """Neither elements nor memory: the same nodes are filled again; more with ASTMANPROXY_LOAD=1."""
    stage.rows["queues"] = {f"pbx1/{n}": queue(f"q{n}", wait=n) for n in range(12)}
    open_wall(browser, stage, boards=12)
    changes = """
      const {store, screen} = await import('./console/js/wall.js');
      for (let n = 0; n < arguments[0]; n += 1) {
        const queue = `q${n % 12}`;
        store.take({type: 'change', set: {queues: {[`pbx1/${n % 12}`]: {server: 'pbx1', queue,
          waiting: n, longest_since: 1e9 + n, members: 3, members_free: n % 4}},
          members: {[`pbx1/m${n % 300}`]: {server: 'pbx1', queue, name: `m${n}`,
          state: ['free', 'in_call', 'paused'][n % 3], since: 1e9 + n}}}});
        if (n % 3 === 0) store.take({type: 'change', del: {members: {[`pbx1/m${n % 300}`]: null}}});
        if (n % 250 === 0) { screen._changed = true; screen.draw(); }
      }"""
    browser.run(changes, CHANGES)
    before = counted(browser)
    browser.run(changes, CHANGES)
    after = counted(browser)

    assert after["nodes"] <= before["nodes"] * 1.02 + 20, (before, after)
    assert after["heap"] <= before["heap"] * 1.1 + 200_000, (before, after)


def counted(browser: Browser) -> dict[str, float]:
    """Return how many nodes and bytes there are when the garbage is gone."""

    def command(name: str) -> Any:
        return browser._call("POST", "/goog/cdp/execute", {"cmd": name, "params": {}})  # noqa: SLF001

    command("HeapProfiler.collectGarbage")
    heap = command("Runtime.getHeapUsage")["usedSize"]
    return {"nodes": command("Memory.getDOMCounters")["nodes"], "heap": heap}


@pytest.mark.parametrize(("width", "dark"), [(1920, False), (360, True)])
def test_axe_finds_nothing_on_the_wall(
    browser: Browser, stage: Stage, width: int, *, dark: bool
) -> None:
    """With an alarm, a warning, and members in several states."""
    stage.rows["queues"] = {
        "pbx1/a": queue("support", wait=500),
        "pbx1/b": queue("sales", wait=80),
        "pbx1/c": queue("lost", stale=True),
    }
    states = ["in_call", "ringing", "paused", "free", "offline", "wrap_up"]
    stage.rows["members"] = {
        f"pbx1/{state}": {"server": "pbx1", "queue": "support", "name": state, "state": state}
        for state in states
    }
    show(browser, width, dark=dark)

    open_wall(browser, stage, boards=3)

    assert violations(browser) == []
