# SPDX-License-Identifier: GPL-2.0-or-later
"""Who has not logged in may send little at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.peers import is_response, wait_connected
from tests.system.people import answer, closed, is_in, log_in

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import StartProxy

#: 20 KB, which is a legal action.
LARGE = ["Action: UserEvent", *(f"Header{number}: {'x' * 1000}" for number in range(20))]
TOO_LONG = "Message: Failed to parse message: message too long"


@pytest.mark.parametrize("users", ["joe=secret\n", ""], ids=["users", "nobody"])
def test_strangers_send_eight_kilobytes_at_a_time(
    proxy: StartProxy, asterisk: SimulatedAsterisk, users: str
) -> None:
    """Before a log-in; again once one has failed; who has logged in sends what is legal."""
    program = proxy(closed(asterisk), users)
    wait_connected(program)
    with program.client() as client:
        assert TOO_LONG in answer(client, *LARGE)
        assert "Message: Action Filtered" in answer(client, *LARGE[:7])
        if users:
            assert is_in(log_in(client, "joe"))
            assert "Response: Success" in answer(client, *LARGE)
        assert not is_in(log_in(client, "joe", "wrong"))
        assert TOO_LONG in answer(client, *LARGE)


def test_a_large_action_may_follow_the_log_in_in_one_packet(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """A client need not wait for the answer to its log-in."""
    program = proxy(closed(asterisk), "joe=secret\n")
    wait_connected(program)
    blocks = [["Action: Login", "Username: joe", "Secret: secret"], LARGE]
    with program.client() as client:
        client.send_raw("".join("\r\n".join(block) + "\r\n\r\n" for block in blocks))
        answers = [client.read_until(is_response) for _ in blocks]

    assert [lines[0] for lines in answers] == ["Response: Success"] * 2
