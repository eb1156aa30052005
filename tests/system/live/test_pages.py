# SPDX-License-Identifier: GPL-2.0-or-later
"""What pages in a real browser may do: those of the proxy's own, and those of others."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ProxyProcess, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import needs_browser, website
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.server import SimulatedAsterisk
    from tests.browser import Browser

pytestmark = needs_browser

USERS = "[anna]\nsecret = s\nread = {read}\nwrite = none\n"

LOG_IN = """
const answer = await fetch("/v1/session", {method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({username: "anna", secret: "s"})});
return [answer.status, document.cookie];
"""
LISTEN = """
window.got = [];
window.source = new EventSource("/events?event=UserEvent");
source.onmessage = (message) => got.push(JSON.parse(message.data).event.X);
source.addEventListener("hello", () => got.push("hello"));
"""
#: What a page of another site tries; each is to fail.
TRY = """
const to = arguments[0], socket = to.replace("http", "ws");
const fails = (made) => made.then(() => "done", () => "refused");
const events = (source) => new Promise((done, fail) => {
    source.onopen = done; source.onmessage = done; source.onerror = fail; });
const json = {"Content-Type": "application/json"}, credentials = "include";
return Promise.all([
    fails(fetch(to + "/v1/me", {credentials})),
    fails(fetch(to + "/v1/tickets", {credentials, method: "POST", headers: json, body: "{}"})),
    fetch(to + "/v1/tickets", {credentials, method: "POST", mode: "no-cors", body: "{}"})
        .then((answer) => answer.type === "opaque" ? "refused" : "done"),
    fails(events(new WebSocket(socket + "/ws?events=*"))),
    fails(events(new EventSource(to + "/events", {withCredentials: true}))),
]);
"""


@pytest.fixture(scope="module")
def web(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy where one must log in, and which keeps what was said."""
    more = "authrequired = yes\nreplay = 1MB\n"
    with ProxyProcess(config(asterisk, more=more), USERS.format(read="all")) as process:
        wait_connected(process)
        yield process


def got(browser: Browser) -> list[Any]:
    """Return what the page has been told."""
    found: list[Any] = browser.run("return window.got")
    return found


def test_an_eventsource_comes_back_by_itself_and_misses_nothing(
    browser: Browser, web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """It has logged in by the form; no script can read the cookie."""
    browser.go(f"http://127.0.0.1:{web.port}/healthz")
    assert browser.run(f"return (async () => {{{LOG_IN}}})()") == [200, ""]
    browser.run(LISTEN)
    wait_until(lambda: got(browser) == ["hello"], 20, "hello")
    asterisk.event("UserEvent", "user,all", X="a")
    wait_until(lambda: got(browser)[-1] == "a", 20, "a")
    web.write_users(USERS.format(read="call,user"))
    web.process.send_signal(signal.SIGHUP)
    # Its rights have changed: it is sent away, and may come back.
    wait_until(lambda: browser.run("return source.readyState") == 0, 20, "the end of the stream")
    asterisk.event("UserEvent", "user,all", X="b")

    wait_until(lambda: got(browser)[-1] == "b", 20, "b")

    assert got(browser) == ["hello", "a", "hello", "b"]


def test_pages_of_others_get_nothing_and_change_nothing(
    browser: Browser, web: ProxyProcess, tmp_path: Path
) -> None:
    """Though the browser has logged in, and sends the cookie: it is the same host."""
    browser.go(f"http://127.0.0.1:{web.port}/healthz")
    assert browser.run(f"return (async () => {{{LOG_IN}}})()")[0] == 200
    (tmp_path / "evil.html").write_text("<title>evil</title>")
    with website(tmp_path) as other:
        browser.go(f"{other}/evil.html")

        found = browser.run(TRY, f"http://127.0.0.1:{web.port}")

        assert found == ["refused"] * 5, json.dumps(found)
    log = web.log()
    assert log.count("403 Another site's page may not do this") >= 3
