# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking the running program by curl and over raw sockets."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tests.support import ManagerClient, ProxyProcess
from tests.system.peers import host_line

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk

#: Status, headers in lower case, body.
Response = tuple[int, dict[str, str], str]

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")

FORMATS = ["standard", "xml", "json", "csv"]


def config(*asterisks: SimulatedAsterisk, more: str = "") -> str:
    """Return the configuration of a proxy of *asterisks* that speaks HTTP."""
    return "".join(map(host_line, asterisks)) + f"inputformat = http\n{more}"


def curl(process: ProxyProcess, path: str, *options: str, scheme: str = "http") -> Response:
    """Return (status, headers in lower case, body) of what curl is answered."""
    done = subprocess.run(
        ["curl", "-sSik", "-m", "20", *options, f"{scheme}://127.0.0.1:{process.port}{path}"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return parse(done.stdout)


def parse(data: bytes) -> Response:
    """Take the bytes of one response apart; any 100 Continue before it is skipped."""
    head, _, body = data.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return int(status.split()[1]), headers, body.decode("latin-1")


def short(value: object) -> str | None:
    """Return a name for a test of *value*: a long one does not fit into the environment."""
    return value[:20] if isinstance(value, str) else None


def raw(process: ProxyProcess, data: str, timeout: float = 10.0) -> bytes:
    """Return all that comes for *data* until the proxy closes."""
    with ManagerClient(process.port, timeout=timeout) as client:
        client.send_raw(data)
        return client.read_to_end()


def get(target: str, *headers: str, version: str = "1.1") -> str:
    """Return a GET of *target*, after which the connection is closed."""
    lines = [f"GET {target} HTTP/{version}", "Host: x", "Connection: close", *headers]
    return "\r\n".join(lines) + "\r\n\r\n"


def read_body(name: str, body: str) -> list[dict[str, str]]:
    """Return the messages in *body* as dicts, read by stock parsers."""
    if name == "json":
        found = json.loads(body)
        return found if isinstance(found, list) else [found]
    if name == "xml":
        root = ET.fromstring(body)
        messages = list(root) if root.tag == "AsteriskManagerAnswer" else [root]
        return [{field.tag: field.attrib["Value"] for field in message} for message in messages]
    if name == "csv":
        rows = csv.reader(body.splitlines(), skipinitialspace=True)
        lists = [row for row in rows if row]
    else:
        lists = [block.split("\r\n") for block in body.split("\r\n\r\n")[:-1]]
    return [dict(line.split(": ", 1) for line in lines if ": " in line) for lines in lists]
