# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages and blocks: values that are parsed only on demand."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.blocks import block, refusal
from amiproxy.formats import Limits, Refused
from amiproxy.message import END, Message
from amiproxy.wire.plain import PlainEncoder
from tests.handlers.support import WIDE, messages

EVENT = Message(b"Event: X\r\nvariable: 1\r\nNo:blank\r\nline\r\nVariable:  2\r\nEmpty: \r\n\r\n")


def test_headers_are_found_in_any_case_and_the_first_one_counts() -> None:
    """Blanks between colon and value do not count, as in Asterisk."""
    assert EVENT.get("EVENT") == "X"
    assert EVENT.get("Variable") == "1"
    assert EVENT.get("no") == "blank"
    assert EVENT.get("line") == EVENT.get("missing") == EVENT.get("Empty") == ""
    assert EVENT.has("Empty")
    assert not EVENT.has("line")
    assert EVENT.all("Variable") == ["1", "2"]


def test_lines_and_headers_keep_their_order() -> None:
    """A line without a colon is not a header."""
    assert EVENT.lines == ("Event: X", "variable: 1", "No:blank", "line", "Variable:  2", "Empty: ")
    assert [name for name, _ in EVENT.headers()] == ["Event", "variable", "No", "Variable", "Empty"]


TEXT = Message(b"Response: Follows\r\nActionID: 5\r\none\n\nA: b\r\nx\ry\n--END COMMAND--\r\n\r\n")


def test_each_line_of_raw_text_is_a_line() -> None:
    """Whether LF or CRLF ends it; a bare CR is data, and the bytes stay as they came."""
    assert TEXT.lines == (
        *("Response: Follows", "ActionID: 5", "one", "", "A: b", "x\ry", "--END COMMAND--"),
    )
    assert TEXT.get("A") == "b"
    assert TEXT.get("ActionID") == "5"
    assert TEXT.raw.count(b"\r\n") == 5
    assert TEXT.with_crlf().lines == TEXT.lines
    assert TEXT.with_crlf().raw.count(b"\n") == TEXT.with_crlf().raw.count(b"\r\n")
    assert EVENT.with_crlf() is EVENT


def test_changing_a_message_makes_another() -> None:
    """The original is unchanged, and the new one is of the same origin."""
    own = Message.of("A: 1", "B: 2", "a: 3", own=True)

    assert own.with_header("Server", "x").lines == ("A: 1", "B: 2", "a: 3", "Server: x")
    assert own.without("A").lines == ("B: 2",)
    assert own.replacing("A", "9").lines == ("A: 9", "B: 2", "a: 9")
    assert own.with_header("S", "x").own
    assert own.without("A").own
    assert own.replacing("A", "9").own
    assert own.lines == ("A: 1", "B: 2", "a: 3")


def test_messages_compare_by_their_bytes() -> None:
    """Messages of equal bytes are equal, and the same key."""
    assert Message.of("A: 1") == Message(b"A: 1\r\n\r\n")
    assert Message.of("A: 1") != Message.of("A: 2")
    assert Message.of("A: 1") != "A: 1"
    assert len({Message.of("A: 1"), Message(b"A: 1\r\n\r\n")}) == 1


def test_a_repr_shows_no_values() -> None:
    """They may be secrets, and a repr may get into a log."""
    assert repr(Message.of("Action: Login", "Secret: hunter2")) == "<Message Action, Secret>"


@given(message=messages)
def test_text_is_bytes_one_to_one(message: Message) -> None:
    """All bytes of a message are kept as its lines."""
    assert Message.of(*message.lines) == message
    assert block([line.encode("latin-1") for line in message.lines], WIDE) == message


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([b"A: b\nc"], "CR, LF or NUL"),
        ([b"A: b\rc"], "CR, LF or NUL"),
        ([b"A: b\0c"], "CR, LF or NUL"),
        ([b"A: b\r\n\r\nAction: Logoff", b"C: d"], "CR, LF or NUL"),
        ([b"A: " + b"x" * 1020], "line too long"),
        ([b"A: b"] * 129, "Too many lines"),
    ],
)
def test_lines_that_are_dangerous_for_asterisk_are_refused(
    lines: list[bytes], problem: str
) -> None:
    """The answer gives the reason and echoes the ActionID."""
    refused = block([b"actionid:7", *lines][-129:], Limits())

    assert isinstance(refused, Refused)
    assert problem in refused.reply.get("Message")
    assert refused.reply.get("ActionID") == ("7" if len(lines) < 129 else "")


def test_a_refusal_echoes_no_line_break() -> None:
    """An ActionID that would inject a header is not echoed."""
    assert refusal("No", [b"ActionID: 1\r\nEvent: Fake"]).reply.lines == (
        "Response: Error",
        "Message: No",
    )


def test_a_block_of_nothing_is_none() -> None:
    """Empty lines would end a block, so they are left out."""
    assert block([], Limits()) is None
    assert block([b"", b""], Limits()) is None
    assert block([b"", b"A: b", b""], Limits()) == Message(b"A: b" + END)


_PIECES = st.sampled_from(["Action", "action", "X", ":", ": ", " ", "\t", "\0", "\x85", "Ping"])


@given(st.lists(st.lists(_PIECES, max_size=6).map("".join), max_size=5))
def test_a_header_read_in_one_step_is_the_one_read_exactly(lines: list[str]) -> None:
    """However odd a line is, rights are checked for the action that Asterisk performs."""
    message = Message.of(*lines)
    exactly: dict[str, str] = {}
    for name, value in message.headers():
        exactly.setdefault(name.lower(), value)

    assert message.values == exactly


@given(message=messages)
def test_the_fast_path_is_for_plain_messages_only(message: Message) -> None:
    """All that it takes for headers are: name and value are those of the line."""
    plain = PlainEncoder(b"\n%b\n").encode(message.raw[:-4])

    if plain is not None:
        parts = plain.decode().split("\n")[1:]
        assert [": ".join(pair) for pair in zip(parts[::2], parts[1::2])] == [
            line.encode("latin-1").decode() for line in message.lines
        ]


def test_the_fast_path_remembers_a_limited_number_of_names() -> None:
    """Names sent by clients do not fill the memory."""
    encoder = PlainEncoder(b"%b=")
    tracemalloc.start()
    try:
        for number in range(30_000):
            assert encoder.encode(b"N%d: x" % number) == b"N%d=x" % number
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert used < 1_500_000  # all of them take over 4 MB
