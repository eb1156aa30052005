# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages of the proxy's own in a real browser, when the proxy or Asterisk begins anew."""

from __future__ import annotations

import json
import operator
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.browser import Browser
from tests.support import ProxyProcess, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import needs_browser
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_browser

#: Seconds in which what is waited for comes, on a busy machine.
PATIENCE = 30.0

#: A page as its author would write it: what it has been told, by each of the two ways.
PAGE = """
window.told = {socket: [], source: []};
window.ready = new Set();
const keep = (way, kind, {event, reason, state}) => {
  if (kind === 'event') told[way].push(event.N);
  if (kind === 'gap') told[way].push(`gap ${reason}`);
  if (kind === 'server') told[way].push(`server ${state}`);
};
let last;
const connect = () => {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  window.socket = socket;
  socket.onopen = () => socket.send(JSON.stringify({type: 'subscribe', events: ['UserEvent'], since: last}));
  socket.onmessage = ({data}) => {
    const found = JSON.parse(data);
    if (found.type === 'subscribed') ready.add('socket');
    last = found.type === 'event' ? found.id : found.at ?? last;
    keep('socket', found.type, found);
  };
  socket.onclose = () => setTimeout(connect, 200);
};
connect();
window.source = new EventSource('/events?event=UserEvent');
source.addEventListener('hello', () => ready.add('source'));
source.onmessage = ({data}) => keep('source', 'event', JSON.parse(data));
for (const kind of ['gap', 'server']) {
  source.addEventListener(kind, ({data}) => keep('source', kind, JSON.parse(data)));
}
"""

#: What each row of the console's table of calls says, without how long it is there.
CALLS = """
return [...document.querySelectorAll('.t-calls .rows .row')].map((row) => row.innerText).sort();
"""


def settings(asterisk: SimulatedAsterisk) -> str:
    """Return the configuration of a proxy before *asterisk*."""
    more = "state = yes\nserverevents = yes\nreplay = 1MB\nretryinterval = 0.2\n"
    return config(asterisk, more=more)


@pytest.fixture(scope="module")
def asterisk() -> Iterator[SimulatedAsterisk]:
    """A simulated Asterisk 22."""
    with SimulatedAsterisk(behaviour=Behaviour(speak="22", technology="PJSIP")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with Browser() as started:
        yield started


class Page:
    """A page that listens in both ways, and what it is to be told."""

    def __init__(self, browser: Browser, asterisk: SimulatedAsterisk, port: int) -> None:
        self._asterisk, self._browser = asterisk, browser
        self._expected: list[str] = []
        self._count = 0
        browser.go(f"http://127.0.0.1:{port}/healthz")
        browser.run(PAGE)
        wait_until(lambda: browser.run("return ready.size === 2"), PATIENCE, "both to listen")

    def say(self, count: int = 3) -> None:
        """Have Asterisk say *count* events, each of which is to be told once."""
        for _ in range(count):
            self._count += 1
            self._asterisk.event("UserEvent", "user,all", N=self._count)
            self._expected.append(str(self._count))

    def hears(self, *more: str) -> None:
        """Wait until it was told all that was said, and *more*, each once, and nothing else."""
        self._expected += more
        wanted = {"socket": self._expected, "source": self._expected}
        try:
            wait_until(lambda: self._told() == wanted, PATIENCE)
        except AssertionError:
            raise AssertionError(f"{self._told()} is not {self._expected}") from None

    def lose(self) -> None:
        """Close its WebSocket, which it opens anew."""
        self._browser.run("socket.close()")

    def _told(self) -> Any:
        return self._browser.run("return window.told")


def test_whatever_begins_anew_a_page_comes_back_and_is_told_what_it_missed(
    browser: Browser, asterisk: SimulatedAsterisk
) -> None:
    """Nothing, while the proxy lives; once that was killed, a gap that says so, and all since."""
    with ProxyProcess(settings(asterisk)) as proxy:
        wait_connected(proxy)
        page = Page(browser, asterisk, proxy.port)
        page.say()
        page.hears()
        page.lose()
        page.say()
        page.hears()
        asterisk.shutdown(restart=True)
        page.hears("server lost")
        asterisk.start()
        page.hears("gap server_lost", "server connected")
        page.say()
        page.hears()
        proxy.process.kill()
        proxy.process.wait()
        with ProxyProcess(settings(asterisk), port=proxy.port):
            page.hears("gap restart")
            page.say()
            page.hears()


def test_after_restarts_the_console_shows_what_there_is(
    browser: Browser, asterisk: SimulatedAsterisk
) -> None:
    """As many calls as /v1/state has, each of them, and no other."""
    with ProxyProcess(settings(asterisk)) as proxy:
        wait_connected(proxy)
        browser.go(f"http://127.0.0.1:{proxy.port}/")
        asterisk.call("PJSIP/101", talk=60)
        same(browser, proxy.port, 1)
        proxy.process.kill()
        proxy.process.wait()
        asterisk.call("PJSIP/102", talk=60)
        with ProxyProcess(settings(asterisk), port=proxy.port):
            same(browser, proxy.port, 2)
            asterisk.shutdown(restart=True)
            asterisk.start()
            asterisk.call("PJSIP/103", talk=60)
            same(browser, proxy.port, 1)


def same(browser: Browser, port: int, count: int) -> None:
    """Wait until the console shows *count* calls, those of /v1/state."""

    def is_same() -> bool:
        shown = browser.run(CALLS)
        if len(shown) != count:
            return False
        numbers = calls(port)
        return len(numbers) == count and all(map(operator.contains, shown, numbers))

    wait_until(is_same, PATIENCE, f"{count} calls")


def calls(port: int) -> list[str]:
    """Return the numbers of who calls, in order; none if it is asked too often."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/state/calls") as answer:
            rows = json.load(answer)["rows"]
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 429:
            raise
        return []
    return sorted(row["from_number"] for row in rows if row["state"] != "ended")
