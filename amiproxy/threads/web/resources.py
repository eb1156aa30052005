# SPDX-License-Identifier: GPL-2.0-or-later
"""Which resource a request is for, beside the paths of actions (spec section 14).

The table of them is amiproxy/threads/routes.py.  Here a visit is admitted to one of them: is it
switched on at this listener, is the method one of its own, did a page of ours send it?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.httpmessages import BadRequest, Response
from amiproxy.threads.web import forgery, gate
from amiproxy.web import paths, urls

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.visit import Resource, Stream, Visit

_READING = ("GET", "HEAD")


class Route(NamedTuple):
    """A resource, or all below a path, and what holds for it."""

    #: Returns the resource.  What it needs is imported when somebody first asks.
    load: Callable[[], Resource]
    #: The word of the key ``web`` that it belongs to; "": it is always there.
    part: str = ""
    methods: tuple[str, ...] = _READING
    #: Whether it tells something, and nobody logs in for that: then it refuses a browser that came
    #: by a name that may be anybody's (DNS rebinding).  Where nobody must log in each one does.
    is_open: bool = False
    #: Whether errors are ``application/problem+json``.
    tells_problems: bool = False
    #: Whether it answers OPTIONS itself.
    answers_options: bool = False
    #: A module of others that it needs, imported at the start where it is there: its user may not
    #: be able to read that later.  If it cannot be, the one behind it.
    needs: tuple[str, ...] = ()
    #: By what requests for it are counted.
    label: str = ""

    @property
    def allow(self) -> tuple[tuple[str, str], ...]:
        """The header that names its methods."""
        return (("Allow", ", ".join((*self.methods, "OPTIONS"))),)

    def is_on(self, spec: ListenerSpec) -> bool:
        """Return whether it is there at the listener *spec*."""
        return not self.part or self.part in spec.web


def find(context: ProxyContext, spec: ListenerSpec, request: Request) -> Route | None:
    """Return the resource that *request* is for at *spec*, None where it asks for an action."""
    path = paths.path_of(request)
    if path in urls.PATHS and (
        path != "/" or request.method not in _READING or paths.has_query(request)
    ):
        return None
    route: Route | None = context.resource_at(path)
    return route if route is not None and route.is_on(spec) else None


def answer(route: Route, visit: Visit) -> Response | Stream:
    """Return the answer of the resource at *route* to *visit*.

    Raises:
        BadRequest: it is refused.

    """
    request = visit.request
    if request.method == "OPTIONS":
        return route.load()(visit) if route.answers_options else Response(204, headers=route.allow)
    if request.method not in route.methods:
        known = request.method in (*urls.ALLOWED, "DELETE")
        status = 405 if known else urls.wrong_method(request.method).status
        raise BadRequest(status, f"Use {route.allow[0][1]}", route.allow)
    if route.is_open or not visit.spec.guarded:
        gate.check_page_name(visit.context, request, tls=visit.is_tls)
    if request.method not in _READING:
        forgery.check_change(visit)
    return route.load()(visit)
