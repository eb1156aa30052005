# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person with a browser sees of the real program, and what pages of others may do."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from urllib.parse import quote

import pytest

from tests.browser import CHROMEDRIVER, CHROMIUM, Browser
from tests.support import ROOT, ProxyProcess, wait_until
from tests.system.peers import QUICK, host_line, wait_connected

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="chromium is missing (Debian: chromium)"),
    pytest.mark.skipif(
        not CHROMEDRIVER, reason="chromedriver is missing (Debian: chromium-driver)"
    ),
]

#: Tells by the title that it ran, by a script of its own and by an attribute's.
ATTACK = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
#: The same out of an attribute, a text area and a table.
BREAKOUT = f"'\"/></pre></textarea></td></table>]]>{ATTACK}"


def config(asterisk, more=""):
    return QUICK + host_line(asterisk) + "inputformat = http\n" + more


@pytest.fixture(scope="module")
def web(asterisk):
    with ProxyProcess(config(asterisk)) as process:
        wait_connected(process)
        yield process


@pytest.fixture(scope="module")
def guarded(asterisk):
    with ProxyProcess(config(asterisk, "authrequired = yes\n"), "joe=secret1\n") as process:
        wait_connected(process)
        yield process


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


def at(process, path="/", host="127.0.0.1", login=""):
    return f"http://{login}{host}:{process.port}{path}"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


@contextlib.contextmanager
def website(directory):
    """Serve *directory* as somebody else's web site; gives its origin."""
    handler = functools.partial(Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def write_sample(directory, process):
    """Write samples/form.html for *process*, as its user would change it."""
    text = (ROOT / "samples" / "form.html").read_text()
    assert text.count("http://localhost:1234/") == 2
    page = text.replace("http://localhost:1234/", at(process, host="localhost"))
    (directory / "form.html").write_text(page)


# -- our own pages ------------------------------------------------------------------------


def test_the_page_asks_asterisk(web, browser):
    """The page has a title and a form; sent as it stands, Asterisk answers Pong."""
    browser.go(at(web))
    assert browser.title == "astmanproxy"
    assert browser.status == 200

    browser.type("input[name=Action]", "Ping")
    browser.type("input[name=ActionID]", "a & ü")
    browser.click("button")

    assert browser.status == 200
    assert browser.text.splitlines()[:3] == ["Response: Success", "ActionID: a & ü", "Ping: Pong"]


def test_the_page_needs_nothing_but_itself(web, browser):
    """It loads nothing, runs nothing, and nothing in it is refused by its own policy."""
    browser.complaints()
    for path in ("/", "/manager"):
        browser.go(at(web, path))
        loaded = "return performance.getEntriesByType('resource').map(entry => entry.name)"
        assert browser.run(loaded) == []
        assert browser.find_all("script, link, img, style, [style], [onclick]") == []

    assert browser.complaints() == []


def test_a_list_is_shown_to_its_end(web, browser):
    """A list asked for by the form has every item and its complete event."""
    browser.go(at(web))
    browser.type("input[name=Action]", "QueueStatus")
    browser.click("button")

    text = browser.text
    assert "EventList: start" in text
    assert text.count("Event: QueueMember\n") == 8
    assert "Event: QueueStatusComplete\nEventList: Complete" in text


@pytest.mark.parametrize("path", ["/", "/asterisk/manager"])
def test_every_example_works(web, browser, path):
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
    proxy, asterisk, browser, format_of_proxy, name
):
    """Whatever outputformat is, the form's answer is text, umlauts and all: nothing to save."""
    encoding = "latin-1" if format_of_proxy == "csv" else "utf-8"
    answer = f"Response: Success\r\nActionID: {{ActionID}}\r\nName: {name}\r\n\r\n"
    asterisk.answer("SIPshowpeer", answer.encode(encoding))
    process = proxy(config(asterisk, f"outputformat = {format_of_proxy}\n"))
    wait_connected(process)
    browser.go(at(process))
    browser.type("input[name=Action]", "SIPshowpeer")
    browser.click("button")

    assert browser.text.splitlines()[:2] == ["Response: Success", f"Name: {name}"]


def test_commands_keep_their_columns(web, asterisk, browser):
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


# -- values are text ----------------------------------------------------------------------


def test_this_browser_would_run_the_attack(browser, tmp_path):
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
def test_html_in_a_value_is_text(web, asterisk, browser, path, value):
    """What a caller chose as his name is shown as it is, and never runs."""
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


def test_html_in_the_request_is_text(web, browser):
    """Nor does what a link puts into an answer: an ActionID, an unknown name."""
    for path in ("/?Action=Ping&ActionID=", "/manager?action=Ping&ActionID="):
        browser.go(at(web, path + quote(ATTACK)))

        assert ATTACK in browser.text
        assert browser.title != "ran"
        assert browser.find_all("script, img") == []


# -- pages of others ----------------------------------------------------------------------


def test_the_sample_asks(web, asterisk, browser, tmp_path):
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


def test_a_page_of_others_changes_nothing(web, asterisk, browser, tmp_path):
    """Its POST is refused with 403 and a reason; Asterisk hears nothing of it."""
    write_sample(tmp_path, web)
    before = len(asterisk.actions("Originate"))
    with website(tmp_path) as origin:
        browser.go(f"{origin}/form.html")
        browser.click("form[method=post] button")

        assert browser.status == 403
        assert "httpcors" in browser.text
    assert len(asterisk.actions("Originate")) == before


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_nor_by_any_other_way(web, asterisk, browser, tmp_path, host):
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


def test_a_named_page_may(proxy, asterisk, browser, tmp_path):
    """A page whose origin httpcors names places the call, and its scripts read answers."""
    before = len(asterisk.actions("Originate"))
    with website(tmp_path) as origin:
        process = proxy(config(asterisk, f"httpcors = {origin}\n"))
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


def test_scripts_of_others_read_nothing(web, browser, tmp_path):
    """The browser does not ask, or does not tell, what a page without leave wants to know."""
    (tmp_path / "index.html").write_text("<title>page</title>")
    with website(tmp_path) as origin:
        browser.go(origin)

        assert ask_json(browser, web) == "TypeError"
        read = "return fetch(arguments[0]).then(answer => answer.text(), error => error.name)"
        assert browser.run(read, at(web, "/?Action=Ping")) == "TypeError"


def ask_json(browser, process):
    """Ask Ping by a script: a POST of JSON, before which the browser asks for leave."""
    return browser.run(
        "return fetch(arguments[0], {method: 'POST', body: '{\"Action\": \"Ping\"}', headers:"
        " {'Content-Type': 'application/json', 'Accept': 'application/json'}})"
        ".then(answer => answer.json(), error => error.name)",
        at(process, host="localhost"),
    )


# -- where a login is required ------------------------------------------------------------


def test_without_login_the_browser_gets_401(guarded, asterisk, browser):
    """The form is answered 401; Asterisk hears nothing."""
    asked = len(asterisk.actions("CoreStatus"))
    browser.go(at(guarded))
    browser.type("input[name=Action]", "CoreStatus")
    browser.click("button")

    assert browser.status == 401
    assert len(asterisk.actions("CoreStatus")) == asked


def test_with_basic_the_browser_gets_its_answer(guarded, browser):
    """User and secret of the users file open it, and the form goes on with them.

    A browser gives them only to who asks for them in a way that it knows.
    """
    browser.go(at(guarded, "/?Action=Ping&format=standard", login="joe:wrong@"))
    assert browser.status == 401

    browser.go(at(guarded, "/?Action=Ping&format=standard", login="joe:secret1@"))
    assert browser.status == 200
    browser.go(at(guarded))
    browser.type("input[name=Action]", "Ping")
    browser.click("button")

    assert browser.status == 200
    assert "Ping: Pong" in browser.text


def test_a_session_of_asterisks_own_interface(guarded, browser):
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


# -- the tests themselves -----------------------------------------------------------------


def test_the_browser_leaves_nothing_behind():
    """Neither process nor profile."""
    with Browser() as one:
        assert (one.directory / "profile").is_dir()

    assert len(one.family) > 1
    assert one.processes == []
    assert not one.directory.exists()
