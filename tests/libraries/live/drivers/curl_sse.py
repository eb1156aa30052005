# SPDX-License-Identifier: GPL-2.0-or-later
"""curl -N: what it prints, line by line."""

from __future__ import annotations

import subprocess

from steps import HOST, PORT, TOKEN, Events


def lines(path: str, last: str):
    """Yield the lines of a stream."""
    command = ["curl", "-sN", "-H", f"Authorization: Bearer {TOKEN}"]
    if last:
        command += ["-H", f"Last-Event-ID: {last}"]
    url = f"http://{HOST}:{PORT}{path}"
    with subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True) as curl:
        try:
            yield from curl.stdout
        finally:
            curl.kill()


Events(lines).run()
