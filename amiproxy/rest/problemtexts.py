# SPDX-License-Identifier: GPL-2.0-or-later
"""What each kind of problem means, and what to do about it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from amiproxy.web.problems import KINDS, PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By kind: what it means, and what to do.
TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "bad-request": (
            "Something in the URL, the headers or the body cannot be understood.",
            "The detail names it. /openapi.json says what each path takes.",
        ),
        "login-required": (
            "The request brings no log-in, or one that is wrong.",
            (
                "Send a user and secret of the users file (Basic), a token (Authorization: Bearer)"
                " or the cookie of POST /v1/session."
            ),
        ),
        "not-permitted": (
            "The user may not do this.",
            (
                "The detail, and the member needs, name the class or ProxyAction that is missing in"
                " the user's section of the users file."
            ),
        ),
        "foreign-page": (
            "A page of another site has sent this, or a link.",
            "If that page may do so, name its origin in the key httpcors of astmanproxy.conf.",
        ),
        "not-found": (
            "There is nothing at this path, or nothing that this user may see.",
            "/openapi.json lists the paths, the path above this one what there is.",
        ),
        "unknown-server": (
            "No server of this name is there for this user.",
            "GET /v1/servers lists them.",
        ),
        "method": (
            "This path does not take this method.",
            "The header Allow names those it takes.",
        ),
        "timeout": ("The request took too long to arrive.", "Send it at once."),
        "length-required": (
            "A body has no length.",
            "Send Content-Length, or Transfer-Encoding: chunked.",
        ),
        "too-large": ("The body is larger than is read.", "Send less at once."),
        "type": (
            "The body is of a type that is not read here.",
            "Send JSON in UTF-8, with Content-Type: application/json.",
        ),
        "asterisk-error": (
            "Asterisk has answered the action with an error. Some lists do so when they are empty.",
            "The member response is the whole answer; its Message says why.",
        ),
        "failed": (
            "The proxy could not carry out what it was asked.",
            "The detail says why.",
        ),
        "upgrade-required": (
            "This path speaks WebSocket.",
            "Send the headers of a WebSocket handshake.",
        ),
        "too-many": (
            "This client asks more often than is allowed.",
            "Wait as many seconds as the header Retry-After says.",
        ),
        "headers-too-large": (
            "The request line and the headers are larger than is read.",
            "Send less in the URL; take cookies of others away.",
        ),
        "not-implemented": ("This method is not known.", "Use one that Allow names."),
        "server-lost": (
            "The server is not connected to its Asterisk, or was lost meanwhile.",
            "GET /v1/servers says why and when it is tried again.",
        ),
        "stopping": ("The proxy stops or starts anew.", "Try again in a second."),
        "overloaded": ("The proxy has too much to do.", "Try again later, and more seldom."),
        "no-answer": (
            "Asterisk did not answer in time: whether it has carried the action out is unknown.",
            "Look whether it has, before you send it again.",
        ),
    }
)


def explained(name: str) -> dict[str, Any]:
    """Return the document about the kind of problem *name*."""
    means, to_do = TEXTS[name]
    kind = KINDS[name]
    return {
        "type": PLACE + name,
        "title": kind.title,
        "status": kind.status,
        "means": means,
        "to_do": to_do,
    }
