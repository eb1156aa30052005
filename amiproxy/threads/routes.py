# SPDX-License-Identifier: GPL-2.0-or-later
"""The resources of listeners for HTTP, by path (spec section 14, "HTTP resources").

Each is imported when somebody first asks for it: who does not use it pays nothing.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.threads.web import health
from amiproxy.threads.web.resources import NameCheck, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.threads.web.visit import Resource


def _metrics() -> Resource:
    from amiproxy.threads.metrics.resource import metrics  # noqa: PLC0415 - when asked for

    return metrics


def _rest() -> Resource:
    from amiproxy.threads.rest import router  # noqa: PLC0415 - who asks pays for it

    return router.below


#: Each of the endpoints below it says by itself where it is on, and which methods it takes.
_V1 = Route(
    _rest, methods=("GET", "HEAD", "POST", "DELETE"), tells_problems=True, answers_options=True
)

#: By path, in lower case and without a slash at the end.
ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "/healthz": Route(lambda: health.healthz, name_check=NameCheck.ALWAYS),
        "/readyz": Route(lambda: health.readyz, name_check=NameCheck.ALWAYS),
        "/metrics": Route(_metrics, "metrics"),
        "/v1": _V1,
    }
)
#: All paths that begin so; those above come first.
BELOW: Mapping[str, Route] = MappingProxyType({"/v1/": _V1})


def find(path: str) -> Route | None:
    """Return what is at *path*, in lower case; None where that is for actions, or nothing."""
    found = ROUTES.get(path)
    if found is not None or not BELOW:
        return found
    return next((route for begin, route in BELOW.items() if path.startswith(begin)), None)
