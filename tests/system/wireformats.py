# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of each format, written and read without the proxy's own code."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from tests.support import ManagerClient

ROOTS = {"AsteriskManagerOutput", "AsteriskManagerProxyOutput"}
ENDS = {"standard": b"\r\n\r\n", "xml": b"\r\n\r\n", "csv": b"\r\n\r\n", "json": b"\n"}
FIRST = {"<": "xml", '"': "csv", "{": "json"}


def decode(name: str, data: bytes) -> list[Any]:
    """Return the headers of one message of format *name*, as a stock parser finds them."""
    if name == "standard":
        return [tuple(line.split(": ", 1)) for line in data.decode("latin-1").split("\r\n")]
    if name == "xml":
        root = ET.fromstring(data)
        assert root.tag in ROOTS
        return [(child.tag, child.get("Value")) for child in root]
    if name == "csv":
        (row,) = csv.reader(io.StringIO(data.decode()), skipinitialspace=True)
        return [tuple(field.split(": ", 1)) for field in row]
    found = []
    for key, value in json.loads(data).items():
        found += [(key, one) for one in (value if isinstance(value, list) else [value])]
    return found


def messages(data: bytes) -> list[tuple[str, list[Any]]]:
    """Return (format, headers) of each message in *data*; each tells its format at once."""
    found = []
    while data:
        name = FIRST.get(chr(data[0]), "standard")
        one, end, data = data.partition(ENDS[name])
        assert end, (name, one)
        found.append((name, decode(name, one)))
    return found


def next_message(client: ManagerClient, name: str) -> list[Any]:
    """Return the headers of the next message, which is in format *name*."""
    return decode(name, client.read_to(ENDS[name]))


def answer_in(client: ManagerClient, name: str) -> list[Any]:
    """Return the headers of the next answer in format *name*; events may come before it."""
    while True:
        headers = next_message(client, name)
        if headers[0][0] in ("Response", "ProxyResponse"):
            return headers


def spell(name: str, *headers: tuple[str, str]) -> str:
    """Return a block of *headers* as a client of format *name* sends it."""
    if name == "standard":
        return "".join(f"{key}: {value}\r\n" for key, value in headers) + "\r\n"
    if name == "xml":
        lines = "".join(f'<{key} Value="{value}"/>' for key, value in headers)
        return f"<AsteriskManagerInput>{lines}</AsteriskManagerInput>"
    if name == "csv":
        return ", ".join(f'"{key}: {value}"' for key, value in headers) + "\n"
    return json.dumps(dict(headers)) + "\n"
