# SPDX-License-Identifier: GPL-2.0-or-later
"""A message that has come round is told from one that has not."""

from __future__ import annotations

import pytest

from amiproxy.errors import LoginRefused
from amiproxy.wire import circles
from amiproxy.wire.framing import Chunk

EVENT = b"Event: Hangup\r\nPrivilege: call,all"
MINE = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x"
OTHER = b"Event: A\r\nServer: x" * 5 + b"\r\nServer: here\r\n\r\n"


def message(start: bytes, times: int) -> bytes:
    """Return a message that *times* proxies have passed on."""
    return start + b"".join(b"\r\nServer: pbx%d" % number for number in range(times)) + b"\r\n\r\n"


@pytest.mark.parametrize("times", [9, 10, 500])
@pytest.mark.parametrize("start", [EVENT, b"Response: Success\r\nServer: y\r\nPing: Pong", b"x"])
@pytest.mark.parametrize("exact", [False, True])
def test_what_has_come_round_ends_the_connection(start: bytes, times: int, exact: bool) -> None:
    """It stands last in some read, however that was framed."""
    parts = [OTHER, message(start, times)]
    chunk = Chunk(exact=parts) if exact else Chunk(b"".join(parts))

    with pytest.raises(LoginRefused, match="this proxy reaches itself"):
        circles.checked(chunk)


@pytest.mark.parametrize("times", [0, 1, 2, 8])
def test_a_chain_of_proxies_is_none(times: int) -> None:
    """Nor are many messages in one read, or headers of that name elsewhere in a message."""
    chunk = Chunk(message(EVENT, times) * 100 + OTHER * 5, only_events=True)

    assert circles.checked(chunk) is chunk


def test_a_client_cannot_end_a_connection_by_headers_of_its_own() -> None:
    """Its UserEvent is left out, and nothing else."""
    forged = message(MINE, 12)

    left = circles.checked(Chunk(OTHER + message(EVENT, 1) + message(MINE, 2) + forged))

    assert left.exact == [OTHER, message(EVENT, 1), message(MINE, 2)]
