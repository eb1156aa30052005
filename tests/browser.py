# SPDX-License-Identifier: GPL-2.0-or-later
"""A real browser for tests: Chromium, driven by chromedriver over the WebDriver protocol.

This is what the tests need of https://www.w3.org/TR/webdriver2/; HTTP and JSON.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from tests.support import free_port, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
CHROMEDRIVER = shutil.which("chromedriver") or ""

#: As root there is no sandbox; most others keep it from using the network.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What has been left is not kept for who comes back.
    "--disable-features=BackForwardCache",
    "--no-proxy-server",
    "--window-size=900,700",
)

#: The key under which WebDriver names an element.
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class BrowserError(Exception):
    """A command of WebDriver failed."""


class Browser:
    """A browser with a new profile; use it as a context manager.

    It writes below ``directory`` only, which is removed at the end.  That is not
    tmp_path: the path of a socket in it must not have more than 107 bytes.
    """

    def __init__(self, *flags: str) -> None:
        """*flags* are for Chromium, beside FLAGS."""
        self._flags = flags
        self.directory = Path(tempfile.mkdtemp(prefix="amp-browser-"))
        self._session = ""
        #: The processes it had started when it ended.
        self.family: list[psutil.Process] = []
        places = ("HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
        self._environment = {**os.environ, **dict.fromkeys(places, str(self.directory))}
        # No proxy of the environment for connections to this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self) -> Browser:
        # With port 0 chromedriver gives up if IPv4 has not the one that it got for IPv6.
        port = free_port()
        self._output = (self.directory / "chromedriver.out").open("w+")
        self._driver = subprocess.Popen(
            [CHROMEDRIVER, f"--port={port}"],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=self._environment,
        )
        try:
            wait_until(self._has_started, 20, "chromedriver")
            self._url = f"http://127.0.0.1:{port}/session"
            options = {
                "binary": CHROMIUM,
                "args": [*FLAGS, *self._flags, f"--user-data-dir={self.directory / 'profile'}"],
            }
            wanted = {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"pageLoad": 30000, "script": 20000, "implicit": 0},
            }
            made = self._call("POST", "", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/{made['sessionId']}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.family = psutil.Process(self._driver.pid).children(recursive=True)
        if self._session:
            with contextlib.suppress(BrowserError, OSError):
                self._call("DELETE")
        self._driver.terminate()
        self._driver.wait()
        self._output.close()
        _, left = psutil.wait_procs(self.family, 5)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, 5)
        shutil.rmtree(self.directory, ignore_errors=True)

    def renew(self) -> None:
        """Forget pages, cookies, sizes, colours and complaints, for other tests."""
        self.go("about:blank")
        self.command("Network.clearBrowserCookies")
        self.command("Emulation.clearDeviceMetricsOverride")
        self.command("Emulation.setEmulatedMedia", features=[])
        self.complaints()

    @property
    def processes(self) -> list[psutil.Process]:
        """The processes of the browser that still run after its end."""
        return [process for process in (self._driver, *self.family) if is_alive(process)]

    def _has_started(self) -> bool:
        text = (self.directory / "chromedriver.out").read_text()
        if self._driver.poll() is not None:
            raise BrowserError(text)
        return "started successfully" in text

    def _call(self, method: str, path: str = "", body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self._url + self._session + path, data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)["value"]
            raise BrowserError(f"{told['error']}: {told['message']}") from None

    # -- the page ------------------------------------------------------------------------

    def go(self, url: str) -> None:
        """Open *url* as from the address bar, and wait until it is loaded."""
        self._call("POST", "/url", {"url": url})

    def load(self, url: str) -> None:
        """Open *url* anew, though it may be the page that is there: half the work of two pages."""
        if self.url.partition("#")[0] == url.partition("#")[0]:
            self.run("history.replaceState(null, '', arguments[0])", url)
            self._call("POST", "/refresh")
        else:
            self.go(url)

    @property
    def url(self) -> str:
        """The address of the page."""
        return str(self._call("GET", "/url"))

    @property
    def title(self) -> str:
        """The title of the page."""
        return str(self._call("GET", "/title"))

    @property
    def source(self) -> str:
        """The document of the page, as HTML."""
        return str(self._call("GET", "/source"))

    @property
    def text(self) -> str:
        """The visible text."""
        return str(self._call("GET", f"/element/{self.find('body, :root')}/text"))

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        script = "return performance.getEntriesByType('navigation')[0].responseStatus"
        return int(self.run(script))

    def screenshot(self, path: Path) -> None:
        """Write a picture of the page to *path*, a PNG."""
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def complaints(self) -> list[str]:
        """Return the messages of the console since the last call: errors, refusals."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def command(self, name: str, **parameters: Any) -> Any:
        """Give Chromium the command *name* of its DevTools protocol; return what it answers."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    # -- input -----------------------------------------------------------------

    def find_all(self, selector: str) -> list[str]:
        """Return the elements that the CSS *selector* selects, in order."""
        found = self._call("POST", "/elements", {"using": "css selector", "value": selector})
        return [element[_ELEMENT] for element in found]

    def find(self, selector: str) -> str:
        """Return the first element that the CSS *selector* selects."""
        found = self.find_all(selector)
        assert found, f"no {selector} in {self.source[:500]}"
        return found[0]

    def type(self, selector: str, text: str) -> None:
        """Replace the text of a field with *text*."""
        element = self.find(selector)
        self._call("POST", f"/element/{element}/clear")
        self._call("POST", f"/element/{element}/value", {"text": text})

    def click(self, selector: str) -> None:
        """Click on a link or button to another page, and wait until that is loaded."""
        old = self._page()
        self._call("POST", f"/element/{self.find(selector)}/click")
        wait_until(lambda: self._page() not in (None, old), 30, f"a page after {selector}")

    def press(self, selector: str) -> None:
        """Click on something that leads to no other page."""
        self._call("POST", f"/element/{self.find(selector)}/click")

    def _page(self) -> float | None:
        """Return when the page began to load, different for each page; None: it still loads."""
        script = "return document.readyState === 'complete' ? performance.timeOrigin : null"
        with contextlib.suppress(BrowserError):  # between two pages
            origin: float | None = self.run(script)
            return origin
        return None

    def run(self, script: str, *arguments: Any) -> Any:
        """Run *script* in the page and return its value; promises are awaited."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})


def is_alive(process: psutil.Process | subprocess.Popen[str]) -> bool:
    """Return whether *process* runs; a zombie does not."""
    if isinstance(process, subprocess.Popen):
        return process.poll() is None
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
