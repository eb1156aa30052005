# SPDX-License-Identifier: GPL-2.0-or-later
"""Logging in to the console and to the wall, in a browser, at the proxy itself."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from amiproxy.access.tokens import hash_of, new_token
from tests.support import ProxyProcess, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import at, needs_browser
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk
    from tests.browser import Browser

pytestmark = needs_browser

TOKEN = new_token()
USERS = f"""[anna]
secret = right one
read = agent
write = agent

[op]
secret = right one
read = all
write = all
proxyactions = all, operator

[board]
secret = unused
token = {hash_of(TOKEN)}
read = agent
"""


@pytest.fixture(scope="module")
def proxy(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that wants log-ins, with the user anna and a wall's."""
    with ProxyProcess(config(asterisk, more="authrequired = yes\nstate = yes\n"), USERS) as process:
        wait_connected(process)
        yield process


@pytest.fixture
def page(browser: Browser, proxy: ProxyProcess) -> Browser:
    """The console of who has not logged in."""
    if browser.url.startswith(at(proxy)):
        browser.run("return fetch('v1/session', {method: 'DELETE'})")
    browser.load(at(proxy, "/#/events"))
    wait_until(lambda: asks(browser), 10, "the form")
    return browser


def asks(browser: Browser) -> bool:
    """Return whether the form is open, and nothing behind it takes input."""
    return bool(browser.run("return document.querySelector('dialog.login:modal') !== null"))


def text(browser: Browser, selector: str) -> str:
    """Return the text of what *selector* selects, "" if it is not there."""
    found = browser.run("return document.querySelector(arguments[0])?.innerText || ''", selector)
    return str(found)


def live(browser: Browser) -> bool:
    """Return whether the page has its connection."""
    return bool(browser.run("return document.documentElement.dataset.live === 'live'"))


def log_in(browser: Browser, secret: str, user: str = "anna") -> None:
    """Fill in the form and send it."""
    browser.type("dialog.login [name=username]", user)
    browser.type("dialog.login [name=secret]", secret)
    browser.run("document.querySelector('dialog.login form').requestSubmit()")


def test_a_wrong_secret_gets_nobody_in_and_the_right_one_does(page: Browser) -> None:
    """The form says so, and stays; then it is gone, and the head says who is there."""
    log_in(page, "wrong")
    wait_until(lambda: text(page, ".login .problem"), 20, "a word")
    assert text(page, ".login .problem") == "This user and secret do not fit."
    assert asks(page)

    log_in(page, "right one")
    wait_until(lambda: not asks(page) and live(page), 20, "the page")
    assert "anna" in text(page, "#user")
    assert page.run("return document.cookie") == ""


def test_the_page_goes_on_where_it_was_when_a_log_in_has_ended(page: Browser) -> None:
    """It is greyed under the form; what was typed, and which tab it is, stays."""
    log_in(page, "right one")
    wait_until(lambda: live(page), 20, "the page")
    page.type("[name=q]", "4711")
    page.run("return fetch('v1/session', {method: 'DELETE'})")
    wait_until(lambda: asks(page), 20, "the form")
    assert page.run("return document.documentElement.matches('.frozen')")

    log_in(page, "right one")
    wait_until(lambda: not asks(page) and live(page), 20, "the page")
    assert page.run("return document.querySelector('[name=q]').value") == "4711"
    assert page.run("return !document.documentElement.matches('.frozen')")


def test_log_out_leaves_nothing_on_the_screen(page: Browser) -> None:
    """The next person at this screen sees the form."""
    log_in(page, "right one")
    wait_until(lambda: live(page), 20, "the page")
    page.run("document.querySelector('#user button').click()")

    wait_until(lambda: asks(page) and not live(page), 20, "the form")
    assert "anna" not in text(page, "#user")


def test_tabs_and_actions_follow_the_users_rights(page: Browser) -> None:
    """The tab Proxy is for operators: for anna it is absent, not dead."""
    log_in(page, "right one")
    wait_until(lambda: live(page), 20, "the page")
    assert text(page, "#tabs").split() == ["Now", "Events", "Action"]

    page.run("location.hash = '#/action/Command'")
    why = "You may not send Command: write lacks command."
    wait_until(lambda: text(page, "#action-why") == why, 20, why)


def test_an_operator_sees_the_proxy_and_lets_a_client_go(
    page: Browser, proxy: ProxyProcess
) -> None:
    """After a second click; no secret is in what is shown; an action goes to a server."""
    log_in(page, "right one", "op")
    wait_until(lambda: live(page), 20, "the page")
    page.run("location.hash = '#/proxy'")
    basic = {"Authorization": "Basic " + b64encode(b"op:right one").decode()}
    with connect(f"ws://127.0.0.1:{proxy.port}/ws", additional_headers=basic) as client:
        kick = f"[aria-label$=':{client.socket.getsockname()[1]}']"
        wait_until(lambda: page.find_all(kick), 20, kick)
        page.run("document.querySelector(arguments[0]).click()", kick)
        assert text(page, kick) == "Really?"
        page.run("document.querySelector(arguments[0]).click()", kick)
        with contextlib.suppress(ConnectionClosed):
            list(client)  # ends with the connection

    page.run("document.querySelector('details.panel').open = true")
    wait_until(lambda: "authrequired" in text(page, ".config"), 20, "the configuration")
    assert "(hidden)" in text(page, ".config")
    page.run("location.hash = '#/action/Ping'")
    wait_until(lambda: text(page, ".preview") == "Action: Ping", 20, "the form")
    page.run("document.querySelector('.action-form').requestSubmit()")
    wait_until(lambda: "Pong" in text(page, ".answer"), 20, "the answer")


def test_a_wall_logs_in_by_the_token_in_its_address(page: Browser, proxy: ProxyProcess) -> None:
    """The token is in no request's address, and not in that of the page any more."""
    page.go("about:blank")
    page.go(at(proxy, f"/wall?queue=support#token={TOKEN}"))

    wait_until(lambda: live(page), 20, "the wall")
    assert page.url == at(proxy, "/wall?queue=support")


def test_a_wall_without_log_in_says_what_to_do(page: Browser, proxy: ProxyProcess) -> None:
    """No form: there is nobody to fill it in."""
    page.go(at(proxy, "/wall"))

    wait_until(lambda: "This wall is not logged in" in text(page, "#band"), 20, "the band")
    assert f"127.0.0.1:{proxy.port}/wall#token=TOKEN" in text(page, ".nothing")
    assert not page.find_all("form")
