# SPDX-License-Identifier: GPL-2.0-or-later
"""Login, Challenge and Logoff of one client."""

from __future__ import annotations

import hashlib

import pytest

from amiproxy.settings.config import Config
from tests.threads.actions.support import Client, Session

ACCEPTED = ["Response: Success", "Message: Authentication accepted"]
BOOTED = ["Event: FullyBooted", "Privilege: system,all", "Status: Fully Booted"]
FAILED = ["Response: Error", "Message: Authentication failed"]

USERS = """
joe=secret
[general]
[one]
secret = s
read = call
write = all
allowmultiplelogin = no
[far]
secret = s
read = all
write = all
deny = 0.0.0.0/0.0.0.0
"""


def log_in(client: Client, name: str, secret: str, session: Session | None = None) -> list[str]:
    """Log in and return the first message that comes."""
    session = session or client.session
    before = len(session.told)
    client.handle("Action: Login", f"Username: {name}", f"Secret: {secret}", session=session)
    return session.told[before]


def test_a_login_is_told_before_the_event_that_follows_it() -> None:
    """FullyBooted goes to those who may see events of the class system."""
    client = Client(USERS, auth_required=True)

    client.handle("Action: Login", "Username: joe", "Secret: secret", "ActionID: 7")

    assert client.session.told == [[ACCEPTED[0], "ActionID: 7", *ACCEPTED[1:]], BOOTED]
    assert client.session.authenticated


@pytest.mark.parametrize(("name", "events"), [("one", "on"), ("joe", "off"), ("joe", "call")])
def test_no_event_follows_for_a_client_that_may_not_see_it(name: str, events: str) -> None:
    """By the user's rights, or by the mask in the Login itself."""
    client = Client(USERS, auth_required=True)
    secret = {"joe": "secret", "one": "s"}[name]

    answer = client.ask(
        "Action: Login", f"Username: {name}", f"Secret: {secret}", f"Events: {events}"
    )

    assert answer == ACCEPTED


@pytest.mark.parametrize(
    ("name", "secret"), [("joe", "Secret"), ("Joe", "secret"), ("", ""), ("far", "s")]
)
def test_a_failed_login_takes_the_earlier_one_away(name: str, secret: str) -> None:
    """Whatever is wrong, the client is told the same, and may do nothing afterwards."""
    client = Client(USERS, auth_required=True)
    log_in(client, "joe", "secret")

    assert log_in(client, name, secret) == FAILED
    assert not client.session.authenticated


def test_without_users_every_login_succeeds() -> None:
    """Unless a log-in is needed: then nobody gets in."""
    assert log_in(Client(), "anybody", "x") == ACCEPTED
    assert log_in(Client(auth_required=True), "anybody", "x") == FAILED


def test_with_a_key_and_no_users_a_login_needs_the_key_first() -> None:
    """No login replaces the key."""
    client = Client(proxy_key="k3y")

    assert log_in(client, "anybody", "x") == FAILED
    client.handle("ProxyKey: k3y")
    assert log_in(client, "anybody", "x") == ACCEPTED


def test_a_user_with_allowmultiplelogin_off_is_one_client_at_a_time() -> None:
    """A second one is refused until the first has left; logging in again does not count as one."""
    client = Client(USERS, auth_required=True)
    other = client.join()

    assert log_in(client, "one", "s") == ACCEPTED
    assert log_in(client, "one", "s") == ACCEPTED
    assert log_in(client, "one", "s", other) == FAILED
    client.context.router.registry.discard(client.session)
    assert log_in(client, "one", "s", other) == ACCEPTED


def test_maxperuser_bounds_the_clients_of_each_user() -> None:
    """Logging in again or as somebody else frees a place; web clients do not count."""
    client = Client(USERS, auth_required=True, max_per_user=2)
    first, second, third = client.session, client.join(), client.join()

    assert log_in(client, "joe", "secret", first) == log_in(client, "joe", "secret", second)
    assert log_in(client, "joe", "secret", third) == FAILED
    assert client.context.guesses.delay("192.0.2.1") == 0
    assert log_in(client, "joe", "secret", first) == ACCEPTED
    assert log_in(client, "one", "s", first) == ACCEPTED
    assert log_in(client, "joe", "secret", third) == ACCEPTED
    assert log_in(client, "joe", "wrong", third) == FAILED
    assert log_in(client, "joe", "secret", first) == ACCEPTED
    assert log_in(client, "one", "s", third) == ACCEPTED
    web = client.join()
    web.is_web = True
    for _ in range(3):
        assert log_in(client, "joe", "secret", web) == ACCEPTED


def test_a_limit_that_comes_later_counts_who_is_there() -> None:
    """After a reload; those who are there stay."""
    client = Client(USERS, auth_required=True)
    sessions = [client.session, client.join(), client.join()]
    for each in sessions:
        assert log_in(client, "joe", "secret", each) == ACCEPTED

    client.context.config = Config(auth_required=True, max_per_user=3)

    other = client.join()
    assert log_in(client, "joe", "secret", other) == FAILED
    client.context.registry.discard(sessions[0])
    assert log_in(client, "joe", "secret", other) == ACCEPTED


def test_a_challenge_is_good_for_one_login() -> None:
    """MD5 of challenge and secret logs in once."""
    client = Client(USERS, auth_required=True)
    answer = client.ask("Action: Challenge", "AuthType: md5")
    challenge = answer[1].partition(": ")[2]
    key = hashlib.md5(f"{challenge}secret".encode()).hexdigest()
    login = ["Action: Login", "AuthType: MD5", "Username: joe", f"Key: {key}"]

    client.handle(*login)
    assert client.session.told[-2:] == [ACCEPTED, BOOTED]
    assert client.ask(*login) == FAILED
    assert client.ask("Action: Challenge", "AuthType: MD5") != answer


def test_any_login_uses_up_the_challenge() -> None:
    """Also where any name will do: events are held back for who was given one."""
    client = Client()
    client.ask("Action: Challenge", "AuthType: md5")
    assert client.session.challenge

    client.handle("Action: Login", "AuthType: MD5", "Username: x", "Key: y")

    assert client.session.told[-2:] == [ACCEPTED, BOOTED]
    assert not client.session.challenge


def test_a_throttled_login_is_given_up_when_the_proxy_stops() -> None:
    """After failed logins the next one waits; only a stop ends that early."""
    client = Client(USERS, auth_required=True)
    for _ in range(20):
        client.context.guesses.failed("192.0.2.1")
    assert client.context.guesses.delay("192.0.2.1") > 10
    assert client.context.guesses.delay("192.0.2.2") == 0
    client.context.stopping.set()

    assert log_in(client, "joe", "secret") == ACCEPTED


def test_failed_logins_are_counted_by_address() -> None:
    """The fourth one throttles; a login that succeeds in between clears nothing."""
    client = Client(USERS, auth_required=True)
    client.context.stopping.set()
    for _ in range(4):
        log_in(client, "joe", "wrong")
        log_in(client, "joe", "secret")

    assert client.context.guesses.delay(client.session.address) > 0


def test_logoff_says_goodbye_and_ends_the_session() -> None:
    """With the ActionID that was given."""
    client = Client()

    assert not client.handle("Action: Logoff", "ActionID: 7").stays
    assert client.session.told == [
        ["Response: Goodbye", "ActionID: 7", "Message: Thanks for all the fish."]
    ]
