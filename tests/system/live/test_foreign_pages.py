# SPDX-License-Identifier: GPL-2.0-or-later
"""A page of another site gets nothing of what is live, whatever the browser knows of the proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import Browser
from tests.support import ProxyProcess
from tests.system.peers import wait_connected
from tests.system.web.browser_support import at, needs_browser, website
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.server import SimulatedAsterisk

pytestmark = needs_browser

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
LOG_IN = """
return fetch('/v1/session', {method: 'POST', headers: {'Content-Type': 'application/json'},
  body: JSON.stringify({username: 'anna', secret: 's'})}).then((answer) => answer.status);
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with Browser() as started:
        yield started


@pytest.mark.parametrize("knows", ["nothing, and none is needed", "a cookie", "a secret"])
def test_a_page_of_another_site_gets_nothing(
    browser: Browser, asterisk: SimulatedAsterisk, tmp_path: Path, knows: str
) -> None:
    """It neither reads nor listens nor sends; Asterisk hears nothing of it."""
    guarded = knows in ("a cookie", "a secret")
    more = f"state = yes\nreplay = 1MB\nauthrequired = {'yes' if guarded else 'no'}\n"
    (tmp_path / "evil.html").write_text("<title>evil</title>")
    with ProxyProcess(config(asterisk, more=more), "anna=s\n") as proxy, website(tmp_path) as other:
        wait_connected(proxy)
        if knows == "a cookie":
            browser.go(at(proxy, "/healthz"))
            assert browser.run(LOG_IN) == 200
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
