# SPDX-License-Identifier: GPL-2.0-or-later
"""The resources of listeners for HTTP, by path (spec section 14, "HTTP resources").

Each is imported when somebody first asks for it: who does not use it pays nothing.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError
from amiproxy.threads.web import health
from amiproxy.threads.web.resources import Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.formats import Format
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.web.visit import Resource


def _websocket() -> Resource:
    from amiproxy.threads.live.websocket import websocket  # noqa: PLC0415 - see above

    return websocket


def _events() -> Resource:
    from amiproxy.threads.live.eventstream import events  # noqa: PLC0415 - see above

    return events


def _metrics() -> Resource:
    from amiproxy.threads.metrics.resource import metrics  # noqa: PLC0415 - when asked for

    return metrics


def _rest() -> Resource:
    from amiproxy.threads.rest import router  # noqa: PLC0415 - who asks pays for it

    return router.below


def _description() -> Resource:
    from amiproxy.threads.rest import router  # noqa: PLC0415 - who asks pays for it

    return router.describe


def _labelled(routes: dict[str, Route]) -> Mapping[str, Route]:
    """Return *routes*, each with the path at which requests for it are counted."""
    return MappingProxyType(
        {path: route._replace(label=route.label or path) for path, route in routes.items()}
    )


#: Each of the endpoints below it says by itself where it is on, and which methods it takes.
_V1 = Route(
    _rest,
    methods=("GET", "HEAD", "POST", "DELETE"),
    tells_problems=True,
    answers_options=True,
    label="/v1/",
)


def _page(name: str, part: str = "console") -> Route:
    """Return the route of the page *name* of pages.py."""

    def load() -> Resource:
        from amiproxy.threads import pages  # noqa: PLC0415

        return pages.PAGES[name]

    # Python itself may be where the user that the proxy becomes cannot read: gzip comes before.
    return Route(load, part, needs=("amiproxy.console.files",))


#: By path, in lower case and without a slash at the end.
ROUTES: Mapping[str, Route] = _labelled(
    {
        "/healthz": Route(lambda: health.healthz, is_open=True),
        "/ws": Route(
            _websocket,
            "ws",
            methods=("GET",),
            tells_problems=True,
            # The second one before websockets 11.
            needs=("websockets.protocol", "websockets.connection"),
        ),
        "/events": Route(_events, "events", methods=("GET",), tells_problems=True),
        "/readyz": Route(lambda: health.readyz, is_open=True),
        "/metrics": Route(_metrics, "metrics", tells_problems=True),
        "/v1": _V1,
        "/v1/docs": _page("docs", "rest"),
        "/v1/docs/page.js": _page("docs", "rest"),
        "/v1/docs/page.css": _page("docs", "rest"),
        "/openapi.json": Route(_description, "rest", needs=("amiproxy.rest.textof",)),
        "/": _page("console"),
        "/wall": _page("wall"),
        "/form": _page("form"),
    }
)
#: All paths that begin so; those above come first.
BELOW: Mapping[str, Route] = _labelled({"/v1/": _V1, "/console/": _page("file")})


def find(path: str) -> Route | None:
    """Return what is at *path*, in lower case; None where that is for actions, or nothing."""
    found = ROUTES.get(path)
    if found is not None or not BELOW:
        return found
    return next((route for begin, route in BELOW.items() if path.startswith(begin)), None)


def import_needs(specs: Iterable[ListenerSpec], formats: Mapping[str, Format]) -> None:
    """Import what the resources of the listeners *specs* need of others.

    Those have them whose input format, of *formats*, is one of requests and answers.

    Raises:
        ConfigError: it is not there.

    """
    for spec in specs:
        form = formats.get(spec.input)
        if form is not None and form.conversation is not None:
            for route in ROUTES.values():
                if route.needs and route.is_on(spec):
                    _import_one(route)


def _import_one(route: Route) -> None:
    """Import the first module that *route* may need and that there is."""
    for name in route.needs:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return
    package = route.needs[0].partition(".")[0]
    raise ConfigError(
        f"Python's package {package} is missing, which web = {route.part} needs: install it, or"
        f" leave {route.part} out of web"
    )
