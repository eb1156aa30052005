# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk's own HTTP interface: sessions, text, XML and HTML."""

from __future__ import annotations

import hashlib
import re
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support import wait_until
from tests.system.web.support import curl, needs_curl

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess

pytestmark = needs_curl


def start_session(process: ProxyProcess, path: str) -> str:
    """Log in at *path*; return the header with the cookie."""
    status, headers, body = curl(process, path)
    assert status == 200
    assert body == "Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    match = re.match(
        r'mansession_id="([0-9a-f]{32})"; Version=1; Max-Age=60', headers["set-cookie"]
    )
    assert match is not None
    return f'Cookie: mansession_id="{match[1]}"'


@pytest.mark.parametrize("prefix", ["", "/asterisk"])
def test_a_session_of_asterisks_own_interface(
    guarded: ProxyProcess, asterisk: SimulatedAsterisk, prefix: str
) -> None:
    """Log in, ask as text and XML, wait for an event, log off."""
    cookie = start_session(guarded, f"{prefix}/rawman?action=login&username=joe&secret=secret1")

    _, _, body = curl(guarded, f"{prefix}/rawman?action=ping&actionid=1", "-H", cookie)
    assert body.startswith("Response: Success\r\nActionID: 1\r\nPing: Pong\r\n")
    _, headers, body = curl(guarded, f"{prefix}/mxml?action=ping&actionid=3", "-H", cookie)
    assert headers["content-type"] == "text/xml"
    assert "<generic response='Success' actionid='3' ping='Pong'" in body
    assert ET.fromstring(body)[0].attrib == {"type": "object", "id": "unknown"}
    _, headers, body = curl(guarded, f"{prefix}/manager?action=ping", "-H", cookie)
    assert headers["content-type"].startswith("text/html")
    assert "<tr><td>Ping</td><td>Pong</td></tr>" in body
    asterisk.event("UserEvent", "user,all", UserEvent="Kept")
    wait_until(lambda: "Kept" in wait_event(guarded, prefix, cookie))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_event, guarded, prefix, cookie)
        time.sleep(0.2)  # the event may come before or after: it is told in either case
        asterisk.event("UserEvent", "user,all", UserEvent="Awaited")
        body = waiting.result()
    assert body.startswith("Response: Success\r\nMessage: Waiting for Event completed.\r\n\r\n")
    assert "UserEvent: Awaited\r\n" in body
    assert body.endswith("\r\n\r\nEvent: WaitEventComplete\r\n\r\n")
    _, headers, body = curl(guarded, f"{prefix}/rawman?action=logoff", "-H", cookie)
    assert body == "Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n"
    assert "Max-Age=0" in headers["set-cookie"]
    _, _, body = curl(guarded, f"{prefix}/rawman?action=ping", "-H", cookie)
    assert body == "Response: Error\r\nMessage: Permission denied\r\n\r\n"


def wait_event(process: ProxyProcess, prefix: str, cookie: str, timeout: int = 5) -> str:
    """Return the body of a waitevent."""
    return curl(process, f"{prefix}/rawman?action=waitevent&timeout={timeout}", "-H", cookie)[2]


def test_a_challenge_that_cannot_be_is_refused_in_its_own_words(guarded: ProxyProcess) -> None:
    """It is no action that needs a log-in."""
    _, _, body = curl(guarded, "/rawman?action=challenge&authtype=none")

    assert body == "Response: Error\r\nMessage: Must specify AuthType\r\n\r\n"


def test_a_challenge_is_answered_with_the_next_request(guarded: ProxyProcess) -> None:
    """Log-in by MD5, as programs for Asterisk's interface do it: the cookie joins the two.

    The session has a new one, or whoever asked for the challenge would be in, too.
    """
    _, headers, body = curl(guarded, "/asterisk/rawman?action=challenge&authtype=md5")
    match = re.fullmatch(r"Response: Success\r\nChallenge: (\d+)\r\n\r\n", body)
    assert match is not None
    cookie = "Cookie: " + headers["set-cookie"].partition(";")[0]
    _, _, before = curl(guarded, "/asterisk/rawman?action=ping", "-H", cookie)
    key = hashlib.md5(f"{match[1]}secret1".encode()).hexdigest()
    log_in = f"/asterisk/rawman?action=login&authtype=md5&username=joe&key={key}"
    _, headers, login = curl(guarded, log_in, "-H", cookie)
    _, _, fixed = curl(guarded, "/asterisk/rawman?action=ping", "-H", cookie)
    own = "Cookie: " + headers["set-cookie"].partition(";")[0]
    _, _, after = curl(guarded, "/asterisk/rawman?action=ping", "-H", own)

    assert before == fixed == "Response: Error\r\nMessage: Permission denied\r\n\r\n"
    assert login == "Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    assert after.startswith("Response: Success\r\nPing: Pong\r\n")
    assert "Authentication failed" in curl(guarded, log_in)[2]  # without the cookie


def test_a_failed_login_begins_no_session(guarded: ProxyProcess) -> None:
    """Nobody gets a cookie for a wrong secret; unknown cookies count for nothing."""
    status, headers, body = curl(guarded, "/rawman?action=login&username=joe&secret=x")

    assert status == 200
    assert body == "Response: Error\r\nMessage: Authentication failed\r\n\r\n"
    assert "set-cookie" not in headers
    for cookie in ("", "0" * 32, "../x"):
        options = ["-H", f"Cookie: mansession_id={cookie}"]
        assert "Permission denied" in curl(guarded, "/rawman?action=ping", *options)[2]


def test_recorded_requests(web: ProxyProcess) -> None:
    """What was recorded from Asterisk's interface is answered alike, as far as it is ours."""
    _, _, body = curl(web, "/asterisk/mxml?action=coreshowchannels")
    root = ET.fromstring(body)
    assert root[0][0].attrib["eventlist"] == "start"
    assert root[-1][0].attrib["event"] == "CoreShowChannelsComplete"
    text = quote("ä <&>")
    _, _, body = curl(web, f"/asterisk/rawman?action=userevent&userevent=ViaHttp&x={text}")
    assert body.startswith("Response: Success\r\nMessage: Event Sent\r\n")


def test_a_call_that_a_request_has_given_up_holds_up_no_other(
    guarded: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """It rings on; but each request is one of its own, as at Asterisk."""
    accepted = b"Response: Success\r\nActionID: {ActionID}\r\nMessage: queued\r\n\r\n"
    asterisk.answer("Originate", accepted)
    joe = start_session(guarded, "/rawman?action=login&username=joe&secret=secret1")
    call = "action=originate&channel=SIP/1&application=Wait&timeout=60000&X-Maxtime=100"
    assert curl(guarded, f"/rawman?{call}", "-H", joe)[0] == 504

    assert "Ping: Pong" in curl(guarded, "/rawman?action=ping&X-Maxtime=5000", "-H", joe)[2]


def test_a_log_in_has_a_session_of_its_own(
    guarded: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """Events kept for joe reach nobody who logs in with joe's cookie; that cookie is over."""
    joe = start_session(guarded, "/rawman?action=login&username=joe&secret=secret1")
    asterisk.event("UserEvent", "user,all", UserEvent="ForJoe")
    assert asterisk.flush()
    curl(guarded, "/rawman?action=ping", "-H", joe)  # behind the event

    _, headers, _ = curl(guarded, "/rawman?action=login&username=ann&secret=secret2", "-H", joe)
    ann = "Cookie: " + headers["set-cookie"].partition(";")[0]

    assert ann != joe
    for cookie in (joe, ann):
        assert "ForJoe" not in wait_event(guarded, "", cookie, timeout=0)
    assert "Permission denied" in curl(guarded, "/rawman?action=ping", "-H", joe)[2]
    assert "Ping: Pong" in curl(guarded, "/rawman?action=ping", "-H", ann)[2]
    assert "SameSite=Strict" in headers["set-cookie"]
    assert "HttpOnly" in headers["set-cookie"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_cookie_given_over_tls_is_for_tls_alone(web: ProxyProcess, scheme: str) -> None:
    """The browser does not send it over a connection that others can read."""
    _, headers, _ = curl(web, "/rawman?action=login", scheme=scheme)

    assert ("; Secure" in headers["set-cookie"]) is (scheme == "https")
