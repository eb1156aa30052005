# SPDX-License-Identifier: GPL-2.0-or-later
"""What was let in ends when it would be let in no more."""

from __future__ import annotations

from typing import Any

import pytest

from amiproxy.access.user import Users
from amiproxy.settings.config import Config
from amiproxy.threads.web import revocation
from tests.threads.rest.loginstage import (
    TOKEN,
    ask,
    bearer,
    house,
    log_in,
    opened,
    users,
)
from tests.threads.web.test_client import JOE, Stage

__all__ = ["house"]  # a fixture


@pytest.mark.parametrize(
    ("changes", "by_token", "by_secret"),
    [
        ({}, "", ""),
        ({"secret": "other"}, "", revocation.REVOKED),
        ({"tokens": frozenset()}, revocation.REVOKED, ""),
        ({"read": 1}, revocation.CHANGED, revocation.CHANGED),
        ({"servers": frozenset({"pbx2"})}, revocation.CHANGED, revocation.CHANGED),
        ({"name": "eve"}, revocation.REVOKED, revocation.REVOKED),
    ],
)
def test_what_sighup_takes_away_ends_at_once(
    house: Stage, changes: dict[str, Any], by_token: str, by_secret: str
) -> None:
    """Streams are closed, by what they were let in by; cookies of it let in no more."""
    by_tokens, by_secrets = opened(house, **bearer()), opened(house, authorization=JOE)
    _, cookie = log_in(house, {"token": TOKEN})
    found = users(**changes)
    if "name" in changes:
        found = Users({"ann": found["ann"]})

    house.context.renew(house.context.config, found, None)
    revocation.renew(house.context)

    assert (by_tokens.ended, by_secrets.ended) == (bool(by_token), bool(by_secret))
    works = by_token != revocation.REVOKED
    assert (ask(house, "GET", "/v1/me", cookie=cookie).status == 200) is works


def test_who_came_without_a_log_in_goes_where_one_is_needed_now() -> None:
    """SIGHUP has set authrequired."""
    stage = Stage()
    stream = opened(stage)
    revocation.renew(stage.context)
    assert not stream.ended
    stage.context.renew(Config(auth_required=True), users(), None)
    revocation.renew(stage.context)
    stage.stop()

    assert stream.ended


def test_the_key_of_the_proxy_lets_in_until_it_is_another(house: Stage) -> None:
    """As it does at other listeners."""
    config = Config(auth_required=True, proxy_key="open")
    house.context.renew(config, users(), None)
    stream = opened(house, proxykey="open")

    assert stream.allowed
    house.context.renew(Config(auth_required=True, proxy_key="shut"), users(), None)
    revocation.renew(house.context)
    assert stream.ended
