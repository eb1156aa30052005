# SPDX-License-Identifier: GPL-2.0-or-later
"""What a WebSocket client sends, whatever it is."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.threads.live.incoming import LONGEST, ClosingError, Incoming

_MASK = b"\x01\x02\x03\x04"


def frame(payload: bytes, kind: int = 0x81, *, mask: bytes = _MASK) -> bytes:
    """Return a frame as clients send it; without *mask* as servers do."""
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        head = bytes((kind, bit | size))
    elif size < 65536:
        head = struct.pack("!BBH", kind, bit | 126, size)
    else:
        head = struct.pack("!BBQ", kind, bit | 127, size)
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def texts(*pieces: bytes) -> list[str]:
    """Return the texts that come out of *pieces*."""
    incoming = Incoming()
    return [each for piece in pieces for each in incoming.feed(piece) if isinstance(each, str)]


@settings(max_examples=40)
@given(st.lists(st.text(max_size=200), max_size=4), st.integers(1, 50))
def test_texts_come_out_however_the_bytes_arrive(said: list[str], step: int) -> None:
    """Cut anywhere, with or without the limits of frames."""
    data = b"".join(frame(each.encode()) for each in said)

    assert texts(*(data[at : at + step] for at in range(0, len(data), step))) == said


def test_a_text_may_come_in_pieces_with_a_ping_between() -> None:
    """The ping is answered at once, with what it brought."""
    parts = [frame(b"he", 0x01), frame(b"so", 0x89), frame(b"llo", 0x80)]
    incoming = Incoming()
    found = [each for part in parts for each in incoming.feed(part)]

    assert found == [b"\x8a\x02so", "hello"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(b"x", mask=b""), 1002, id="not masked"),
        pytest.param(frame(b"x", 0xC1), 1002, id="a reserved bit"),
        pytest.param(frame(b"x", 0x83), 1002, id="an unknown opcode"),
        pytest.param(frame(b"x", 0x80), 1002, id="goes on with nothing"),
        pytest.param(frame(b"x", 0x01) + frame(b"y", 0x81), 1002, id="a second text within"),
        pytest.param(frame(b"x", 0x09), 1002, id="half a ping"),
        pytest.param(frame(b"x", 0x82), 1003, id="binary"),
        pytest.param(frame(b"\xff"), 1007, id="not UTF-8"),
        pytest.param(frame(b"x" * (LONGEST + 1)), 1009, id="too long"),
        pytest.param(
            frame(b"x" * LONGEST, 0x01) + frame(b"x", 0x80), 1009, id="too long in pieces"
        ),
        pytest.param(frame(b"", 0x01) + frame(b"", 0x00) * 2000, 1008, id="endless pieces"),
    ],
)
def test_what_breaks_the_rules_closes(data: bytes, code: int) -> None:
    """With the code that says which rule."""
    with pytest.raises(ClosingError) as caught:
        texts(data)

    assert caught.value.code == code


def test_a_close_is_answered_and_ends_it() -> None:
    """With the code that came."""
    incoming = Incoming()

    assert [*incoming.feed(frame(struct.pack("!H", 1000), 0x88))] == [b"\x88\x02\x03\xe8"]
    assert incoming.is_over


_EXAMPLES = int(os.environ.get("ASTMANPROXY_FRAMES", "60"))


@settings(max_examples=_EXAMPLES)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(frame, st.binary(max_size=200), st.integers(0, 255)),
            st.builds(frame, st.text(max_size=100).map(str.encode)),
        ),
        max_size=12,
    )
)
def test_any_bytes_are_texts_or_a_close(pieces: list[bytes]) -> None:
    """Noise is closed for; nothing else is raised, and what was read before it came out."""
    incoming = Incoming()
    try:
        for piece in pieces:
            for each in incoming.feed(piece):
                assert isinstance(each, (str, bytes))
            if incoming.is_over:
                break
    except ClosingError as error:
        assert 1000 <= error.code < 5000  # noqa: PT017 - it is one of two good ends
