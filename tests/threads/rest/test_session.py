# SPDX-License-Identifier: GPL-2.0-or-later
"""Log-in for the web: tokens, tickets, the console's cookie."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from amiproxy.access import tokens
from amiproxy.access.acl import Acl, read_rules
from amiproxy.access.user import User, Users
from amiproxy.httpmessages import BadRequest, Request
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.threads.web import identity, whoami
from amiproxy.threads.web.entrance import let_in
from amiproxy.threads.web.logins import IDLE, LIFE, Logins, logins_of
from amiproxy.threads.web.tickets import Tickets
from amiproxy.web.problems import Problem
from tests.threads.rest.loginstage import (
    JSON,
    OWN,
    TOKEN,
    Clock,
    ask,
    bearer,
    house,
    log_in,
    opened,
    said,
    ticket_of,
    users,
    visit_of,
)
from tests.threads.web.test_client import JOE, Stage

__all__ = ["house"]  # a fixture


# -- tokens ------------------------------------------------------------------------------------


def test_a_token_logs_its_user_in(house: Stage) -> None:
    """And is told who it is, and what it may; nobody else's token does."""
    found = ask(house, "GET", "/v1/me", **bearer())

    assert found.status == 200
    me = said(found)
    assert (me["user"], me["login_required"], me["encrypted"]) == ("joe", True, False)
    assert "call" in me["rights"]["read"]
    assert not me["rights"]["operator"]
    assert me["rights"]["servers"] is None
    assert house.context.tallies.count(Tallied.LOGIN) == 1
    assert ask(house, "GET", "/v1/me", **bearer(TOKEN + "x")).status == 401


def test_a_wrong_token_is_a_failed_log_in(house: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """It delays the address, is counted, and fail2ban is told; the token is in no line."""
    caplog.set_level(logging.DEBUG)
    wrong = "amp_" + "w" * 32
    for _ in range(4):
        found = ask(house, "GET", "/v1/me", **bearer(wrong))

        assert found.status == 401
        # Basic would have a browser open a window of its own.
        assert dict(found.headers)["WWW-Authenticate"].startswith("Bearer ")
        assert said(found)["type"] == "/v1/problems/login-required"
    assert house.context.guesses.delay("192.0.2.1") > 0
    assert house.context.tallies.count(Tallied.FAILED_LOGIN) == 4
    assert "login failed from 192.0.2.1 as" in caplog.text
    assert "unknown token" in caplog.text
    assert wrong not in caplog.text
    assert tokens.hash_of(wrong) not in caplog.text


def test_the_first_credential_counts(house: Stage) -> None:
    """A wrong one is not replaced by a right one behind it."""
    _, cookie = log_in(house)

    assert ask(house, "GET", "/v1/me", authorization=JOE).status == 200
    assert ask(house, "GET", "/v1/me", **bearer("amp_x"), cookie=cookie).status == 401
    assert ask(house, "GET", "/v1/me", authorization="Basic eA==", cookie=cookie).status == 401
    assert ask(house, "GET", "/v1/me", proxykey="x", cookie=cookie).status == 401
    assert ask(house, "GET", "/v1/me", cookie="astmanproxy_session=x").status == 401


def test_a_token_is_good_for_actions_in_the_old_way_too(house: Stage) -> None:
    """As any credential; a wrong one is asked for as Basic, as there before."""
    assert ask(house, "GET", "/?Action=Ping", **bearer()).status == 200
    found = ask(house, "GET", "/?Action=Ping", **bearer("amp_x"))
    assert found.status == 401
    assert dict(found.headers)["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("by", ["token", "cookie", "nothing"])
def test_who_has_logged_in_may_send_much(house: Stage, by: str) -> None:
    """A stranger's body is not read; and no window of the browser's opens."""
    headers = {"token": bearer(), "cookie": {"cookie": log_in(house)[1]}, "nothing": {}}[by]
    head = Request("POST", "/v1/actions/Ping", "1.1", (("host", "x"), *headers.items()))
    known = (house.context, house.sessions, of_keys(house.context.config), "client x", "192.0.2.1")
    if by != "nothing":
        let_in(*known, head)
        return
    with pytest.raises(BadRequest) as caught:
        let_in(*known, head)
    assert caught.value.headers == identity.CHALLENGE


def test_where_nobody_must_log_in_nothing_is_asked() -> None:
    """Who gives nothing is nobody, and may do everything."""
    stage = Stage()
    me = said(ask(stage, "GET", "/v1/me"))
    stage.stop()

    assert (me["user"], me["login_required"]) == (None, False)


def test_a_name_is_told_in_characters(house: Stage) -> None:
    """As hello tells it: the files are read byte by byte."""
    found = whoami.me(visit_of(house), User("J\xc3\xbcrgen", "secret1"))

    assert found["user"] == "J\xfcrgen"


# -- the cookie --------------------------------------------------------------------------------


def test_the_form_gives_a_cookie_that_scripts_cannot_read(house: Stage) -> None:
    """A new one at each log-in; the former is worth nothing then."""
    found, first = log_in(house)

    assert found.status == 200
    assert said(found)["user"] == "joe"
    text = dict(found.headers)["Set-Cookie"]
    assert re.fullmatch(
        r"astmanproxy_session=[\w-]{43}; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict", text
    )
    assert said(ask(house, "GET", "/v1/me", cookie=first))["user"] == "joe"
    _, second = log_in(house, {"token": TOKEN}, cookie=first)
    assert second != first
    assert ask(house, "GET", "/v1/me", cookie=second).status == 200
    assert ask(house, "GET", "/v1/me", cookie=first).status == 401
    assert len(logins_of(house.context)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "joe", "secret": "x"}, 401),
        ({"username": "nobody", "secret": "secret1"}, 401),
        ({"username": "joe", "secret": ""}, 401),
        ({"token": "amp_x"}, 401),
        ({"token": tokens.hash_of(TOKEN)}, 401),
        ({}, 400),
        ([], 400),
        ({"username": "joe"}, 400),
        ({"username": "joe", "secret": 1}, 400),
        ({"username": "joe\r\nX: y", "secret": "secret1"}, 400),
        ({"username": "joe", "secret": "secret1", "token": TOKEN}, 400),
        ({"username": "j" * 9000, "secret": "secret1"}, 413),
    ],
)
def test_a_wrong_log_in_gives_no_cookie(house: Stage, body: Any, status: int) -> None:
    """And one that is no log-in is told what to send."""
    found = ask(house, "POST", "/v1/session", body, **JSON, **OWN)

    assert found.status == status
    assert "Set-Cookie" not in dict(found.headers)


def test_log_out_takes_the_cookie_back(house: Stage) -> None:
    """And ends what is open by it, on this or another connection."""
    _, cookie = log_in(house)
    stream = opened(house, cookie=cookie)
    other = opened(house, **bearer())

    found = ask(house, "DELETE", "/v1/session", cookie=cookie, **OWN)

    assert (found.status, found.body) == (204, b"")
    assert "Max-Age=0" in dict(found.headers)["Set-Cookie"]
    assert stream.ended
    assert not other.ended
    assert ask(house, "GET", "/v1/me", cookie=cookie).status == 401
    assert ask(house, "DELETE", "/v1/session", **OWN).status == 204


def test_a_cookie_is_over_in_the_end(house: Stage) -> None:
    """After 12 hours without use, while nothing is open by it, and after 7 days in any case."""
    clock = Clock()
    logins = house.context.made["logins"] = Logins(house.context.registry, clock=clock)
    _, idle = log_in(house)
    _, busy = log_in(house)
    stream = opened(house, cookie=busy)
    clock.now += IDLE + 1

    assert ask(house, "GET", "/v1/me", cookie=idle).status == 401
    assert ask(house, "GET", "/v1/me", cookie=busy).status == 200
    clock.now += LIFE - IDLE - 11
    assert ask(house, "GET", "/v1/me", cookie=busy).status == 200
    clock.now += 11  # too soon for another look at all of them
    assert ask(house, "GET", "/v1/me", cookie=busy).status == 401
    assert not stream.ended
    clock.now += 60
    logins.clear()
    assert stream.ended
    assert len(logins) == 0


def test_one_user_cannot_have_too_many_log_ins(house: Stage) -> None:
    """Their own first one makes room, nobody else's."""
    house.context.made["logins"] = Logins(house.context.registry, most_per_user=2)
    _, anns = log_in(house, {"username": "ann", "secret": "secret2"})
    cookies = [log_in(house)[1] for _ in range(3)]

    assert [ask(house, "GET", "/v1/me", cookie=each).status for each in (anns, *cookies)] == [
        200, 401, 200, 200,
    ]  # fmt: skip


# -- tickets -------------------------------------------------------------------------------------


def test_a_ticket_is_good_once(house: Stage) -> None:
    """For a WebSocket or an EventSource, and nothing else."""
    ticket = ticket_of(house, **bearer())
    assert re.fullmatch("[0-9a-f]{32}", ticket)  # 128 bits

    assert ask(house, "GET", f"/v1/me?ticket={ticket}").status in (400, 401)
    stamp = identity.find_stamp(visit_of(house, f"/ws?x=1&ticket={ticket}"))
    assert stamp.name == "joe"
    with pytest.raises(Problem, match="one connection"):
        identity.find_stamp(visit_of(house, f"/ws?ticket={ticket}", **bearer()))


@pytest.mark.parametrize("spoilt", ["time", "address", "user", "token", "permit", "log-out"])
def test_a_ticket_is_for_its_user_and_address_and_a_short_time(house: Stage, spoilt: str) -> None:
    """It is worth no more than the log-in that it was got by."""
    clock = Clock()
    tickets = house.context.made["tickets"] = Tickets(clock=clock)
    _, cookie = log_in(house)
    by = {"cookie": cookie, **OWN, **JSON} if spoilt == "log-out" else bearer()
    ticket = ticket_of(house, **by)
    if spoilt == "time":
        clock.now += 30
    elif spoilt == "address":
        assert tickets.take(ticket, "192.0.2.2") is None
    elif spoilt == "log-out":
        assert ask(house, "DELETE", "/v1/session", cookie=cookie, **OWN).status == 204
    elif spoilt == "user":
        house.context.renew(house.context.config, Users({"ann": User("ann", "s")}), None)
    elif spoilt == "token":
        house.context.renew(house.context.config, users(tokens=frozenset()), None)
    else:
        acl = Acl(tuple(read_rules("deny", "0.0.0.0/0")))
        house.context.renew(house.context.config, users(acl=acl), None)

    with pytest.raises(Problem) as caught:
        identity.find_stamp(visit_of(house, f"/ws?ticket={ticket}"))
    assert caught.value.status == 401


def test_tickets_are_bounded(house: Stage) -> None:
    """A user's first one makes room for another; where all are too many, one is told so."""
    tickets = house.context.made["tickets"] = Tickets(most=3, most_per_user=2)
    first, second, third = (ticket_of(house, **bearer()) for _ in range(3))

    assert len(tickets) == 2
    assert tickets.take(first, "192.0.2.1") is None
    house.context.renew(house.context.config, Users({**users(), "bob": User("bob", "x")}), None)
    ann = "Basic YW5uOnNlY3JldDI="
    ticket_of(house, authorization=ann, **JSON)
    found = ask(house, "POST", "/v1/tickets", authorization="Basic Ym9iOng=", **JSON)
    assert (found.status, dict(found.headers)["Retry-After"]) == (429, "30")
    assert tickets.take(third, "192.0.2.1") is not None
    assert tickets.take(second, "192.0.2.1") is not None
