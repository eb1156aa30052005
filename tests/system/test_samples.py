# SPDX-License-Identifier: GPL-2.0-or-later
"""Each of the samples does what it says, through the real program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, ProxyProcess
from tests.system.peers import wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

SAMPLES = ROOT / "samples"

#: Method, action and fields.
Form = tuple[str, str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def proxy(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    config = (
        f"host = 127.0.0.1, {asterisk.port}, ampuser, AmpSecret, on, off\n"
        f"inputformat = http\nauthrequired = yes\nhttpcors = http://pages.example\n"
    )
    with ProxyProcess(config, "joe=secret1\n") as process:
        wait_connected(process)
        yield process


def run(
    proxy: ProxyProcess, *command: str, user: str = "joe:secret1"
) -> subprocess.CompletedProcess[str]:
    """Run a sample for *proxy*, as *user*."""
    environment = {**os.environ, "PROXY": f"http://127.0.0.1:{proxy.port}", "PROXY_USER": user}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
def test_the_curl_script(proxy: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """The list comes as CSV, and both ways to POST reach Asterisk."""
    asterisk.answer("QueuePause", b"Response: Success\r\nActionID: {ActionID}\r\n\r\n")

    done = run(proxy, "sh", str(SAMPLES / "queues.sh"))

    assert done.returncode == 0, done.stderr
    assert "Ping: Pong" in done.stdout
    assert '"Event: QueueStatusComplete"' in done.stdout
    assert done.stdout.count("Success") >= 4
    paused, resumed = asterisk.actions("QueuePause")
    assert b"Interface: Local/100@default\r\nPaused: true\r\n" in paused
    assert b"Paused: false\r\n" in resumed


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
def test_the_curl_script_without_login(proxy: ProxyProcess) -> None:
    """An error of the proxy is an error of the script."""
    done = run(proxy, "sh", str(SAMPLES / "queues.sh"), user="joe:wrong")

    assert done.returncode != 0
    assert "401" in done.stderr


def test_the_python_sample(proxy: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """It places a call and prints what became of it."""
    done = run(proxy, sys.executable, str(SAMPLES / "call.py"), "Local/100@default", "200")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Success - Originate")
    call = asterisk.actions("Originate")[-1]
    assert b"\r\nVariable: source=sample\r\nVariable: note=a & b\r\n" in call


def test_the_python_sample_without_login(proxy: ProxyProcess) -> None:
    """It prints the proxy's reason."""
    done = run(
        proxy, sys.executable, str(SAMPLES / "call.py"), "Local/100@default", "200", user="joe:no"
    )

    assert done.returncode == 1
    assert done.stderr.startswith("401: ")
    assert "Authentication failed" in done.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="node is missing")
def test_the_javascript_sample(proxy: ProxyProcess) -> None:
    """It lists the channels there are."""
    done = run(proxy, "node", str(SAMPLES / "channels.mjs"))

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(" channels")


class Forms(HTMLParser):
    """Fills in the forms of a page as a browser does that just presses the buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""
        self._pending = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found["method"], found["action"], []))
        elif tag == "input":
            self.forms[-1][2].append((found["name"], found.get("value", "")))
        elif tag == "select":
            self._select = found["name"]
        elif tag == "option" and self._select:
            self._pending, self._select = self._select, ""

    def handle_data(self, data: str) -> None:
        name, self._pending = self._pending, ""
        if name:
            self.forms[-1][2].append((name, data.strip()))


def press(proxy: ProxyProcess, form: Form, origin: str) -> str:
    """Send *form* as a browser sends it from a page of *origin*."""
    method, action, fields = form
    url = action.replace("localhost:1234", f"127.0.0.1:{proxy.port}")
    data = urllib.parse.urlencode(fields)
    headers = {"User-Agent": "Mozilla/5.0 (X11)", "Accept-Language": "en", "Accept": "text/html"}
    if method == "post":
        headers["Origin"] = origin
        request = urllib.request.Request(url, data.encode(), headers)
    else:
        headers["Referer"] = origin + "/"
        request = urllib.request.Request(f"{url}?{data}", headers=headers)
    request.add_header("Authorization", "Basic am9lOnNlY3JldDE=")
    with urllib.request.urlopen(request, timeout=20) as response:
        return str(response.read(), "utf-8")


def test_the_html_forms(proxy: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """GET and POST forms work from a page that httpcors names, and from no other."""
    parser = Forms()
    parser.feed((SAMPLES / "form.html").read_text())
    asking, calling = parser.forms

    assert "Response: " in press(proxy, asking, "http://pages.example")
    assert "Originate" in press(proxy, calling, "http://pages.example")
    assert b"\r\nVariable: kind=a & b\r\n" in asterisk.actions("Originate")[-1]
    with pytest.raises(urllib.error.HTTPError) as error:
        press(proxy, calling, "http://evil.example")
    assert error.value.code == 403
    error.value.close()
