# SPDX-License-Identifier: GPL-2.0-or-later
"""The console of the running program: what a browser shows of what a simulated Asterisk does."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.console.keys import show
from tests.console.test_now import cells, within
from tests.recordings import said
from tests.support import ProxyProcess, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import ATTACK, needs_browser
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser

pytestmark = needs_browser

#: A second, and what this machine takes to look.
SOON = 3.0


class Phones:
    """Phones whose calls are told step by step, as Asterisk 22 tells them."""

    def __init__(self, asterisk: SimulatedAsterisk) -> None:
        self._asterisk = asterisk
        self._states: dict[str, int] = {}

    def _block(self, number: str, prefix: str = "", exten: str = "") -> dict[str, Any]:
        state = self._states[number]
        words = {4: "Ring", 5: "Ringing", 6: "Up"}
        found = {
            "Channel": f"PJSIP/{number}-0000000{number[-1]}", "ChannelState": state,
            "ChannelStateDesc": words[state], "CallerIDNum": number, "CallerIDName": f"Phone {number}",
            "ConnectedLineNum": "<unknown>", "ConnectedLineName": "<unknown>", "Language": "en",
            "AccountCode": "", "Context": "phones", "Exten": exten, "Priority": 1,
            "Uniqueid": f"c.{number}", "Linkedid": "c.101",
        }  # fmt: skip
        return {f"{prefix}{name}": value for name, value in found.items()}

    def dial(self, caller: str, callee: str) -> None:
        """Have *caller* dial *callee*, which rings."""
        if caller not in self._states:
            self._states[caller] = 4
            self._asterisk.event("Newchannel", **self._block(caller, exten=callee))
        self._states[callee] = 5
        self._asterisk.event("Newchannel", **self._block(callee))
        both = {**self._block(caller), **self._block(callee, "Dest")}
        self._asterisk.event("DialBegin", **both, DialString=callee)
        self._asterisk.event("Newstate", **self._block(callee))

    def answer(self, caller: str, callee: str) -> None:
        """Have *callee* answer *caller*."""
        for each in (caller, callee):
            self._states[each] = 6
            self._asterisk.event("Newstate", **self._block(each))
        both = {**self._block(caller), **self._block(callee, "Dest")}
        self._asterisk.event("DialEnd", **both, DialStatus="ANSWER")
        for count, each in enumerate((callee, caller), 1):
            self._in_bridge("BridgeEnter", each, count)

    def transfer(self, gone: str, stays: str, target: str) -> None:
        """Have *gone* transfer *stays* blindly to *target*, which rings."""
        for count, each in ((1, gone), (0, stays)):
            self._in_bridge("BridgeLeave", each, count)
        self.hang_up(gone)
        self.dial(stays, target)

    def hang_up(self, number: str) -> None:
        """Have *number* hang up."""
        told: dict[str, Any] = {"Cause": 16, "Cause-txt": "Normal Clearing"}
        self._asterisk.event("Hangup", **self._block(number), **told)
        del self._states[number]

    def _in_bridge(self, event: str, number: str, count: int) -> None:
        bridge: dict[str, Any] = {
            "BridgeUniqueid": "b-1", "BridgeType": "basic", "BridgeTechnology": "simple_bridge",
            "BridgeCreator": "<unknown>", "BridgeName": "<unknown>", "BridgeNumChannels": count,
        }  # fmt: skip
        self._asterisk.event(event, **bridge, **self._block(number))


@pytest.fixture(scope="module")
def asterisk() -> Iterator[SimulatedAsterisk]:
    """A simulated Asterisk 22."""
    with SimulatedAsterisk(behaviour=Behaviour(speak="22", technology="PJSIP")) as started:
        yield started


def settings(asterisk: SimulatedAsterisk) -> str:
    """Return the configuration of a proxy before it, with state."""
    more = "state = yes\nserverevents = yes\nreplay = 1MB\nretryinterval = 1\n"
    return config(asterisk, more=more)


@pytest.fixture(scope="module")
def proxy(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy before it."""
    with ProxyProcess(settings(asterisk)) as process:
        wait_connected(process)
        yield process


@pytest.fixture(scope="module")
def browser(chromium: Browser, proxy: ProxyProcess) -> Browser:
    """The console of that proxy."""
    chromium.renew()
    show(chromium, 1280, 900)
    chromium.go(f"http://127.0.0.1:{proxy.port}/")
    within(chromium, "document.querySelector('#servers .badge')?.innerText === 'live'", 20)
    return chromium


def shows(browser: Browser, *row: str) -> None:
    """Wait until the only call is *row*: from, to, state."""

    def is_shown() -> bool:
        found = cells(browser, "calls")
        return len(found) == 1 and all(cell.startswith(words) for words, cell in zip(row, found[0]))

    try:
        wait_until(is_shown, SOON)
    except AssertionError:
        raise AssertionError(f"{row} is not {cells(browser, 'calls')}") from None


def test_a_call_is_seen_from_its_ring_over_a_transfer_to_its_end(
    browser: Browser, asterisk: SimulatedAsterisk
) -> None:
    """Each step within a second."""
    phones = Phones(asterisk)
    phones.dial("101", "102")
    shows(browser, "101", "102", "ringing")
    phones.answer("101", "102")
    shows(browser, "101", "102", "talking")
    phones.transfer("101", "102", "103")
    shows(browser, "102", "103", "ringing")
    phones.answer("102", "103")
    shows(browser, "102", "103", "talking")
    for number in ("103", "102"):
        phones.hang_up(number)
    shows(browser, "102", "103", "ended")
    wait_until(lambda: cells(browser, "calls") == [], 8)
    assert browser.complaints() == []


#: What the only call is at each step of an attended transfer, and the event that leads there.
STEPS = [
    ("Event: BridgeEnter", "Channel: Local/stay", ("Flow One Ten", "110", "talking")),
    ("Event: BridgeEnter", "Channel: Local/191", ("Flow One Ten", "110", "on hold")),
    ("Event: AttendedTransfer", "Result: Success", ("Flow One Ten", "Local/191@flow", "talking")),
    ("Event: Hangup", "Channel: Local/210@phones-00000031;2", ("Flow One Ten", "Flow One Ten", "ended")),
]  # fmt: skip


def test_an_attended_transfer_of_a_real_asterisk_is_seen_step_by_step(
    browser: Browser, asterisk: SimulatedAsterisk
) -> None:
    """Who talks is on hold while the other asks, and talks with the third one then."""
    events = iter(said("d7_attended_transfer").split(b"\r\n\r\n"))
    for name, more, row in STEPS:
        for event in events:
            if b"Event: " in event and b"ActionID: " not in event:
                asterisk.send(event + b"\r\n\r\n")
            if name.encode() in event and more.encode() in event:
                break
        shows(browser, *row)
    wait_until(lambda: cells(browser, "calls") == [], 10)


def test_500_calls_at_once_are_counted_and_shown(
    browser: Browser, proxy: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """In the heading, in the row of the server, and by REST; then they are gone again."""
    for number in range(1000, 1500):
        asterisk.event("Newchannel", **channel(number))
    within(browser, "document.querySelector('#calls-count').textContent.startsWith('500')", 15)
    within(browser, "document.querySelector('#servers').innerText.includes('500 calls')", 15)
    with urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}/v1/state/totals") as answer:
        totals = json.load(answer)["rows"][0]
    assert (totals["calls"], totals["channels"]) == (500, 500)
    for number in range(1000, 1500):
        asterisk.event("Hangup", **channel(number), Cause=16)
    wait_until(lambda: cells(browser, "calls") == [], 20)


def test_what_callers_call_themselves_is_text(
    browser: Browser, asterisk: SimulatedAsterisk
) -> None:
    """Whatever it is, through the whole proxy; it neither runs nor changes the page."""
    told = {**channel(1500), "CallerIDName": ATTACK, "CallerIDNum": "<b>1</b>"}
    asterisk.event("Newchannel", **told)
    shows(browser, f"<b>1</b>{ATTACK}", "200", "dialling")
    assert browser.title != "ran"
    assert browser.find_all("img, .t-calls b") == []
    asterisk.event("Hangup", **told, Cause=16)
    wait_until(lambda: cells(browser, "calls") == [], 8)
    assert browser.complaints() == []


def channel(number: int) -> dict[str, Any]:
    """Return what events say of a channel that dials, the only one of its call."""
    return {
        "Channel": f"PJSIP/{number}-00000001", "ChannelState": 4, "ChannelStateDesc": "Ring",
        "CallerIDNum": number, "CallerIDName": f"Phone {number}", "ConnectedLineNum": "<unknown>",
        "ConnectedLineName": "<unknown>", "Language": "en", "AccountCode": "", "Context": "phones",
        "Exten": "200", "Priority": 1, "Uniqueid": f"m.{number}", "Linkedid": f"m.{number}",
    }  # fmt: skip


def test_after_a_restart_of_asterisk_the_picture_is_the_right_one(
    browser: Browser, asterisk: SimulatedAsterisk
) -> None:
    """Lost at once, and what it had is greyed; then what there is, and nothing of before."""
    Phones(asterisk).dial("101", "102")
    shows(browser, "101", "102", "ringing")
    asterisk.shutdown(restart=True)
    within(browser, "document.querySelector('.t-calls .row.stale')", 10)
    assert "without" in browser.run("return document.querySelector('#calls-count').textContent")
    asterisk.start()
    within(browser, "document.querySelector('#servers .badge').innerText === 'live'", 20)
    wait_until(lambda: cells(browser, "calls") == [], 10)


def test_after_a_restart_of_the_proxy_the_page_goes_on(
    browser: Browser, proxy: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """By itself, where it was."""
    browser.run("location.hash = '#/now/calls?q=101'")
    proxy.stop()
    within(browser, "document.documentElement.dataset.live !== 'live'", 10)
    with ProxyProcess(settings(asterisk), port=proxy.port) as again:
        wait_connected(again)
        within(browser, "document.querySelector('#servers .badge').innerText !== 'live'", 20)
        within(browser, "document.querySelector('#servers .badge').innerText === 'live'", 20)
        assert browser.run("return document.documentElement.dataset.live") == "live"
        Phones(asterisk).dial("101", "102")
        shows(browser, "101", "102", "ringing")
        assert browser.url.endswith("#/now/calls?q=101")
