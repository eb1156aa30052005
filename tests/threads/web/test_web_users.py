# SPDX-License-Identifier: GPL-2.0-or-later
"""A web session is one user's from its beginning to its end."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import User, Users
from amiproxy.routing.classes import CALL
from amiproxy.settings.config import Config
from amiproxy.threads.sessions.collector import EventBuffer, Kept
from amiproxy.threads.web.sessions import WebSession, WebSessions
from tests.support import wait_until
from tests.threads.web.test_client import JOE, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.httpmessages import Response

LOGIN = "/rawman?action=login&username={}&secret={}"
WAIT = "/rawman?action=waitevent&timeout=0"
DENIED = b"Permission denied"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A client of a proxy that requires a log-in: joe sees everything, ann no system events."""
    made = Stage(auth_required=True, proxy_key="k3y")
    users = Users({"joe": User("joe", "secret1"), "ann": User("ann", "secret2", read=CALL)})
    made.context.renew(Config(auth_required=True, proxy_key="k3y"), users, None)
    made.context.stopping.set()  # nobody waits for a failure's delay
    yield made
    made.stop()


def cookie_of(response: Response) -> str:
    """Return the cookie that *response* sets."""
    return dict(response.headers)["Set-Cookie"].partition(";")[0]


def log_in(stage: Stage, name: str, secret: str, cookie: str = "") -> Response:
    """Log in, in the session of *cookie* if there is one."""
    headers = {"cookie": cookie} if cookie else {}
    return stage.get(LOGIN.format(name, secret), **headers)


def may_act(stage: Stage, cookie: str) -> bool:
    """Return whether *cookie* stands for somebody who may act."""
    return b"Ping: Pong" in stage.get("/rawman?action=ping", cookie=cookie).body


def challenged(stage: Stage, cookie: str = "") -> tuple[str, str]:
    """Ask for a challenge; return the cookie that comes with it and joe's key."""
    headers = {"cookie": cookie} if cookie else {}
    response = stage.get("/rawman?action=challenge&authtype=md5", **headers)
    found = re.search(rb"Challenge: (\d+)", response.body)
    assert found is not None
    return cookie_of(response), hashlib.md5(found[1] + b"secret1").hexdigest()


MD5 = "/rawman?action=login&authtype=md5&username=joe&key={}"


def test_the_cookie_of_a_challenge_is_not_that_of_the_log_in(stage: Stage) -> None:
    """Who has made somebody else use the cookie of a challenge has nothing of their log-in."""
    fixed, key = challenged(stage)

    response = stage.get(MD5.format(key), cookie=fixed)

    assert cookie_of(response) != fixed
    assert may_act(stage, cookie_of(response))
    assert not may_act(stage, fixed)
    assert len(stage.sessions) == 1


def test_another_user_has_a_cookie_of_their_own(stage: Stage) -> None:
    """What the earlier log-in gave is over."""
    before = cookie_of(log_in(stage, "joe", "secret1"))

    after = cookie_of(log_in(stage, "ann", "secret2", before))

    assert after != before
    assert may_act(stage, after)
    assert not may_act(stage, before)
    assert len(stage.sessions) == len(stage.context.registry.snapshot()) == 1


def test_the_same_user_stays(stage: Stage) -> None:
    """As Asterisk says it; but the secret must be right, and what was kept is still there."""
    first = log_in(stage, "joe", "secret1")
    cookie = cookie_of(first)
    stage.asterisk.event("kept")

    again = stage.get(LOGIN.format("joe", "secret1") + "&actionid=5", cookie=cookie)
    _, key = challenged(stage, cookie)
    by_key = stage.get(MD5.format(key), cookie=cookie)

    assert (
        again.body == b"Response: Success\r\nActionID: 5\r\nMessage: Already authenticated\r\n\r\n"
    )
    assert b"Already authenticated" in by_key.body
    assert cookie_of(again) == cookie_of(by_key) == cookie
    assert b"Text: kept" in stage.get(WAIT, cookie=cookie).body
    assert len(stage.sessions) == len(stage.context.registry.snapshot()) == 1


def test_who_has_changed_meanwhile_is_another_user(stage: Stage) -> None:
    """A session keeps the rights that it began with; a new log-in gives those of now."""
    before = cookie_of(log_in(stage, "joe", "secret1"))
    users = Users({"joe": User("joe", "secret1", read=CALL)})
    stage.context.renew(stage.context.config, users, None)

    again = log_in(stage, "joe", "secret1", before)

    assert b"Authentication accepted" in again.body
    assert cookie_of(again) != before


@pytest.mark.parametrize("target", [LOGIN.format("ann", "wrong"), MD5.format("0" * 32)])
def test_a_log_in_that_fails_ends_the_session(stage: Stage, target: str) -> None:
    """Its user is a stranger again, and the challenge used up."""
    cookie = cookie_of(log_in(stage, "joe", "secret1"))
    _, key = challenged(stage, cookie)

    assert b"Authentication failed" in stage.get(target, cookie=cookie).body
    assert not may_act(stage, cookie)
    assert b"Authentication failed" in stage.get(MD5.format(key), cookie=cookie).body
    assert len(stage.sessions) == 0
    assert stage.context.registry.snapshot() == ()


@pytest.mark.parametrize(
    "headers", [{"authorization": JOE}, {"proxykey": "k3y"}], ids=["Basic", "ProxyKey"]
)
def test_other_ways_to_log_in_do_not_make_the_session_of_a_challenge_somebodys(
    stage: Stage, headers: dict[str, str]
) -> None:
    """They are for the request that brings them."""
    fixed, _ = challenged(stage)

    response = stage.get("/rawman?action=ping", cookie=fixed, **headers)

    assert b"Ping: Pong" in response.body
    assert not may_act(stage, fixed)
    assert b"Event: X" not in stage.get(WAIT, cookie=fixed).body


@pytest.mark.parametrize("fields", ["action=logoff", "proxyaction=logoff", "ProxyAction=LogOff"])
def test_a_log_off_ends_the_session(stage: Stage, fields: str) -> None:
    """However it is spelled; the browser is told to forget the cookie."""
    cookie = cookie_of(log_in(stage, "joe", "secret1"))

    response = stage.get(f"/rawman?{fields}", cookie=cookie)

    assert b"Response: Goodbye" in response.body
    assert "Max-Age=0;" in dict(response.headers)["Set-Cookie"]
    assert not may_act(stage, cookie)
    assert len(stage.sessions) == 0


@pytest.mark.parametrize("secret", ["secret2", "wrong"])
def test_events_kept_for_one_user_do_not_reach_the_next(stage: Stage, secret: str) -> None:
    """Neither by the old cookie nor by the new one."""
    cookie = cookie_of(log_in(stage, "joe", "secret1"))
    stage.asterisk.event("for joe")

    response = log_in(stage, "ann", secret, cookie)

    cookies = [cookie, cookie_of(response)] if secret == "secret2" else [cookie]
    for each in cookies:
        assert b"for joe" not in stage.get(WAIT, cookie=each).body


def test_a_wait_of_the_earlier_user_hears_nothing_of_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that waits for events ends when somebody logs in with its cookie."""
    cookie = cookie_of(log_in(stage, "ann", "secret2"))
    bodies: list[bytes] = []
    waits = threading.Event()
    fetch = EventBuffer.fetch

    def noted(buffer: EventBuffer, *options: Any) -> list[Kept]:
        waits.set()
        return fetch(buffer, *options)

    monkeypatch.setattr(EventBuffer, "fetch", noted)
    target = "/rawman?action=waitevent&timeout=30"
    thread = threading.Thread(target=lambda: bodies.append(stage.get(target, cookie=cookie).body))
    thread.start()
    assert waits.wait(10)

    after = cookie_of(log_in(stage, "joe", "secret1", cookie))
    stage.asterisk.event("for joe")
    thread.join(10)

    assert not thread.is_alive()
    assert b"for joe" not in bodies[0]
    assert b"for joe" in stage.get(WAIT, cookie=after).body


@pytest.mark.parametrize(
    "narrow",
    ["action=events&eventmask=call", "action=filter&operation=add&filter=!Text", "action=events"],
)
def test_kept_events_are_judged_when_they_are_fetched(stage: Stage, narrow: str) -> None:
    """What mask or filter has come to hide is not told; other events are, and later ones."""
    cookie = cookie_of(log_in(stage, "joe", "secret1"))
    stage.asterisk.event("before")

    stage.get(f"/rawman?{narrow}", cookie=cookie)

    shown = "eventmask" not in narrow and "filter" not in narrow
    assert (b"before" in stage.get(WAIT, cookie=cookie).body) is shown


def test_one_challenge_lets_one_of_many_requests_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many answer it at the same moment: all of them have found its session here."""
    fixed, key = challenged(stage)
    barrier = threading.Barrier(4)
    remove = WebSessions.remove

    def remove_together(sessions: WebSessions, session: WebSession) -> None:
        barrier.wait(10)
        remove(sessions, session)

    monkeypatch.setattr(WebSessions, "remove", remove_together)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(stage.get, MD5.format(key), cookie=fixed) for _ in range(4)]
        bodies = [each.result(10).body for each in answers]

    assert sum(b"Authentication accepted" in body for body in bodies) == 1


def test_a_cookie_is_for_requests_of_this_site_alone(stage: Stage) -> None:
    """No script reads it, no other site's page sends it."""
    given = dict(log_in(stage, "joe", "secret1").headers)["Set-Cookie"]

    attributes = {each.strip() for each in given.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= attributes
    assert base64.b16decode(given.partition('"')[2][:32], casefold=True)


def test_who_waits_to_log_in_goes_with_their_connection(stage: Stage) -> None:
    """Made to leave for another address, the thread does not stay until its turn."""
    stage.context.stopping.clear()
    for _ in range(12):
        stage.context.guesses.failed("192.0.2.1")
    thread = threading.Thread(target=lambda: stage.get("/?Action=Ping", authorization=JOE))
    thread.start()
    wait_until(lambda: not stage.context.guesses.is_empty)

    stage.transport.finish("made room for another address")

    thread.join(5)
    stage.context.stopping.set()
    assert not thread.is_alive()
    assert stage.context.guesses.is_empty


def test_a_web_session_outlives_the_connection_it_began_on(stage: Stage) -> None:
    """Its cookie is good on any other."""
    cookie = cookie_of(log_in(stage, "joe", "secret1"))

    stage.transport.finish("done")

    response = stage.get("/rawman?action=ping", cookie=cookie)
    assert b"Ping: Pong" in response.body
    assert "Max-Age=60;" in dict(response.headers)["Set-Cookie"]
