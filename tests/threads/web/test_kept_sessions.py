# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests over one kept connection share a session where nothing can tell."""

from __future__ import annotations

import os
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import User, Users
from amiproxy.httpmessages import Request, Response
from amiproxy.routing.classes import CALL
from amiproxy.settings.config import Config
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.web.client import WebClient
from tests.threads.web.test_client import JOE, Stage

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession

HISTORIES = int(os.environ.get("ASTMANPROXY_HISTORIES", "100"))

USERS = Users({"joe": User("joe", "secret1"), "ann": User("ann", "secret2", read=CALL)})
CONFIGS: tuple[dict[str, Any], ...] = (
    {},
    {"auth_required": True},
    {"proxy_key": "key"},
    {"filter_local": "on"},
    {"http_cors": ("http://x",)},
)
TARGETS = (
    *["/?Action=Ping&ActionID=1", "/?action=ping&Format=x", "/?Action=Ping&format=json"] * 6,
    "/?Action=Events&EventMask=off",
    "/?Action=Filter&Operation=Add&Filter=Event: X",
    "/?ProxyAction=SetAutoFilter&AutoFilter=on",
    "/?ProxyAction=SetOutputFormat&OutputFormat=xml",
    "/?ProxyAction=SetOutputFormat&OutputFormat=nothing",
    "/?Action=Login&Username=joe&Secret=secret1",
    "/?Action=Login&Username=ann&Secret=secret2&Events=off",
    "/?Action=Login&Username=joe&Secret=wrong",
    "/?Action=Login&AuthType=MD5&Username=joe&Key=0",
    "/?Action=Challenge&AuthType=MD5",
    "/?Action=Logoff",
    "/?Action=Silence&X-Maxtime=1",
    "/?Action=Silence&X-Maxtime=1&X-Until-Event=Hangup",
    "/?Action=WaitEvent&Timeout=0",
    "/?Action=Ping&ProxyKey=key",
    "/?Action=Ping&ProxyKey=wrong",
    "/?ProxyKey=key",
    "/?Action=Ping&A=%0a",
    "/?ProxyAction=ListSessions",
    "/rawman?action=ping",
    "/mxml?action=login&username=joe&secret=secret1",
    "/arawman?action=ping",
    "/",
)
HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    *((("host", "x"),),) * 8,
    (("host", "x"), ("accept", "application/json")),
    (("host", "x"), ("authorization", JOE)),
    (("host", "x"), ("authorization", "Basic eDp5")),
    (("host", "x"), ("proxykey", "key")),
    (("host", "x"), ("origin", "http://x")),
)


class Seen(Stage):
    """A web client, and what its sessions were when they asked Asterisk something."""

    def __init__(self) -> None:
        super().__init__()
        self.context.stopping.set()  # nobody waits for a failure's delay
        self.sessions_seen: list[Any] = []
        submit, find = self.asterisk.submit, self.context.registry.find

        def noting(action: Any, account: str = "", most: int = 0) -> Any:
            session = find(action.owner)
            assert session is not None
            self.sessions_seen.append((state(session), action.name, account, most))
            return submit(action, account, most)

        self.asterisk.submit = noting  # type: ignore[method-assign]

    def settle(self, settings: dict[str, Any]) -> None:
        """Read the files anew."""
        self.context.renew(Config(**settings), USERS, None)

    def connect(self) -> None:
        """Have another connection."""
        spec = of_keys(self.context.config)
        self.client = WebClient(
            self.context, self.sessions, self.transport, "192.0.2.1", spec, lambda: None
        )

    def told(self, request: Request) -> object:
        """Return what can be told of the answer to *request*."""
        response = self.client.respond(request)
        assert isinstance(response, Response)
        registry = self.context.registry
        kept = len(registry.snapshot()) - len(self.sessions)
        text = re.sub(rb"amp\d+|\d{6,}|[0-9a-f]{16,}", b"#", response.body)
        fields = tuple(each for each in response.headers if each[0] != "Set-Cookie")
        if response.status == 401:  # a nonce of Digest
            fields = tuple(name for name, _ in fields)  # type: ignore[misc]
        seen, self.sessions_seen = self.sessions_seen, []
        figures = kept, registry.had(), registry.gone_actions, registry.filtering
        return response.status, response.content_type, text, fields, response.close, seen, figures


def state(session: ClientSession) -> object:
    """Return all that an earlier request could have changed of *session*."""
    # ruff: noqa: SLF001 - what it may see, and by which settings
    view = session._viewer.view
    return (
        view, session.user, session.mode, session.event_mask, session.own_filters, session.allowed,
        session.authenticated, session.output.name, session.challenge, session.actions,
        session.last_id, session.hears, session.ended, session.proof, session.waiting_for_event,
        session.stamp, session.callfilter is None, session._filter_local,
    )  # fmt: skip


def test_a_kept_connection_is_as_good_as_many() -> None:
    """Whatever was asked before, over the same connection: answers, rights, figures are equal."""
    generator = random.Random(os.environ.get("ASTMANPROXY_SEED", "kept"))
    shared = 0
    for _ in range(HISTORIES):
        one, many = Seen(), Seen()
        settings: dict[str, Any] = generator.choice(CONFIGS)
        for each in (one, many):
            each.settle(settings)
            each.connect()
        for _ in range(generator.randrange(4, 14)):
            if not generator.randrange(10):
                settings = {**settings, **generator.choice(CONFIGS[3:])}
                one.settle(settings)
                many.settle(settings)
            target, headers = generator.choice(TARGETS), generator.choice(HEADERS)
            request = Request(generator.choice(("GET", "GET", "HEAD")), target, "1.1", headers)
            many.client._own = None
            assert one.told(request) == many.told(request), (target, headers, settings)
        numbers = one.asterisk.numbers
        shared += len(numbers) - len(set(numbers))
        for each in (one, many):
            each.stop()
            each.transport.close()
    assert shared > HISTORIES / 2


@pytest.mark.parametrize("how", ["dropped", "unanswered"])
def test_a_session_that_is_over_or_owes_something_is_not_gone_on_with(how: str) -> None:
    """The operator has dropped it; or its call may ring still, and no other action waits for it."""
    stage = Stage()
    try:
        assert stage.get("/?Action=Ping").status == 200
        own = stage.client._own
        assert own is not None
        if how == "dropped":
            own.end("dropped")
        else:
            assert stage.get("/?Action=Silence&X-Maxtime=1").status == 504
        assert stage.get("/?Action=Ping").status == 200
        first, *_, last = stage.asterisk.numbers
        assert first != last
    finally:
        stage.stop()


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_each_request_has_its_own_format(format_: str) -> None:
    """Whatever the one before was answered in."""
    stage = Stage()
    try:
        kinds = [
            stage.get(f"/?Action=Ping{field}").content_type
            for field in ("", f"&format={format_}", "")
        ]
        assert format_ in kinds[1]
        assert kinds[0] == kinds[2] == "text/plain"
        assert len(set(stage.asterisk.numbers)) == 1
    finally:
        stage.stop()
