# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.metrics.page import OPENMETRICS, TEXT
from amiproxy.threads.metrics.collecting import collect
from amiproxy.threads.web import gate, identity

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.web.visit import Visit


def metrics(visit: Visit) -> Response:
    """Answer with all metrics, in the format that the client asks for.

    Raises:
        Problem: 401, it must log in.
        BadRequest: 403, a browser came by a name that may be anybody's.

    """
    permit = visit.context.config.metrics_permit
    if permit is None or not permit.allows(visit.address):
        with identity.logged_in(visit) as session:  # its rights say what is told
            return _answer(visit, session)
    gate.check_page_name(visit.context, visit.request, tls=visit.is_tls)
    return _answer(visit, None)


def _answer(visit: Visit, session: ClientSession | None) -> Response:
    with visit.context.turnstile.outside():  # it may wait for the models
        page = collect(visit.context, session)
    wants_openmetrics = "application/openmetrics-text" in visit.request.header("accept").lower()
    body = page.text(openmetrics=wants_openmetrics)
    return Response(200, OPENMETRICS if wants_openmetrics else TEXT, body)
