# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of each format as the lines that Asterisk wrote, read without the proxy's own code."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Callable
from xml.etree import ElementTree as ET

#: The lines of a message, as bytes, without their ends.
Lines = tuple[bytes, ...]

_XML = re.compile(
    rb"<AsteriskManager(?:Proxy)?Output>.*?</AsteriskManager(?:Proxy)?Output>\r\n\r\n", re.DOTALL
)


class NotReadableError(Exception):
    """What is no message of the format."""


def _asterisk(data: bytes) -> list[Lines]:
    """Read what Asterisk wrote: behind some events (TestEvent) is a blank line too many.

    That belongs to no message, and a proxy does not pass it on.
    """
    *parts, rest = data.split(b"\r\n\r\n")
    if rest.strip(b"\r\n"):
        raise NotReadableError(rest)
    return [tuple(one.removeprefix(b"\r\n").split(b"\r\n")) for one in parts]


def _standard(data: bytes) -> list[Lines]:
    return [tuple(one.split(b"\r\n")) for one in _parts(data, b"\r\n\r\n")]


def _csv(data: bytes) -> list[Lines]:
    found = []
    for one in _parts(data, b"\r\n\r\n"):
        text = io.StringIO(one.decode("utf-8", "surrogateescape"), newline="")
        (row,) = csv.reader(text, skipinitialspace=True)
        found.append(tuple(each.encode("utf-8", "surrogateescape") for each in row))
    return found


def _json(data: bytes) -> list[Lines]:
    return [_object(json.loads(one)) for one in _parts(data, b"\n")]


def _object(found: dict[str, object]) -> Lines:
    """Return the lines of an object.

    The array ``:order`` says which name each line has, ``:charset`` which values are latin-1.
    """
    order, charsets = found.pop(":order", None), found.pop(":charset", {})
    assert isinstance(charsets, dict)
    lines = {name: iter(_values(name, some, charsets.get(name))) for name, some in found.items()}
    if not isinstance(order, list):
        return tuple(one for some in lines.values() for one in some)
    return tuple(next(lines[name]) for name in order)


def _values(name: str, value: object, charset: object) -> list[bytes]:
    """Return the lines of one name, whose value may be several."""
    some = value if isinstance(value, list) else [value]
    each = charset if isinstance(charset, list) else [charset] * len(some)
    return [_line(name, one, str(which or "utf-8")) for one, which in zip(some, each)]


def _xml(data: bytes) -> list[Lines]:
    found, at = [], 0
    for match in _XML.finditer(data):
        if match.start() != at:
            raise NotReadableError(data[at : match.start()])
        at = match.end()
        root = ET.fromstring(match[0])
        found.append(tuple(_element(child) for child in root))
    if at != len(data):
        raise NotReadableError(data[at:])
    return found


def _element(child: ET.Element) -> bytes:
    value, charset = child.get("Value", ""), child.get("Charset", "utf-8")
    if charset == "latin-1":
        # Control characters are written as their pictures, U+2400 and so on.
        value = value.translate({0x2400 + code: code for code in range(32)})
    return _line(child.tag, value, charset)


def _line(name: str, value: object, charset: str) -> bytes:
    text = str(value).encode(charset, "surrogateescape")
    return (
        text if name == "UnparsedText" else name.encode("utf-8", "surrogateescape") + b": " + text
    )


def _parts(data: bytes, end: bytes) -> list[bytes]:
    """Cut *data* behind each *end*; nothing may be left."""
    *parts, rest = data.split(end)
    if rest:
        raise NotReadableError(rest)
    return parts


DECODERS: dict[str, Callable[[bytes], list[Lines]]] = {
    "asterisk": _asterisk,
    "standard": _standard,
    "xml": _xml,
    "csv": _csv,
    "json": _json,
}
#: What stands behind each message.
ENDS = {
    "asterisk": b"\r\n\r\n",
    "standard": b"\r\n\r\n",
    "xml": b"\r\n\r\n",
    "csv": b"\r\n\r\n",
    "json": b"\n",
}


def header(lines: Lines, name: str) -> str:
    """Return the first value of the header *name*, "" if there is none."""
    key = name.lower().encode()
    for line in lines:
        found, colon, value = line.partition(b":")
        if colon and found.lower() == key:
            return value.strip().decode("utf-8", "replace")
    return ""
