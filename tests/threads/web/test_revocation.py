# SPDX-License-Identifier: GPL-2.0-or-later
"""What was let in ends when it would be let in no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import Users
from amiproxy.live.formats import WEBSOCKET
from amiproxy.settings.config import Config
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.websocket import enter
from amiproxy.threads.web import identity, revocation
from amiproxy.web.problems import Problem
from tests.threads.rest.loginstage import (
    OWN,
    TOKEN,
    ask,
    bearer,
    house,
    log_in,
    opened,
    users,
    visit_of,
)
from tests.threads.web.test_client import JOE, Stage

if TYPE_CHECKING:
    from amiproxy.access.stamp import Stamp
    from amiproxy.threads.web.visit import Visit

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


def test_who_logs_out_while_a_stream_opens_has_none(
    house: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would end it any more: it was not there yet when all that were open were ended."""
    _, cookie = log_in(house)
    find = identity.find_stamp

    def slow(visit: Visit) -> Stamp:
        found = find(visit)
        ask(house, "DELETE", "/v1/session", cookie=cookie, **OWN)
        return found

    monkeypatch.setattr(identity, "find_stamp", slow)
    visit = visit_of(house, cookie=cookie)
    with pytest.raises(Problem, match="Log in again"):
        enter(visit, LiveSession(visit, WEBSOCKET))
