# SPDX-License-Identifier: GPL-2.0-or-later
"""The view Now in a real browser, before a stand-in for the proxy: what is shown when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.console import scene
from tests.console.keys import DOWN, ENTER, ESCAPE, press, show
from tests.console.stage import Stage
from tests.support import wait_until
from tests.system.web.browser_support import needs_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser

pytestmark = needs_browser

#: Markup that runs, text that turns around, an end of line, and more than any screen holds.
HOSTILE = "<img src=x onerror=\"document.title='ran'\">\u202etxet\u0007\r\n" + "Z" * 10_000

#: What each row in sight of a table says, cell by cell.
CELLS = """
return [...document.querySelectorAll(`.t-${arguments[0]} .rows .row`)]
  .map((row) => [Number(row.getAttribute('aria-rowindex')), [...row.children].map((cell) => cell.innerText)])
  .sort((a, b) => a[0] - b[0]).map((row) => row[1])
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stand-in for the proxy."""
    with Stage() as started:
        yield started


@pytest.fixture(scope="module")
def started(chromium: Browser) -> Browser:
    """A browser on a desk."""
    chromium.renew()
    show(chromium, 1280, 900)
    return chromium


@pytest.fixture
def browser(started: Browser, stage: Stage) -> Browser:
    """The console, just opened, before a company in the afternoon."""
    stage.rows = scene.afternoon()
    stage.heard.clear()
    stage.documents.clear()
    open_now(started, stage)
    return started


def open_now(browser: Browser, stage: Stage, query: str = "") -> None:
    """Open the console, and wait until it is filled."""
    stage.is_down = stage.is_silent = False
    browser.load(f"{stage.url}{query}")
    wait_until(lambda: len(cells(browser, "calls")) > 1 and cells(browser, "queues"), 10, "rows")


def cells(browser: Browser, table: str) -> list[list[str]]:
    """Return what the rows in sight of *table* say."""
    found: list[list[str]] = browser.run(CELLS, table)
    return found


def within(browser: Browser, script: str, seconds: float = 5) -> None:
    """Wait until *script* is true."""
    wait_until(lambda: browser.run(f"return Boolean({script})"), seconds, script)


def test_a_call_is_shown_from_its_ring_to_its_end(browser: Browser, stage: Stage) -> None:
    """Each step as soon as it is told; then it stays a moment, ended, with its cause."""
    key = "pbx1/n.1"
    begun: dict[str, Any] = {"from_number": "4711", "started": time.time(), "since": time.time()}
    steps: list[tuple[str, dict[str, Any], str, str]] = [
        ("ringing", {"ringing": 3}, "ringing (3)", "3 phones"),
        ("talking", {"to_number": "103", "to_name": "Carla"}, "talking", "103"),
        ("hold", {"to_number": "104", "to_name": None}, "on hold", "104"),
        ("ended", {"cause": 17}, "busy", ""),
    ]
    for state, more, words, other in steps:
        stage.set("calls", key, **scene.call(3, state, **begun, **more))
        wait_until(lambda w=words: cells(browser, "calls")[0][2] == w, 5, words)  # type: ignore[misc]
        row = cells(browser, "calls")[0]
        assert row[0].startswith("4711")
        assert row[1].startswith(other)

    stage.take("calls", key, cause=16)
    wait_until(lambda: not cells(browser, "calls")[0][0].startswith("4711"), 5)
    assert browser.complaints() == []


def test_what_a_caller_is_called_is_text_and_nothing_else(browser: Browser, stage: Stage) -> None:
    """Markup is shown, not run; what turns the text, and control characters, are signs."""
    stage.documents["/v1/state/channels"] = (200, {"rows": [{"uniqueid": "1.1", "name": HOSTILE}]})
    names: dict[str, Any] = {"from_name": HOSTILE, "from_number": HOSTILE, "queue": HOSTILE, "application": HOSTILE,
             "to_device": HOSTILE, "dialled": HOSTILE, "server": "pbx1"}  # fmt: skip
    for kind in ("queues", "members", "callers"):
        key, row = next(iter(stage.rows[kind].items()))
        stage.set(
            kind, key, **{**row, "name": HOSTILE, "pause_reason": HOSTILE, "caller_name": HOSTILE}
        )
    stage.rows["servers"]["pbx2"]["reason"] = HOSTILE
    stage.set("servers", "pbx2", **stage.rows["servers"]["pbx2"])
    stage.set("calls", "pbx1/h.1", **scene.call(1, HOSTILE, **{**names, "started": time.time()}))
    within(browser, "document.querySelector('.t-calls').innerText.includes('\\u2039U+202E\\u203a')")
    browser.run("document.querySelector('.t-calls .rows [data-id=\"pbx1/h.1\"]').click()")
    within(browser, "document.querySelector('.drawer h2')?.textContent.includes('<img src=x')")

    assert browser.title != "ran"
    assert browser.find_all("img, #view script, #overlay script") == []
    shown = browser.run("return document.body.textContent")
    assert "\u202e" not in shown
    assert "\u0007" not in shown
    assert "txet\u2407" in shown
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.complaints() == []


def test_a_search_looks_at_all_that_is_seen_and_stays_in_the_address(
    browser: Browser, stage: Stage
) -> None:
    """Folded case; beside it the filter by state; what is hidden is counted."""
    browser.type("#search", "MAAS")
    within(browser, "document.querySelector('#calls-count').textContent.startsWith('2 of 14')")
    assert all("Dora Maas" in row[1] for row in cells(browser, "calls"))
    assert "q=MAAS" in browser.url

    browser.run("[...document.querySelectorAll('.callspart .choices button')][4].click()")
    within(browser, "document.querySelector('.t-calls.isempty')")
    text = browser.run("return document.querySelector('.callspart .empty').innerText")
    assert text == "No calls match: 15 hidden by the search or filter."
    open_now(browser, stage, "#/now/calls?q=lind&sort=-time")
    assert {row[1].split("\n")[0][:3] for row in cells(browser, "calls")} == {"103", "110"}


def test_the_longest_wait_comes_first_and_says_how_bad_it_is(browser: Browser) -> None:
    """By word, shape and colour; a queue without members has dashes, no noughts."""
    rows = cells(browser, "queues")

    assert [row[0] for row in rows] == ["support", "billing", "berlin", "sales", "night"]
    marks = browser.run(
        "return [...document.querySelectorAll('.t-queues .wait')].map((e) => [e.className, e.ariaLabel])"
    )
    looks = {name: (label or "").partition(":")[0] for name, label in marks}
    assert looks == {"wait is-alarm": "alarm", "wait is-warn": "warn", "wait": ""}
    assert rows[-1][2:8] == ["\u2013", "0", "\u2013", "\u2013", "\u2013", "\u2013"]
    assert rows[0][8].startswith("71")


def test_the_chosen_queue_tells_who_is_in_it(browser: Browser, stage: Stage) -> None:
    """Members with state, time and reason; who waits; how the level comes about."""
    told = "document.querySelector('.detailspart').innerText"
    within(browser, f"{told}.includes('Dora Maas')")
    text = browser.run(f"return {told}")

    assert "lunch" in text
    assert "33 answered within 20 s, of 41: 36 answered" in text
    browser.run("document.querySelector('.t-queues .rows [data-id=\"pbx1/night\"]').click()")
    within(browser, f"{told}.includes('No members.')")
    assert "chosen=pbx1%2Fnight" in browser.url


def test_of_a_lost_server_everything_is_old(browser: Browser, stage: Stage) -> None:
    """Its rows are greyed and their times stop; totals leave it out, and say so."""
    rows = {row[-1]: row for row in cells(browser, "calls")}
    assert "without pbx2" in browser.run(
        "return document.querySelector('#calls-count').textContent"
    )
    assert browser.run("return document.querySelectorAll('.t-calls .row.stale').length") == 1
    age = rows["pbx2"][3]

    mark = browser.run("return performance.now()")
    within(browser, f"performance.now() > {mark} + 1500")

    assert next(row for row in cells(browser, "calls") if row[-1] == "pbx2")[3] == age
    status = browser.run("return document.querySelector('#servers').innerText")
    assert "lost" in status
    assert "keepalive" in status
    assert "as of" in status


def test_a_call_opens_with_its_legs_and_events_and_what_may_be_done(
    browser: Browser, stage: Stage
) -> None:
    """By Enter; each action asks once; Esc closes it, and the focus is where it was."""
    began = time.time() - 60
    leg = {"uniqueid": "3.1", "name": "PJSIP/provider-0000a1", "state": "Up", "started": began,
           "answered": began + 4, "context": "trunk", "bridge": "b-17"}  # fmt: skip
    stage.documents["/v1/state/channels"] = (200, {"rows": [leg]})
    browser.run("document.querySelector('.t-calls .rows [data-id=\"pbx1/3.1\"] .cell').focus()")
    press(browser, ENTER)
    within(
        browser, "document.querySelector('.drawer .legs .name')?.textContent.startsWith('PJSIP/')"
    )
    wait_until(lambda: any("*" in (each.get("events") or []) for each in stage.heard), 5)

    stage.event(Event="Hold", Channel="PJSIP/provider-0000a1", Uniqueid="3.1")
    stage.event(Event="Hangup", Channel="PJSIP/else-1", Uniqueid="99.1")
    within(browser, "document.querySelectorAll('.drawer .events li').length === 1")
    assert "b-17" in browser.run("return document.querySelector('.drawer dl').innerText")

    browser.run("document.querySelector('.drawer .buttons button').click()")
    within(browser, "document.querySelector('dialog[open]')")
    assert not [each for each in stage.heard if each["type"] == "action"]
    browser.run("document.querySelector('dialog[open] button[type=submit]').click()")
    within(browser, "document.querySelector('.drawer .told').textContent === 'Success: Done'")
    (sent,) = [each for each in stage.heard if each["type"] == "action"]
    assert (sent["server"], sent["action"]) == (
        "pbx1", {"Action": "Hangup", "Channel": "PJSIP/provider-0000a1"},
    )  # fmt: skip
    press(browser, ESCAPE)
    within(browser, "document.querySelector('.drawer').hidden")
    assert browser.run("return document.activeElement.parentElement.dataset.id") == "pbx1/3.1"


def test_when_the_proxy_is_gone_the_page_says_so_and_comes_back(
    browser: Browser, stage: Stage
) -> None:
    """Amber after 2 s, old after 12 s, with when it was so; then the right picture, not the old."""
    state = "document.documentElement.dataset.live"
    stage.is_down = True
    stage.drop()
    within(browser, f"{state} === 'reconnecting'", 8)
    assert browser.run("return document.querySelector('#asof').hidden")
    browser.run(
        "const now = performance.now.bind(performance); performance.now = () => now() + 12000"
    )
    within(browser, f"{state} === 'lost'")
    assert "As of" in browser.run("return document.querySelector('#asof').innerText")
    filters = "return getComputedStyle(document.querySelector('#view')).filter"
    wait_until(lambda: "grayscale(1)" in browser.run(filters), 5)

    stage.rows["calls"] = {"pbx1/7.1": scene.call(7, "ringing", from_number="42")}
    stage.is_down = False
    browser.run("document.querySelector('#asof button').click()")
    within(browser, f"{state} === 'live'", 10)
    wait_until(lambda: [row[0] for row in cells(browser, "calls")] == ["42"], 5)
    assert browser.run("return document.querySelector('#asof').hidden")


@pytest.mark.parametrize(
    ("rows", "me", "words"),
    [
        ({"servers": {}}, {}, "No server is configured. Add a line to astmanproxy.conf: host ="),
        ({}, {}, "No calls."),
        ({"servers": {"pbx1": scene.server("pbx1", state="building", building=[2, 7])}}, {}, "Reading pbx1: 2 of 7 lists."),
        ({"servers": {"pbx1": scene.server("pbx1", unknown={"calls": "its account lacks write=reporting"})}}, {},
         "pbx1 does not tell calls: its account lacks write=reporting."),
        ({"servers": {"pbx1": scene.server("pbx1", state="lost")}}, {}, "No server is connected, so no calls are known."),
        ({}, {"state": False}, "There is no state. Write state = yes into astmanproxy.conf, then reload."),
    ],
)  # fmt: skip
def test_where_nothing_is_shown_it_is_said_why(
    started: Browser, stage: Stage, rows: dict[str, Any], me: dict[str, Any], words: str
) -> None:
    """And what to do about it."""
    stage.rows = {"servers": {"pbx1": scene.server("pbx1")}, **rows}
    before = stage.me
    stage.me = {**before, **me}
    try:
        started.load(stage.url)
        shown = "document.querySelector('.callspart .empty')?.innerText"
        wait_until(lambda: str(started.run(f"return {shown}")).startswith(words), 5, words)
    finally:
        stage.me = before


def test_what_the_user_may_not_do_is_not_there(started: Browser, stage: Stage) -> None:
    """Absent, not dead."""
    stage.rows = scene.afternoon()
    stage.documents["/v1/state/channels"] = (
        200,
        {"rows": [{"uniqueid": "3.1", "name": "PJSIP/1-1"}]},
    )
    before = stage.rights
    stage.rights = {**before, "write": ["agent"]}
    try:
        open_now(started, stage, "#/now?open=pbx1%2F3.1")
        within(started, "document.querySelector('.drawer .buttons button')")
        buttons = started.run(
            "return [...document.querySelectorAll('.drawer .buttons button')].map((e) => e.textContent)"
        )
        assert buttons == ["Copy as JSON"]
    finally:
        stage.rights = before


def test_no_row_moves_under_the_keyboard(browser: Browser, stage: Stage) -> None:
    """What is new stands at the end meanwhile, what has gone stays; then the order is made anew."""
    browser.run("document.querySelector('.t-calls .rows [data-id=\"pbx1/3.1\"] .cell').focus()")
    place = "return document.activeElement.parentElement.getBoundingClientRect().top"
    before = browser.run(place)
    stage.set("calls", "pbx1/x.1", **scene.call(1, from_number="1", started=time.time()))
    stage.take("calls", "pbx1/8.1", cause=16)
    within(browser, "document.querySelector('.t-calls .row.gone')")

    assert browser.run(place) == before
    press(browser, DOWN)
    assert browser.run("return document.activeElement.getAttribute('role')") == "gridcell"
    browser.run("document.activeElement.blur()")
    within(
        browser,
        "document.querySelector('.t-calls [aria-rowindex=\"2\"]').dataset.id === 'pbx1/x.1'",
    )
    assert browser.find_all(".t-calls .row.gone") == []


def test_on_a_phone_one_part_is_shown_at_a_time(browser: Browser, stage: Stage) -> None:
    """From 320 px (400 % of a desktop), nothing scrolls sideways, and the bar leads to the rest."""
    show(browser, 320, 640)
    try:
        for part, shown in (
            ("queues", ".queuespart"),
            ("calls", ".callspart"),
            ("people", ".detailspart"),
        ):
            browser.run(f"document.querySelector('#bottom a[href=\"#/now/{part}\"]').click()")
            within(browser, f"document.querySelector('{shown}').offsetHeight")
            others = {".queuespart", ".callspart", ".detailspart"} - {shown}
            assert all(
                browser.run(f"return document.querySelector('{each}').offsetHeight") == 0
                for each in others
            )
            assert browser.run("return document.documentElement.scrollWidth") == 320
    finally:
        show(browser, 1280, 900)
