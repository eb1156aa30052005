# SPDX-License-Identifier: GPL-2.0-or-later
"""``/v1/events``: what has happened since an event, for who can have no stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from amiproxy.errors import PeerGone
from amiproxy.httpmessages import Response
from amiproxy.live import documents, requests
from amiproxy.rest.endpoints import Answer, Endpoint, Parameter
from amiproxy.rest.parameters import whole_number
from amiproxy.threads.live.polling import poll
from amiproxy.threads.web.identity import CHALLENGE
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.threads.rest.asking import Asking

#: Events of one answer, where the request does not say, and at the most.
_USUAL, _MOST = 1000, 10000

#: Seconds that a request may wait: less than front servers do.
_LONGEST = 25.0


def _events(asking: Asking) -> Response:
    """Tell what has happened since an event, or wait for the next.

    Raises:
        Problem: 400, what is asked makes no sense; 401, the log-in has ended meanwhile.

    """
    visit = asking.visit
    most = whole_number("limit", asking.one("limit"), _USUAL, _MOST)
    wait = _seconds(asking.one("wait"))
    given = [(name, value) for name, value in visit.fields if name not in ("limit", "wait")]
    if not any(name == "event" and value.strip(" ,") for name, value in given):
        given.append(("event", "*"))
    wanted = requests.of_fields(given)
    assert wanted is not None
    try:
        found = poll(visit, asking.session, wanted, most=most, wait=wait)
    except PeerGone as error:
        raise Problem("login-required", "Log in again: the log-in has ended", CHALLENGE) from error
    body = b'{"at":%b,"now":%b,"more":%b,"events":[%b]}\n' % (
        documents.text(found.at),
        json.dumps(documents.now()).encode(),
        b"true" if found.more else b"false",
        b",".join(found.documents),
    )
    return Response(200, "application/json", body)


def _seconds(text: str) -> float:
    """Return how many seconds ``wait=text`` lets a client wait for the first event.

    Raises:
        Problem: 400, it is no number, or too long.

    """
    plain = text.replace(".", "", 1)
    if not text:
        return 0.0
    if plain.isascii() and plain.isdecimal() and len(plain) < 12 and float(text) <= _LONGEST:
        return float(text)
    raise Problem("bad-request", f"wait is a number from 0 to {_LONGEST:g}", parameter="wait")


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/events",
        _events,
        "What has happened since an event; for who can have neither WebSocket nor `/events`",
        (
            Parameter("since", "the last `at`; without it what happens from now on"),
            Parameter("event", "names, or beginnings: `Dial*`; without it all", is_repeated=True),
            Parameter("server", "of these servers only", is_repeated=True),
            Parameter(
                "limit",
                f"at most so many events; {_USUAL} if it is not given",
                {"type": "integer", "minimum": 1, "maximum": _MOST},
            ),
            Parameter(
                "wait",
                "seconds to wait where there are none",
                {"type": "number", "minimum": 0, "maximum": _LONGEST},
            ),
        ),
        answers={
            200: Answer("`events`, `at` for the next request, `more`: whether others wait already")
        },
        problems=("unknown-server",),
        parts=("rest", "console", "events"),
    ),
)
