# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy where one must log in, and where one user has a token; and how one does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access import tokens
from amiproxy.access.user import User, Users
from amiproxy.httpmessages import Request, Response
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.web import identity
from amiproxy.threads.web.asker import Asker
from amiproxy.threads.web.visit import Visit
from tests.threads.web.test_client import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.sessions.collector import Collector

TOKEN = "amp_" + "k" * 32
OWN = {"origin": "http://x"}
JSON = {"content_type": "application/json"}


def users(**changes: Any) -> Users:
    """Return joe, who has a token, with *changes*."""
    joe = {"name": "joe", "secret": "secret1", "tokens": frozenset({tokens.hash_of(TOKEN)})}
    return Users({"joe": User(**{**joe, **changes}), "ann": User("ann", "secret2")})


class Clock:
    """A monotonic clock that tests move."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def house() -> Iterator[Stage]:
    """A client of a proxy where one must log in, and joe has a token."""
    made = Stage(auth_required=True)
    made.context.renew(made.context.config, users(), None)
    yield made
    made.stop()


def ask(stage: Stage, method: str, path: str, body: Any = None, **headers: str) -> Response:
    """Return the response to a request; *body* becomes JSON."""
    pairs = [("host", "x"), *((name.replace("_", "-"), each) for name, each in headers.items())]
    data = b"" if body is None else json.dumps(body).encode()
    return stage.respond(Request(method, path, "1.1", tuple(pairs), data))


def said(response: Response) -> dict[str, Any]:
    """Return what the body says."""
    found: dict[str, Any] = json.loads(response.body)
    return found


def log_in(stage: Stage, body: Any = None, **headers: str) -> tuple[Response, str]:
    """Log in by the form; return the response and the cookie as it is to be sent."""
    body = body or {"username": "joe", "secret": "secret1"}
    found = ask(stage, "POST", "/v1/session", body, **{**JSON, **OWN, **headers})
    cookie = dict(found.headers).get("Set-Cookie", "").partition(";")[0]
    return found, cookie


def bearer(token: str = TOKEN) -> dict[str, str]:
    """Return the header of a token."""
    return {"authorization": f"Bearer {token}"}


def visit_of(stage: Stage, target: str = "/ws", **headers: str) -> Visit:
    """Return a visit as the WebSocket has it."""
    pairs = tuple((name.replace("_", "-"), each) for name, each in headers.items())
    request = Request("GET", target, "1.1", (("host", "x"), *pairs))
    spec = of_keys(stage.context.config)
    asker = Asker(stage.context, stage.transport)
    known = (stage.context, stage.sessions, request, stage.transport, asker, "192.0.2.1", spec)
    return Visit(*known, lambda: None)


def ticket_of(stage: Stage, **headers: str) -> str:
    """Return a new ticket."""
    found = ask(stage, "POST", "/v1/tickets", **headers)
    assert found.status == 201
    assert said(found)["expires_in"] == 30
    return str(said(found)["ticket"])


def opened(stage: Stage, **headers: str) -> Collector:
    """Return a session that is open by what a request with *headers* proves."""
    visit = visit_of(stage, **headers)
    session = identity.collector(visit)
    stage.context.registry.add(session)
    identity.log_in(visit, session)
    return session
