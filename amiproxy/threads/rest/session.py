# SPDX-License-Identifier: GPL-2.0-or-later
"""``/v1/session``, ``/v1/tickets`` and ``/v1/me``: log in, stay logged in, and who one is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.message import Message
from amiproxy.rest.endpoints import TEXT, Answer, Endpoint
from amiproxy.threads.rest.asking import answer
from amiproxy.threads.web import identity, whoami
from amiproxy.threads.web.cookies import setting
from amiproxy.threads.web.logins import logins_of
from amiproxy.threads.web.tickets import LIFE, tickets_of
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.access.stamp import Stamp
    from amiproxy.threads.rest.asking import Asking

log = logging.getLogger("amiproxy.actions")

#: Bytes of the body of a log-in.
_MOST = 8192

_WANTED = 'Send {"username": "...", "secret": "..."} or {"token": "amp_..."}'


def _me(asking: Asking) -> Response:
    """Tell who the client is, and what it may see and do."""
    return answer(whoami.me(asking.visit, asking.session.user))


def _give_ticket(asking: Asking) -> Response:
    """Give a ticket for the URL of a WebSocket, or an EventSource.

    Raises:
        Problem: 429, there are too many.

    """
    stamp = asking.session.stamp
    assert stamp is not None
    ticket = tickets_of(asking.context).give(stamp, asking.visit.address)
    if ticket is None:
        raise Problem(
            "too-many", "There are too many tickets: try later", (("Retry-After", str(LIFE)),)
        )
    return answer({"ticket": ticket, "expires_in": LIFE}, 201)


def _begin(asking: Asking) -> Response:
    """Begin a log-in of the console, by what stands in the body.

    Raises:
        Problem: 400, that is no log-in; 401, it is a wrong one.

    """
    visit = asking.visit
    stamp = _prove(asking)
    visit.mark_authenticated()
    context, user = asking.context, stamp.user
    if user is not None and context.shows_connects(user.display_connects):
        log.info("%s: logged in as %s", visit.transport.peer, ascii(user.name))
    cookie = logins_of(context).begin(stamp, identity.login_of(visit))
    return answer(whoami.me(visit, user), headers=setting(visit, cookie))


def _end(asking: Asking) -> Response:
    """Log out; without a log-in, too, so that the cookie goes."""
    login = identity.login_of(asking.visit)
    if login is not None:
        logins_of(asking.context).end(login, "logged out")
    return Response(204, headers=setting(asking.visit, ""))


def _prove(asking: Asking) -> Stamp:
    """Return whom the body proves.

    Raises:
        Problem: 400, 401 or 413.

    """
    fields = _fields(asking)
    if fields.keys() == {"token"}:
        return identity.prove_token(asking.visit, fields["token"].strip())
    if fields.keys() != {"username", "secret"}:
        raise Problem("bad-request", _WANTED)
    lines = (f"Username: {fields['username']}", f"Secret: {fields['secret']}")
    return identity.prove(asking.visit, Message.of("Action: Login", *lines))


def _fields(asking: Asking) -> dict[str, str]:
    """Return what stands in the body, as text of AMI: a character for each byte."""
    if len(asking.visit.request.body) > _MOST:
        raise Problem("too-large", f"A log-in has at most {_MOST} bytes")
    fields = {}
    for name, value in asking.json.items():
        if not isinstance(value, str):
            raise Problem("bad-request", _WANTED)
        if set("\r\n\0") & set(value):
            raise Problem("bad-request", "CR, LF and NUL are not allowed")
        fields[name] = value.encode().decode("latin-1")
    return fields


#: Where one of these is, its clients may log in.
_PARTS = ("console", "events", "ws", "rest")

ENDPOINTS = (
    Endpoint("GET", "/v1/me", _me, "Who one is, and what one may see and do", parts=_PARTS),
    Endpoint(
        "POST",
        "/v1/session",
        _begin,
        "Log in: the cookie of the answer stands for it until it is over",
        body={
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"username": TEXT, "secret": TEXT},
                    "required": ["username", "secret"],
                    "additionalProperties": False,
                },
                {
                    "type": "object",
                    "properties": {"token": TEXT},
                    "required": ["token"],
                    "additionalProperties": False,
                },
            ]
        },
        answers={200: Answer("As `/v1/me`")},
        problems=("login-required",),
        needs_login=False,
        parts=_PARTS,
    ),
    Endpoint(
        "DELETE",
        "/v1/session",
        _end,
        "Log out: what is open by this log-in ends, too",
        answers={204: Answer("It is over", None)},
        needs_login=False,
        parts=_PARTS,
    ),
    Endpoint(
        "POST",
        "/v1/tickets",
        _give_ticket,
        "A ticket for `?ticket=` of `/ws` and `/events`: for one connection, within 30 s",
        body={"type": "object"},
        body_is_optional=True,
        answers={201: Answer("`ticket` and `expires_in`, in seconds")},
        problems=("too-many",),
        parts=_PARTS,
    ),
)
