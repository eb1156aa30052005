# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.metrics.page import OPENMETRICS, TEXT
from amiproxy.threads.metrics.collecting import collect
from amiproxy.threads.web import gate, identity
from amiproxy.web import origin

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.web.visit import Visit


def metrics(visit: Visit) -> Response:
    """Answer with all metrics, in the format that the client asks for.

    Raises:
        Problem: 401, it must log in.
        BadRequest: 403, a browser came by a name that may be anybody's.

    """
    session = None
    permit = visit.context.config.metrics_permit
    if permit is None or not permit.allows(visit.address):
        session = _log_in(visit)
    elif origin.from_browser(visit.request) or visit.request.has("accept-language"):
        gate.check_name(visit.context, visit.request, tls=visit.is_tls)
    with visit.context.turnstile.outside():  # it may wait for the models
        page = collect(visit.context, session)
    wants_openmetrics = "application/openmetrics-text" in visit.request.header("accept").lower()
    body = page.text(openmetrics=wants_openmetrics)
    return Response(200, OPENMETRICS if wants_openmetrics else TEXT, body)


def _log_in(visit: Visit) -> ClientSession:
    """Return the session of who asks, whose rights say what is told."""
    session, registry = identity.collector(visit), visit.context.registry
    registry.add(session)
    try:
        identity.log_in(visit, session)
    finally:
        registry.discard(session)
    return session
