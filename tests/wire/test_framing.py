# SPDX-License-Identifier: GPL-2.0-or-later
"""Framing: whatever Asterisk sends, however TCP cuts it, the same messages result."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.errors import ProtocolError
from amiproxy.wire import framing
from amiproxy.wire.framing import Framer
from tests.recordings import RECORDINGS, after_banner

ENDING = b"\r\nServer: pbx\r\n\r\n"


def feed(*chunks: bytes, max_message: int = 1 << 26) -> list[bytes]:
    """Return the messages that *chunks* hold, in wire form."""
    framer = Framer(max_message, ENDING)
    messages: list[bytes] = []
    for chunk in chunks:
        whole = framer.feed(chunk)
        found = [message.raw for message in whole.messages()]
        if whole.exact is None:
            assert b"".join(found) == whole.wire
        if whole.only_events:
            assert all(message.startswith(b"Event: ") for message in found)
        messages += found
    assert all(message.endswith(ENDING) for message in messages)
    return [message[: -len(ENDING)] + b"\r\n\r\n" for message in messages]


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(data)]
    return [data[a:b] for a, b in zip(edges, edges[1:])]


def by_lines(data: bytes) -> list[bytes]:
    """Return the messages that *data* holds, found slowly and simply (spec section 4)."""
    messages: list[bytes] = []
    lines: list[bytes] = []
    text = False
    for piece in data.split(b"\n")[:-1]:
        line = piece[:-1] if piece.endswith(b"\r") else piece
        if text:
            lines.append(line)
            text = not line.endswith(b"--END COMMAND--")
        elif line:
            text = not lines and re.fullmatch(rb"Response: Follows *", line) is not None
            lines.append(line)
        elif lines:
            messages.append(b"\r\n".join(lines) + b"\r\n\r\n")
            lines = []
    return messages


OLD_COMMAND = (
    b"Response: Follows\r\nPrivilege: Command\r\nActionID: 5\r\n"
    b"one\n\nEvent: Fake\n\n\r\ntwo--END COMMAND--\r\n\r\n"
)
PONG = b"Response: Success\r\nPing: Pong\r\n\r\n"


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording_gives_the_messages_its_lines_spell(name: str) -> None:
    """The quick way and the exact way agree on all that a real Asterisk sent."""
    data = after_banner(name)

    assert feed(data) == by_lines(data)
    assert feed(*cut(data, list(range(0, len(data), 977)))) == by_lines(data)


PIECES = st.sampled_from(
    [
        b"Event: A\r\nB: c\r\n\r\n",
        PONG,
        OLD_COMMAND,
        b"Event: X\r\nText: Response: Follows\r\n\r\n",
        b"CallStarted: 1\nLoggedInTime: 2\r\n\r\n",
        b"\r\n",
        b"\n",
        b"raw text\nof a command\n\r\n",
        b"Message: Park successful\n\r\n",
        b"Bare: a\rb\r\n\r\n",
        b"Long: " + b"x" * 3000 + b"\r\n\r\n",
        b"Event: half",
        b"Response: Follows\r\nx --END COMMAND-- y\n\n",
        b"--END COMMAND--",
        b"response:follows\r\nA: b\r\n\r\n",
        b"Response: Follows \r\nA: b\r\n\r\n",
        b"\r",
    ]
)


@given(st.lists(PIECES, max_size=12), st.data())
@settings(max_examples=300)
def test_messages_do_not_depend_on_how_bytes_arrive(
    pieces: list[bytes], data: st.DataObject
) -> None:
    """However TCP cuts the stream, the same messages come out, the exact ones."""
    stream = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))

    assert feed(*cut(stream, cuts)) == by_lines(stream)


@given(st.lists(st.binary(max_size=64)))
def test_any_bytes_are_framed_or_refused(chunks: list[bytes]) -> None:
    """Noise gives messages or ProtocolError, and no other exception."""
    framer = Framer(256)
    try:
        for chunk in chunks:
            framer.feed(chunk)
    except ProtocolError:
        pass


def test_blank_lines_inside_command_output_are_kept() -> None:
    """Old command output is one message, blank lines and all, up to its end mark."""
    expected = OLD_COMMAND.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    assert feed(OLD_COMMAND + PONG) == [expected, PONG]
    assert feed(*[bytes([byte]) for byte in OLD_COMMAND + PONG]) == [expected, PONG]


def test_a_value_that_says_response_follows_swallows_nothing() -> None:
    """Only a first header of that name and value starts raw text."""
    event = b"Event: X\r\nText: Response: Follows\r\n\r\n"

    assert feed(event + PONG) == [event, PONG]


def test_an_endless_message_is_an_error() -> None:
    """Setting maxmessage bounds a message, in whatever way it is cut."""
    with pytest.raises(ProtocolError, match="maxmessage is 1000"):
        feed(b"A: " + b"x" * 500, b"y" * 600, max_message=1000)
    with pytest.raises(ProtocolError):
        feed(b"Response: Follows\r\n", *[b"text\n\n" * 20] * 20, max_message=1000)


def test_a_large_message_is_not_cut() -> None:
    """5 MB of one value arrive whole."""
    message = b"Event: Big\r\nValue: " + b"v" * (5 << 20) + b"\r\n\r\n"

    assert feed(*cut(message + PONG, list(range(0, len(message), 65536)))) == [message, PONG]


ENDS_THE_TEXT = b"--END COMMAND--"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("step", [1, 13, 1448, 65536])
@pytest.mark.parametrize(
    "text",
    [
        b"one\n\n" + b"of many lines\n" * 3000,
        b"\nx --END COMMAND-- y\n" + b"of many lines\n" * 3000,
        b"\n" + b"x--END COMMAND--y\r\n\r\n" * 2000,
        b"\n--END COMMAND--" + b"\r" * 5000 + b"x\n\n" + b"\r\n" * 5000,
    ],
    ids=["blank", "once", "often", "returns"],
)
def test_no_byte_of_command_output_is_cut_often(
    monkeypatch: pytest.MonkeyPatch, text: bytes, step: int, ending: bytes
) -> None:
    """What is cut line by line is three times the output at the most, in whatever pieces."""
    stream = b"Response: Follows\r\n" + text + ENDS_THE_TEXT + ending + b"\r\n" + PONG
    cut_bytes = []
    exactly = framing._cut_exactly  # noqa: SLF001 - what is counted

    def counted(buffer: bytes) -> tuple[list[bytes], bytes, bool]:
        cut_bytes.append(len(buffer))
        return exactly(buffer)

    monkeypatch.setattr(framing, "_cut_exactly", counted)
    messages = feed(*cut(stream, list(range(step, len(stream), step))))

    assert messages == by_lines(stream)
    assert len(messages) == 2
    assert sum(cut_bytes) <= 3 * len(stream)
