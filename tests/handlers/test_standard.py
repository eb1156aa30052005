# SPDX-License-Identifier: GPL-2.0-or-later
"""The manager format: read as Asterisk reads it."""

from __future__ import annotations

import pytest

from amiproxy.formats import Limits
from amiproxy.message import Message
from tests.handlers.support import FORMATS, read

PING = b"Action: Ping\r\nActionID: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "raws"),
    [
        (PING, [PING]),
        (PING * 3, [PING] * 3),
        (PING.replace(b"\r", b""), [PING]),
        (b"Action: Ping\nActionID: 1\r\n\n", [PING]),
        (b"\r\n\r\n\n" + PING + b"\r\n" + PING, [PING, PING]),
        (b"A: b\rc\r\n\r\n", [b"A: b\rc\r\n\r\n"]),
        (b"A: b\r\r\n\r\n", [b"A: b\r\r\n\r\n"]),
        (b"A: b\0c\r\nD: e\r\n\r\n", [b"A: b\r\nD: e\r\n\r\n"]),
        (b"A: b\r\n\0junk\r\nMore: x\r\n\r\n", [b"A: b\r\n\r\n", b"More: x\r\n\r\n"]),
        (b"hello world\r\n\r\n", [b"hello world\r\n\r\n"]),
        (b" Lead: x \r\nNo:blank\r\n\r\n", [b" Lead: x \r\nNo:blank\r\n\r\n"]),
        (b"A: \xff\xe9\r\n\r\n", [b"A: \xff\xe9\r\n\r\n"]),
        (PING[:-2], []),
        (
            b"Response: Follows\r\nA: b\r\n\r\nC: d\r\n\r\n",
            [b"Response: Follows\r\nA: b\r\n\r\n", b"C: d\r\n\r\n"],
        ),
    ],
)
def test_blocks_are_read_as_asterisk_reads_them(data: bytes, raws: list[bytes]) -> None:
    """Line ends, blank lines, NUL and stray CR mean the same as in Asterisk."""
    assert [one.raw for one in read("standard", data)] == raws
    assert [one.raw for one in read("standard", *(bytes([byte]) for byte in data))] == raws


def test_blocks_do_not_depend_on_packets() -> None:
    """Half a block waits for the rest, also after whole blocks in the same packet."""
    data = PING * 20

    for edge in range(len(data)):
        assert read("standard", data[:edge], data[edge:]) == [Message(PING)] * 20


def test_a_long_line_between_good_blocks_is_answered_in_order() -> None:
    """The refusal takes the place of the block, and gives the reason in the text of Asterisk."""
    data = PING + b"X: " + b"a" * 5000 + b"\r\nMore: x\r\nActionID: 9\r\n\r\n" + PING

    first, refused, last = read("standard", data, limits=Limits())

    assert first == last == Message(PING)
    assert refused.reply.raw == (
        b"Response: Error\r\nActionID: 9\r\nMessage: Failed to parse message: line too long\r\n\r\n"
    )
    assert refused.reply.own
    assert "ActionID" not in refused.reason


def test_a_line_of_1022_bytes_may_end_in_a_cr_that_comes_later() -> None:
    """The CR of the line end does not count, even if the packet ends before it."""
    line = b"X: " + b"a" * 1019

    assert [one.raw for one in read("standard", line + b"\r", b"\n\r\n", limits=Limits())] == [
        line + b"\r\n\r\n"
    ]


def test_the_actionid_after_the_last_header_is_lost_as_in_asterisk() -> None:
    """An ActionID beyond the limit is not echoed (recording i1_hdr_500_id_last)."""
    data = b"".join(b"H%d: v\r\n" % number for number in range(500)) + b"ActionID: 1\r\n\r\n"

    (refused,) = read("standard", data, limits=Limits())

    assert not refused.reply.has("ActionID")


def test_the_banner_is_one_line() -> None:
    """A client of this format gets it first."""
    greet = FORMATS["standard"].onconnect
    assert greet is not None

    assert greet("Asterisk Call Manager Proxy/2") == b"Asterisk Call Manager Proxy/2\r\n"
    assert FORMATS["standard"].wire
