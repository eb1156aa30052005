# SPDX-License-Identifier: GPL-2.0-or-later
"""One web client: its requests become actions, the answers responses.  No connection."""

from __future__ import annotations

import base64
import re
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import User, Users
from amiproxy.httpmessages import Request, Response
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.listeners import of_keys
from amiproxy.threads import routes
from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.threads.web import asker
from amiproxy.threads.web.client import WebClient
from amiproxy.threads.web.sessions import WebSessions
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import Routed
from tests.support import wait_until
from tests.threads.actions.support import FORMATS, Control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.routing.pending import PendingAction

JOE = "Basic " + base64.b64encode(b"joe:secret1").decode()


class Echo(AsteriskLink):
    """An Asterisk that answers at once, and not at all to ``Action: Silence``."""

    def __init__(self, router: Router) -> None:
        super().__init__(ServerSpec("pbx", 5038, "u", "s"), router.ids)
        self.connected = True
        self._router = router
        self.asked: list[Message] = []
        self.numbers: list[int] = []
        self.late = 0.0  # seconds until it answers
        self._timers: list[threading.Timer] = []

    def submit(self, action: PendingAction, account: str = "", most: int = 0) -> Submitted:
        """Answer *action* with Success."""
        self.asked.append(Message(action.raw))
        self.numbers.append(action.owner)
        if self.asked[-1].action != "silence":
            reply = Message.of("Response: Success", f"ActionID: {action.given}", "Ping: Pong")
            item = Routed(
                reply,
                owner=action.owner,
                action_id=action.given,
                request_id=action.wire_id,
                final=True,
            )
            if self.late:
                self._timers.append(threading.Timer(self.late, self._answer, [action.owner, item]))
                self._timers[-1].start()
            else:
                self._answer(action.owner, item)
        return Submitted.TAKEN

    def _answer(self, owner: int, item: Routed) -> None:
        self._router.answered(owner)
        self._router.publish(Batch.of_items("pbx:5038", [item]))

    def finish(self) -> None:
        """Wait for the answers that are late."""
        for timer in self._timers:
            timer.join()

    def event(self, text: str) -> None:
        """Tell everybody of an event."""
        message = Message.of("Event: X", "Privilege: system,all", f"Text: {text}")
        self._router.publish(Batch("pbx:5038", message.raw))


class Stage:
    """A web client, and the Asterisk behind the proxy."""

    def __init__(self, **settings: Any) -> None:
        router = Router(SessionRegistry())
        self.asterisk = Echo(router)
        router.servers = (self.asterisk,)
        users = Users({"joe": User("joe", "secret1")}) if settings.pop("users", False) else Users()
        self.context = ProxyContext(Config(**settings), users, FORMATS, None, router, Control())
        self.context.resource_at = routes.find
        self.sessions = WebSessions(self.context.registry)
        ours, self.theirs = socket.socketpair()
        self.transport = Transport(
            ours, "client x", flusher=Flusher(), write_timeout=1, max_backlog=1000
        )
        self.client = WebClient(
            self.context,
            self.sessions,
            self.transport,
            "192.0.2.1",
            of_keys(self.context.config),
            lambda: None,
        )

    def get(self, target: str, **headers: str) -> Response:
        """Return the response to a GET."""
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return self.respond(Request("GET", target, "1.1", (("host", "x"), *pairs)))

    def respond(self, request: Request) -> Response:
        """Return the response to *request*, which is no stream."""
        found = self.client.respond(request)
        assert isinstance(found, Response)
        return found

    def stop(self) -> None:
        """Close everything."""
        self.asterisk.finish()
        self.sessions.close()
        self.transport.close()
        self.theirs.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A client of a proxy that requires no log-in."""
    made = Stage()
    yield made
    made.stop()


@pytest.fixture
def guarded() -> Iterator[Stage]:
    """A client of a proxy that requires one."""
    made = Stage(users=True, auth_required=True)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("Timeout=45000", 200),
        ("", 200),
        ("Timeout=45000&X-Maxtime=20", 504),
        ("Timeout=45000&Async=true", 504),
        ("Timeout=x", 200),  # Asterisk refuses it at once, or what is in front of it does
    ],
)
def test_an_originate_is_waited_for_as_long_as_its_call_rings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, call: str, status: int
) -> None:
    """Not as long as other actions; what the client says of X-Maxtime counts more."""
    monkeypatch.setattr(asker, "ANSWER_TIME", 0.05)
    stage.asterisk.late = 0.2

    response = stage.get(f"/?Action=Originate&Channel=x&Application=y&{call}")

    assert response.status == status


def test_an_action_is_answered_and_leaves_nothing_behind(stage: Stage) -> None:
    """Asterisk gets it with an ActionID of the proxy's, the client its own back."""
    response = stage.get("/?Action=Ping&ActionID=7")

    assert response.status == 200
    assert response.body == b"Response: Success\r\nActionID: 7\r\nPing: Pong\r\n\r\n"
    assert re.fullmatch(r"amp\d+-[^-]{18}-7", stage.asterisk.asked[0].get("ActionID"))
    assert stage.context.registry.snapshot() == ()


def test_a_web_user_may_leave_so_many_actions_unanswered(stage: Stage) -> None:
    """Each request is a session of its own, but all of one address count together."""
    stage.context.config = Config(max_unanswered=2)
    for _ in range(2):
        assert stage.get("/?Action=Silence&X-Maxtime=20").status == 504

    refused = stage.get("/?Action=Ping&X-Maxtime=20")

    assert b"Message: Too many actions are unanswered" in refused.body
    assert stage.get("/?ProxyAction=ListServers").status == 200
    stage.context.router.answered(stage.asterisk.numbers[0])
    assert b"Pong" in stage.get("/?Action=Ping").body


def test_silence_is_504_and_leaves_nothing_behind(stage: Stage) -> None:
    """After the time the request has asked for."""
    response = stage.get("/?Action=Silence&X-Maxtime=20")

    assert response.status == 504
    assert b"Asterisk did not answer in time" in response.body
    assert stage.context.registry.snapshot() == ()


def test_no_asterisk_is_503(stage: Stage) -> None:
    """The proxy's own words have a status of their own."""
    stage.context.router.servers = ()

    assert stage.get("/?Action=Ping").status == 503


def test_each_request_brings_its_log_in(guarded: Stage) -> None:
    """Without one or with a wrong one it is 401 and the connection ends; Asterisk hears nothing."""
    wrong = "Basic " + base64.b64encode(b"joe:x").decode()
    for headers in ({}, {"authorization": wrong}, {"authorization": "Basic ?"}):
        response = guarded.get("/?Action=Ping", **headers)
        assert response.status == 401
        assert response.close
        assert any(name == "WWW-Authenticate" for name, _ in response.headers)
    assert guarded.asterisk.asked == []

    response = guarded.get("/?Action=Ping", authorization=JOE)
    assert response.status == 200
    assert not response.close


def test_another_sites_page_changes_nothing(stage: Stage) -> None:
    """It may ask what only reads, and nothing else; a program may ask anything."""
    foreign = {"origin": "http://evil.example"}

    assert stage.get("/?Action=Ping", **foreign).status == 200
    assert stage.get("/?Action=Hangup&Channel=x", **foreign).status == 403
    assert stage.get("/?ProxyAction=ListServers", **foreign).status == 200
    assert stage.get("/?ProxyAction=DropServer", **foreign).status == 403
    assert stage.get("/?Action=Hangup&Channel=x").status == 200


def test_a_format_that_a_json_body_names_is_that_of_the_answer(stage: Stage) -> None:
    """As a field of the URL does."""
    request = Request(
        "POST",
        "/",
        "1.1",
        (("host", "x"), ("content-type", "application/json")),
        b'{"Action": "Ping", "format": "xml"}',
    )

    assert stage.respond(request).content_type == "text/xml"


def start_session(stage: Stage) -> str:
    """Log in as joe; return the cookie."""
    response = stage.get("/rawman?action=login&username=joe&secret=secret1")
    assert response.status == 200
    return dict(response.headers)["Set-Cookie"].partition(";")[0]


def test_a_cookie_stands_for_a_log_in(guarded: Stage) -> None:
    """From a log-in to a log-off."""
    cookie = start_session(guarded)

    assert b"Ping: Pong" in guarded.get("/rawman?action=ping", cookie=cookie).body
    assert b"Goodbye" in guarded.get("/rawman?action=logoff", cookie=cookie).body
    assert b"Permission denied" in guarded.get("/rawman?action=ping", cookie=cookie).body
    assert guarded.context.registry.snapshot() == ()


def test_a_wait_for_events_lets_other_requests_of_its_session_pass(guarded: Stage) -> None:
    """Only the action itself has its turn, not the wait behind it."""
    cookie = start_session(guarded)
    guarded.get("/rawman?action=waitevent&timeout=0", cookie=cookie)  # FullyBooted, perhaps
    bodies: list[bytes] = []
    thread = threading.Thread(
        target=lambda: bodies.append(
            guarded.get("/rawman?action=waitevent&timeout=10", cookie=cookie).body
        )
    )
    thread.start()

    wait_until(lambda: b"Ping: Pong" in guarded.get("/rawman?action=ping", cookie=cookie).body)
    guarded.asterisk.event("awaited")

    thread.join(10)
    assert not thread.is_alive()
    assert b"Text: awaited\r\n" in bodies[0]
    assert bodies[0].endswith(b"Event: WaitEventComplete\r\n\r\n")


def test_a_session_keeps_to_answers_of_its_own(guarded: Stage) -> None:
    """SetAutoFilter is carried out, and forgotten with the request."""
    cookie = start_session(guarded)

    response = guarded.get("/rawman?proxyaction=setautofilter&autofilter=off", cookie=cookie)

    assert b"AutoFilter: 0" in response.body
    modes = {session.mode for session in guarded.context.registry.snapshot()}
    assert modes == {AutoFilter.UNIQUE}
