# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person with a browser sees of the real program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import Browser
from tests.system.peers import wait_connected
from tests.system.web.browser_support import at, needs_browser
from tests.system.web.support import config

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy

pytestmark = needs_browser


def test_the_page_asks_asterisk(web: ProxyProcess, browser: Browser) -> None:
    """The page has a title and a form; sent as it stands, Asterisk answers Pong."""
    browser.go(at(web, "/form"))
    assert browser.title == "astmanproxy"
    assert browser.status == 200

    browser.type("input[name=Action]", "Ping")
    browser.type("input[name=ActionID]", "a & ü")
    browser.click("button")

    assert browser.status == 200
    assert browser.text.splitlines()[:3] == ["Response: Success", "ActionID: a & ü", "Ping: Pong"]


def test_the_page_needs_nothing_but_itself(web: ProxyProcess, browser: Browser) -> None:
    """It loads nothing, runs nothing, and nothing in it is refused by its own policy."""
    browser.complaints()
    for path in ("/form", "/manager"):
        browser.go(at(web, path))
        loaded = "return performance.getEntriesByType('resource').map(entry => entry.name)"
        assert browser.run(loaded) == []
        assert browser.find_all("script, link, img, style, [style], [onclick]") == []

    assert browser.complaints() == []


def test_a_list_is_shown_to_its_end(web: ProxyProcess, browser: Browser) -> None:
    """A list asked for by the form has every item and its complete event."""
    browser.go(at(web, "/form"))
    browser.type("input[name=Action]", "QueueStatus")
    browser.click("button")

    text = browser.text
    assert "EventList: start" in text
    assert text.count("Event: QueueMember\n") == 8
    assert "Event: QueueStatusComplete\nEventList: Complete" in text


def test_a_browser_parses_a_list(web: ProxyProcess, browser: Browser) -> None:
    """As XML in its window, and as JSON by fetch()."""
    browser.go(at(web, "/?Action=QueueStatus&format=xml"))
    assert len(browser.find_all("AsteriskManagerAnswer > AsteriskManagerOutput")) > 8
    assert "error on line" not in browser.text

    browser.go(at(web, "/?Action=Ping&format=standard"))  # our form may run nothing
    script = (
        "return fetch('/?Action=QueueStatus&format=json').then(a => a.json()).then(a => a.at(-1))"
    )
    assert browser.run(script)["Event"] == "QueueStatusComplete"


@pytest.mark.parametrize("path", ["/form", "/asterisk/manager"])
def test_every_example_works(web: ProxyProcess, browser: Browser, path: str) -> None:
    """Each link of the page leads to an answer."""
    browser.go(at(web, path))
    count = len(browser.find_all("li a"))
    assert count >= 4

    for number in range(1, count + 1):
        browser.go(at(web, path))
        browser.click(f"li:nth-of-type({number}) a")
        assert browser.status == 200, browser.url
        assert "Response" in browser.text, browser.url
        assert "Error" not in browser.text, browser.url


@pytest.mark.parametrize(
    ("format_of_proxy", "name"), [("xml", "Müller"), ("json", "Müller"), ("csv", "M\xfcller")]
)
def test_the_form_is_answered_as_text_a_person_can_read(
    proxy: StartProxy,
    asterisk: SimulatedAsterisk,
    browser: Browser,
    format_of_proxy: str,
    name: str,
) -> None:
    """Whatever outputformat is, the form's answer is text, umlauts and all: nothing to save."""
    encoding = "latin-1" if format_of_proxy == "csv" else "utf-8"
    answer = f"Response: Success\r\nActionID: {{ActionID}}\r\nName: {name}\r\n\r\n"
    asterisk.answer("SIPshowpeer", answer.encode(encoding))
    process = proxy(config(asterisk, more=f"outputformat = {format_of_proxy}\n"))
    wait_connected(process)
    browser.go(at(process, "/form"))
    browser.type("input[name=Action]", "SIPshowpeer")
    browser.click("button")

    assert browser.text.splitlines()[:2] == ["Response: Success", f"Name: {name}"]


def test_commands_keep_their_columns(
    web: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser
) -> None:
    """Asterisk's own HTML shows the blanks of a command's output."""
    asterisk.answer(
        "Command",
        b"Response: Success\r\nActionID: {ActionID}\r\nOutput: Name      State\r\n\r\n",
    )
    browser.go(at(web, "/manager"))
    browser.type("input[name=action]:not([type=hidden])", "Command")
    browser.click("form:last-of-type button")
    asterisk.answer("Command", None)

    assert "Name      State" in browser.text


def test_without_login_the_browser_gets_401(
    guarded: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser
) -> None:
    """The form is answered 401; Asterisk hears nothing."""
    asked = len(asterisk.actions("CoreStatus"))
    browser.go(at(guarded, "/form"))
    browser.type("input[name=Action]", "CoreStatus")
    browser.click("button")

    assert browser.status == 401
    assert len(asterisk.actions("CoreStatus")) == asked


def test_with_basic_the_browser_gets_its_answer(guarded: ProxyProcess, browser: Browser) -> None:
    """User and secret of the users file open it, and the form goes on with them.

    A browser sends them only where the challenge is one that it knows.
    """
    browser.go(at(guarded, "/?Action=Ping&format=standard", login="joe:wrong@"))
    assert browser.status == 401

    browser.go(at(guarded, "/?Action=Ping&format=standard", login="joe:secret1@"))
    assert browser.status == 200
    browser.go(at(guarded, "/form"))
    browser.type("input[name=Action]", "Ping")
    browser.click("button")

    assert browser.status == 200
    assert "Ping: Pong" in browser.text


def test_a_session_of_asterisks_own_interface(guarded: ProxyProcess, browser: Browser) -> None:
    """Log in by the form at /manager, ask by its links, log off: the cookie does it."""
    home = at(guarded, "/asterisk/manager", host="localhost")
    ask = "a[href$=corestatus]"
    browser.go(home)
    browser.click(ask)
    assert "Permission denied" in browser.text

    browser.go(home)
    browser.type("input[name=username]", "joe")
    browser.type("input[name=secret]", "secret1")
    browser.click("form:first-of-type button")
    assert "Authentication accepted" in browser.text
    assert browser.run("return document.cookie") == ""

    browser.go(home)
    browser.click(ask)
    assert "CoreCurrentCalls" in browser.text
    browser.go(home)
    browser.click("a[href$=logoff]")
    assert "Goodbye" in browser.text
    browser.go(home)
    browser.click(ask)
    assert "Permission denied" in browser.text


def test_the_browser_leaves_nothing_behind() -> None:
    """Neither process nor profile."""
    with Browser() as one:
        assert (one.directory / "profile").is_dir()

    assert len(one.family) > 1
    assert one.processes == []
    assert not one.directory.exists()


def test_it_logs_in_by_digest(guarded: ProxyProcess, browser: Browser) -> None:
    """And goes on with one nonce, for requests that overtake each other, too."""
    browser.go(at(guarded, "/amanager?action=ping", login="joe:secret1@"))
    assert browser.status == 200
    assert "Pong" in browser.text

    ask = "n => fetch(arguments[0] + '&n=' + n).then(answer => answer.text())"
    texts = browser.run(
        f"return Promise.all([1, 2, 3, 4, 5, 6].map({ask}))", at(guarded, "/arawman?action=ping")
    )

    assert all("Pong" in text for text in texts)
