# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose actions may go the quick way, and which."""

from __future__ import annotations

import pytest

from amiproxy.access.user import User
from amiproxy.limits import Limits
from amiproxy.routing.classes import CALL, SYSTEM
from amiproxy.settings.config import Config
from amiproxy.threads.actions import plain
from tests.threads.plainways import World

PING = b"Action: Ping\r\n\r\n"
SETTING = b"Action: DBPut\r\nFamily: f\r\nKey: k\r\nVal: v\r\n\r\n"


def world(monkeypatch: pytest.MonkeyPatch, user: User | None, *, audit: bool = False) -> World:
    """Return a proxy with one client, of *user*."""
    found = World(1, monkeypatch, exact=False)
    found.context.config, found.context.limits = Config(audit=audit), Limits()
    while not found.clients:
        found.step()
    found.router.registry.log_in(found.clients[0].session, user, None)
    for server in found.servers:
        server.link.go_live()
    return found


@pytest.mark.parametrize(
    ("user", "goes"),
    [
        (None, True),
        (User("all", "s"), True),
        (User("system", "s", write=SYSTEM), True),
        # What its headers say may need the class system.
        (User("call", "s", write=CALL), False),
        # A filter may refuse or rewrite it; the server that is meant may not be the first.
        (User("phone", "s", channel="sip/1"), False),
        (User("billed", "s", accountcode="9"), False),
        (User("second", "s", servers=frozenset({"pbx1"})), False),
    ],
)
def test_whose_rights_depend_on_headers_goes_the_exact_way(
    monkeypatch: pytest.MonkeyPatch, user: User | None, goes: bool
) -> None:
    """All others go the quick one."""
    found = world(monkeypatch, user)

    assert plain.forward(found.context, found.clients[0].session, PING) is goes


def test_what_is_audited_goes_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line tells how it ended."""
    quiet, audited = (world(monkeypatch, None, audit=audit) for audit in (False, True))

    assert plain.forward(quiet.context, quiet.clients[0].session, SETTING)
    assert not plain.forward(audited.context, audited.clients[0].session, SETTING)
