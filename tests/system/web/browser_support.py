# SPDX-License-Identifier: GPL-2.0-or-later
"""What a browser is shown: addresses of the proxy, web sites of others."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from tests.browser import CHROMEDRIVER, CHROMIUM
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import ProxyProcess

needs_browser = [
    pytest.mark.skipif(not CHROMIUM, reason="chromium is missing (Debian: chromium)"),
    pytest.mark.skipif(
        not CHROMEDRIVER, reason="chromedriver is missing (Debian: chromium-driver)"
    ),
]

#: Tells by the title that it ran, by a script of its own and by an attribute's.
ATTACK = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"


def at(process: ProxyProcess, path: str = "/", host: str = "127.0.0.1", login: str = "") -> str:
    """Return the URL of *path* at *process*."""
    return f"http://{login}{host}:{process.port}{path}"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def website(directory: Path) -> Iterator[str]:
    """Serve *directory* as another web site; give its origin."""
    handler = functools.partial(Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def write_sample(directory: Path, process: ProxyProcess) -> None:
    """Write samples/form.html for *process*, as its user would change it."""
    text = (ROOT / "samples" / "form.html").read_text()
    assert text.count("http://localhost:1234/") == 2
    page = text.replace("http://localhost:1234/", at(process, host="localhost"))
    (directory / "form.html").write_text(page)
