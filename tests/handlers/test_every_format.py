# SPDX-License-Identifier: GPL-2.0-or-later
"""Properties of every format: round trips, any bytes, any cuts, no memory for endless input."""

from __future__ import annotations

import os
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits, Refused
from amiproxy.message import Message
from tests.handlers.support import (
    FORMATS,
    SMALL,
    WIDE,
    cut,
    everything,
    kinds,
    messages,
    new_reader,
    noise,
    read,
    recorded,
    write,
)

NAMES = ["standard", "xml", "csv", "json"]
DAMAGED = int(os.environ.get("ASTMANPROXY_HISTORIES", "3000"))
each = pytest.mark.parametrize("name", NAMES)


@each
@given(sent=st.lists(messages, max_size=4))
def test_what_is_written_is_read_back(name: str, sent: list[Message]) -> None:
    """All messages that AMI allows come back with the same lines, in the same order."""
    assert read(name, b"".join(write(name, message) for message in sent)) == sent


@each
def test_what_asterisk_sent_is_read_back(name: str) -> None:
    """Every kind of recorded message comes back unchanged; a bare CR is refused."""
    for message in kinds():
        found = read(name, write(name, message))

        if name != "standard" and message.raw.count(b"\r") != message.raw.count(b"\r\n"):
            assert [one.close for one in found] == [False]
        else:
            assert found == [message]


@each
@given(data=noise, edges=st.lists(st.integers(0, 10_000), max_size=8))
def test_what_is_read_does_not_depend_on_how_bytes_arrive(
    name: str, data: bytes, edges: list[int]
) -> None:
    """Noise becomes messages or refusals, never an exception, wherever it is cut."""
    whole = everything(read(name, data))

    assert everything(read(name, *cut(data, edges))) == whole
    assert everything(read(name, *cut(data, list(range(len(data)))))) == whole


@each
@given(data=noise)
def test_nothing_that_is_read_can_inject_an_action(name: str, data: bytes) -> None:
    """Whatever a reader is fed, a message from it is one block within the limits."""
    for one in read(name, data, limits=SMALL):
        if isinstance(one, Refused):
            assert one.reply.own
            assert one.reply.lines[0] in ("Response: Error", "ProxyResponse: Error")
        else:
            assert b"\0" not in one.raw
            assert b"\r\n\r\n" not in one.raw[:-4]
            assert one.raw.count(b"\n") == one.raw.count(b"\r\n")
            assert len(one.lines) <= SMALL.headers
            assert max(map(len, one.lines)) <= SMALL.line


@each
def test_damaged_messages_do_no_harm(name: str) -> None:
    """3 000 of them, cut anywhere, become the same blocks or refusals each time."""
    chance = random.Random(name)
    written = [write(name, message) for message in recorded()[::40]]
    spoil = [
        b"",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b'"',
        b"'",
        b"<",
        b">",
        b"&",
        b"\\",
        b"{",
        b"]",
        b":",
        b",",
        b"<!",
    ]
    for _ in range(DAMAGED):
        data = bytearray(chance.choice(written)[:400])
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(3)] = chance.choice(spoil)
        edges = [chance.randrange(400) for _ in range(3)]

        assert everything(read(name, *cut(bytes(data), edges))) == everything(
            read(name, bytes(data))
        )


@each
@given(sent=st.lists(messages, max_size=4), edges=st.lists(st.integers(0, 10_000), max_size=8))
def test_limits_do_not_depend_on_how_bytes_arrive(
    name: str, sent: list[Message], edges: list[int]
) -> None:
    """The same blocks are refused with the same texts, wherever the bytes are cut."""
    data = b"".join(write(name, message) for message in sent)
    limits = Limits(line=30, headers=4, block=10_000)

    whole = everything(read(name, data, limits=limits))

    assert everything(read(name, *cut(data, edges), limits=limits)) == whole


@each
@pytest.mark.parametrize(
    "endless", [b"x" * 65536, b'"' * 65536, b"<a Value='" + b"x" * 65526, b'{"a":"' + b"x" * 65530]
)
def test_an_endless_line_costs_no_memory(name: str, endless: bytes) -> None:
    """12 MB without an end are dropped as they arrive."""
    reader = new_reader(name, Limits(block=100_000))
    tracemalloc.start()
    try:
        for _ in range(200):
            reader.feed(endless)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000


def reply_between(name: str, good: Message, bad: Message) -> tuple[str, ...]:
    """Return what *bad* is answered between two that are *good*, which are read."""
    sent = [write(name, one) for one in (good, bad, good)]
    first, second, third = read(name, *sent, limits=Limits())
    assert first == third == good
    assert not second.close
    lines: tuple[str, ...] = second.reply.lines
    return lines


@each
def test_a_line_that_asterisk_would_cut_is_refused(name: str) -> None:
    """1022 bytes pass, one more is an error with the ActionID, and the session goes on."""
    good = Message.of("Action: Ping", "X: " + "a" * 1019, "ActionID: 1")
    bad = Message.of("Action: Ping", "X: " + "a" * 1020, "ActionID: 2")

    assert reply_between(name, good, bad) == (
        "Response: Error",
        "ActionID: 2",
        "Message: Failed to parse message: line too long",
    )


@each
def test_more_headers_than_asterisk_accepts_are_refused(name: str) -> None:
    """128 headers pass, 129 are an error with the ActionID, and the session goes on."""
    headers = ["Action: Ping", "ActionID: 3", *(f"H{number}: v" for number in range(126))]
    good, bad = Message.of(*headers), Message.of(*headers, "Last: v")

    assert reply_between(name, good, bad) == (
        "Response: Error",
        "ActionID: 3",
        "Message: Too many lines in message or allocation failure",
    )


@each
def test_a_block_over_the_limit_is_refused(name: str) -> None:
    """Even if each of its lines is short."""
    big = Message.of("ActionID: 1", *(f"Header: {number}" for number in range(1000)))

    found = read(name, write(name, big), limits=Limits(headers=10_000, block=5000))

    assert [one.reply.get("Message") for one in found] == [
        "Failed to parse message: message too long"
    ]


@pytest.mark.parametrize("name", ["xml", "csv", "json"])
def test_empty_input_gives_nothing(name: str) -> None:
    """Blank lines between messages are not messages."""
    assert read(name, b"\r\n\n  \r\n" if name != "csv" else b"\r\n\n\r\n") == []
    assert read(name, b"") == []


def test_all_formats_of_the_program_load() -> None:
    """Each with its directions and media type."""
    assert {name: (one.is_input, one.is_output) for name, one in FORMATS.items()} == {
        "standard": (True, True),
        "xml": (True, True),
        "csv": (True, True),
        "json": (True, True),
        "http": (True, False),
    }
    assert [FORMATS[name].content_type for name in NAMES] == [
        "text/plain",
        "text/xml",
        "text/csv",
        "application/x-ndjson",
    ]
    assert WIDE.line > Limits().line
