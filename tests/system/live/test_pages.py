# SPDX-License-Identifier: GPL-2.0-or-later
"""What pages in a real browser may do: those of the proxy's own, and those of others."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ProxyProcess, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import at, needs_browser, website
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
#: What a page tries: names -> what became of it; "refused" is what is to become of each.
TRY = """
const to = arguments[0], json = {'Content-Type': 'application/json'};
const body = JSON.stringify({Channel: 'Local/100@default', Exten: '1'});
const fails = (made) => made.then((told) => told ?? 'done', () => 'refused');
const read = (path) => fails(fetch(to + path, {credentials: 'include'}).then((answer) => answer.text()));
const send = (path, options) => fails(
  fetch(to + path, {method: 'POST', credentials: 'include', body, ...options})
    .then((answer) => answer.type === 'opaque' ? 'refused' : answer.text()));
const opens = (made) => fails(new Promise((done, fail) => {
  made.onopen = () => done('open');
  made.onmessage = ({data}) => done(data);
  made.onerror = fail;
}));
const included = (path) => fails(new Promise((done, fail) => {
  const script = document.createElement('script');
  script.onload = () => done(Object.keys(window).includes('told') ? 'told' : 'refused');
  script.onerror = fail;
  script.src = to + path;
  document.head.append(script);
}));
const tried = {
  events: opens(new EventSource(to + '/events', {withCredentials: true})),
  'events by fetch': read('/events'),
  ws: opens(new WebSocket(to.replace('http', 'ws') + '/ws?events=*')),
  'ws ami': opens(new WebSocket(to.replace('http', 'ws') + '/ws', 'astmanproxy.ami')),
  metrics: read('/metrics'),
  'metrics as a script': included('/metrics'),
  polling: read('/v1/events'),
  state: read('/v1/state?of=servers'),
  'state as a script': included('/v1/servers'),
  me: read('/v1/me'),
  'action, json': send('/v1/actions/Originate', {headers: json}),
  'action, as a form could': send('/v1/actions/Originate', {mode: 'no-cors'}),
  'action, by get': read('/v1/actions/Originate?Channel=Local/100@default&Exten=1'),
  'proxyaction': send('/v1/proxyactions/DropServer', {headers: json}),
  ticket: send('/v1/tickets', {headers: json}),
  session: send('/v1/session', {headers: json}),
  kick: fails(fetch(to + '/v1/clients/1', {method: 'DELETE', credentials: 'include'})),
};
return (async () => {
  const found = {};
  for (const [name, each] of Object.entries(tried)) found[name] = await each;
  return found;
})();
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


@pytest.mark.parametrize("knows", ["nothing, and none is needed", "a cookie", "a secret"])
def test_a_page_of_another_site_gets_nothing(
    browser: Browser, asterisk: SimulatedAsterisk, tmp_path: Path, knows: str
) -> None:
    """It neither reads nor listens nor sends; Asterisk hears nothing of it."""
    guarded = knows in ("a cookie", "a secret")
    more = f"state = yes\nreplay = 1MB\nauthrequired = {'yes' if guarded else 'no'}\n"
    (tmp_path / "evil.html").write_text("<title>evil</title>")
    with (
        ProxyProcess(config(asterisk, more=more), USERS.format(read="all")) as proxy,
        website(tmp_path) as other,
    ):
        wait_connected(proxy)
        if knows == "a cookie":
            browser.go(at(proxy, "/healthz"))
            assert browser.run(f"return (async () => {{{LOG_IN}}})()")[0] == 200
        elif knows == "a secret":
            browser.go(at(proxy, "/?Action=Ping", login="anna:s@"))
            browser.go(at(proxy, "/v1/me"))  # the browser sends by itself what it has learnt
            assert '"anna"' in browser.text
        before = len(asterisk.actions("Originate"))
        browser.go(f"{other}/evil.html")

        found: dict[str, Any] = browser.run(TRY, at(proxy)[:-1])

        assert {name: what for name, what in found.items() if what != "refused"} == {}
        assert len(found) == 17
        assert len(asterisk.actions("Originate")) == before
        assert proxy.log().count("403 Another site's page may not do this") == 5
