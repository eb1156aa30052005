# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a web page may do, through a browser, what a request asks for.

A browser on the LAN sends what any page tells it to, so a page on the Internet could
place calls through a proxy that asks for no log-in.  Such a request is known by these:

* ``Origin`` and ``Sec-Fetch-Site`` name another site; no page can forge them;
* ``Referer`` names another site;
* it comes from a browser (a User-Agent of today's browsers, with Accept-Language,
  neither of which a page can take away) that sends none of these three headers, as
  browsers do for pictures over plain http.

A link that came by mail is followed as if its address had been typed, session cookie, stored
password and all; so what may change anything is not done for a browser's GET, whoever seems to
have sent it, unless a script has sent it with credentials.

A program that is not a browser sends none of them and may do everything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from amiproxy.access.acl import is_address
from amiproxy.web.urls import ALLOWED

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.httpmessages import Request
    from amiproxy.message import Message

#: Actions, in lower case, that change nothing in Asterisk, so that a link may lead to
#: them.  Left out, although they seem to read only: Getvar (a function may do
#: anything, SHELL() too), Command, GetConfig (no change, but secrets).  Status is among
#: them without the headers of which Asterisk evaluates functions.
READ_ONLY = frozenset(
    {
        "ping",
        "challenge",
        "waitevent",
        "listcommands",
        "corestatus",
        "coresettings",
        "coreshowchannels",
        "status",
        "queuestatus",
        "queuesummary",
        "queuerule",
        "sippeers",
        "sipshowpeer",
        "sipshowregistry",
        "sippeerstatus",
        "pjsipshowendpoints",
        "pjsipshowendpoint",
        "pjsipshowaors",
        "pjsipshowcontacts",
        "pjsipshowregistrationsoutbound",
        "pjsipshowregistrationsinbound",
        "iaxpeers",
        "iaxpeerlist",
        "iaxnetstats",
        "iaxregistry",
        "dahdishowchannels",
        "dahdishowstatus",
        "extensionstate",
        "extensionstatelist",
        "devicestatelist",
        "presencestate",
        "presencestatelist",
        "mailboxstatus",
        "mailboxcount",
        "parkedcalls",
        "parkinglots",
        "agents",
        "confbridgelist",
        "confbridgelistrooms",
        "meetmelist",
        "meetmelistrooms",
        "bridgelist",
        "bridgeinfo",
        "bridgetechnologylist",
        "showdialplan",
        "modulecheck",
    }
)

#: Headers of actions that name variables, and so functions.
_EVALUATED = ("variable", "variables")

#: Headers that only browsers send, and how the names of others begin that they send.
_OF_BROWSERS = frozenset({"origin", "referer", "upgrade-insecure-requests", "purpose"})
_BEGINS_OF_BROWSERS = ("sec-fetch-", "sec-ch-", "sec-gpc", "sec-purpose")

#: Suffixes of names that public DNS cannot point anywhere (RFC 6762, 8375, 9476).
_LOCAL_NAMES = (".localhost", ".local", ".lan", ".home.arpa", ".internal", ".intranet")

_DEFAULT_PORTS = {"http": 80, "https": 443}

#: What can stand in httpcors, and the characters of the longest host with its port.
_ORIGIN = re.compile(r"https?://[a-z0-9_.:\[\]-]+")
_LONGEST_ORIGIN = 270

#: Characters of the longest origin that is parsed: urlsplit keeps what it has parsed.
_MOST = 1024

#: What a page of another origin may send.
_ALLOWED_HEADERS = (
    "Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "ProxyKey", "X-Maxtime",
    "X-Until-Event",
)  # fmt: skip


def changes_state(
    request: Request, message: Message, *, read_only_proxyactions: Collection[str]
) -> bool:
    """Return whether *request*, which asks for *message*, must come from our own pages.

    *read_only_proxyactions* are the ProxyActions that change nothing, in lower case.
    """
    if request.method == "POST" or any(message.has(name) for name in _EVALUATED):
        return True
    names = message.all("Action")
    proxy_names = message.all("ProxyAction")
    return not (
        all(name.strip().lower() in READ_ONLY for name in names)
        and all(name.strip().lower() in read_only_proxyactions for name in proxy_names)
    )


def is_link(request: Request) -> bool:
    """Return whether *request* may be a link that somebody followed, perhaps out of a mail."""
    return request.method != "POST" and not request.has("authorization") and from_browser(request)


def _may_be_rebound(request: Request) -> bool:
    """Return whether *request* may come from a page whose server lets its name point to us.

    To the browser that page is ours: its script may send another User-Agent and no Referer.
    It cannot do without Accept-Language; nor can it send what Node's fetch sends with that.
    """
    if from_browser(request):
        return True
    return request.has("accept-language") and request.header("sec-fetch-mode") != "cors"


def from_browser(request: Request) -> bool:
    """Return whether *request* comes from a browser of today, or from a program that reads mail."""
    names = {name for name, _ in request.headers}
    if request.header("sec-fetch-mode") == "cors":
        # Node's fetch sends it alone, a browser with Origin or Sec-Fetch-Site.
        names.discard("sec-fetch-mode")
    if not names.isdisjoint(_OF_BROWSERS) or any(
        name.startswith(_BEGINS_OF_BROWSERS) for name in names
    ):
        return True
    agent = request.header("user-agent").lower()
    if "ms-office" in agent or "outlook" in agent:
        return True  # it loads the pictures of a mail, without Accept-Language
    return agent.startswith("mozilla/5.0") and request.has("accept-language")


def is_foreign(request: Request, allowed: Collection[str], *, tls: bool) -> bool:
    """Return whether *request* was sent by a page that is not ours, or of unknown origin.

    *allowed* are the origins of ``httpcors``; ``*`` is any.
    """
    if request.has("origin"):
        origin = request.header("origin")
        return not (is_allowed(origin, allowed) or _is_own(origin, request, tls=tls))
    if request.has("sec-fetch-site"):
        # "none": the user typed the address.
        return request.header("sec-fetch-site").lower() not in ("same-origin", "none")
    if request.has("referer"):
        referer = request.header("referer")
        return not (is_allowed(_origin_of(referer), allowed) or _is_own(referer, request, tls=tls))
    return from_browser(request)


def is_allowed(origin: str, allowed: Collection[str]) -> bool:
    """Return whether ``httpcors`` names *origin*."""
    known = {name.lower().rstrip("/") for name in allowed}
    return bool(origin) and ("*" in known or origin.lower() in known)


def is_rebound(request: Request, own_names: Collection[str], allowed: Collection[str]) -> bool:
    """Return whether a browser came here by a name that may be anybody's.

    A page's own server can let its name point at our address (DNS rebinding); the
    browser then takes us for that page's server.  So a browser must call us by an
    address, by a name that is only known on the LAN, by one of *own_names*, or by
    the name in one of the origins *allowed*.
    """
    if not _may_be_rebound(request) or not request.has("host"):
        return False
    host = _host_and_port("http://" + request.header("host"))[0]
    if is_address(host) or "." not in host or host.endswith(_LOCAL_NAMES):
        return False
    if host in {name.lower() for name in own_names}:
        return False
    return not any(name == "*" or _host_and_port(name)[0] == host for name in allowed)


def sender(request: Request) -> str:
    """Return the origin of the page that sent *request*, as its browser tells it, or ""."""
    return request.header("origin") or _origin_of(request.header("referer"))


def called(request: Request, *, tls: bool) -> str:
    """Return the origin that the client of *request* takes us for."""
    return f"{'https' if tls else 'http'}://{request.header('host')}"


def line_for(origin: str) -> str:
    """Return the line of astmanproxy.conf that allows *origin*; "" if none can.

    What a stranger has sent is repeated only if it can be an origin.
    """
    origin = origin.lower()
    if len(origin) > _LONGEST_ORIGIN or not _ORIGIN.fullmatch(origin):
        return ""
    return f"httpcors = {origin} (in astmanproxy.conf, several separated by commas; then SIGHUP)"


def cors_headers(request: Request, allowed: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Return the headers that let the page at the request's Origin read the answer.

    *allowed* are the origins of ``httpcors``.
    """
    origin = request.header("origin")
    if not is_allowed(origin, allowed):
        return (("Vary", "Origin"),) if allowed else ()
    headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
    if "*" not in allowed:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    if request.method == "OPTIONS":
        headers += [
            ("Access-Control-Allow-Methods", ", ".join((*ALLOWED, "DELETE"))),
            (
                "Access-Control-Allow-Headers",
                ", ".join(_ALLOWED_HEADERS),
            ),
            ("Access-Control-Max-Age", "600"),
        ]
    return tuple(headers)


def _is_own(url: str, request: Request, *, tls: bool) -> bool:
    """Return whether *url* is on the host and port that *request* was sent to."""
    scheme = url.partition(":")[0].lower()
    # https ends before us where a web server stands in front.
    if scheme not in _DEFAULT_PORTS or (tls and scheme != "https"):
        return False
    if not request.has("host"):
        return False
    ours = _host_and_port(f"{scheme}://{request.header('host')}")
    return bool(ours[0]) and _host_and_port(url) == ours


def _host_and_port(url: str) -> tuple[str, int]:
    """Return host (lower case) and port of *url*; ("", 0) if it has none."""
    url = _origin_of(url)
    if len(url) > _MOST:
        return "", 0
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        return "", 0
    return host.lower().rstrip("."), port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _origin_of(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return scheme + mark + rest.split("/", 1)[0]
