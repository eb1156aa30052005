# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn away what a browser sends that its user did not mean: requests that pages have forged.

A browser adds to any page's request what it knows of us: cookies, stored passwords, its place in
the network.  So what changes something must say that it comes from a page of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.web import gate
from amiproxy.threads.web.cookies import cookie_of
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request
    from amiproxy.threads.web.visit import Visit

_JSON = "application/json"
#: How the origins of browsers' extensions begin.
_EXTENSIONS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")


def check_change(visit: Visit) -> None:
    """Refuse the request of *visit*, which changes something, unless a page of ours has sent it.

    Raises:
        BadRequest: 403, another site's page has, or none can be told; 415, it is no JSON, which
            no form can send.

    """
    check_origin(visit)
    _check_type(visit.request)


def check_origin(visit: Visit) -> None:
    """Refuse another site's page, and whoever comes with our cookie but does not say from where.

    For what changes something, and for the handshake of a WebSocket, by which a page can do all.

    Raises:
        BadRequest: 403, it is one.

    """
    request = visit.request
    if _has_token(request) and request.header("origin").startswith(_EXTENSIONS):
        return  # it is no page, and nobody's cookie or place in the network is used
    gate.check_sender(visit.context, request, tls=visit.is_tls)
    if cookie_of(visit) and not has_own_credentials(request) and not request.has("origin"):
        raise Problem(
            "foreign-page",
            "With a cookie the request must have an Origin, as browsers send it; programs log in"
            " by a token: Authorization: Bearer",
        )


def check_reader(visit: Visit) -> None:
    """Refuse a stream to a page that says that it is another site's: it could not read it.

    What browsers send with GET by a page of ours may not say from where it is.

    Raises:
        Problem: 403, it is one.

    """
    request = visit.request
    if any(map(request.has, ("origin", "sec-fetch-site", "referer"))):
        gate.check_sender(visit.context, request, tls=visit.is_tls)


def has_own_credentials(request: Request) -> bool:
    """Return whether *request* has credentials beside a cookie, which count instead of it."""
    return _scheme(request) in ("basic", "bearer") or request.has("proxykey")


def _has_token(request: Request) -> bool:
    """Return whether *request* is logged in by a token, and by nothing else then."""
    return _scheme(request) == "bearer"


def _scheme(request: Request) -> str:
    return request.header("authorization").partition(" ")[0].lower()


def _check_type(request: Request) -> None:
    """Refuse a body that is no JSON.

    Raises:
        Problem: 415, it is none.

    """
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if kind == _JSON or (request.method == "DELETE" and not request.body):
        return
    if not (kind or request.body) and (_has_token(request) or request.has("proxykey")):
        return  # no page can send these, and there is nothing to be read
    raise Problem("type", f"Send JSON: Content-Type: {_JSON}")
