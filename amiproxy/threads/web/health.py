# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the proxy is well, for a load balancer, or a supervisor of containers.

Nobody logs in for that, and nothing is told but the servers' names and how these are, and which
thread hangs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from amiproxy.httpmessages import BadRequest, Response
from amiproxy.threads.sessions.cluster import is_cut_off
from amiproxy.threads.sessions.linkstate import link_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.web.visit import Visit


def healthz(visit: Visit) -> Response:
    """Answer 200 while the proxy serves, 503 once it stops, or a thread that all need hangs."""
    context = visit.context
    problem = "stopping" if context.stopping.is_set() else ""
    if not problem and (hanging := context.hanging()):
        problem = f"thread {', '.join(sorted(hanging))} hangs"
    return _health(context.router.servers, problem)


def readyz(visit: Visit) -> Response:
    """Answer 200 while the proxy serves and a server is connected, if there is any; else 503.

    With ``?server=a,b``, one of these, or several such fields.  A proxy of a cluster that
    is cut off from its bus is not ready, whatever it was asked for.

    Raises:
        BadRequest: 404, there is no such server.

    """
    context = visit.context
    named = [value for name, value in visit.fields if name == "server"]
    names = [name.strip() for value in named for name in value.split(",") if name.strip()]
    servers = _named(context, names) if named else context.router.servers
    problem = "stopping" if context.stopping.is_set() else ""
    if not problem and is_cut_off(context.bus):
        problem = "cut off from the bus"
    if not problem and servers and not any(link.connected for link in servers):
        which = ", ".join(dict.fromkeys(link.name for link in servers))
        problem = f"not connected: {which}" if named else "no server is connected"
    return _health(servers, problem)


def _named(context: ProxyContext, names: Sequence[str]) -> Sequence[AsteriskLink]:
    """Return the servers called *names*."""
    router = context.router
    known = ", ".join(dict.fromkeys(link.name for link in router.servers)) or "none"
    if not names:
        raise BadRequest(400, f"server= is empty: name one or several of {known}")
    found: dict[AsteriskLink, None] = {}
    for name in names:
        links = router.named(name)
        if not links:
            raise BadRequest(404, f"There is no server {name[:80]}; there are: {known}")
        found.update(dict.fromkeys(links))
    return list(found)


def _health(servers: Sequence[AsteriskLink], problem: str) -> Response:
    states = ((link.name, link_state(link)) for link in servers)
    found = {
        "status": problem or "ok",
        "servers": [
            {"name": name, "state": state.word, "since": state.since} for name, state in states
        ],
    }
    body = json.dumps(found, indent=2).encode() + b"\n"
    return Response(503 if problem else 200, "application/json", body)
