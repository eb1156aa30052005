# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.metrics.page import OPENMETRICS, TEXT
from amiproxy.threads.metrics.collecting import collect
from amiproxy.threads.web import identity

if TYPE_CHECKING:
    from amiproxy.threads.web.visit import Visit


def metrics(visit: Visit) -> Response:
    """Answer with all metrics, in the format that the client asks for.

    Raises:
        Problem: 401, it must log in.

    """
    session = identity.collector(visit)
    registry = visit.context.registry
    registry.add(session)
    try:
        identity.log_in(visit, session)
    finally:
        registry.discard(session)
    wants_openmetrics = "application/openmetrics-text" in visit.request.header("accept").lower()
    body = collect(visit.context).text(openmetrics=wants_openmetrics)
    return Response(200, OPENMETRICS if wants_openmetrics else TEXT, body)
