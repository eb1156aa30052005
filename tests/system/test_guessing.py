# SPDX-License-Identifier: GPL-2.0-or-later
"""Guessing secrets at the running program by many connections, and by users themselves."""

from __future__ import annotations

import base64
import contextlib
import select
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import wait_until
from tests.system.peers import value
from tests.system.people import answer, closed, is_in, log_in, log_in_md5, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient, StartProxy

DENIED = ["Response: Error", "Message: Authentication failed"]
USERS = "admin=guess9\n[weak]\nsecret=secret\nread=\nwrite=\n"

#: What the log says of a guess that was tried and wrong, and of one that was not tried.
WRONG = ": wrong"
NOT_TRIED = ": too many log-ins of this address wait"

#: Guesses that cost nothing, and those that may wait for their turn; the one whose turn it
#: is comes on top.
FREE, WAITING = 4, 5


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """What is entered is left with the test."""
    with contextlib.ExitStack() as made:
        yield made


def send_basic(client: ManagerClient, secret: str) -> None:
    """Send a request with Basic authentication as ``admin``."""
    token = base64.b64encode(f"admin:{secret}".encode()).decode()
    client.send_raw(
        f"GET /?Action=Ping HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nAuthorization: Basic {token}\r\n\r\n"
    )


def send_login(client: ManagerClient, secret: str) -> None:
    """Send a login as ``admin``."""
    client.send("Action: Login", "Username: admin", f"Secret: {secret}")


def send_key(client: ManagerClient, secret: str) -> None:
    """Send a proxy key."""
    client.send("Action: Ping", f"ProxyKey: {secret}")


def send_md5(client: ManagerClient, secret: str) -> None:
    """Send a login as ``admin`` by a key that is wrong."""
    client.send("Action: Login", "AuthType: MD5", "Username: admin", f"Key: {secret}")


def answered(clients: list[ManagerClient]) -> int:
    """Return how many of *clients* have been sent something."""
    return len(select.select([client.sock for client in clients], [], [], 0)[0])


@pytest.mark.parametrize(
    ("send", "more"),
    [
        (send_login, ""),
        (send_md5, ""),
        (send_key, "proxykey = k3y\n"),
        (send_basic, "inputformat = http\n"),
    ],
)
def test_many_connections_guess_no_faster_than_one(
    proxy: StartProxy, stack: contextlib.ExitStack, send: Any, more: str
) -> None:
    """Of 40 that guess at once four are tried, a few wait for their turn, the rest is not heard."""
    program = proxy(closed(more=more), USERS)
    clients = [
        stack.enter_context(program.client(banner="http" not in more, source="127.0.0.2"))
        for _ in range(40)
    ]
    for number, client in enumerate(clients):
        send(client, f"no{number}")

    program.wait_log(NOT_TRIED)
    wait_until(lambda: answered(clients) >= FREE)

    assert answered(clients) <= 2 * FREE + 2
    assert program.log().count(WRONG) <= 2 * FREE + 2


def sessions_of_guessers(admin: ManagerClient) -> int:
    """Return how many sessions *admin* sees of the address that guesses."""
    sessions = answer(admin, "ProxyAction: ListSessions")
    return sum(line.startswith("ProxyClientSession: 127.0.0.2") for line in sessions)


def test_users_that_guess_are_strangers_again(
    proxy: StartProxy, stack: contextlib.ExitStack
) -> None:
    """60 log in as somebody and guess as admin: authlimit holds for them, and few are tried."""
    program = proxy(closed(more="authlimit = 8\nauthtimeout = 60\n"), USERS)
    clients = []
    for _ in range(60):
        clients.append(stack.enter_context(program.client(source="127.0.0.2")))
        assert is_in(log_in(clients[-1], "weak"))
    admin = stack.enter_context(logged_in(program, "admin", "guess9"))
    assert sessions_of_guessers(admin) == 60

    for number, client in enumerate(clients):
        send_login(client, f"no{number}")

    wait_until(lambda: sessions_of_guessers(admin) <= 8 + WAITING)
    assert program.log().count(WRONG) <= 2 * FREE + 2


def test_who_fails_may_do_and_see_nothing_and_has_to_leave(proxy: StartProxy) -> None:
    """Rights, mask and filters go, and the time to log in runs again; so it does for MD5."""
    program = proxy(closed(more="authtimeout = 1\n"), USERS)
    for fail in (log_in, log_in_md5):
        with program.client() as client:
            assert is_in(log_in(client, "admin", "guess9", "Events: call"))
            assert fail(client, "admin", "wrong") == DENIED
            assert answer(client, "ProxyAction: ListSessions")[1] == "Message: Action Filtered"
            client.read_to_end(8)
    wait_until(lambda: program.log().count("not logged in within 1 s (authtimeout)") == 2)


def test_the_right_secret_gets_in_behind_those_that_wait(
    proxy: StartProxy, stack: contextlib.ExitStack
) -> None:
    """Who shares the guesser's address waits for their turn, and gets in; others do not wait."""
    program = proxy(closed(), USERS)
    guesser = stack.enter_context(program.client(source="127.0.0.2"))
    for _ in range(FREE):
        assert log_in(guesser, "admin", "wrong") == DENIED
    send_login(guesser, "wrong")
    with program.client(source="127.0.0.2") as neighbour:
        assert is_in(log_in(neighbour, "admin", "guess9"))
    assert value(guesser.read_message(), "Response") == "Error"


def test_a_web_connection_that_fails_is_closed(proxy: StartProxy) -> None:
    """Whatever it has brought before: it counts as a client that has logged in until then."""
    program = proxy(closed(more="inputformat = http\n"), USERS)
    with program.client(banner=False) as client:
        send_basic(client, "guess9")
        assert client.read_line() == "HTTP/1.1 503 Service Unavailable"  # no Asterisk is there
        client.read_message()
        assert client.read_message()[0] == "Response: Error"
        client.send_raw("GET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n")
        head = client.read_message()
        assert head[0] == "HTTP/1.1 401 Unauthorized"
        assert "Connection: close" in head
