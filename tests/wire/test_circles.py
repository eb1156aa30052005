# SPDX-License-Identifier: GPL-2.0-or-later
"""A message that has come round is told from one that has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.wire import circles
from amiproxy.wire.framing import Chunk

if TYPE_CHECKING:
    from amiproxy.message import Message

EVENT = b"Event: Hangup\r\nPrivilege: call,all"
MINE = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x"
OTHER = b"Event: A\r\nServer: x" * 5 + b"\r\nServer: here\r\n\r\n"


def message(start: bytes, times: int) -> bytes:
    """Return a message that *times* proxies have passed on."""
    return start + b"".join(b"\r\nServer: pbx%d" % number for number in range(times)) + b"\r\n\r\n"


def is_ours(answer: Message) -> bool:
    """Return whether this proxy has asked for *answer*."""
    return answer.get("ActionID") == "ours"


@pytest.mark.parametrize("times", [9, 10, 500])
@pytest.mark.parametrize("start", [EVENT, MINE, b"Response: Success\r\nPing: Pong", b"x"])
@pytest.mark.parametrize("exact", [False, True])
def test_what_has_come_round_is_left_out(start: bytes, times: int, exact: bool) -> None:
    """It stands last in some read, however that was framed."""
    parts = [OTHER, message(start, times)]
    chunk = Chunk(exact=parts) if exact else Chunk(b"".join(parts))

    assert circles.checked(chunk, is_ours).exact == [OTHER]


def test_an_answer_that_was_asked_for_is_kept() -> None:
    """Getvar may be answered with a value that holds such lines."""
    chunk = Chunk(message(b"Response: Success\r\nActionID: ours\r\nValue: a", 9))

    assert circles.checked(chunk, is_ours) is chunk


@pytest.mark.parametrize("times", [0, 1, 2, 8])
def test_a_chain_of_proxies_is_none(times: int) -> None:
    """Nor are many messages in one read, or headers of that name elsewhere in a message."""
    chunk = Chunk(message(EVENT, times) * 100 + OTHER * 5, only_events=True)

    assert circles.checked(chunk, is_ours) is chunk


def test_a_client_cannot_end_a_connection_by_headers_of_its_own() -> None:
    """Its UserEvent is left out, and nothing else."""
    forged = message(MINE, 12)

    read = Chunk(OTHER + message(EVENT, 1) + message(MINE, 2) + forged)
    left = circles.checked(read, is_ours)

    assert left.exact == [OTHER, message(EVENT, 1), message(MINE, 2)]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b"Event: A\r\nServer: Far\r\nServer: near\r\n\r\n", ["far", "near"]),
        (b"Event: A\r\nServer: x\r\nX: 1\r\nServer: \xc9\r\n\r\n", ["\xe9"]),
        (b"Event: A\r\nServer: x\r\nX: 1\r\n\r\n", []),
        (b"Event: A\r\nServer:\r\n\r\n", []),
    ],
)
def test_through_which_proxies_a_message_has_come(raw: bytes, names: list[str]) -> None:
    """The one next to here is last."""
    assert circles.through(raw) == names
