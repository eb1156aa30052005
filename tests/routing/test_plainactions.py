# SPDX-License-Identifier: GPL-2.0-or-later
"""Which blocks are plain; that they go up as any others do, tests/threads/test_plain_ways.py tests."""

from __future__ import annotations

import pytest

from amiproxy.limits import Limits
from amiproxy.routing import plainactions
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.autofilter import AutoFilter


class Asker:
    """A session that asks."""

    number, mode, is_web = 7, AutoFilter.UNIQUE, False


PLAIN = [
    b"Action: Ping\r\n\r\n",
    b"action: ping\r\nActionID: 1\r\n\r\n",
    b"Action: DBGet\r\nFamily: a b\r\nActionID: \xe4:1\r\nKey: \r\n\r\n",
]
ODD = [
    b"Action: Ping\r\nKey: a\0b\r\n\r\n",
    b"Action: Ping\r\nKey: a\rb\r\n\r\n",
    b"Action: Ping\r\nKey: a\nb\r\n\r\n",
    b"Action: Ping\r\nActionID: a\0b\r\n\r\n",
    b"Action: Ping\r\nActionID: \r\n\r\n",
    b"Action: Ping\r\nActionID:  1\r\n\r\n",
    b"Action: Ping\r\nActionID: 1\r\nACTIONID: 2\r\n\r\n",
    b"Action: Ping\r\nAction: Logoff\r\n\r\n",
    b"Action: Ping\r\nServer: pbx1\r\n\r\n",
    b"Action: Ping\r\nPROXYACTION: ListSessions\r\n\r\n",
    b"Action: Ping\r\nProxyKey: secret\r\n\r\n",
    b"Action: Ping \r\n\r\n",
    b"Action:Ping\r\n\r\n",
    b"Key: a\r\nAction: Ping\r\n\r\n",
    b"Action: Ping\r\nKey\r\n\r\n",
    b"Action: Ping\r\nKey : a\r\n\r\n",
    b"Action: Ping\r\n",
    b"Action: Ping\r\n\r\nAction: Ping\r\n\r\n",
]


@pytest.mark.parametrize("block", PLAIN)
def test_what_holds_nothing_special_is_plain(block: bytes) -> None:
    """Its ActionID is exchanged, or put at its end; all else stays."""
    found = plainactions.find(block)
    assert found is not None
    action = plainactions.prepare(found, ActionIds(), Asker(), Limits())

    assert action is not None
    given = found[2]
    wire_id = action.wire_id.encode("latin-1")
    if given is None:
        assert action.raw == block[:-2] + b"ActionID: " + wire_id + b"\r\n\r\n"
    else:
        assert action.raw == block.replace(b"ID: " + given, b"ID: " + wire_id)


@pytest.mark.parametrize("block", ODD)
def test_what_needs_a_closer_look_is_not_plain(block: bytes) -> None:
    """What the proxy reads itself, what Asterisks read differently, what is no block."""
    assert plainactions.find(block) is None


@pytest.mark.parametrize("limits", [Limits(60), Limits(headers=2)])
def test_what_may_be_too_long_upstream_is_looked_at(limits: Limits) -> None:
    """Lines and headers are counted there."""
    found = plainactions.find(b"Action: Ping\r\nKey: " + b"x" * 20 + b"\r\n\r\n")
    assert found is not None

    assert plainactions.prepare(found, ActionIds(), Asker(), limits) is None
