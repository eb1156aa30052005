# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts in the block of a Login: secret or key, the first header of a name, the challenge."""

from __future__ import annotations

import hashlib
import logging

import bcrypt
import pytest

from amiproxy.access.hashes import hash_secret
from tests.threads.actions.support import Client

ACCEPTED = ["Response: Success", "Message: Authentication accepted"]
FAILED = ["Response: Error", "Message: Authentication failed"]
JOE = ("Action: Login", "Username: joe")

USERS = f"""
joe=secret
hashed={hash_secret("secret", cost=4)}
dear={hash_secret("secret", cost=6)}
[far]
secret = secret
read = call
write = call
deny = 0.0.0.0/0.0.0.0
[one]
secret = secret
read = call
write = call
allowmultiplelogin = no
"""


@pytest.fixture
def client() -> Client:
    """A client that must log in; nothing makes it wait."""
    made = Client(USERS, auth_required=True)
    made.context.stopping.set()
    return made


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the rounds of each bcrypt that is asked for from now on; none of them matches."""
    asked: list[int] = []

    def checkpw(_secret: bytes, hashed: bytes) -> bool:
        asked.append(2 ** int(hashed[4:6]))
        return False

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    return asked


def key(client: Client, secret: str = "secret") -> str:
    """Ask for a challenge; return the header that answers it."""
    challenge = client.ask("Action: Challenge", "AuthType: MD5")[1].partition(": ")[2]
    return f"Key: {hashlib.md5(f'{challenge}{secret}'.encode()).hexdigest()}"


def first(client: Client, *lines: str) -> list[str]:
    """Return the first answer to the block of *lines*."""
    before = len(client.session.told)
    client.handle(*lines)
    return client.session.told[before]


@pytest.mark.parametrize("auth", [[], ["AuthType:"], ["AuthType: plain"], ["AuthType: MD5x"]])
def test_a_key_counts_with_authtype_md5_only(client: Client, auth: list[str]) -> None:
    """As in Asterisk: without it the secret is compared, and a missing one is wrong."""
    assert first(client, *JOE, *auth, key(client)) == FAILED
    assert first(client, *JOE, *auth, key(client), "Secret: wrong") == FAILED
    assert first(client, *JOE, *auth, "Key: x", "Secret: secret") == ACCEPTED


@pytest.mark.parametrize("auth", ["AuthType: MD5", "authtype:md5", "AUTHTYPE:   Md5"])
def test_with_authtype_md5_the_secret_does_not_count(client: Client, auth: str) -> None:
    """Neither where the key is wrong, nor where it is missing or empty."""
    assert first(client, *JOE, auth, "Secret: secret", key(client, "other")) == FAILED
    assert first(client, *JOE, auth, "Secret: secret") == FAILED
    assert first(client, *JOE, auth, "Secret: secret", "Key:") == FAILED
    assert first(client, *JOE, auth, "Secret: wrong", key(client)) == ACCEPTED


def test_a_denied_address_gets_in_neither_by_secret_nor_by_key(client: Client) -> None:
    """The answer is that to a wrong one."""
    far = ("Action: Login", "Username: far")

    assert first(client, *far, "Secret: secret") == FAILED
    assert first(client, *far, "AuthType: MD5", key(client)) == FAILED


@pytest.mark.parametrize(
    "between",
    [
        (*JOE, "Secret: wrong"),
        (*JOE, "AuthType: MD5"),
        ("Action: Login", "Username: nobody", "AuthType: MD5", "Key: x"),
        ("Action: Login", "Username: far", "Secret: secret"),
        (*JOE, "Secret: secret"),
    ],
)
def test_any_login_uses_the_challenge_up(client: Client, between: tuple[str, ...]) -> None:
    """By secret or by key, whoever it names and however it ends."""
    answer = key(client)

    client.handle(*between)

    assert first(client, *JOE, "AuthType: MD5", answer) == FAILED
    assert first(client, *JOE, "AuthType: MD5", key(client)) == ACCEPTED


def test_the_first_header_of_a_name_counts(client: Client) -> None:
    """As in Asterisk, an empty one too; a name with a blank behind it is another name."""
    assert first(client, *JOE, "Username: nobody", "Secret: secret", "Secret: x") == ACCEPTED
    assert first(client, *JOE, "Secret:", "Secret: secret") == FAILED
    assert first(client, *JOE, "Secret : secret") == FAILED
    assert first(client, "Action: Login", "Username : joe", "Secret: secret") == FAILED
    assert first(client, *JOE, "AuthType: plain", "AuthType: MD5", "Secret: secret") == ACCEPTED


@pytest.mark.parametrize("secret", ["secret" + "x" * 900, "secret\0", "secret ", "SECRET", "\0"])
@pytest.mark.parametrize("name", ["joe", "hashed"])
def test_only_the_secret_itself_is_right(client: Client, name: str, secret: str) -> None:
    """In its case and length; NUL bytes end nothing."""
    assert first(client, "Action: Login", f"Username: {name}", f"Secret: {secret}") == FAILED


@pytest.mark.parametrize("more", [(), ("AuthType: MD5", "Key: 00")])
@pytest.mark.parametrize("name", ["joe", "hashed", "dear", "far", "one", "nobody"])
def test_a_failure_costs_the_same_for_every_name(
    client: Client, rounds: list[int], name: str, more: tuple[str, ...]
) -> None:
    """By secret as much as the dearest, by key nothing, denied addresses included."""
    assert first(client, "Action: Login", f"Username: {name}", "Secret: no", *more) == FAILED
    assert sum(rounds) == (0 if more else 2**6)


@pytest.mark.parametrize(("name", "held"), [("far", False), ("one", True)])
def test_a_right_secret_that_is_refused_costs_what_a_wrong_one_does(
    client: Client, rounds: list[int], name: str, held: bool
) -> None:
    """For its address, or because the user is logged in already."""
    if held:
        other = client.join()
        client.handle("Action: Login", f"Username: {name}", "Secret: secret", session=other)
        assert other.authenticated
    assert rounds == []

    assert first(client, "Action: Login", f"Username: {name}", "Secret: secret") == FAILED
    assert sum(rounds) == 2**6


def test_the_log_names_users_that_exist(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """What was typed instead of a name may be a password: its length is told."""
    caplog.set_level(logging.DEBUG)
    for name in ("joe", "hunter2", "Joe"):
        client.handle("Action: Login", f"Username: {name}", "Secret: no")
        client.handle("Action: Login", f"Username: {name}", "AuthType: MD5", "Key: no")

    failed = [record.getMessage() for record in caplog.records]
    line = 'login failed from 192.0.2.1 as "{}": wrong user or secret'
    shown = ("joe", "an unknown user of 7 characters", "an unknown user of 3 characters")
    assert failed == [line.format(name) for name in shown for _ in range(2)]
