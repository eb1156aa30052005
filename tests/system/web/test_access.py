# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may ask: log-ins, the proxy key, pages in a browser."""

from __future__ import annotations

import http.client
import signal
from typing import TYPE_CHECKING

from tests.system.peers import wait_connected
from tests.system.web.support import config, curl, needs_curl, raw

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy

pytestmark = needs_curl


def test_without_login_it_is_401(guarded: ProxyProcess) -> None:
    """Where a login is required, nothing is done without."""
    for path in ("/?Action=Ping", "/?ProxyAction=ListSessions", "/?Action=WaitEvent&Timeout=1"):
        status, headers, _ = curl(guarded, path)
        assert status == 401
        assert headers["www-authenticate"].startswith('Basic realm="')


def test_basic_authentication(guarded: ProxyProcess) -> None:
    """User and secret of the users file open it, wrong ones do not."""
    assert curl(guarded, "/?Action=Ping", "-u", "joe:secret1")[0] == 200
    status, headers, body = curl(guarded, "/?Action=Ping", "-u", "joe:wrong")
    assert status == 401
    assert "www-authenticate" in headers
    assert "Authentication failed" in body
    assert curl(guarded, "/?Action=Ping", "-H", "Authorization: Basic !")[0] == 401
    guarded.wait_log("login failed from 127.0.0.1")
    assert "wrong" not in guarded.log().split("login failed", 1)[1].split(":")[0]
    assert "secret" not in guarded.log().replace("wrong user or secret", "")


def test_the_users_filters_count(guarded: ProxyProcess) -> None:
    """A request acts as its user."""
    path = "/?Action=Hangup&Channel=SIP/200-1"

    assert "Action Filtered" in curl(guarded, path, "-u", "ann:secret2")[2]
    assert "Action Filtered" not in curl(guarded, path, "-u", "joe:secret1")[2]


def test_proxy_key(proxy: StartProxy, asterisk: SimulatedAsterisk) -> None:
    """The key as field or header opens it, and never reaches Asterisk."""
    process = proxy(config(asterisk, more="proxykey = k3y\n"))
    wait_connected(process)

    assert curl(process, "/?Action=Ping")[0] == 401
    assert curl(process, "/?Action=Ping&ProxyKey=wrong")[0] == 401
    assert curl(process, "/?Action=Ping&ProxyKey=k3y")[0] == 200
    assert curl(process, "/?Action=Ping", "-H", "ProxyKey: k3y")[0] == 200
    assert not any(b"k3y" in action for action in asterisk.received)
    assert "k3y" not in process.log()


def test_many_guarded_connections(guarded: ProxyProcess) -> None:
    """Web clients that have logged in do not count as unauthenticated (authlimit is 50)."""
    connections = []
    try:
        for _ in range(60):
            connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=20)
            connections.append(connection)
            headers = {"Authorization": "Basic am9lOnNlY3JldDE="}
            connection.request("GET", "/?Action=Ping", headers=headers)
            assert connection.getresponse().read().startswith(b"Response: Success")
    finally:
        for connection in connections:
            connection.close()


def test_unauthenticated_clients_do_not_stay(guarded: ProxyProcess) -> None:
    """A client that has not logged in is answered once and let go."""
    request = "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n"
    for target in ("?Action=Ping", "rawman?action=ping", "", "nothing"):
        answer = raw(guarded, request.format(target) * 2)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"\r\nConnection: close\r\n" in answer


def test_pages_of_others(web: ProxyProcess, proxy: StartProxy, asterisk: SimulatedAsterisk) -> None:
    """Another site's page may change nothing and read nothing, unless httpcors names it."""
    evil = ["-H", "Origin: https://a.example"]
    before = len(asterisk.actions("Hangup"))
    for options in (
        evil,
        ["-H", "Sec-Fetch-Site: cross-site"],
        ["-H", "Referer: http://evil.example/"],
        ["-A", "Mozilla/5.0 (X11; Linux)", "-H", "Accept-Language: de"],
        [*evil, "-d", "x=y"],
    ):
        assert curl(web, "/?Action=Hangup&Channel=x", *options)[0] == 403
    assert len(asterisk.actions("Hangup")) == before
    status, headers, _ = curl(web, "/?Action=Ping", *evil)
    assert status == 200
    assert "access-control-allow-origin" not in headers

    named = proxy(config(asterisk, more="httpcors = https://a.example\n"))
    wait_connected(named)
    status, headers, _ = curl(named, "/", *evil, "-d", "Action=Ping")
    assert status == 200
    assert headers["access-control-allow-origin"] == "https://a.example"
    assert curl(named, "/", "-H", "Origin: https://b.example", "-d", "Action=Ping")[0] == 403
    preflight = curl(
        named, "/", *evil, "-X", "OPTIONS", "-H", "Access-Control-Request-Method: POST"
    )
    assert preflight[0] == 204
    assert "POST" in preflight[1]["access-control-allow-methods"]


def test_rebound_names(web: ProxyProcess) -> None:
    """A browser that comes by a public name that is not ours is refused."""
    browser = ["-H", "Sec-Fetch-Site: same-origin"]

    assert curl(web, "/?Action=Ping", *browser, "-H", "Host: evil.example")[0] == 403
    assert curl(web, "/?Action=Ping", *browser, "-H", "Host: localhost:1")[0] == 200
    assert curl(web, "/?Action=Ping", "-H", "Host: pbx.example.com")[0] == 200


def test_a_refusal_gives_the_line_that_would_allow_it(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """Copied into astmanproxy.conf it does after SIGHUP, for a page and for a name."""
    process = proxy(config(asterisk))
    wait_connected(process)
    path = "/?Action=Hangup&Channel=x"
    page = ["-H", "Origin: http://crm.example.com:8080", "-d", ""]
    link = ["-e", "http://crm.example.com/customers?id=7"]
    name = [*BROWSER, "-H", "Host: pbx.example.com:1301", "-H", "Sec-Fetch-Site: none"]
    for options, line in (
        (name, "httpcors = http://pbx.example.com:1301"),
        (page, "httpcors = http://crm.example.com:8080"),
        (link, "httpcors = http://crm.example.com"),
    ):
        status, _, body = curl(process, path, *options)
        assert status == 403
        assert f"{line} (" in body
        process.write_config(config(asterisk, more=f"{line}\n"))
        process.send_signal(signal.SIGHUP)
        while f"{line} (" in body:
            _, _, body = curl(process, path, *options)
        assert "httpcors" not in body
    assert "use POST" in body  # the page may now; by a link it may not
    for nameless in (["-H", "Origin: null", "-d", ""], ["-H", "Sec-Fetch-Site: cross-site"]):
        assert "get the page from a web server" in curl(process, path, *nameless)[2]


BROWSER = ["-A", "Mozilla/5.0 (X11; Linux)", "-H", "Accept-Language: de"]
TYPED = [*BROWSER, "-H", "Sec-Fetch-Site: none"]


def test_links_change_nothing(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """One that came by mail is followed as if it had been typed; a form, and programs, may."""
    path = "/?Action=Hangup&Channel=x"
    before = len(asterisk.actions("Hangup"))
    for options in (TYPED, [*TYPED, "-I"], ["-e", f"http://127.0.0.1:{web.port}/"]):
        status, _, body = curl(web, path, *options)
        assert status == 403
        assert "use POST" in body or "-I" in options
    for path_of_link in ("/rawman?action=hangup&channel=x", "/?Action=Status&Variables=SHELL(id)"):
        assert curl(web, path_of_link, *TYPED)[0] == 403
    assert len(asterisk.actions("Hangup")) == before
    assert curl(web, "/?Action=Status", *TYPED)[0] == 200

    assert curl(web, "/", *TYPED, "-d", "Action=Hangup&Channel=x")[0] == 200
    assert curl(web, path)[0] == 200
    assert len(asterisk.actions("Hangup")) == before + 2


def test_a_link_changes_nothing_by_a_session_either(guarded: ProxyProcess) -> None:
    """The cookie of who has logged in comes with it; credentials are no link's."""
    _, headers, _ = curl(guarded, "/rawman?action=login&username=joe&secret=secret1")
    cookie = ["-H", "Cookie: " + headers["set-cookie"].partition(";")[0]]
    path = "/rawman?action=hangup&channel=x"

    assert curl(guarded, path, *TYPED, *cookie)[0] == 403
    assert "Response: " in curl(guarded, "/rawman?action=ping", *TYPED, *cookie)[2]
    assert curl(guarded, path, *TYPED, "-u", "joe:secret1")[0] == 200
    assert "Goodbye" in curl(guarded, "/rawman?action=logoff", *TYPED, *cookie)[2]
