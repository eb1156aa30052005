# SPDX-License-Identifier: GPL-2.0-or-later
"""The time it takes to read hostile input grows with its length, not with the square of it."""

from __future__ import annotations

import contextlib
import time
from typing import Callable

import pytest

from amiproxy.errors import ProtocolError
from amiproxy.formats import Limits, Refused
from amiproxy.message import Message
from amiproxy.wire.framing import Framer
from tests.handlers.support import new_reader

SIZE = 12_000
#: What one read of a socket may bring, and what may be the whole input.
STEPS = (700, 4 * SIZE)

#: What makes a careless parser slow, or its recursion deep: repeated up to the size.
PATHOLOGICAL = [
    b"<",
    b"<a ",
    b"<!--",
    b"<!-- -",
    b'<a b="',
    b"<?x ",
    b"&amp;",
    b'<AsteriskManagerInput><A Value="&#65;"/>',
    b"<AsteriskManagerInput><A Value='x'/></AsteriskManagerInput>",
    b"[",
    b'{"a":',
    b'{"a":[',
    b'"\\u',
    b'{"a":"b","a":["c"],":order":["a","a"]}\n',
    b'""',
    b'","',
    b'"a", ',
    b"'",
    b"\\",
    b"\r",
    b"\r\r\n",
    b"\n",
    b"\0",
    b"\0\n",
    b"a\n",
    b"A: b\r\n",
    b"A: b\r\n\r\n",
    b"Response: Follows\r\n",
    b"--END COMMAND--",
    b"\xff",
    b"GET / HTTP/1.1\r\n",
    b"9" * 5000,
    b'{"a":' + b"9" * 5000 + b"}\n",
]


def seconds(read: Callable[[bytes, int], None], piece: bytes, size: int, step: int) -> float:
    """Return the processor time that *read* takes for *size* bytes of *piece*."""
    data = (piece * (size // len(piece) + 1))[:size]
    began = time.process_time()
    read(data, step)
    return time.process_time() - began


def is_slow(read: Callable[[bytes, int], None], piece: bytes, step: int, size: int = SIZE) -> bool:
    """Return whether four times the input takes more than eight times as long.

    A busy machine may be the reason once, but not three times.
    """
    for _ in range(3):
        allowed = 0.02 + 8 * seconds(read, piece, size, step)
        if seconds(read, piece, 4 * size, step) <= allowed:
            return False
    return True


@pytest.mark.parametrize("name", ["standard", "xml", "csv", "json"])
def test_the_cost_of_input_of_clients_is_linear(name: str) -> None:
    """In one piece or in small ones, within the limit of a block or beyond; it raises nothing."""

    def read(data: bytes, step: int) -> None:
        reader = new_reader(name, Limits(block=2 * SIZE))
        for at in range(0, len(data), step):
            found = reader.feed(data[at : at + step])
            assert all(isinstance(one, (Message, Refused)) for one in found)

    assert not [
        (piece[:40], step) for piece in PATHOLOGICAL for step in STEPS if is_slow(read, piece, step)
    ]


def test_the_cost_of_output_of_asterisk_is_linear() -> None:
    """Whatever it sends, at the begin of a message or within command output."""

    def read(data: bytes, step: int) -> None:
        for begin in (b"", b"Response: Follows\r\n"):
            framer = Framer(max_message=40 * SIZE)
            with contextlib.suppress(ProtocolError):
                framer.feed(begin)
                for at in range(0, len(data), step):
                    framer.feed(data[at : at + step])

    assert not [
        (piece[:40], step) for piece in PATHOLOGICAL for step in STEPS if is_slow(read, piece, step)
    ]


def test_the_cost_of_long_command_output_is_linear() -> None:
    """Line ends in it do not cause all of it to be searched again."""

    def read(data: bytes, step: int) -> None:
        framer = Framer(max_message=10_000_000)
        framer.feed(b"Response: Follows\r\n")
        for at in range(0, len(data), step):
            framer.feed(data[at : at + step])

    assert not is_slow(read, b"\n", 700, size=250_000)
