# SPDX-License-Identifier: GPL-2.0-or-later
"""What is at other paths than those of actions (spec section 14, "HTTP resources").

Each is a row of ``RESOURCES``.  Those here are for whoever looks whether the proxy is well: a load
balancer, a supervisor of containers.  Nobody logs in for them, and they tell nothing but the
servers' names and how these are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Callable

from amiproxy.httpmessages import BadRequest, Request, Response
from amiproxy.threads.sessions.linkstate import link_state
from amiproxy.web import urls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.threads.sessions.context import ProxyContext

#: Returns the answer to a request, a GET or a HEAD.
Resource = Callable[["ProxyContext", Request], Response]

_ALLOW = (("Allow", "GET, HEAD, OPTIONS"),)


def healthz(context: ProxyContext, _request: Request) -> Response:
    """Answer 200 while the proxy serves, 503 once it stops."""
    return _health(context, "stopping" if context.stopping.is_set() else "")


def readyz(context: ProxyContext, _request: Request) -> Response:
    """Answer 200 while the proxy serves and a server is connected, if there is any; else 503."""
    problem = "stopping" if context.stopping.is_set() else ""
    servers = context.router.servers
    if not problem and servers and not any(link.connected for link in servers):
        problem = "no server is connected"
    return _health(context, problem)


def _health(context: ProxyContext, problem: str) -> Response:
    states = ((link.name, link_state(link)) for link in context.router.servers)
    found = {
        "status": problem or "ok",
        "servers": [
            {"name": name, "state": state.word, "since": state.since} for name, state in states
        ],
    }
    body = json.dumps(found, indent=2).encode() + b"\n"
    return Response(503 if problem else 200, "application/json", body)


#: By path, in lower case and without a slash at the end.
RESOURCES: Mapping[str, Resource] = {"/healthz": healthz, "/readyz": readyz}


def find(request: Request) -> Resource | None:
    """Return what is at the path of *request*, None where that is for actions, or nothing."""
    return RESOURCES.get(urls.path_of(request))


def answer(resource: Resource, context: ProxyContext, request: Request) -> Response:
    """Return the answer of *resource* to *request*.

    Raises:
        BadRequest: 405 or 501, its method is not allowed there.

    """
    if request.method == "OPTIONS":
        return Response(204, headers=_ALLOW)
    if request.method not in ("GET", "HEAD"):
        known = request.method in urls.ALLOWED
        status = 405 if known else urls.wrong_method(request.method).status
        raise BadRequest(status, "Use GET, HEAD, OPTIONS", _ALLOW)
    return resource(context, request)
