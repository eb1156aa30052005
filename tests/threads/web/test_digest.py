# SPDX-License-Identifier: GPL-2.0-or-later
"""Digest at Asterisk's paths: who gets in, and what an attacker who listens can do."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.acl import DENY_ALL
from amiproxy.access.digest import Credentials
from amiproxy.access.hashes import hash_secret
from amiproxy.access.user import User, Users
from amiproxy.settings.config import Config
from tests.threads.web.test_client import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.httpmessages import Response

PING = "/asterisk/arawman?action=ping"


def users() -> Users:
    return Users(
        {"joe": User("joe", "secret1"), "ann": User("ann", hash_secret("secret2", cost=4))}
    )


def staged(**settings: Any) -> Stage:
    made = Stage(auth_required=True)
    made.context.renew(Config(auth_required=True, **settings), users(), None)
    made.context.stopping.set()  # nobody waits for a failure's delay
    return made


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A proxy that requires a log-in: joe's secret is plain, ann's is hashed."""
    made = staged()
    yield made
    made.stop()


def challenges(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "WWW-Authenticate"]


def nonce_of(response: Response) -> str:
    """Return the nonce of the first challenge in *response*."""
    assert response.status == 401
    found = re.search('nonce="([0-9a-f]+)"', challenges(response)[0])
    assert found is not None
    return found[1]


def signed(
    nonce: str, target: str = PING, user: str = "joe", secret: str = "secret1", count: int = 1,
    algorithm: str = "MD5",
) -> str:  # fmt: skip
    """Return the header of who asks for *target* and knows *secret*."""
    nc = f"{count:08x}"
    response = Credentials("GET", user, nonce, target, "", "c", nc, algorithm).response_with(secret)
    return (
        f'Digest username="{user}", realm="asterisk", nonce="{nonce}", uri="{target}", qop=auth, '
        f'nc={nc}, cnonce="c", algorithm={algorithm}, response="{response}"'
    )


def ask(stage: Stage, header: str, target: str = PING) -> Response:
    return stage.get(target, authorization=header)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("style", ["rawman", "mxml", "manager"])
def test_who_knows_the_secret_gets_in(stage: Stage, style: str, algorithm: str) -> None:
    """With either algorithm, at each path, as often as wanted with one nonce; no session is kept."""
    target = f"/a{style}/?action=ping&x=%20y"
    nonce = nonce_of(stage.get(target))

    for count in range(1, 4):
        header = signed(nonce, target, count=count, algorithm=algorithm)
        response = ask(stage, header, target)
        assert response.status == 200
        assert b"Pong" in response.body
        assert not any(name == "Set-Cookie" for name, _ in response.headers)
    assert stage.context.registry.snapshot() == ()


def test_a_request_that_was_heard_cannot_be_sent_again(stage: Stage) -> None:
    """Nor with another count, nor for another URL or method; Asterisk hears of none of them."""
    nonce = nonce_of(stage.get(PING))
    header = signed(nonce)
    assert ask(stage, header).status == 200
    asked = len(stage.asterisk.asked)

    again = ask(stage, header)
    assert "stale=true" in challenges(again)[0]
    assert nonce_of(again) != nonce
    for tried in (
        header.replace("nc=00000001", "nc=00000002"),
        header.replace(PING, "/arawman?action=corestatus"),
        header.replace(nonce, nonce_of(again)),
        header.replace('username="joe"', 'username="ann"'),
    ):
        response = ask(stage, tried)
        assert response.status == 401
        assert "stale" not in challenges(response)[0]
    assert ask(stage, header, "/arawman?action=corestatus").status == 401
    assert len(stage.asterisk.asked) == asked


def test_a_wrong_secret_counts_as_a_failed_log_in(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line that fail2ban reads, and what delays further guesses; the nonce stays good."""
    caplog.set_level(logging.INFO)
    failed: list[str] = []
    monkeypatch.setattr(stage.context.guesses, "failed", failed.append)
    nonce = nonce_of(stage.get(PING))

    for user, secret in (("joe", "wrong"), ("nobody", ""), ("joe", "")):
        assert ask(stage, signed(nonce, user=user, secret=secret)).status == 401

    lines = [each.getMessage() for each in caplog.records if "login failed" in each.getMessage()]
    assert len(lines) == 3
    assert 'login failed from 192.0.2.1 as "joe": wrong user or secret' in lines[0]
    assert failed == ["192.0.2.1"] * 3
    assert ask(stage, signed(nonce)).status == 200


def test_a_nonce_that_is_over_is_no_guess(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client, who may know the secret, is given another; nothing was tried."""
    failed: list[str] = []
    monkeypatch.setattr(stage.context.guesses, "failed", failed.append)
    for nonce in ("x", "0" * 64):
        response = ask(stage, signed(nonce, secret="wrong"))
        assert "stale=true" in challenges(response)[0]
    assert failed == []


def test_a_hashed_secret_gets_a_clear_word(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the user; the client is told the same as for any wrong secret."""
    nonce = nonce_of(stage.get(PING))

    hashed = ask(stage, signed(nonce, user="ann", secret="secret2"))
    wrong = ask(stage, signed(nonce, user="nobody", secret="secret2"))

    assert hashed.body == wrong.body
    assert b"Digest needs a user whose secret is not hashed" in hashed.body
    assert 'as "ann": the secret is hashed, which Digest cannot check' in caplog.text


def test_an_address_that_is_not_permitted_is_refused(stage: Stage) -> None:
    """Whatever the digest: the rules of a log-in hold."""
    joe = User("joe", "secret1", acl=DENY_ALL)
    stage.context.renew(stage.context.config, Users({"joe": joe}), None)

    assert ask(stage, signed(nonce_of(stage.get(PING)))).status == 401


def test_without_credentials_everybody_is_asked() -> None:
    """As at Asterisk, also where the proxy needs no log-in."""
    stage = Stage()
    try:
        for target in (PING, "/amanager", "/amxml?action=login"):
            response = stage.get(target)
            assert response.status == 401
            assert all(each.startswith("Digest ") for each in challenges(response))
            assert len(challenges(response)) == 2
            assert b"Authentication required" in response.body
        assert stage.asterisk.asked == []
    finally:
        stage.stop()


def test_it_can_be_switched_off_and_narrowed() -> None:
    """By httpdigest = no, and by httpdigest = SHA-256."""
    for setting, told in (((), "switched off"), (("SHA-256",), "SHA-256")):
        stage = staged(http_digest=setting)
        try:
            response = stage.get(PING)
            offered = re.findall("algorithm=([^,]+)", " ".join(challenges(response)))
            assert offered == list(setting)
            nonce = nonce_of(response) if setting else "0"
            refused = ask(stage, signed(nonce))
            assert refused.status == 401
            assert told in refused.body.decode()
        finally:
            stage.stop()


def test_an_action_may_be_missing_and_a_log_in_begins_nothing(stage: Stage) -> None:
    """Who has proved who they are is told as at the other paths; there is no session by cookie."""
    for target, told in (
        ("/arawman", b"Missing action in request"),
        ("/arawman?action=login&username=joe&secret=secret1", b"Authentication accepted"),
    ):
        nonce = nonce_of(stage.get(target))
        response = ask(stage, signed(nonce, target), target)
        assert response.status == 200
        assert told in response.body
        assert not any(name == "Set-Cookie" for name, _ in response.headers)
    assert len(stage.sessions) == 0
