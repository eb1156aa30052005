# SPDX-License-Identifier: GPL-2.0-or-later
"""What the proxy writes as frames, read by the parser of websockets as a client's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amiproxy.live import frames
from amiproxy.threads.live.incoming import parser_module

_TEXT, _CLOSE, _PING = 1, 8, 9


def read(data: bytes) -> list[Any]:
    """Return the frames that a client reads in *data*."""
    module = parser_module()
    kind = getattr(module, "Protocol", None) or module.Connection
    client = kind(module.CLIENT, max_size=None)
    client.receive_data(data)
    assert getattr(client, "parser_exc", None) is None
    found: list[Any] = client.events_received()
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_text_of_any_length_is_one_frame(size: int) -> None:
    """The length is written in the shortest of the three ways, and the text comes out."""
    (frame,) = read(frames.text(b"x" * size))

    assert (frame.opcode, frame.fin, bytes(frame.data)) == (_TEXT, True, b"x" * size)


@settings(max_examples=30)
@given(st.lists(st.text(max_size=300), max_size=5))
def test_joined_frames_are_read_one_by_one(texts: list[str]) -> None:
    """What is joined once for all clients is what each of them was to be sent."""
    data = b"".join([frames.text(text.encode()) for text in texts])

    assert [bytes(frame.data).decode() for frame in read(data)] == texts


@settings(max_examples=30)
@given(st.text(max_size=200))
@example("\xe9" * 100)
def test_a_close_says_code_and_reason(reason: str) -> None:
    """A reason of any length and script can be read: no character is cut in two."""
    (frame,) = read(frames.close(1012, reason))

    data = bytes(frame.data)
    assert (frame.opcode, int.from_bytes(data[:2], "big")) == (_CLOSE, 1012)
    assert reason.startswith(data[2:].decode())
    assert len(data) <= 125


def test_a_ping_is_one() -> None:
    """A ping brings nothing."""
    (frame,) = read(frames.PING)

    assert (frame.opcode, bytes(frame.data)) == (_PING, b"")
