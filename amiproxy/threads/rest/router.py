# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the endpoint that a request is for, see that it is in order, and have it answered."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from amiproxy.basics.characters import text_of
from amiproxy.httpmessages import Response
from amiproxy.rest import endpoints, openapi
from amiproxy.rest.parameters import unknown_parameter
from amiproxy.threads.rest.asking import Asking
from amiproxy.threads.rest.table import ENDPOINTS
from amiproxy.threads.web import identity
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.rest.endpoints import Endpoint
    from amiproxy.threads.web.visit import Stream, Visit

#: It may be kept, and is asked for each time.
_KEEP = (("Cache-Control", "no-cache"),)


def describe(visit: Visit) -> Response:
    """Answer ``/openapi.json``: what is there at this listener; nobody logs in for it."""
    spec = visit.spec
    return Response(
        200, "application/json", _description(frozenset(spec.web), guarded=spec.guarded), _KEEP
    )


@lru_cache(maxsize=8)
def _description(parts: frozenset[str], *, guarded: bool) -> bytes:
    document = openapi.document(_with(parts), guarded=guarded)
    return json.dumps(document, indent=1).encode() + b"\n"


def _with(parts: Collection[str]) -> list[Endpoint]:
    """Return the endpoints that are there with one of *parts*, words of the key ``web``."""
    return [each for each in ENDPOINTS if not set(each.parts).isdisjoint(parts)]


def below(visit: Visit) -> Response | Stream:
    """Return the answer of the endpoint that *visit* is for.

    Raises:
        BadRequest: it is refused.

    """
    request = visit.request
    found = endpoints.at(_with(visit.spec.web), visit.path)
    if not found:
        raise Problem("not-found", "There is nothing at this path: /openapi.json lists what is")
    allow = endpoints.allow(found)
    if request.method == "OPTIONS":
        return Response(204, headers=allow)
    endpoint = found.get("GET" if request.method == "HEAD" else request.method)
    if endpoint is None:
        raise Problem("method", f"Use {allow[0][1]}", allow)
    args = {name: text_of(value) for name, value in (endpoint.takes(visit.path) or {}).items()}
    if not endpoint.needs_login:
        return _answer(Asking(visit, endpoint, args, _fields(endpoint, visit)))
    with identity.logged_in(visit) as session:
        return _answer(Asking(visit, endpoint, args, _fields(endpoint, visit), session))


def _answer(asking: Asking) -> Response | Stream:
    found: Response | Stream = asking.endpoint.handler(asking)
    return found


def _fields(endpoint: Endpoint, visit: Visit) -> Mapping[str, list[str]]:
    """Return what the query of *visit* says, by name.

    Raises:
        Problem: 400, *endpoint* has no such parameter, or takes it once; or one is missing.

    """
    known = {each.name: each for each in endpoint.parameters}
    found: dict[str, list[str]] = {}
    for name, value in visit.fields:
        if name not in known and not endpoint.further:
            raise unknown_parameter(name, known)
        found.setdefault(name, []).append(text_of(value))
    for name, parameter in known.items():
        if len(found.get(name, ())) > 1 and not parameter.is_repeated:
            raise Problem("bad-request", f"The parameter {name} is given twice", parameter=name)
        if parameter.is_required and not found.get(name):
            raise Problem("bad-request", f"The parameter {name} is missing", parameter=name)
    return found
