# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking: one request to an endpoint, on its way to the function that answers it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

from amiproxy.httpmessages import Response
from amiproxy.rest import strictjson
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.rest.endpoints import Endpoint
    from amiproxy.threads.sessions.collector import Collector
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.visit import Visit


@dataclass(frozen=True)
class Asking:
    """One request to *endpoint*.  Belongs to the thread of its client.

    *args* is what the path says, *fields* what the query says, by the names of the parameters.
    """

    visit: Visit
    endpoint: Endpoint
    args: Mapping[str, str]
    fields: Mapping[str, Sequence[str]]
    #: Who asks, registered and logged in, until the answer is given; None where nobody need be.
    who: Optional[Collector] = None

    @property
    def context(self) -> ProxyContext:
        """The proxy."""
        return self.visit.context

    @property
    def session(self) -> Collector:
        """Who asks; only for endpoints that need a log-in."""
        assert self.who is not None
        return self.who

    def one(self, name: str) -> str:
        """Return the one value of the parameter *name*, "" if it is not given."""
        return next(iter(self.fields.get(name, ())), "")

    @cached_property
    def json(self) -> dict[str, Any]:
        """The object that is the body; empty where there is none and need be none.

        Raises:
            Problem: 400 or 415, it is none.

        """
        request = self.visit.request
        if not request.body and self.endpoint.body_is_optional:
            return {}
        problem = strictjson.wrong_type(request)
        if problem:
            raise Problem("type", problem)
        try:
            return strictjson.read_object(request.body)
        except ValueError as error:
            raise Problem("bad-request", str(error)) from None


def answer(document: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return *document* as the answer."""
    body = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return Response(status, "application/json", body, headers)
