# SPDX-License-Identifier: GPL-2.0-or-later
"""Who visits a resource: what a request says of its sender, as a log-in of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.web.authorization import FAILED, Authorization
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.web.visit import Visit

#: What a browser asks no password for in a window of its own, and other programs take for a 401.
CHALLENGE = (("WWW-Authenticate", 'Bearer realm="astmanproxy"'),)


def collector(visit: Visit) -> Collector:
    """Return a new session for *visit*, whose answers are kept; not registered, nor logged in."""
    context = visit.context
    return Collector(
        visit.transport.peer,
        visit.address,
        guarded=visit.spec.guarded,
        output=context.formats["json"],
        filter_local=context.config.filter_local,
        connection=visit.transport,
    )


def log_in(visit: Visit, session: ClientSession) -> None:
    """Log *session* in, which is registered, as the request of *visit* says.

    Without credentials it stays as it is, where nobody must log in.

    Raises:
        Problem: 401, what it says is wrong, or it says nothing where it must.

    """
    block = _block(visit, session)
    if block is not None:
        dispatch.handle(Call(visit.context, session, block))
        session.proof = None
        if not session.authenticated:
            raise Problem("login-required", FAILED, CHALLENGE)
        visit.mark_authenticated()
    if not session.allowed:
        raise Problem("login-required", "Log in: see docs/live.md", CHALLENGE)


def _block(visit: Visit, session: ClientSession) -> Message | None:
    """Return the log-in that the request brings, None: it brings none."""
    request = visit.request
    claim = Authorization(visit.sessions.nonces, ()).claim(request, wants_digest=False)
    if claim is not None:
        session.proof = claim.proof
        return claim.block
    if request.has("proxykey"):
        return Message.of(f"ProxyKey: {request.header('proxykey')}")
    return None
