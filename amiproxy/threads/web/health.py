# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the proxy is well, for a load balancer, or a supervisor of containers.

Nobody logs in for that, and nothing is told but the servers' names and how these are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.threads.sessions.linkstate import link_state

if TYPE_CHECKING:
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.visit import Visit


def healthz(visit: Visit) -> Response:
    """Answer 200 while the proxy serves, 503 once it stops."""
    context = visit.context
    return _health(context, "stopping" if context.stopping.is_set() else "")


def readyz(visit: Visit) -> Response:
    """Answer 200 while the proxy serves and a server is connected, if there is any; else 503."""
    context = visit.context
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
