# SPDX-License-Identifier: GPL-2.0-or-later
"""Problems: what is wrong with a request to a resource, as RFC 9457 has it.  Pure."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.httpmessages import BadRequest, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/problem+json"

#: Where each kind of problem is explained, below the path that the proxy has.
PLACE = "/v1/problems/"


class Kind(NamedTuple):
    """One kind of problem."""

    status: int
    title: str


#: By name.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bad-request": Kind(400, "The request cannot be understood"),
        "login-required": Kind(401, "A log-in is required"),
        "not-permitted": Kind(403, "Not permitted"),
        "foreign-page": Kind(403, "Another site's page may not do this"),
        "not-found": Kind(404, "There is no such thing"),
        "unknown-server": Kind(404, "There is no such server"),
        "method": Kind(405, "The method is not allowed here"),
        "timeout": Kind(408, "The request took too long"),
        "length-required": Kind(411, "The length of the body is missing"),
        "too-large": Kind(413, "The request is too large"),
        "type": Kind(415, "The body is of a type that is not read here"),
        "asterisk-error": Kind(422, "Asterisk answered with an error"),
        "failed": Kind(422, "It could not be carried out"),
        "upgrade-required": Kind(426, "Another protocol is spoken here"),
        "too-many": Kind(429, "Too many requests"),
        "headers-too-large": Kind(431, "The request line and headers are too large"),
        "not-implemented": Kind(501, "The method is not known here"),
        "server-lost": Kind(503, "The server is not connected"),
        "stopping": Kind(503, "The proxy is stopping"),
        "overloaded": Kind(503, "The proxy has too much to do"),
        "no-answer": Kind(504, "Asterisk did not answer in time"),
    }
)

#: What a BadRequest without a kind is, by its status.
_BY_STATUS = {kind.status: name for name, kind in reversed([*KINDS.items()])}


class Problem(BadRequest):
    """A request that is answered with a problem of one of KINDS.

    *detail* says what to do about it: neither a secret nor whether a user exists.  *members* are
    further members of the document, JSON's kinds of values.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        headers: tuple[tuple[str, str], ...] = (),
        **members: Any,
    ) -> None:
        super().__init__(KINDS[kind].status, detail, headers)
        self.kind = kind
        self.members = members


def document(error: BadRequest) -> dict[str, Any]:
    """Return *error* as the members of a problem document."""
    members: dict[str, Any] = {}
    if isinstance(error, Problem):
        name, members = error.kind, error.members
    else:
        name = _BY_STATUS.get(error.status, "bad-request")
    return {
        "type": PLACE + name,
        "title": KINDS[name].title,
        "status": error.status,
        "detail": str(error),
        **members,
    }


def response(error: BadRequest) -> Response:
    """Return *error* as a response."""
    body = json.dumps(document(error), ensure_ascii=False).encode() + b"\n"
    return Response(error.status, CONTENT_TYPE, body, error.headers)
