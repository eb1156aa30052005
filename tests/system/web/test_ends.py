# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers in which nothing tells their end are complete when they are, not when time is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.web.support import curl, needs_curl

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess

pytestmark = needs_curl

#: By action, what Asterisk answers it with, and what stands last in that.
ENDLESS = {
    # Asterisk 1.8 to 20: raw text, several messages of it.
    "Queues": (
        (
            b"a has 0 calls (max unlimited)\r\n   No Members\r\n   No Callers\r\n\r\n"
            b"b has 0 calls (max unlimited)\r\n   No Members\r\n   No Callers\r\n\r\n\r\n\r\n"
        ),
        "No Callers",
    ),
    "IAXnetstats": (b"IAX2/phone101-7683  1000   -1    0\n\r\n", "1000   -1    0"),
    "SKINNYshowdevice": (b"Channeltype: SKINNY\r\nObjectName: a\r\n\r\n\r\n", "ObjectName: a"),
    # 1.8 to 13: an event and no Response.
    "DataGet": (b"Event: DataGet Tree\r\nActionID: {ActionID}\r\nX: 1\r\n\r\n", "X: 1"),
    # Up to 1.8: a list that nothing ends.
    "DBGet": (
        (
            b"Response: Success\r\nActionID: {ActionID}\r\nMessage: Result will follow\r\n\r\n"
            b"Event: DBGetResponse\r\nFamily: f\r\nKey: k\r\nVal: v\r\nActionID: {ActionID}\r\n\r\n"
        ),
        "Val: v",
    ),
    # 22, today.
    "FAXStats": (
        (
            b"Response: Success\r\nActionID: {ActionID}\r\nMessage: FAXStats event will follow\r\n\r\n"
            b"Event: FAXStats\r\nActionID: {ActionID}\r\nFailedFaxes: 0\r\n\r\n"
        ),
        "FailedFaxes: 0",
    ),
    # An action of a module that nobody here knows.
    "SCCPShowDevice": (b"Event: SCCPShowDevice\r\nActionID: {ActionID}\r\nX: 1\r\n\r\n", "X: 1"),
}


@pytest.mark.parametrize("action", ENDLESS)
@pytest.mark.parametrize("given", ["", "&ActionID=mine"])
def test_an_answer_without_an_end_is_over_when_a_later_one_comes(
    asterisk: SimulatedAsterisk, web: ProxyProcess, action: str, given: str
) -> None:
    """The proxy asks behind it: what is asked later is answered later."""
    answer, last = ENDLESS[action]
    asterisk.answer(action, answer)

    status, _, body = curl(web, f"/?Action={action}{given}")

    assert status == 200
    assert last in body
    assert "Pong" not in body


@pytest.mark.parametrize("action", ["IAXnetstats", "SKINNYshowline", "SIPqualifypeer"])
def test_an_action_that_is_answered_with_nothing_is_over_too(
    asterisk: SimulatedAsterisk, web: ProxyProcess, action: str
) -> None:
    """IAXnetstats without calls; without a message there is nothing to show."""
    asterisk.answer(action, b"\r\n")

    status, _, body = curl(web, f"/?Action={action}&ActionID=1")

    assert (status, body) == (200, "")
    assert asterisk.actions("Ping")


def test_others_get_no_ping_behind(asterisk: SimulatedAsterisk, web: ProxyProcess) -> None:
    """What tells its end costs Asterisk nothing more; nor does an old list, once it is over."""
    asterisk.answer(
        "QueueStatus",
        b"Response: Success\r\nActionID: {ActionID}\r\nMessage: Queue status will follow\r\n\r\n"
        b"Event: QueueStatusComplete\r\nActionID: {ActionID}\r\n\r\n",
    )
    asterisk.received.clear()

    for action in ("CoreStatus", "IAXpeers", "QueueStatus", "Command&Command=uptime"):
        assert curl(web, f"/?Action={action}")[0] == 200

    assert not [raw for raw in asterisk.received if raw.startswith(b"Action: Ping")]
    asterisk.answer("QueueStatus", None)
