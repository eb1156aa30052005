# SPDX-License-Identifier: GPL-2.0-or-later
"""The samples of the live web: each does what it says, at the real program."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Callable

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.browser import Browser
from tests.support import ROOT, ProxyProcess, free_port, wait_until
from tests.system.peers import wait_connected
from tests.system.web.browser_support import needs_browser, website

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLES = ROOT / "samples"
TOKEN = "amp_" + "a1B2" * 8
HANGUP = (
    b"Event: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/7-1\r\nUniqueid: 1.1\r\n"
    b"Linkedid: 1.1\r\nCause: 16\r\nCause-txt: Bye\r\n\r\n"
)
JOIN = (
    b"Event: QueueCallerJoin\r\nPrivilege: agent,all\r\nQueue: support\r\nCallerIDNum: 42\r\n"
    b"Uniqueid: 1.2\r\nPosition: 3\r\nCount: 3\r\n\r\n"
)


@pytest.fixture(scope="module")
def asterisk() -> Iterator[SimulatedAsterisk]:
    with SimulatedAsterisk(behaviour=Behaviour(speak="22", technology="PJSIP")) as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another web server: its origin."""
    directory = tmp_path_factory.mktemp("site")
    (directory / "page.html").write_text('<a id="n" href="tel:+49%2030-1234">call</a>')
    shutil.copy(SAMPLES / "web/wallboard.html", directory)
    with website(directory) as origin:
        yield origin


@pytest.fixture(scope="module")
def unlocked() -> int:
    """The port of a listener where nobody need log in."""
    return free_port()


@pytest.fixture(scope="module")
def proxy(asterisk: SimulatedAsterisk, site: str, unlocked: int) -> Iterator[ProxyProcess]:
    config = (
        f"host = 127.0.0.1, {asterisk.port}, ampuser, AmpSecret, on, off, name=pbx1\n"
        f"inputformat = http\nhttpcors = {site}\nauthrequired = yes\nstate = yes\nreplay = 1MB\n"
        f"listen = 127.0.0.1, {unlocked}, input=http, auth=no\n"
    )
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    users = f"[joe]\nsecret = secret1\nread = all\nwrite = all\ntoken = sha256:{hashed}\n"
    with ProxyProcess(config, users) as process:
        wait_connected(process)
        yield process


def in_browser(test: Callable[..., None]) -> Callable[..., None]:
    """Mark *test* as one that needs a browser."""
    for mark in needs_browser:
        test = mark(test)
    return test


class Sample:
    """A sample that runs, and what it has said so far."""

    def __init__(self, proxy: ProxyProcess, directory: Path, *command: str, token: str) -> None:
        self._out = directory / "out"
        self._err = directory / "err"
        environment = {
            **os.environ, "PROXY": f"http://127.0.0.1:{proxy.port}", "PROXY_TOKEN": token,
            "PYTHONWARNINGS": "",
        }  # fmt: skip
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)

    def __enter__(self) -> Sample:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def says(self, text: str) -> None:
        """Wait until it has said *text*."""
        wait_until(lambda: text in self._out.read_text(), 20, f"{text!r}: {self._err.read_text()}")


PHP = pytest.mark.skipif(shutil.which("php") is None, reason="php is missing (apt: php-cli)")


@pytest.mark.parametrize(
    ("command", "happens", "said"),
    [
        ([sys.executable, "events.py"], HANGUP, "pbx1 PJSIP/7-1 Bye\n"),
        pytest.param(["php", "events.php"], JOIN, "support: 42 waits at place 3\n", marks=PHP),
    ],
    ids=["python", "php"],
)
def test_events_are_printed_and_none_is_missed(
    proxy: ProxyProcess,
    asterisk: SimulatedAsterisk,
    tmp_path: Path,
    command: list[str],
    happens: bytes,
    said: str,
) -> None:
    """One that comes while the sample is not connected is there as well."""
    program = [command[0], str(SAMPLES / "clients" / command[1])]
    with Sample(proxy, tmp_path, *program, token=TOKEN) as sample:

        def told() -> bool:
            asterisk.publish(happens)
            return said in (tmp_path / "out").read_text()

        wait_until(told, 20, said)
        assert sample.process.poll() is None


def test_the_python_client_keeps_up_with_calls(
    proxy: ProxyProcess, asterisk: SimulatedAsterisk, tmp_path: Path
) -> None:
    """An answer to its action, and how many calls there are."""
    command = [sys.executable, str(SAMPLES / "clients" / "live.py")]
    with Sample(proxy, tmp_path, *command, token=TOKEN) as sample:
        sample.says("pong from pbx1")
        sample.says("0 calls")
        asterisk.exchange.keep_calling(5)
        sample.says("3 calls")


@PHP
def test_a_member_is_paused(proxy: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """And who may not is told why."""
    command = ["php", str(SAMPLES / "clients" / "pause.php"), "PJSIP/103", "Lunch & more"]
    environment = {**os.environ, "PROXY": f"http://127.0.0.1:{proxy.port}"}

    done = [
        subprocess.run(
            command, capture_output=True, text=True, env={**environment, "PROXY_TOKEN": token},
            timeout=30, check=False,
        )
        for token in (TOKEN, "amp_" + "x" * 32)
    ]  # fmt: skip

    assert (done[0].returncode, done[0].stdout) == (0, "Interface paused successfully\n")
    assert b"Reason: Lunch & more\r\n" in asterisk.actions("QueuePause")[-1]
    assert done[1].returncode == 1
    assert "Authentication failed" in done[1].stdout


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is missing"
)
def test_the_shell_script_tells_what_there_is(proxy: ProxyProcess) -> None:
    done = subprocess.run(
        ["sh", str(SAMPLES / "clients" / "state.sh")],
        capture_output=True,
        text=True,
        env={**os.environ, "PROXY": f"http://127.0.0.1:{proxy.port}", "PROXY_TOKEN": TOKEN},
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "== Servers\npbx1 " in done.stdout


@in_browser
def test_the_wall_board_shows_queues(
    proxy: ProxyProcess, site: str, unlocked: int, browser: Browser
) -> None:
    """On a page of another web server: by a token, and where nobody need log in."""
    browser.go(f"{site}/wallboard.html#http://127.0.0.1:{unlocked}")
    wait_until(lambda: "support" in browser.text, 20, browser.text)
    browser.go("about:blank")
    browser.go(f"{site}/wallboard.html#http://127.0.0.1:{proxy.port},{TOKEN}")
    wait_until(lambda: "support" in browser.text, 20, browser.text)


@in_browser
def test_a_click_on_a_number_places_a_call(
    proxy: ProxyProcess, asterisk: SimulatedAsterisk, site: str
) -> None:
    """As an extension of the browser: on any page, but not for its scripts."""
    folder = str(SAMPLES / "clicktocall")
    key = hashlib.sha256(folder.encode()).hexdigest()[:32]
    own = "chrome-extension://" + key.translate(
        str.maketrans("0123456789abcdef", "abcdefghijklmnop")
    )
    flags = (
        f"--load-extension={folder}",
        "--disable-features=DisableLoadExtensionCommandLineSwitch",
    )
    with Browser(*flags) as browser:
        browser.go(f"{own}/options.html")
        fields = {
            "proxy": f"http://127.0.0.1:{proxy.port}", "token": TOKEN, "phone": "PJSIP/101",
        }  # fmt: skip
        for name, value in fields.items():
            browser.type(f"[name={name}]", value)
        browser.run("document.forms[0].requestSubmit()")
        browser.go(f"{site}/page.html")
        browser.run("document.querySelector('#n').click()")  # of a script: not followed
        browser.press("#n")
        told = "return document.querySelector('#n').title"
        wait_until(lambda: browser.run(told), 20, "an answer")
        assert browser.run(told) == "Your phone rings, then +49301234"

    (call,) = asterisk.actions("Originate")
    assert b"Channel: PJSIP/101\r\n" in call
    assert b"Exten: +49301234\r\n" in call
