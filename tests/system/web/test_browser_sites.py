# SPDX-License-Identifier: GPL-2.0-or-later
"""What pages of others may do through a browser, and values that are HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support import StartProxy, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import ATTACK, at, needs_browser, website, write_sample
from tests.system.web.support import config

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.server import SimulatedAsterisk
    from tests.browser import Browser
    from tests.support import ProxyProcess

pytestmark = needs_browser

#: The attack out of an attribute, a text area and a table.
BREAKOUT = f"'\"/></pre></textarea></td></table>]]>{ATTACK}"


def test_this_browser_would_run_the_attack(browser: Browser, tmp_path: Path) -> None:
    """The attack that the next tests use is one: on a page that does not escape it runs."""
    (tmp_path / "index.html").write_text(f"<title>not yet</title><body>{ATTACK}")
    with website(tmp_path) as origin:
        browser.go(origin)

        assert browser.title == "ran"


@pytest.mark.parametrize("value", [ATTACK, BREAKOUT], ids=["attack", "breakout"])
@pytest.mark.parametrize(
    "path",
    [
        "/?Action=Status&format=standard",
        "/?Action=Status&format=xml",
        "/?Action=Status&format=json",
        "/manager?action=Status",
        "/rawman?action=Status",
        "/mxml?action=Status",
    ],
)
def test_html_in_a_value_is_text(
    web: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser, path: str, value: str
) -> None:
    """The name that a caller chose is shown as it is, and never runs."""
    asterisk.answer(
        "Status",
        f"Response: Success\r\nActionID: {{ActionID}}\r\nCallerIDName: {value}\r\n"
        f"{value}: x\r\n\r\n".encode(),
    )
    browser.go(at(web, path))
    asterisk.answer("Status", None)

    assert browser.status == 200
    assert browser.title != "ran"
    assert browser.find_all("script, img") == []
    assert "document.title=" in browser.text
    if "format=json" not in path:
        assert value in browser.text


def test_html_in_the_request_is_text(web: ProxyProcess, browser: Browser) -> None:
    """An ActionID that a link puts into an answer is shown, and does not run."""
    for path in ("/?Action=Ping&ActionID=", "/manager?action=Ping&ActionID="):
        browser.go(at(web, path + quote(ATTACK)))

        assert ATTACK in browser.text
        assert browser.title != "ran"
        assert browser.find_all("script, img") == []


def test_the_sample_asks(
    web: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser, tmp_path: Path
) -> None:
    """The GET form of the sample may ask from anywhere: asking changes nothing."""
    write_sample(tmp_path, web)
    with website(tmp_path) as origin:
        browser.go(f"{origin}/form.html")
        browser.type("input[name=Exten]", "a&b=c")
        browser.click("form[method=get] button")

        assert browser.status == 200
        assert "Response: Success" in browser.text
        assert "StatusText: " in browser.text
    asked = asterisk.actions("ExtensionState")[-1]
    assert b"\r\nExten: a&b=c\r\nContext: default\r\n" in asked


def test_a_page_of_others_changes_nothing(
    web: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser, tmp_path: Path
) -> None:
    """Its POST is refused with 403 and a reason; Asterisk hears nothing of it."""
    write_sample(tmp_path, web)
    before = len(asterisk.actions("Originate"))
    with website(tmp_path) as origin:
        browser.go(f"{origin}/form.html")
        browser.click("form[method=post] button")

        assert browser.status == 403
        assert f"To allow that one: httpcors = {origin} (" in browser.text
    assert len(asterisk.actions("Originate")) == before


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_nor_by_any_other_way(
    web: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser, tmp_path: Path, host: str
) -> None:
    """Pictures, frames, links, scripts, hidden Referer and Origin: none gets a call through."""
    target = at(web, "/", host) + "?Action=Originate&Channel=Local/100@default"
    (tmp_path / "index.html").write_text(
        f"<img src='{target}&Exten=1'><iframe src='{target}&Exten=2'></iframe>"
        f"<script src='{target}&Exten=3'></script>"
        f"<img referrerpolicy=no-referrer src='{target}&Exten=4'>"
        f"<a rel=noreferrer href='{target}&Exten=5'>call</a>"
        "<iframe sandbox='allow-scripts allow-forms' srcdoc=\"<form method=post"
        f" action='{target}&Exten=6'></form><script>document.forms[0].submit()</script>\"></iframe>"
    )
    before = len(asterisk.actions("Originate"))
    refused = web.log().count(": 403 ")
    with website(tmp_path) as origin:
        browser.go(origin)
        for options in ("{}", "{mode: 'no-cors', method: 'POST', referrerPolicy: 'no-referrer'}"):
            browser.run(
                f"return fetch(arguments[0], {options}).then(() => 'ok', () => 'refused')",
                target + "&Exten=7",
            )
        wait_until(lambda: web.log().count(": 403 ") >= refused + 7, what="seven refusals")
        browser.click("a")

        assert browser.status == 403
    assert len(asterisk.actions("Originate")) == before


def test_a_link_out_of_a_mail_changes_nothing(
    web: ProxyProcess, asterisk: SimulatedAsterisk, browser: Browser
) -> None:
    """No page has it: the browser says that its address was typed."""
    before = len(asterisk.actions("Originate"))

    browser.go(at(web, "/?Action=Originate&Channel=Local/100@default"))

    assert browser.status == 403
    assert "use POST" in browser.text
    assert len(asterisk.actions("Originate")) == before


def test_a_named_page_may(
    proxy: StartProxy, asterisk: SimulatedAsterisk, browser: Browser, tmp_path: Path
) -> None:
    """A page whose origin httpcors names places the call, and its scripts read answers."""
    before = len(asterisk.actions("Originate"))
    with website(tmp_path) as origin:
        process = proxy(config(asterisk, more=f"httpcors = {origin}\n"))
        wait_connected(process)
        write_sample(tmp_path, process)
        browser.go(f"{origin}/form.html")
        browser.click("form[method=post] button")

        assert browser.status == 200
        assert "Response: " in browser.text
        assert "Message: Originate" in browser.text
        calls = asterisk.actions("Originate")[before:]
        assert len(calls) == 1
        assert b"\r\nVariable: source=form\r\nVariable: kind=a & b\r\n" in calls[0]

        browser.go(f"{origin}/form.html")
        assert ask_json(browser, process)["Ping"] == "Pong"


def test_scripts_of_others_read_nothing(
    web: ProxyProcess, browser: Browser, tmp_path: Path
) -> None:
    """The browser does not ask, or does not tell, what a page without leave wants to know."""
    (tmp_path / "index.html").write_text("<title>page</title>")
    with website(tmp_path) as origin:
        browser.go(origin)

        assert ask_json(browser, web) == "TypeError"
        read = "return fetch(arguments[0]).then(answer => answer.text(), error => error.name)"
        assert browser.run(read, at(web, "/?Action=Ping")) == "TypeError"


def ask_json(browser: Browser, process: ProxyProcess) -> Any:
    """Ask Ping by a script: a POST of JSON, before which the browser asks for leave."""
    return browser.run(
        "return fetch(arguments[0], {method: 'POST', body: '{\"Action\": \"Ping\"}', headers:"
        " {'Content-Type': 'application/json', 'Accept': 'application/json'}})"
        ".then(answer => answer.json(), error => error.name)",
        at(process, host="localhost"),
    )
