# SPDX-License-Identifier: GPL-2.0-or-later
"""The handshake of a WebSocket (RFC 6455, section 4.2): what a request must say, the answer."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request

#: What programs name for their messages; the first one where they name nothing.
PROTOCOLS = ("astmanproxy.json", "astmanproxy.ami", "astmanproxy.xml")

_VERSION = "13"
_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_SIZE = 16
_UPGRADE = (("Upgrade", "websocket"), ("Sec-WebSocket-Version", _VERSION))


def check(request: Request) -> str:
    """Return which of PROTOCOLS the client of *request* is to speak.

    Raises:
        Problem: 426, it is no handshake, or one of another version; 400, a wrong one.

    """
    if "websocket" not in _words(request, "upgrade") or "upgrade" not in _words(
        request, "connection"
    ):
        told = "This is a WebSocket: connect to it with ws:// or wss://"
        raise Problem("upgrade-required", told, _UPGRADE)
    if request.header("sec-websocket-version").strip() != _VERSION:
        raise Problem("upgrade-required", f"Speak version {_VERSION} of WebSocket", _UPGRADE)
    if request.method != "GET" or request.body:
        raise Problem("bad-request", "A handshake is a GET without body")
    if not _is_key(request.header("sec-websocket-key")):
        raise Problem("bad-request", "Sec-WebSocket-Key is to be 16 random bytes in base64")
    return _chosen(request)


def accept(request: Request, protocol: str) -> Response:
    """Return the answer to *request*: from now on *protocol* is spoken."""
    key = request.header("sec-websocket-key").strip().encode("latin-1")
    digest = hashlib.sha1(key + _SUFFIX, usedforsecurity=False).digest()
    headers = [
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Accept", base64.b64encode(digest).decode()),
    ]
    if request.has("sec-websocket-protocol"):
        headers.append(("Sec-WebSocket-Protocol", protocol))
    return Response(101, headers=tuple(headers))


def _words(request: Request, name: str) -> list[str]:
    return [word.strip().lower() for word in request.header(name).split(",")]


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.strip(), validate=True)) == _KEY_SIZE
    except (binascii.Error, ValueError):
        return False


def _chosen(request: Request) -> str:
    """Return the first of the protocols that *request* offers which is known."""
    if not request.has("sec-websocket-protocol"):
        return PROTOCOLS[0]
    offered = [word.strip() for word in request.header("sec-websocket-protocol").split(",")]
    found = next((word for word in offered if word in PROTOCOLS), None)
    if found is None:
        known = ", ".join(PROTOCOLS)
        raise Problem("bad-request", f"Sec-WebSocket-Protocol names none of {known}")
    return found
