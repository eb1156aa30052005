# SPDX-License-Identifier: GPL-2.0-or-later
"""The tabs Events and Action, the keys, and what keeps nobody out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.console.axe import violations
from tests.console.keys import DOWN, ENTER, ESCAPE, SHIFT, TAB, UP, focus, press, show, tab_to
from tests.console.stage import Stage
from tests.support import wait_until
from tests.system.web.browser_support import ATTACK, needs_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser

pytestmark = needs_browser

SERVER = {"name": "pbx1", "server": "pbx1", "state": "live", "since": 1.0}
COMMANDS = {
    "Response": "Success",
    "Ping": "Keepalive command.  (Priv: <none>)",
    "QueueStatus": "Show queue status.  (Priv: <none>)",
    "QueuePause": "Makes a queue member temporarily unavailable.  (Priv: agent,all)",
    "Command": "Execute Asterisk CLI Command.  (Priv: command,all)",
    "ModuleLoad": "Module management.  (Priv: system,all)",
    "UpdateConfig": "Update basic configuration.  (Priv: config,all)",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stand-in for the proxy, whose user may not send what needs config."""
    with Stage({"servers": {"pbx1": dict(SERVER)}}) as started:
        yield started


@pytest.fixture(scope="module")
def started(chromium: Browser) -> Browser:
    """A browser that has forgotten what was before."""
    chromium.renew()
    return chromium


@pytest.fixture
def browser(started: Browser, stage: Stage) -> Browser:
    """The console, just opened, and nothing kept in it."""
    stage.heard.clear()
    stage.answer = answer
    show(started)
    started.load(stage.url)
    started.run("localStorage.clear()")
    wait_until(lambda: stage.heard, 10, "a page")
    return started


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer as an Asterisk would."""
    name = asked["action"]["Action"]
    if name == "ListCommands":
        return {"response": COMMANDS, "items": [], "complete": {}}
    return {"response": {"Response": "Success", "Message": f"{name} done"}, "items": []}


def sent(stage: Stage, name: str) -> list[dict[str, Any]]:
    """Return the actions *name* that the page has sent."""
    actions = [each["action"] for each in stage.heard if each["type"] == "action"]
    return [action for action in actions if action["Action"] == name]


def events(browser: Browser, stage: Stage, query: str = "") -> None:
    """Open the Events tab, and wait until it is told events."""
    browser.run("location.hash = arguments[0]", f"#/events{query}")
    wait_until(lambda: wants_events(stage), 10, "wants events")


def wants_events(stage: Stage) -> bool:
    """Return whether the page is told events: the last one, the browser keeps those before."""
    return bool(stage.pages and stage.pages[-1].wants.get("events"))


def shown(browser: Browser) -> list[str]:
    """Return the rows of the list of events that are there, as text."""
    rows: list[str] = browser.run(
        "return [...document.querySelectorAll('.events-row')].filter((row) => !row.hidden)"
        ".sort((a, b) => a.dataset.index - b.dataset.index).map((row) => row.textContent)"
    )
    return rows


def test_events_come_as_text_whatever_is_in_them(browser: Browser, stage: Stage) -> None:
    """A caller's name is no markup, in the list and in the details; all headers are there."""
    events(browser, stage)
    stage.event(Event="Newchannel", CallerIDName=ATTACK, Uniqueid="1.2", Odd="x\u202ey")

    wait_until(lambda: shown(browser), 10, "a row")
    browser.run("document.querySelector('.events-row').click()")

    details = browser.run("return document.querySelector('.event-detail').innerText")
    assert ATTACK in shown(browser)[0]
    assert ATTACK in details
    assert "Uniqueid" in details
    assert "x\u2039U+202E\u203ay" in details
    assert browser.title != "ran"
    assert browser.complaints() == []


def test_events_are_filtered_by_name_server_and_text(browser: Browser, stage: Stage) -> None:
    """Names go to the proxy, which then sends no others; the rest is seen here."""
    events(browser, stage, "?event=Dial*,Hangup&server=pbx1&q=m%C3%BCller")
    stage.event("pbx1", Event="DialBegin", CallerIDName="Jo Muller")
    stage.event("pbx2", Event="DialBegin", CallerIDName="Müller")
    stage.event("pbx1", Event="Newexten", CallerIDName="Müller")
    stage.event("pbx1", Event="Hangup", CallerIDName="MÜLLER")
    stage.event("pbx1", Event="hangup", CallerIDName="Meier")

    wait_until(lambda: len(shown(browser)) >= 2, 10, "rows")

    assert [each.get("events") for each in stage.heard if each["type"] == "subscribe"][-1] == [
        "Dial*",
        "Hangup",
    ]
    assert ["DialBegin" in shown(browser)[0], "Hangup" in shown(browser)[1]] == [True, True]
    assert len(shown(browser)) == 2


def test_paused_events_stay_and_the_last_2000_are_kept(browser: Browser, stage: Stage) -> None:
    """What is looked at does not move; nothing grows; the rows in the document are few."""
    events(browser, stage)
    stage.event(Event="First")
    wait_until(lambda: shown(browser), 10, "a row")
    press(browser, "p")
    browser.run(
        "const {app} = await import('./console/js/main.js');"
        "for (let n = 0; n < 100000; n += 1) app.live.tell('event',"
        " {id: 'k.' + n, server: 'pbx1', time: 1e9, event: {Event: 'Later' + n}})"
    )

    assert [row.count("First") for row in shown(browser)] == [1]
    press(browser, "p")
    wait_until(lambda: "Later99999" in "".join(shown(browser)), 10, "the newest")
    assert browser.run("return document.querySelectorAll('.events-row').length") <= 60
    assert browser.run("return document.querySelector('[role=grid]').ariaRowCount") == "2001"


def test_a_page_that_comes_back_misses_no_event(browser: Browser, stage: Stage) -> None:
    """It goes on behind what it was told last, not where hello says that the servers are."""
    events(browser, stage)
    stage.event(Event="Hangup", Channel="PJSIP/1")
    wait_until(lambda: shown(browser), 5, "an event")
    heard, last = len(stage.heard), stage.told
    stage.drop()

    wait_until(lambda: any(each.get("events") for each in stage.heard[heard:]), 10, "asks anew")

    (asked,) = [each for each in stage.heard[heard:] if each.get("events")]
    assert int(asked["since"].partition(".")[2]) <= last


def test_the_newest_are_followed_however_fast_they_come(browser: Browser, stage: Stage) -> None:
    """Events between two frames are nobody's scrolling."""
    events(browser, stage)
    browser.run(
        "const {app} = await import('./console/js/main.js');"
        "for (let n = 0; n < 600; n += 1) {"
        " app.live.tell('event', {id: 'k.' + n, server: 'pbx1', time: 1e9, event: {Event: 'E' + n}});"
        " if (n % 20 === 10) await new Promise((resolve) => setTimeout(resolve, 8)); }"
    )

    wait_until(lambda: "E599" in "".join(shown(browser)), 10, "the newest")


def test_a_gap_is_a_line_among_the_events(browser: Browser, stage: Stage) -> None:
    """Nobody takes what is there for all there was."""
    events(browser, stage)
    stage.tell({
        "type": "gap", "server": "pbx1", "missed": 1000, "reason": "ring", "from": 1.0, "to": 2.0,
    })  # fmt: skip

    wait_until(lambda: shown(browser), 10, "a row")

    assert "1\u202f000 events are missing of pbx1" in shown(browser)[0]


def choose(browser: Browser, name: str) -> None:
    """Open the Action tab with *name* chosen."""
    browser.run("location.hash = arguments[0]", f"#/action/{name}")
    wait_until(lambda: browser.run("return document.querySelector('#action-name')"), 10, "a form")
    script = "return document.querySelector('#action-name').value"
    wait_until(lambda: browser.run(script) == name, 10, name)


def test_an_action_is_sent_as_it_is_shown(browser: Browser, stage: Stage) -> None:
    """The headers it needs are there already; the answer is a table."""
    choose(browser, "QueuePause")
    names = browser.run(
        "return [...document.querySelectorAll('.header-name')].map((each) => each.value)"
    )
    for index, value in enumerate(["PJSIP/101", "true"]):
        browser.type(f".header-row:nth-child({index + 1}) input:not(.header-name)", value)
    text = browser.run("return document.querySelector('.preview').textContent")
    browser.run("document.querySelector('.action-form').requestSubmit()")
    wait_until(lambda: sent(stage, "QueuePause"), 10, "the action")

    assert names == ["Interface", "Paused"]
    assert text == "Action: QueuePause\nInterface: PJSIP/101\nPaused: true"
    wanted = {"Action": "QueuePause", "Interface": "PJSIP/101", "Paused": "true"}
    assert sent(stage, "QueuePause") == [wanted]
    seen = "return document.querySelector('.answer')?.innerText || ''"
    wait_until(lambda: "QueuePause done" in browser.run(seen), 10, "the answer")


def test_what_rights_forbid_is_known_before(browser: Browser, stage: Stage) -> None:
    """It is crossed out in the list, with the class that lacks, and cannot be sent."""
    choose(browser, "UpdateConfig")
    wait_until(lambda: sent(stage, "ListCommands"), 10, "what may be sent")

    why = browser.run("return document.querySelector('#action-why').textContent")
    assert why == "You may not send UpdateConfig: write lacks config."
    assert browser.run("return document.querySelector('.action-form [type=submit]').disabled")
    browser.type("#action-name", "Upd")
    offered = browser.run("return document.querySelector('#action-names .refused').innerText")
    assert "needs config" in offered


@pytest.mark.parametrize("name", ["Command", "ModuleLoad"])
def test_what_reaches_everything_is_confirmed(browser: Browser, stage: Stage, name: str) -> None:
    """By typing the server's name: a click too many does nothing."""
    choose(browser, name)
    browser.run("document.querySelector('.action-form').requestSubmit()")
    button = "return document.querySelector('.action-form [type=submit]').disabled"

    assert browser.run(button)
    browser.type("#action-confirm", "pbx1")
    assert not browser.run(button)
    browser.run("document.querySelector('.action-form').requestSubmit()")
    wait_until(lambda: sent(stage, name), 10, "the action")
    assert len(sent(stage, name)) == 1


def ask_for_help(browser: Browser) -> None:
    """Have the keys listed."""
    press(browser, "?")
    script = "return Boolean(document.querySelector('dialog.help')?.open)"
    wait_until(lambda: browser.run(script), 10, "the list of keys")


def test_everything_can_be_done_with_keys_only(browser: Browser, stage: Stage) -> None:
    """Tabs, search, list, details, help; the focus returns to where it was."""
    press(browser, "2")
    wait_until(lambda: browser.run("return document.querySelector('.events-list')"), 10, "a list")
    wait_until(lambda: wants_events(stage), 10, "wants events")
    stage.event(Event="Hangup", Channel="PJSIP/1")
    wait_until(lambda: shown(browser), 10, "a row")
    press(browser, "/", "PJSIP")
    assert focus(browser) == "q"
    assert browser.run("return document.activeElement.value") == "PJSIP"
    press(browser, ESCAPE)
    assert browser.run("return document.activeElement.value") == ""
    press(browser, ESCAPE)
    tab_to(browser, "[role=grid]")
    press(browser, UP, ENTER)
    assert focus(browser) == "Hangup"
    press(browser, ESCAPE)
    assert browser.run("return document.activeElement.matches('[role=grid]')")
    ask_for_help(browser)
    press(browser, ESCAPE)
    assert browser.run("return document.activeElement.matches('[role=grid]')")

    press(browser, "3")
    tab_to(browser, "#action-name")
    press(browser, "Pin", DOWN, ENTER)
    tab_to(browser, ".action-form [type=submit]")
    press(browser, ENTER)
    wait_until(lambda: sent(stage, "Ping"), 10, "the action")


def test_single_keys_can_be_turned_off(browser: Browser) -> None:
    """Who speaks to the computer must not change the view by it; `?` goes, too."""
    ask_for_help(browser)
    press(browser, SHIFT + TAB)
    browser.run("document.querySelector('#help-single').click()")
    press(browser, ESCAPE, "2", "?")

    assert "#/events" not in browser.url
    assert not browser.run("return document.querySelector('dialog.help').open")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_axe_finds_nothing(browser: Browser, stage: Stage, width: int, *, dark: bool) -> None:
    """On the tabs, with what is open in them, on a desk and on a phone, light and dark."""
    show(browser, width, dark=dark)
    events(browser, stage)
    stage.event(Event="Hangup", Channel="PJSIP/1")
    stage.tell({"type": "gap", "server": "pbx1", "missed": None, "reason": "slow"})
    wait_until(lambda: len(shown(browser)) == 2, 10, "rows")
    browser.run("document.querySelector('.events-row').click()")
    assert violations(browser) == []
    choose(browser, "Command")
    browser.run("document.querySelector('#action-name').click()")
    assert violations(browser) == []
    browser.run("document.activeElement.blur()")
    for place in ("now", "proxy"):
        browser.run("location.hash = arguments[0]", f"#/{place}")
        wait_until(lambda: browser.run("return document.querySelector('#view').innerText"), 10)
        assert violations(browser) == [], place
    ask_for_help(browser)
    assert violations(browser) == []


def test_on_a_phone_nothing_scrolls_sideways_and_targets_are_large(
    browser: Browser, stage: Stage
) -> None:
    """44 px, in every tab, 360 px wide."""
    show(browser, 360, 740)
    for place in ("events", "action/QueuePause", "proxy"):
        browser.run("location.hash = arguments[0]", f"#/{place}")
        wait_until(lambda: browser.run("return document.querySelector('#view').innerText"), 10)
        small = browser.run(
            "return [...document.querySelectorAll('#view :is(button, input, select)')]"
            ".filter((each) => each.checkVisibility() && each.type !== 'checkbox'"
            " && each.getBoundingClientRect().height < 44).map((each) => each.outerHTML)"
        )
        assert small == [], place
        width = browser.run("return document.documentElement.scrollWidth")
        assert width <= 360, place
    events(browser, stage)
    for number in range(40):
        stage.event(Event=f"Event{number}")
    wait_until(lambda: "Event39" in "".join(shown(browser)), 10, "the newest, which is followed")
