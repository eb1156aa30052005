# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocks that are costly to read, and requests that carry them."""

from __future__ import annotations

import base64

FORM = "application/x-www-form-urlencoded"
JSON_OBJECTS = b'{"a":[' + b",".join([b"{}"] * 340000) + b"]}\n"
JSON_NUMBERS = b'{"a":[' + b",".join([b"1"] * 500000) + b"]}\n"
JSON_NESTED = b"[" * 1048576 + b"\n"
#: As large as a block may be after a log-in.
JSON_SMALL = b'{"a":[' + b",".join([b"{}"] * 43000) + b"]}\n"
XML_TAGS = b"<AsteriskManagerInput>" + b"<a/>" * 250000 + b"</AsteriskManagerInput>\r\n\r\n"
GET = b"GET /?Action=Ping HTTP/1.1\r\nHost: localhost\r\n\r\n"


def http(kind: str, body: bytes, user: str = "") -> bytes:
    """Return a POST request of *body*, with the credentials of *user* if there is one."""
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {len(body)}\r\n"
    if user:
        credentials = base64.b64encode(f"{user}:{user}".encode()).decode()
        head += f"Authorization: Basic {credentials}\r\n"
    return head.encode() + b"\r\n" + body
