# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn away what a browser may not ask: amiproxy/web/origin.py knows, here it is refused.

Each refusal gives the line of astmanproxy.conf that would allow it; whether it should stand
there the operator must know, who reads that in the answer or in the log.
"""

from __future__ import annotations

import functools
import socket
from typing import TYPE_CHECKING

from amiproxy.httpmessages import BadRequest, Request
from amiproxy.threads.actions.proxyactions import READ_ONLY
from amiproxy.web import origin
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.threads.sessions.context import ProxyContext

_NO_ORIGIN = (
    ", and this one has no origin that httpcors could name: get the page from a web server"
    " (a file has none), or use the form at /form"
)


def check_name(context: ProxyContext, request: Request, *, tls: bool) -> None:
    """Refuse a browser that came here by a name that may be anybody's.

    Only where nobody has to log in: it has no log-in for that name.

    Raises:
        BadRequest: 403, it did.

    """
    with context.turnstile.outside():
        names = _own_names()
    if origin.is_rebound(request, names, context.config.http_cors):
        told = "This name is not known to be the proxy's. "
        line = origin.line_for(origin.called(request, tls=tls))
        raise BadRequest(403, told + (f"If it is: {line}" if line else "Use its address"))


def check_page_name(context: ProxyContext, request: Request, *, tls: bool) -> None:
    """As ``check_name``, if *request* may be a page's that the name has let in.

    Raises:
        BadRequest: 403, it came by a name that may be anybody's.

    """
    if origin.from_browser(request) or request.has("accept-language"):
        check_name(context, request, tls=tls)


def check_sender(context: ProxyContext, request: Request, *, tls: bool) -> None:
    """Refuse what another site's page has sent.

    Raises:
        Problem: 403, it has.

    """
    if not origin.is_foreign(request, context.config.http_cors, tls=tls):
        return
    line = origin.line_for(origin.sender(request))
    told = "Another site's page may not do this"
    text = f"{told}. To allow that one: {line}" if line else told + _NO_ORIGIN
    raise Problem("foreign-page", text)


def check_page(context: ProxyContext, request: Request, message: Message, *, tls: bool) -> None:
    """Refuse *message* of another site's page, and of a link, if it may change anything.

    Raises:
        BadRequest: 403, it may.

    """
    if not origin.changes_state(request, message, read_only_proxyactions=READ_ONLY):
        return
    # Who is logged off by a link loses nothing but the session, which our page offers.
    is_link = origin.is_link(request) and message.action != "logoff"
    if origin.is_foreign(request, context.config.http_cors, tls=tls):
        line = origin.line_for(origin.sender(request))
        told = "Another site's page may not do this"
        if not line:
            raise BadRequest(403, told + _NO_ORIGIN)
        way = ". Then use POST: a link may not do this" if is_link else ""
        raise BadRequest(403, f"{told}. To allow that one: {line}{way}")
    if is_link:
        raise BadRequest(403, "A link may not do this: use POST, or the form at /form")


@functools.lru_cache(maxsize=1)
def _own_names() -> frozenset[str]:
    """Return the names this host knows itself by; the first call may ask the resolver."""
    return frozenset({socket.gethostname(), socket.getfqdn()})
